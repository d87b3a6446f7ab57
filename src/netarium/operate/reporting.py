"""A report drawn in a process of its own, which imports what drawing needs while the trial still runs.

Importing matplotlib takes longer than a short trial. So `with Drawer() as drawer:` starts a process when a run starts; it waits
for the name of a finished run folder and reads that folder only. Where it cannot be used (one CPU; the wait was too
long, and it has gone to give its memory back; it died) the report is drawn here: that costs time and nothing else.
"""

from __future__ import annotations

import gc
import json
import os
import select
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from netarium.operate import runner
from netarium.operate.progress import Watcher

WAIT_S = 20.0
"""How long a process that has nothing to draw yet keeps its memory (about 100 MB)."""


def cpus() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0))


class Drawer:
    """Draws the report of one run; use as a context manager around the run."""

    def __init__(self, wanted: bool = True) -> None:
        self._wanted = wanted and cpus() > 1
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        if self._wanted:
            # -P: a file of the user's folder is not taken for a module. A process group of its own: Ctrl-C is for the run.
            words = [sys.executable, "-P", "-m", __name__]
            self._process = subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, process_group=0
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process, whatever it is doing; a report is then drawn here."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def begin(self, folder: Path) -> None:
        """Let the process draw the report of a finished run, while others do something else."""
        if self._process is not None and self._process.stdin is not None:
            try:
                self._process.stdin.write(f"{json.dumps(str(folder))}\n")
                self._process.stdin.flush()
            except OSError:
                self.close()

    def draw(self, folder: Path, watcher: Watcher) -> Path | None:
        """Path of the report begun, or None when it could not be drawn, which is said and ends nothing."""
        if self._process is None:
            return runner.draw_report(folder, watcher)
        watcher.stage("drawing the report")
        answer = self._answer()
        if answer is None:
            return runner.draw_report(folder, watcher)
        for text in answer["said"]:
            watcher.say(text)
        return Path(answer["page"]) if answer["page"] else None

    def _answer(self) -> dict[str, Any] | None:
        """What the process says, awaited; None when it says nothing."""
        if self._process is None or self._process.stdout is None:
            return None
        written = (
            self._process.stdout.readline()
        )  # and no wait for its end: taking down what it loaded takes longer
        return json.loads(written) if written.endswith("\n") else None


class _Noted(Watcher):
    """Keeps what is said for the process that asked."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        """One line more."""
        self.said.append(text)


def main() -> None:
    """The process: get ready, wait for a folder, draw, answer."""
    gc.disable()  # one report, and it ends
    import pyarrow.parquet  # noqa: F401

    from netarium.show import plots, report  # noqa: F401
    from netarium.show.plots import svg  # noqa: F401
    from netarium.store.arrow import without_pandas

    without_pandas()

    ready, _, _ = select.select([sys.stdin], [], [], WAIT_S)
    line = sys.stdin.readline() if ready else ""
    if line:
        watcher = _Noted()
        page = runner.draw_report(Path(json.loads(line)), watcher)
        print(json.dumps({"page": str(page) if page else None, "said": watcher.said}), flush=True)


if __name__ == "__main__":
    main()
