"""The thread that starts, watches and ends programs: those of one run, or of hundreds that are under way at once.

It sleeps until a program writes or ends, or something of a supervisor is due (processes.py).
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
from collections.abc import Callable

from netarium.compile.hosts import BEFORE_PS
from netarium.run.emulate.outcomes import Outcome
from netarium.run.emulate.processes import STOP_GRACE_PS, Supervisor
from netarium.units import SECOND_PS

LONGEST_WAIT_S, LOOK_S = 1.0, 0.2
NOT_KNOWN = -1
NICENESS = -15
ENDING_S = STOP_GRACE_PS / SECOND_PS + 1


class Supervising:
    """A block in which an overseer polls a supervisor by a clock; at its end every program is stopped.

    clock_ps: the time of the trial. Without one it begins before the trial, so that servers are started, until `begin` says
    when the trial starts.
    on_end: called in the overseer's thread with each outcome. An error there is raised at the end of the block.
    overseer: one that watches other supervisors too; without one it has its own.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        clock_ps: Callable[[], int] | None = None,
        on_end: Callable[[Outcome], None] | None = None,
        overseer: Overseer | None = None,
    ) -> None:
        self.supervisor, self.clock_ps = supervisor, clock_ps or _clock_before()
        self._told = on_end or (lambda _: None)
        self._overseer = overseer or Overseer()
        self.due_s = 0.0
        self.gone = threading.Event()
        self.error: BaseException | None = None
        self._prepared = threading.Event()
        self._start_ns = NOT_KNOWN
        self._ending = self._stopped = False
        self._until = 0.0

    def __enter__(self) -> Supervising:
        self._overseer.watch(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._ending = True
        self._overseer.ring()
        self.gone.wait()
        if self.error is not None:
            raise self.error

    @property
    def outcomes(self) -> dict[str, Outcome]:
        """How the programs fare, by name."""
        return self.supervisor.outcomes

    @property
    def failures(self) -> list[str]:
        """A sentence for each program that failed."""
        return self.supervisor.failures

    def wait_until_prepared(self, stop: Callable[[], bool]) -> None:
        """Until every program that is to be there before the trial is ready, or can no longer be, and later ones can be
        let go at once; or `stop()` says so."""
        while not self._prepared.wait(LOOK_S) and not stop() and not self.gone.is_set():
            pass

    def begin(self, start_ns: int) -> None:
        """The trial starts at `start_ns` of CLOCK_MONOTONIC; from now on that is the clock."""
        self._start_ns = start_ns
        self._overseer.ring()

    @property
    def wants_attention(self) -> bool:
        """Whether the overseer has been told something that it has not taken in yet."""
        return self._start_ns != NOT_KNOWN or (self._ending and not self._stopped)

    def turn(self) -> bool:
        """Do what is due; False once every program has ended after the block. Called by the overseer alone."""
        supervisor = self.supervisor
        if self._start_ns != NOT_KNOWN:
            self._set_clock()
        now_ps = self.clock_ps()
        if self._ending and not self._stopped:
            self._stopped, self._until = True, time.monotonic() + ENDING_S
            supervisor.stop(now_ps)
        ended = supervisor.poll(now_ps)
        for outcome in ended:
            self._told(outcome)
        if not supervisor.preparing:
            self._prepared.set()
        if self._stopped and (supervisor.idle or time.monotonic() > self._until):
            self.finish()
            return False
        left_ps = 0 if ended else supervisor.due_ps(now_ps) - now_ps
        self.due_s = time.monotonic() + max(0, left_ps) / SECOND_PS
        if self._stopped:
            self.due_s = min(self.due_s, self._until)
        return True

    def _set_clock(self) -> None:
        start_ns, self._start_ns = self._start_ns, NOT_KNOWN
        before_ps, self.clock_ps = self.clock_ps(), _clock_from(start_ns)
        self.supervisor.start_ns = start_ns
        self.supervisor.shift(self.clock_ps() - before_ps)

    def finish(self) -> None:
        """End at once what still runs."""
        for outcome in self.supervisor.kill(self.clock_ps()):
            self._told(outcome)


def _clock_from(start_ns: int) -> Callable[[], int]:
    return lambda: (time.monotonic_ns() - start_ns) * 1000


def _clock_before() -> Callable[[], int]:
    """A clock at which only what is to be there before the trial is due."""
    return _clock_from(time.monotonic_ns() - BEFORE_PS // 1000)


class Overseer:
    """See the module. Its thread is there as long as there is a supervisor: programs end with the thread that started them."""

    def __init__(self) -> None:
        self._watched: dict[int, Supervising] = {}
        self._entering: list[Supervising] = []
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._epoll: select.epoll | None = None
        self._bell = -1

    def watch(self, one: Supervising) -> None:
        """Take a supervisor in, until its block has ended and its programs with it."""
        with self._lock:
            self._entering.append(one)
            if self._thread is None:
                self._epoll = select.epoll()
                self._bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
                self._epoll.register(self._bell, select.EPOLLIN | select.EPOLLET)
                self._thread = threading.Thread(target=self._work, name="programs")
                self._thread.start()
            else:
                os.eventfd_write(self._bell, 1)

    def ring(self) -> None:
        """Look now: a block has ended."""
        with self._lock:
            if self._thread is not None:
                os.eventfd_write(self._bell, 1)

    # -- the thread

    def _work(self) -> None:
        try:
            _go_first()
            self._oversee()
        except BaseException as error:  # noqa: BLE001 - handed to all threads that wait
            with self._lock:
                self._thread = None
                left = [*self._watched.values(), *self._entering]
                self._watched, self._entering = {}, []
            for one in left:
                one.error = error
                one.gone.set()

    def _oversee(self) -> None:
        while self._take_in():
            assert self._epoll is not None
            due_s = min((one.due_s for one in self._watched.values()), default=0.0)
            wait_s = min(LONGEST_WAIT_S, max(0.0, due_s - time.monotonic()))
            ready = {fd for fd, _ in self._epoll.poll(wait_s)}
            now_s = time.monotonic()
            for fd, one in list(self._watched.items()):
                if fd in ready or one.due_s <= now_s or one.wants_attention:
                    self._turn(fd, one)

    def _take_in(self) -> bool:
        """Let those that wait in; False when nobody is left, and the thread ends."""
        with self._lock:
            assert self._epoll is not None
            for one in self._entering:
                self._watched[one.supervisor.fileno()] = one
                self._epoll.register(one.supervisor.fileno(), select.EPOLLIN)
            self._entering = []
            if self._watched:
                return True
            self._epoll.close()
            os.close(self._bell)
            self._thread = None
            return False

    def _turn(self, fd: int, one: Supervising) -> None:
        try:
            if one.turn():
                return
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits at the end of the block
            one.error = error
            one.finish()
        assert self._epoll is not None
        self._epoll.unregister(fd)
        del self._watched[fd]
        one.gone.set()


def _go_first() -> None:
    """Let this thread run before the programs that it starts, which do not inherit it (sched(7)), where that is allowed."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_OTHER | os.SCHED_RESET_ON_FORK, os.sched_param(0))
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
