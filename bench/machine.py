"""The machine a benchmark ran on: what it is, how busy, how long it waits for memory just now."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numba
import numpy as np

LINE_BYTES = 64
CHASED = 400_000
"""Dependent loads of one measurement of latency."""


@numba.njit
def _chase(following: np.ndarray, count: int) -> int:
    place = 0
    for _ in range(count):
        place = following[place]
    return place


def memory_latency_ns(megabytes: int) -> float:
    """Nanoseconds a dependent load takes in a random walk through so much memory, one load a cache line."""
    step = LINE_BYTES // 8
    lines = (megabytes << 20) // LINE_BYTES
    order = np.random.default_rng(1).permutation(lines) * step
    following = np.zeros(lines * step, np.int64)
    following[order] = np.roll(order, 1)
    _chase(following, lines)
    began = time.process_time()
    _chase(following, CHASED)
    return (time.process_time() - began) * 1e9 / CHASED


def python_loop_s() -> float:
    """CPU seconds of three million additions in plain Python: how fast the machine is at the moment."""
    began, total = time.process_time(), 0
    for i in range(3_000_000):
        total += i
    return time.process_time() - began


def speed() -> dict[str, float]:
    """What the machine can do now; it changes with what else runs on it."""
    latency = {f"memory_latency_{size}_mb_ns": round(memory_latency_ns(size), 1) for size in (1, 4, 16, 64)}
    return {**latency, "python_loop_s": round(python_loop_s(), 3), "load": os.getloadavg()[0]}


def facts(root: Path) -> dict[str, Any]:
    """What does not change while the benchmark runs."""
    from netarium.run.kernel.digest import kernel_digest

    model = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True)
    return {
        "cpu": model[1] if model else platform.processor(),
        "cores": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": platform.platform(),
        "python": platform.python_version(),
        "numba": version("numba"),
        "numpy": version("numpy"),
        "netarium": version("netarium"),
        "commit": commit.stdout.strip(),
        "kernel_digest": kernel_digest(),
    }
