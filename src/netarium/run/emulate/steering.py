"""Receive packet steering (RPS): where one core cannot carry the load, hosts take their frames on the others.

A frame that is written to an interface is received in that system call, so the receiver's TCP works on the engine's core. That
is soonest while the engine has time to spare, and half of its time or more when it has none. Then the frames are queued for
another core instead (Linux: Documentation/networking/scaling.rst), and the engine keeps to the one it is on.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from netarium.errors import MachineCannot
from netarium.run.emulate.tap import TUNGETDEVNETNS, inside, name_of

BUSY, CALM = 0.7, 0.35
"""Share of its time that the engine is awake, above which frames are steered, and below which they are not any more."""
SPARE = 0.3
"""Cores that have to be idle beside the engine's: where there are none, steering would only make it all slower."""
INTERFACES_MAX = 64
"""Where there are more, no single one takes the engine's time."""
# asm-generic/unistd.h, linux/mount.h
SYS_FSOPEN, SYS_FSCONFIG, SYS_FSMOUNT = 430, 431, 432
FSCONFIG_CMD_CREATE, CLOEXEC = 6, 1

_libc = ctypes.CDLL(None, use_errno=True)


class Steering:
    """Whether the frames of some interfaces are steered away from the engine's core. Close it at the end."""

    def __init__(self) -> None:
        self._files: dict[int, int] = {}
        self._runs: dict[int, object] = {}
        self._thread, self._cores, self._mask = 0, set[int](), b""
        self._ended_s, self._since = 0.0, 0.0
        self._impossible = False

    @property
    def steered_s(self) -> float:
        """For how long frames have been steered, until now."""
        return self._ended_s + (time.monotonic() - self._since if self._files else 0.0)

    def look(self, thread: int, busy: float, spare: float, taps: Mapping[int, object]) -> None:
        """Steer or leave be. thread: the engine's, by its number. busy: its share of time awake. spare: cores that were idle
        beside it. taps: what it reads and writes, and the run that each is of: another run may get the same number later."""
        enough = busy > CALM if self._files else busy > BUSY and spare > SPARE
        wanted = enough and 0 < len(taps) <= INTERFACES_MAX
        if not wanted or thread != self._thread:
            self.close()
        if wanted and not self._impossible:
            self._forget([tap for tap in self._files if taps.get(tap) is not self._runs[tap]])
            self._steer(thread, {tap: run for tap, run in taps.items() if tap not in self._files})

    def close(self) -> None:
        """Every frame is received where it is written again, and the engine runs where it likes."""
        self._ended_s = self.steered_s
        for file in self._files.values():
            with contextlib.suppress(OSError):  # its interface is gone
                os.pwrite(file, b"0", 0)
        self._forget(list(self._files))
        if self._cores:
            with contextlib.suppress(OSError):  # the thread has ended
                os.sched_setaffinity(self._thread, self._cores)
        self._thread, self._cores = 0, set()

    def _steer(self, thread: int, taps: Mapping[int, object]) -> None:
        for tap, run in taps.items():
            if not is_tap(tap):
                continue
            try:
                file = steering_file(tap)
                if not self._files:
                    self._since = time.monotonic()
                self._files[tap], self._runs[tap] = file, run
                if not self._thread:
                    self._settle(thread)
                os.pwrite(file, self._mask, 0)
            except (OSError, MachineCannot):  # not allowed here, or no such kernel: the engine does it all
                self._impossible = True
                self.close()
                return

    def _settle(self, thread: int) -> None:
        """Let the engine's thread keep to the core it is on, and choose the others for the frames."""
        core, cores = core_of(thread), os.sched_getaffinity(thread)
        others = (os.sched_getaffinity(os.getpid()) | cores) - {core}
        if not others:
            raise MachineCannot("there is one core only")
        os.sched_setaffinity(thread, {core})
        self._thread, self._cores, self._mask = thread, cores, mask_of(others)

    def _forget(self, taps: Iterable[int]) -> None:
        for tap in taps:
            os.close(self._files.pop(tap))
            del self._runs[tap]


def mask_of(cores: Iterable[int]) -> bytes:
    """Cores as the kernel writes them: groups of 32 bits in hexadecimal, the highest first."""
    bits, groups = sum(1 << core for core in cores), []
    while bits or not groups:
        bits, low = divmod(bits, 1 << 32)
        groups.append(f"{low:08x}")
    return ",".join(reversed(groups)).encode()


def is_tap(fd: int) -> bool:
    """Whether a file descriptor is the engine's side of a TAP device."""
    try:
        return bool(name_of(fd))
    except OSError:
        return False


def core_of(thread: int) -> int:
    """The core that a thread of this process ran on last (proc_pid_stat(5), field 39)."""
    return int(Path(f"/proc/self/task/{thread}/stat").read_text().rpartition(")")[2].split()[36])


def steering_file(tap: int) -> int:
    """The open file that says which cores receive the frames of a TAP device. Raises OSError, MachineCannot.

    It stands in the sysfs of the device's network namespace, which is mounted nowhere.
    """
    name, netns = name_of(tap), fcntl.ioctl(tap, TUNGETDEVNETNS)
    try:
        return int(inside(netns, lambda: _open_in_sysfs(f"class/net/{name}/queues/rx-0/rps_cpus")))
    finally:
        os.close(netns)


def _open_in_sysfs(path: str) -> int:
    opened = []
    try:
        opened.append(_call(SYS_FSOPEN, b"sysfs", CLOEXEC))
        _call(SYS_FSCONFIG, opened[0], FSCONFIG_CMD_CREATE, None, None, 0)
        opened.append(_call(SYS_FSMOUNT, opened[0], CLOEXEC, 0))
        return os.open(path, os.O_WRONLY | os.O_CLOEXEC, dir_fd=opened[1])
    finally:
        for fd in opened:
            os.close(fd)


def _call(number: int, *arguments: int | bytes | None) -> int:
    result = _libc.syscall(number, *arguments)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return int(result)
