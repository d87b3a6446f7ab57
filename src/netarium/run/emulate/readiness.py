"""Whether a program is ready: a port listens, a line appeared, a file exists; looked at from outside, without disturbing it."""

from __future__ import annotations

import os

LISTENING = "0A"  # TCP_LISTEN of include/net/tcp_states.h
_STATE, _LOCAL = 3, 1  # columns of /proc/net/tcp (proc(5))


def port_listens(pid: int, port: int) -> bool:
    """Whether something listens on a TCP port in the network namespace of a process, over IPv4 or IPv6."""
    wanted = f":{port:04X}"
    for table in ("tcp", "tcp6"):
        try:
            with open(f"/proc/{pid}/net/{table}") as lines:
                next(lines, None)
                for line in lines:
                    columns = line.split()
                    if columns[_STATE] == LISTENING and columns[_LOCAL].endswith(wanted):
                        return True
        except OSError:
            continue
    return False


def file_exists(pid: int, path: str) -> bool:
    """Whether a file exists, as a process sees the file system.

    Links such as /var/run are followed here first: below /proc/PID/root they would lead out of the process's root.
    """
    return os.path.lexists(f"/proc/{pid}/root{os.path.realpath(path)}")


def children(pid: int) -> list[int]:
    """The processes that a process has started and that have not ended."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(word) for word in file.read().split()]
    except FileNotFoundError:
        return _children_by_parent(pid) if os.path.isdir(f"/proc/{pid}") else []
    except OSError:
        return []


def _children_by_parent(pid: int) -> list[int]:
    """The same on kernels without CONFIG_PROC_CHILDREN, by a look at every process."""
    import psutil

    try:
        return [child.pid for child in psutil.Process(pid).children()]
    except psutil.Error:
        return []
