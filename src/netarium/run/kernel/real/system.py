"""What the engine asks of Linux while it runs: the time, a frame, to take a frame, to be woken.

Compiled code calls the C library; interpreted code the same functions through Python.
"""

from __future__ import annotations

import os
import select
import time

from ..jit import INTERPRETED, kernel

EPOLL_PWAIT2 = 441
"""System call number, on every architecture (Linux 5.11)."""
MONOTONIC = 1
READY_MAX = 4096
"""Most interfaces told ready at once."""
EPOLL_CTL_DEL = 2
GONE = 0x18
"""EPOLLERR | EPOLLHUP: the host and its interface are gone."""

if INTERPRETED:

    def clock_ns(sim):
        """CLOCK_MONOTONIC."""
        return time.monotonic_ns()

    def read_frame(sim, fd, at, room_bytes):
        """Read a frame into the arena from `at` on: its bytes, or a negative number."""
        try:
            return os.readv(fd, [memoryview(sim.arena)[at : at + room_bytes]])
        except OSError:
            return -1

    def write_frame(sim, fd, pieces):
        """Write a frame of `pieces` (places and lengths in iovec): its bytes, or a negative number."""
        arena = memoryview(sim.arena)
        parts = [(int(sim.iovec[2 * i]), int(sim.iovec[2 * i + 1])) for i in range(pieces)]
        try:
            return os.writev(fd, [arena[at : at + length] for at, length in parts])
        except OSError:
            return -1

    def wait(sim, timeout_ns):
        """Sleep until an interface can be read, at most `timeout_ns`: how many can; the first READY_MAX are in `ready`."""
        pacer = sim.pacer[0]
        with select.epoll.fromfd(os.dup(pacer.epoll_fd)) as poll:
            found = poll.poll(timeout_ns / 1e9, READY_MAX)
        for rank, (number, events) in enumerate(found):
            place = rank * pacer.event_bytes + pacer.data_offset
            sim.ready[rank * pacer.event_bytes] = events & 0xFF
            sim.ready[place : place + 4] = list(number.to_bytes(4, "little"))
        return len(found)

    def forget(sim, fd):
        """Take a descriptor that is gone out of the epoll instance."""
        with select.epoll.fromfd(os.dup(sim.pacer[0].epoll_fd)) as poll:
            poll.unregister(fd)

    def ring(sim):
        """Wake the thread that waits for news of runs that have ended."""
        os.eventfd_write(sim.pacer[0].news_fd, 1)

    def nap(sim, duration_ns):
        """Sleep, whatever the interfaces have."""
        time.sleep(duration_ns / 1e9)

    def copy(sim, target, source, count):
        """Copy bytes within the arena."""
        sim.arena[target : target + count] = sim.arena[source : source + count]

    def keep(sim, target, source, count):
        """Copy bytes of the arena to the captured ones."""
        sim.captured_bytes[target : target + count] = sim.arena[source : source + count]

else:
    from ..outside import address_of, external

    _clock_gettime = external("clock_gettime", 2, 32)
    _clock_nanosleep = external("clock_nanosleep", 4, 32)
    _eventfd_write = external("eventfd_write", 2, 32)
    _read = external("read", 3)
    _writev = external("writev", 3)
    _syscall = external("syscall", 7)
    _epoll_ctl = external("epoll_ctl", 4, 32)
    _memcpy = external("memcpy", 3)

    @kernel
    def clock_ns(sim):
        """CLOCK_MONOTONIC."""
        _clock_gettime(MONOTONIC, address_of(sim.scratch, 0))
        return sim.scratch[0] * 1_000_000_000 + sim.scratch[1]

    @kernel
    def read_frame(sim, fd, at, room_bytes):
        """Read a frame into the arena from `at` on: its bytes, or a negative number."""
        return _read(fd, address_of(sim.arena, at), room_bytes)

    @kernel
    def write_frame(sim, fd, pieces):
        """Write a frame of `pieces` (places and lengths in iovec): its bytes, or a negative number."""
        base = address_of(sim.arena, 0)
        for piece in range(pieces):
            sim.iovec[2 * piece] += base
        return _writev(fd, address_of(sim.iovec, 0), pieces)

    @kernel
    def wait(sim, timeout_ns):
        """Sleep until an interface can be read, at most `timeout_ns`: how many can; the first READY_MAX are in `ready`."""
        sim.scratch[2] = timeout_ns // 1_000_000_000
        sim.scratch[3] = timeout_ns % 1_000_000_000
        ready, timeout = address_of(sim.ready, 0), address_of(sim.scratch, 2)
        return max(0, _syscall(EPOLL_PWAIT2, sim.pacer[0].epoll_fd, ready, READY_MAX, timeout, 0, 0))

    @kernel
    def forget(sim, fd):
        """Take a descriptor that is gone out of the epoll instance."""
        _epoll_ctl(sim.pacer[0].epoll_fd, EPOLL_CTL_DEL, fd, address_of(sim.scratch, 2))

    @kernel
    def ring(sim):
        """Wake the thread that waits for news of runs that have ended."""
        _eventfd_write(sim.pacer[0].news_fd, 1)

    @kernel
    def nap(sim, duration_ns):
        """Sleep, whatever the interfaces have."""
        sim.scratch[2] = 0
        sim.scratch[3] = duration_ns
        _clock_nanosleep(MONOTONIC, 0, address_of(sim.scratch, 2), 0)

    @kernel
    def copy(sim, target, source, count):
        """Copy bytes within the arena."""
        _memcpy(address_of(sim.arena, target), address_of(sim.arena, source), count)

    @kernel
    def keep(sim, target, source, count):
        """Copy bytes of the arena to the captured ones."""
        _memcpy(address_of(sim.captured_bytes, target), address_of(sim.arena, source), count)


@kernel
def ready_place(sim, rank):
    """The run and the interface of the `rank`-th entry in `ready`, as in by_fd; NONE for one that has left."""
    pacer = sim.pacer[0]
    place = rank * pacer.event_bytes + pacer.data_offset
    return int(
        sim.by_fd[int(sim.ready[place]) | int(sim.ready[place + 1]) << 8 | int(sim.ready[place + 2]) << 16]
    )


@kernel
def is_gone(sim, rank):
    """Whether the interface of the `rank`-th entry in `ready` is no more."""
    return int(sim.ready[rank * sim.pacer[0].event_bytes]) & GONE != 0
