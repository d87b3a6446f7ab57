"""The thread that paces runs by the wall clock: one, or hundreds that share the cost of waking.

    pacer = Pacer()
    pacer.pace(run)             from here on, until it ends or wants to stop
    run.ended.wait()

The thread is there as long as a run is under way. It is compiled code, and Python only where a run comes back.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import select
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from netarium.run.emulate.load import a_core_is_free, idle_s
from netarium.run.emulate.steering import Steering
from netarium.run.kernel import loop
from netarium.run.kernel.jit import INTERPRETED
from netarium.run.kernel.memory import Memory, aligned
from netarium.run.kernel.observe import BIN_COUNT
from netarium.run.kernel.outside import entry_address
from netarium.run.kernel.real import records as rr
from netarium.run.kernel.real.paced import PLACE_BITS, REACHED, STOPPED, UNDER_WAY, run_paced
from netarium.run.kernel.real.system import READY_MAX
from netarium.run.kernel.records import NONE

SPIN_NS, AHEAD_NS = 60_000, 30_000
"""How long before something is due the engine wakes on a machine with a core to spare, and how long before an event it handles
it, so that what it brings is ready to be written when it is due; measured in docs/emulation.md."""
LOADS_S = 0.5
"""How often the load of the machine is looked at."""
FEW = 8
"""Runs that wake for every frame. More of them share turns, a QUANTUM_SHARE of their tolerance apart."""
QUANTUM_SHARE = 0.1
NICENESS, PRIORITY = -20, 1
PR_SET_TIMERSLACK = 29


class Paced(Protocol):
    """A run as the pacer sees it. fds: its interfaces' descriptors, in their order. tolerance_ps: how late it may be."""

    memory: Memory
    fds: Mapping[int, int]
    until_ps: int
    tolerance_ps: int
    ended: threading.Event
    failure: BaseException | None

    def serve(self, status: int) -> None:
        """Give it what it came back for; called in the pacer's thread. An error ends the run."""


@dataclass(frozen=True)
class Spent:
    """What the pacer's thread has done so far, s; unread: by how much one look at the interfaces came after another;
    steered_s: for how long others have received what it wrote."""

    idle_s: float
    spin_s: float
    steered_s: float
    turns: int
    unread: np.ndarray


class Pacer:
    """See the module. Close it after the last run."""

    def __init__(self, core: int | None = None) -> None:
        """core: the processor core that the thread keeps to."""
        self._core = core
        self.memory = Memory(
            pacer=aligned(1, rr.PACER),
            scratch=aligned(16, rr.I8),
            ready=aligned(16 * READY_MAX, rr.U1),
            late=np.zeros((1, BIN_COUNT), np.int64),
        )
        self.row = self.memory.pacer[0]
        packed = platform.machine() in ("x86_64", "AMD64")
        self.row.event_bytes, self.row.data_offset = (12, 4) if packed else (16, 8)
        self._epoll = select.epoll()
        self._bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._epoll.register(self._bell, select.EPOLLIN | select.EPOLLET)
        self.row.epoll_fd = self._epoll.fileno()
        self.row.news_fd = os.eventfd(0, os.EFD_CLOEXEC)
        self._usher: threading.Thread | None = None
        self._closing = False
        self._runs: list[Paced] = []
        self._left: set[int] = set()
        self._entering: list[Paced] = []
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._steering, self._number = Steering(), 0
        self._looking = threading.Lock()
        self._look_from_now()
        self.row.stop = 1
        run_paced(self.memory.handle, entry_address(loop.run))  # compiled before the first run is due

    def close(self) -> None:
        """Let go of its descriptors. No run is under way any more."""
        if (thread := self._thread) is not None:
            thread.join()
        if self._usher is not None:
            self._closing = True
            os.eventfd_write(self.row.news_fd, 1)
            self._usher.join()
        self._steering.close()
        self._epoll.close()
        os.close(self._bell)
        os.close(self.row.news_fd)

    def pace(self, run: Paced) -> None:
        """Take a run in: it is under way until its `ended` is set."""
        with self._lock:
            self._entering.append(run)
            self.row.stop = 1
            os.eventfd_write(self._bell, 1)
            if self._usher is None:
                self._usher = threading.Thread(target=self._see_off, name="usher")
                self._usher.start()
            if self._thread is None:
                self._look_from_now()
                self._thread = threading.Thread(target=self._work, name="engine")
                self._thread.start()

    @property
    def spent(self) -> Spent:
        """What has been done until now."""
        row = self.row
        steered_s = self._steering.steered_s
        return Spent(
            row.idle_ns / 1e9, row.spun_ns / 1e9, steered_s, int(row.turns), self.memory.late[0].copy()
        )

    @property
    def runs(self) -> int:
        """Runs under way."""
        return len(self._runs) - len(self._left) + len(self._entering)

    def _look_from_now(self) -> None:
        """What the engine and the machine do from now on is what the next look judges."""
        self._looked, self._idle_s = time.perf_counter(), idle_s()
        self._rested_s = int(self.row.idle_ns + self.row.spun_ns) / 1e9

    def look_at_load(self) -> None:
        """Stay awake before something is due only where a core has nothing else to do; where there is too much to do for one,
        let the others receive what is written."""
        if not self._looking.acquire(blocking=False):
            return
        try:
            passed_s = time.perf_counter() - self._looked
            if passed_s < LOADS_S:
                return
            few = self.row.quantum_ns == 0
            awake = few and a_core_is_free()
            self.row.spin_ns, self.row.ahead_ns = (SPIN_NS, AHEAD_NS) if awake else (0, 0)
            rested_s, idle = self._rested_s, self._idle_s
            self._look_from_now()
            calm = (self._rested_s - rested_s) / passed_s
            spare = (self._idle_s - idle) / passed_s - calm
            with self._lock:
                taps = {
                    fd: run for rank, run in enumerate(self._runs) if rank not in self._left for fd in run.fds
                }
            self._steering.look(self._number, 1 - calm, spare, taps if few else {})
        finally:
            self._looking.release()

    # -- the thread

    def _work(self) -> None:
        self._number = threading.get_native_id()
        try:
            _hurry(self._core)
            address = entry_address(loop.run)
            while self._take_in():
                rank = run_paced(self.memory.handle, address)
                if rank != NONE:
                    self._serve(rank)
        except BaseException as error:  # noqa: BLE001 - handed to the threads that wait
            with self._lock:
                self._thread = None
                under_way = [run for rank, run in enumerate(self._runs) if rank not in self._left]
                for run in (*under_way, *self._entering):
                    run.failure = error
                    run.ended.set()
                self._runs, self._entering, self._left = [], [], set()

    def _take_in(self) -> bool:
        """Let those that wait take part; False when there are none at all, and the thread ends."""
        with self._lock:
            self.row.stop = 0
            self._dismiss()
            if self._entering:
                self._seat()
            if self.runs == 0:
                self._thread, self._runs, self._left = None, [], set()
                return False
            return True

    def _seat(self) -> None:
        """Make the tables of runs and interfaces anew, with those that enter; those under way keep what they had."""
        rows = self.memory.members
        kept = {id(run): rows[rank].copy() for rank, run in enumerate(self._runs) if rank not in self._left}
        self._runs = [run for run in self._runs if id(run) in kept] + self._entering
        self._entering, self._left = [], set()
        members = aligned(max(1, len(self._runs)), rr.MEMBER)
        highest = max((fd for run in self._runs for fd in run.fds), default=0)
        by_fd = np.full(max(highest, self._bell, len(self.memory.by_fd) - 1) + 1, NONE, np.int64)
        for rank, run in enumerate(self._runs):
            if id(run) in kept:
                members[rank] = kept[id(run)]
            else:
                members[rank] = (0 if INTERPRETED else run.memory.handle, run.until_ps, 0, UNDER_WAY)
                for fd in run.fds:
                    self._epoll.register(fd, select.EPOLLIN)
            for fd, interface in run.fds.items():
                by_fd[fd] = rank << PLACE_BITS | interface
        self.memory.put("members", members)
        self.memory.put("by_fd", by_fd)
        self.memory.runs = [run.memory for run in self._runs]
        self.row.members = self.row.under_way = len(self._runs)
        many = len(self._runs) > FEW
        tolerance_ps = min((run.tolerance_ps for run in self._runs), default=0)
        self.row.quantum_ns = int(QUANTUM_SHARE * tolerance_ps / 1000) if many else 0

    def _serve(self, rank: int) -> None:
        member, run = self.memory.members[rank], self._runs[rank]
        try:
            run.serve(int(member.status))
        except BaseException as error:  # noqa: BLE001 - that run's alone
            run.failure = error
            run.memory.real[0].stop = 1
        member.status, member.due_ns = UNDER_WAY, 0

    def _see_off(self) -> None:
        """The usher: tell those that wait for runs which have ended, while the engine's thread goes on with the others."""
        while not self._closing:
            os.eventfd_read(self.row.news_fd)
            with self._lock:
                self._dismiss()

    def _dismiss(self) -> None:
        """Let go of the runs that have ended. Their places stay, empty, until others enter."""
        for rank, run in enumerate(self._runs):
            if rank not in self._left and self.memory.members[rank].status in (REACHED, STOPPED):
                self._left.add(rank)
                for fd in run.fds:
                    self.memory.by_fd[fd] = NONE
                run.ended.set()


def _hurry(core: int | None) -> None:
    """Let this thread run as soon as it wakes: in real time where that is allowed, else as the nicest it may be.

    It never holds a core for long (it sleeps whenever nothing is due), and nothing it starts inherits this.
    """
    if core is not None:
        os.sched_setaffinity(0, {core})
    ctypes.CDLL(None).prctl(PR_SET_TIMERSLACK, ctypes.c_ulong(1), 0, 0, 0)
    with contextlib.suppress(PermissionError, OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
    with contextlib.suppress(PermissionError, OSError):
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(PRIORITY))
