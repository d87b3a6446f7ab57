"""The shared way to run a trial in a test: from YAML or plain data to Samples, with the compiled kernel.

Numba keeps the compiled kernel in the user's cache folder, by a digest of its sources: the first test that
runs a trial after an edit of the kernel waits for the compiler, all others load it in less than a second.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

from netarium.compile.compile import compile_trial
from netarium.describe.loader import loads
from netarium.describe.trial import Trial
from netarium.run.fill import fill
from netarium.run.kernel import records
from netarium.run.samples import Samples
from netarium.run.simulate import simulate as run_plan

TESTS = Path(__file__).parent
HOST = {"kind": "host"}
PACKET_KINDS = {records.DATA: "data", records.DATAGRAM: "data", records.ACK: "ack", records.CONTROL: "syn"}


def described(trial: str | Mapping[str, Any], folder: Path | None = None, **overrides: Any) -> Trial:
    """The model of a trial: YAML text, or the same as plain data (a name is added when there is none).

    overrides: paths of the trial with `__` for the dot, such as seed=2 or services__a__rate="1 Mbit/s".
    """
    text = trial if isinstance(trial, str) else json.dumps({"trial": "test", **trial})
    changes = [f"{path.replace('__', '.')}={_written(value)}" for path, value in overrides.items()]
    return loads(text, folder=folder, overrides=changes)


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def simulate(trial: str | Mapping[str, Any], folder: Path | None = None, **overrides: Any) -> Samples:
    """Compile and run a trial; its samples have passed their own check (conservation among it)."""
    return run_plan(compile_trial(described(trial, folder, **overrides)))


def captured(trial: Trial, number: str = "seq") -> tuple[Samples, dict[str, list[tuple[int, str, int]]]]:
    """Run a trial; its samples, and (time ps, kind, number) of each packet its captured ports transmitted.

    number: which field of the capture's record stands in the third place.
    """
    plan = compile_trial(trial)
    runs: list[Any] = []

    def fill_and_keep(plan: Any) -> Any:
        runs.append(fill(plan))
        return runs[0]

    with mock.patch("netarium.run.simulate.fill", fill_and_keep):
        samples = run_plan(plan)
    memory = runs[0].memory
    packets: dict[str, list[tuple[int, str, int]]] = {capture.port_name: [] for capture in plan.captures}
    for entry in memory.captured[: int(memory.counters[0].captured)]:
        row = (int(entry.time_ps), PACKET_KINDS[int(entry.kind)], int(entry[number]))
        packets[plan.graph.port_names[entry.port]].append(row)
    return samples, packets


def line(
    rate: str, delay: str = "1 ms", *, access: str = "10 Gbit/s", pairs: int = 1, **bottleneck: Any
) -> dict[str, Any]:
    """A network: hosts s0, s1, ... - router a - one bottleneck - router b - hosts d0, d1, ...

    The access links take 1 us and are too fast to queue; `bottleneck` goes into the link in the middle.
    """
    sources, sinks = [f"s{i}" for i in range(pairs)], [f"d{i}" for i in range(pairs)]
    near = [{"endpoints": [s, "a"], "rate": access, "delay": "1 us"} for s in sources]
    far = [{"endpoints": ["b", d], "rate": access, "delay": "1 us"} for d in sinks]
    middle = {"endpoints": ["a", "b"], "rate": rate, "delay": delay, **bottleneck}
    return {
        "nodes": dict.fromkeys((*sources, *sinks), HOST) | {"a": {}, "b": {}},
        "links": [*near, middle, *far],
    }


def digests(trials: Iterable[Mapping[str, Any]], folder: Path | None = None, *, jit: bool) -> list[str]:
    """Digests of the samples of several trials, run in one fresh interpreter, compiled or as plain Python."""
    asked = json.dumps({"trials": list(trials), "folder": str(folder) if folder else None})
    environment = {**os.environ, "NETARIUM_JIT": "1" if jit else "0"}
    ran = subprocess.run(
        [sys.executable, __file__], input=asked, capture_output=True, text=True, env=environment, cwd=TESTS
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def main() -> None:
    """Read trials from standard input, write the digests of their samples."""
    asked = json.load(sys.stdin)
    folder = Path(asked["folder"]) if asked["folder"] else None
    json.dump([simulate(trial, folder).digest() for trial in asked["trials"]], sys.stdout)


if __name__ == "__main__":
    main()
