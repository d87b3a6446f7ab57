"""What else this machine is doing: time that a hypervisor took, frames it dropped, threads that want to run."""

from __future__ import annotations

import os


def stolen_s() -> float:
    """CPU seconds that a hypervisor has taken from this machine so far (proc(5), /proc/stat: steal)."""
    return _spent_s(8)


def idle_s() -> float:
    """Seconds that this machine's cores have had nothing to do so far, all together (proc(5), /proc/stat: idle)."""
    return _spent_s(4)


def _spent_s(column: int) -> float:
    with open("/proc/stat", encoding="ascii") as stat:
        return int(stat.readline().split()[column]) / os.sysconf("SC_CLK_TCK")


def backlog_drops() -> int:
    """Frames that this machine has dropped so far because a core's queue of received ones was full (/proc/net/softnet_stat)."""
    with open("/proc/net/softnet_stat", encoding="ascii") as cores:
        return sum(int(line.split()[1], 16) for line in cores)


def a_core_is_free() -> bool:
    """Whether, beside the thread that asks, fewer threads want to run than there are cores."""
    with open("/proc/loadavg", encoding="ascii") as load:
        running = int(load.read().split()[3].split("/")[0])
    return running <= (os.cpu_count() or 1)
