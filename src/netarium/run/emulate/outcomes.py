"""How each program on a real host fared: when, with which exit code, and why that is success or not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from netarium.compile.hosts import NEVER_PS, Program
from netarium.units import SECOND_PS

WAITING, RUNNING, DONE, STOPPED, FAILED, NOT_STARTED = (
    "waiting",
    "running",
    "done",
    "stopped",
    "failed",
    "not started",
)


@dataclass
class Outcome:
    """One program of a run. Times in ps from the start of the trial, NEVER_PS where it did not happen.

    status: waiting, running, done (ended by itself as expected), stopped (its time was over), failed, not started.
    exit_code: None while it runs, and when a signal ended it; a shell's 128 + signal counts as the signal.
    """

    program: Program
    status: str = WAITING
    started_ps: int = NEVER_PS
    ready_ps: int = NEVER_PS
    ended_ps: int = NEVER_PS
    exit_code: int | None = None
    signal: int | None = None
    reason: str = ""
    folder: Path | None = None
    """Holds its `stdout` and `stderr`."""
    cut_bytes: int = 0
    """Bytes of its output beyond what is kept."""

    @property
    def where(self) -> str:
        """The place of its service in the trial."""
        return place_of(self.program)

    def document(self) -> dict[str, object]:
        """For JSON: SI units, None for what did not happen."""
        return {
            "program": self.program.name,
            "node": self.program.node,
            "status": self.status,
            "exit_code": self.exit_code,
            "signal": self.signal,
            "reason": self.reason,
            "started_s": _seconds(self.started_ps),
            "ready_s": _seconds(self.ready_ps),
            "ended_s": _seconds(self.ended_ps),
            "output_cut_bytes": self.cut_bytes,
        }


def place_of(program: Program) -> str:
    """The path in the trial of what a program runs for: services.web, or services.bulk for bulk.client0."""
    name = program.name
    return f"services.{name if program.role == 'command' else name.partition('.' + program.role)[0]}"


def seconds_text(time_ps: int) -> str:
    """12.5 s."""
    return f"{time_ps / SECOND_PS:g} s"


def _seconds(time_ps: int) -> float | None:
    return None if time_ps == NEVER_PS else time_ps / SECOND_PS
