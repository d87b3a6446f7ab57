"""Network namespaces of this process's own: made, entered and asked about, each thread by itself.

A namespace has no name and no mount: it lives as long as something holds it (a file descriptor, a TAP device that is open, a
process), so that the kernel removes it whatever becomes of us (namespaces(7)).
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import socket
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

CLONE_NEWNET = 0x40000000  # linux/sched.h
SIOCGIFINDEX = 0x8933  # linux/sockios.h
_OWN = "/proc/thread-self/ns/net"

_libc = ctypes.CDLL(None, use_errno=True)


def current() -> int:
    """A file descriptor of the network namespace that the calling thread is in."""
    return os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)


def create() -> int:
    """Move the calling thread into a new network namespace; its file descriptor. Raises OSError."""
    if _libc.unshare(CLONE_NEWNET) != 0:
        raise _error("unshare")
    return current()


def enter(netns_fd: int) -> None:
    """Move the calling thread into a network namespace. Raises OSError."""
    if _libc.setns(netns_fd, CLONE_NEWNET) != 0:
        raise _error("setns")


@contextmanager
def entered(netns_fd: int) -> Iterator[None]:
    """Within the block the calling thread is in another network namespace."""
    before = current()
    try:
        enter(netns_fd)
        try:
            yield
        finally:
            enter(before)
    finally:
        os.close(before)


@contextmanager
def in_new() -> Iterator[int]:
    """Within the block the calling thread is in a network namespace of its own; the descriptor is the caller's to close."""
    before = current()
    try:
        made = create()
        try:
            yield made
        except BaseException:
            os.close(made)
            raise
        finally:
            enter(before)
    finally:
        os.close(before)


def interface_index(sock: socket.socket, name: str) -> int:
    """The number of an interface, in the namespace that the socket was opened in. Raises OSError (ENODEV)."""
    answer = fcntl.ioctl(sock.fileno(), SIOCGIFINDEX, struct.pack("16s24x", name.encode()))
    return int(struct.unpack_from("i", answer, 16)[0])


def write_settings(settings: Mapping[str, str]) -> None:
    """Write kernel settings below /proc/sys/net, of the calling thread's namespace. Raises OSError with the setting's name."""
    for key, value in settings.items():
        path = f"/proc/sys/net/{key}"
        try:
            fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
            try:
                os.write(fd, value.encode())
            finally:
                os.close(fd)
        except OSError as error:
            raise OSError(error.errno, f"{error.strerror} (writing {value!r})", path) from None


def has_ipv6() -> bool:
    """Whether this kernel has IPv6 at all."""
    return os.path.isdir("/proc/sys/net/ipv6")


def _error(call: str) -> OSError:
    number = ctypes.get_errno()
    reason = "too many namespaces" if number == errno.ENOSPC else os.strerror(number)
    return OSError(number, f"{call}: {reason}")
