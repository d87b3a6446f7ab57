"""What else this machine is doing: time that a hypervisor took, threads that want to run."""

from __future__ import annotations

import os


def stolen_s() -> float:
    """CPU seconds that a hypervisor has taken from this machine so far (proc(5), /proc/stat: steal)."""
    with open("/proc/stat", encoding="ascii") as stat:
        return int(stat.readline().split()[8]) / os.sysconf("SC_CLK_TCK")


def a_core_is_free() -> bool:
    """Whether, beside the thread that asks, fewer threads want to run than there are cores."""
    with open("/proc/loadavg", encoding="ascii") as load:
        running = int(load.read().split()[3].split("/")[0])
    return running <= (os.cpu_count() or 1)
