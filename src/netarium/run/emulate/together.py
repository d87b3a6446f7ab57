"""Trials that are under way at once in one process: one thread paces all engines, one watches all programs.

    together = Together(len(trials))            each trial in a thread of its own:
    with together.member() as member:
        ... hosts up, engine made with member.pacer ...
        start_ns = member.start_ns(lead_ns, prepare)    waits until all that take part are ready
        ... run ...
        member.over()                           waits until all are over

Preparing and measuring take processor time that real hosts would miss, so both are done while no trial runs, one at a time.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from netarium.run.emulate.hosts import Guardian
from netarium.run.emulate.overseer import Overseer
from netarium.run.emulate.pacer import Pacer

AT_THE_DESK = 1
"""Trials that are prepared, or measured, at a time: it is Python, of which one thread runs."""
SWITCH_S = 0.0005
"""How long a thread of Python may keep others waiting (Python's own 5 ms are more than most tolerances)."""
ENTERING_NS = 2_000_000
"""What every trial adds to the time until the first starts, so that all have entered by then."""
APART_NS = 45_000_000
"""How far apart trials start: their programs take so long to be started."""


class Meeting:
    """Where all that take part wait for each other, again and again; who leaves is waited for no more."""

    def __init__(self, parties: int) -> None:
        self._parties, self._arrived, self._round = parties, 0, 0
        self._lead_ns, self._start_ns = 0, 0
        self._changed = threading.Condition()

    def wait(self, lead_ns: int = 0) -> int:
        """Wait for the others; CLOCK_MONOTONIC at which this one starts, the longest lead of all from now."""
        with self._changed:
            rank, mine = self._arrived, self._round
            self._arrived += 1
            self._lead_ns = max(self._lead_ns, lead_ns)
            self._go_on_if_complete()
            while self._round == mine:
                self._changed.wait()
            return self._start_ns + rank * APART_NS

    def leave(self) -> None:
        """Take part no longer."""
        with self._changed:
            self._parties -= 1
            self._go_on_if_complete()

    def _go_on_if_complete(self) -> None:
        if self._arrived and self._arrived >= self._parties:
            self._start_ns = time.monotonic_ns() + self._lead_ns + self._arrived * ENTERING_NS
            self._round, self._arrived, self._lead_ns = self._round + 1, 0, 0
            self._changed.notify_all()


class Member:
    """One trial among those of a `Together`."""

    def __init__(
        self,
        pacer: Pacer,
        overseer: Overseer,
        guardian: Guardian,
        meeting: Meeting,
        desk: threading.Semaphore,
    ) -> None:
        self.pacer, self.overseer, self.guardian = pacer, overseer, guardian
        self._meeting, self._desk = meeting, desk
        self._at_desk = self._left = False

    def start_ns(self, lead_ns: int, prepare: Callable[[], None]) -> int:
        """When this trial starts: `lead_ns` or more after all others are ready, and this one by `prepare()`."""
        self.rise()
        prepare()
        return self._meeting.wait(lead_ns)

    def over(self) -> None:
        """It has run. Waits until all have, then for a place to measure."""
        self._meeting.wait()
        self.leave()
        self.sit_down()

    def sit_down(self) -> None:
        """Wait for one of the few places where trials are prepared and measured."""
        self._desk.acquire()
        self._at_desk = True

    def rise(self) -> None:
        """Give the place back, if it has one."""
        if self._at_desk:
            self._at_desk = False
            self._desk.release()

    def leave(self) -> None:
        """Be waited for no more."""
        if not self._left:
            self._left = True
            self._meeting.leave()


class Together:
    """See the module. Close it when all trials have ended, in the thread that made it.

    The engines get a core for themselves where there are several: a program that starts or ends is in the kernel for
    milliseconds, and not every kernel lets itself be interrupted there. What is started from here keeps to the rest.
    """

    def __init__(self, trials: int) -> None:
        sys.setswitchinterval(SWITCH_S)
        self._cores = os.sched_getaffinity(0)
        own = max(self._cores) if len(self._cores) > 1 else None
        os.sched_setaffinity(0, self._cores - {own})
        self.pacer, self.overseer, self.guardian = Pacer(own), Overseer(), Guardian()
        self._meeting = Meeting(trials)
        self._desk = threading.Semaphore(AT_THE_DESK)

    def close(self) -> None:
        """After the last trial."""
        self.guardian.end()
        self.pacer.close()
        os.sched_setaffinity(0, self._cores)

    @contextmanager
    def member(self) -> Iterator[Member]:
        """A trial takes part; however it ends, the others do not wait for it."""
        one = Member(self.pacer, self.overseer, self.guardian, self._meeting, self._desk)
        one.sit_down()
        try:
            yield one
        finally:
            one.rise()
            one.leave()
