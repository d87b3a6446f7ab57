"""Facts about the machine, the versions and the process of a run, as start.json keeps them."""

from __future__ import annotations

import os
import platform
import re
import sys
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = ("netarium", "numba", "llvmlite", "numpy", "pyarrow", "pydantic", "rustworkx", "scipy")


@cache
def versions() -> dict[str, str]:
    """Versions of Python and of the packages that a result depends on."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


@cache
def machine() -> dict[str, Any]:
    """Host name, system, processor, cores that this process may use, memory in bytes."""
    return {
        "host": platform.node(),
        "system": f"{platform.system()} {platform.release()}",
        "architecture": platform.machine(),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "byte_order": sys.byteorder,
    }


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1].strip() if found else platform.processor()


def process() -> dict[str, Any]:
    """What tells this process from every other: number, start in clock ticks since boot, boot."""
    return {"pid": os.getpid(), "started_ticks": _started_ticks(os.getpid()), "boot": _boot()}


def is_alive(recorded: dict[str, Any]) -> bool:
    """Whether the process that `process()` described is still running on this machine."""
    pid = recorded.get("pid")
    if not isinstance(pid, int) or recorded.get("boot") != _boot():
        return False
    return _started_ticks(pid) is not None and _started_ticks(pid) == recorded.get("started_ticks")


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _started_ticks(pid: int) -> int | None:
    """Field 22 of /proc/PID/stat (proc_pid_stat(5)); None for a process that is gone or a zombie."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if after_name[0] == "Z" else int(after_name[19])
