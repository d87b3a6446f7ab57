"""What this machine can do, one finding per row, and what to do about the rest; changes nothing."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version as installed
from pathlib import Path

SIMULATE = "simulate"
REAL_HOSTS = "real hosts"
OLDEST_PYTHON = (3, 11)
NEEDED_MEMORY_BYTES = 2 * 10**9
NEEDED_DISK_BYTES = 10**9


@dataclass(frozen=True)
class Finding:
    """One row: what was looked at, whether it is there, what was found, and what to do when it is not.

    optional: most trials do without it; the advice says what it is for.
    """

    needed_for: str
    what: str
    ok: bool
    found: str
    advice: str = ""
    optional: bool = False


def examine(runs: Path) -> list[Finding]:
    """All findings, in the order of the table; runs: the folder that records go to."""
    simulate: list[Callable[[], Finding]] = [
        python,
        numba,
        engine,
        cores,
        memory,
        lambda: disk(runs),
        tshark,
        netem,
    ]
    from netarium.operate import doctor_hosts

    return [check() for check in (*simulate, *doctor_hosts.ALL)]


def python() -> Finding:
    version = platform.python_version()
    wanted = ".".join(map(str, OLDEST_PYTHON))
    return Finding(
        SIMULATE, "Python", sys.version_info >= OLDEST_PYTHON, version, f"install Python {wanted} or later"
    )


def numba() -> Finding:
    try:
        from netarium.run.kernel.jit import INTERPRETED
    except Exception as error:  # a broken installation raises anything, and this is the place to say so
        return Finding(
            SIMULATE, "Numba", False, f"{type(error).__name__}: {error}", "pip install --upgrade numba"
        )
    if INTERPRETED or os.environ.get("NUMBA_DISABLE_JIT", "0") != "0":
        advice = "unset NETARIUM_JIT and NUMBA_DISABLE_JIT"
        return Finding(SIMULATE, "Numba", False, "switched off: runs are very slow", advice)
    return Finding(SIMULATE, "Numba", True, installed("numba"))


def engine() -> Finding:
    """Compiled kernels are kept in the user's cache; without a place for them every run compiles again."""
    from netarium.operate.enginecache import compiled, folder

    place = folder()
    existing = _existing(place)
    if not os.access(existing, os.W_OK):
        return Finding(
            SIMULATE, "engine", False, f"{existing} is read-only", "set NETARIUM_CACHE to a folder of yours"
        )
    return Finding(
        SIMULATE, "engine", True, f"{'compiled' if compiled() else 'compiles at the first run'}, in {place}"
    )


def cores() -> Finding:
    usable = len(os.sched_getaffinity(0))
    return Finding(SIMULATE, "cores", True, f"{usable}: one run uses one")


def memory() -> Finding:
    import psutil

    free = psutil.virtual_memory().available
    advice = "close other programs; simulate fewer flows and ports"
    return Finding(SIMULATE, "memory", free >= NEEDED_MEMORY_BYTES, f"{free / 1e9:.1f} GB free", advice)


def disk(runs: Path) -> Finding:
    existing = _existing(runs)
    free = shutil.disk_usage(existing).free
    writable = os.access(existing, os.W_OK)
    found = f"{free / 1e9:.1f} GB free in {existing}" if writable else f"{existing} is read-only"
    advice = "set NETARIUM_RUNS to a folder with more room, or use --out"
    return Finding(SIMULATE, "disk", writable and free >= NEEDED_DISK_BYTES, found, advice)


def tshark() -> Finding:
    path = shutil.which("tshark") or shutil.which("wireshark")
    return Finding(
        SIMULATE,
        "tshark",
        path is not None,
        path or "not there",
        "only to look into captures: apt install tshark",
        optional=True,
    )


def netem() -> Finding:
    return Finding(SIMULATE, "netem", True, "no netem: not needed, impairments are the engine's own")


def _existing(path: Path) -> Path:
    """The path, or the nearest folder above it that exists."""
    return next(place for place in (path.absolute(), *path.absolute().parents) if place.exists())
