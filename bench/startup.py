"""How soon the program answers: `--help`, the first run ever (kernels compiled), later runs of a tiny trial.

Every start is a process of its own. Wall time is what a user waits; CPU time beside it counts children too (a report is
drawn in one, beside the run) and leaves out what others do.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.workloads import TINY

COMMAND = Path(sys.executable).parent / "netarium"


def timed(arguments: list[str], folder: Path, cache: Path) -> dict[str, float]:
    """Run the command line once; {cpu_s, wall_s}. Raises CalledProcessError when it fails."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"NETARIUM_CACHE": str(cache), "NETARIUM_RUNS": str(folder / "runs")}
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([COMMAND, *arguments], cwd=folder, env=environment, capture_output=True, check=True)
    wall_s, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"cpu_s": cpu_s, "wall_s": wall_s}


def measure(repeats: int) -> dict[str, list[dict[str, float]]]:
    """Row -> measurements: `help` and `warm` so often, `cold` once."""
    with tempfile.TemporaryDirectory(prefix="netarium-bench-") as name:
        folder = Path(name)
        cache = folder / "cache"
        (folder / "tiny.trial.yml").write_text(TINY)
        run = ["run", "tiny.trial.yml", "--quiet"]
        timed(["--help"], folder, cache)
        cold = [timed(run, folder, cache)]
        rounds = [(timed(["--help"], folder, cache), timed(run, folder, cache)) for _ in range(repeats)]
    return {"help": [first for first, _ in rounds], "cold": cold, "warm": [second for _, second in rounds]}
