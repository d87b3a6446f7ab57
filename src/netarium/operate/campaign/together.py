"""Emulated trials of a campaign, many at once: batch after batch, each in one process where one thread paces all engines.

    with Batches(task, size=500, deadline_s=60, memory_bytes=8 * 10**9) as batches:
        batches.submit(jobs)
        while batches.backlog:
            for result in batches.pump(timeout_s=0.5): ...

A process for each trial (pool.py) would wake for every frame of its own; hundreds of those are more than a machine can wake.
"""

from __future__ import annotations

import select
import signal
import time
from collections import deque
from typing import TYPE_CHECKING, Self

from netarium.operate.campaign.crew import CrewHere
from netarium.operate.campaign.pool import (
    COMPILING_S,
    GRACE_S,
    KILLS_TOLERATED,
    OUTSIDE,
    Worker,
    cause_of_death,
    resident_bytes,
    send_signal,
)
from netarium.operate.campaign.task import Result
from netarium.units import SECOND_PS, format_size, format_time

if TYPE_CHECKING:
    from netarium.operate.campaign.nurse import Nurse
    from netarium.operate.campaign.task import Task

PREPARING_S = 0.5
"""What every trial of a batch adds to its deadline: it is prepared and measured while no other runs."""
ADDRESS_BYTES = 2 * 2**30
"""Address space of an engine in real time, most of which is never touched."""


class Batches(CrewHere):
    """See the module. memory_bytes: what a whole batch may take."""

    def __init__(
        self, task: Task, *, size: int, deadline_s: float, memory_bytes: int, nurse: Nurse | None = None
    ) -> None:
        super().__init__(nurse, real_hosts=True)
        self.task, self.size, self.deadline_s, self.memory_bytes = task, size, deadline_s, memory_bytes
        self._worker: Worker | None = None
        self._killed: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    @property
    def backlog(self) -> int:
        """Trials submitted and not yet ended."""
        return len(self.inbox) + (len(self._worker.waiting) if self._worker is not None else 0)

    @property
    def wanted(self) -> int:
        """Trials that the next batch has room for; none while one is under way."""
        return 0 if self._worker is not None else self.size - len(self.inbox)

    @property
    def pid(self) -> int | None:
        """Process number of the batch that is under way."""
        return self._worker.pid if self._worker is not None else None

    def pump(self, timeout_s: float) -> list[Result]:
        """Begin a batch if there is none, wait at most `timeout_s`, and return the trials that ended."""
        if self._worker is None:
            if not self.inbox:
                return []
            self._begin()
        worker = self._worker
        assert worker is not None
        found = self._listen(worker) if worker.arrived.poll(1000 * timeout_s) else []
        if self._worker is not None:
            self._watch(worker)
        return found

    def close(self) -> None:
        """End the batch that is under way; its hosts are given a moment to be taken down."""
        if self._worker is not None:
            send_signal(self._worker.pid, signal.SIGTERM)
            select.select([self._worker.pipe], [], [], GRACE_S)
            self._worker.pipe.close()
            send_signal(self._worker.pid, signal.SIGKILL)
            self._worker = None
        self._let_nurse_go()

    # -- one batch

    def _begin(self) -> None:
        jobs = [self.inbox.popleft() for _ in range(min(self.size, len(self.inbox)))]
        limit_bytes = self.memory_bytes + len(jobs) * ADDRESS_BYTES
        pid, pipe = self._fork((self.task, limit_bytes), tuple(jobs))
        base = resident_bytes(self._nurse.pid)
        self._worker = Worker(pid, pipe, deque(jobs), time.monotonic(), base_bytes=base)

    def _listen(self, worker: Worker) -> list[Result]:
        """What the process of the batch has sent, or how it died."""
        found: list[Result] = []
        try:
            while worker.arrived.poll(0):
                message = worker.pipe.recv()
                if isinstance(message, bool):
                    worker.compiling, worker.since = message, time.monotonic()
                elif isinstance(message, tuple):
                    worker.columns.append(message)
                else:
                    self._renewed = 0
                    found.append(message.named(worker.columns[message.number]))
                    ended = next(job for job in worker.waiting if job.id == message.id)
                    worker.waiting.remove(ended)
        except (EOFError, OSError):
            found += self._bury(worker)
        else:
            if not worker.waiting:
                self._dismiss(worker)
        return found

    def _dismiss(self, worker: Worker) -> None:
        """The batch is done, and its process with it: the next one begins with nothing left of this."""
        worker.pipe.close()
        self._worker = None

    def _bury(self, worker: Worker) -> list[Result]:
        """The process has died: each trial that had not ended has a result, or is tried again."""
        status = self._nurse.status_of(worker.pid)
        self._dismiss(worker)
        wall_s = time.monotonic() - worker.since
        if worker.killed_for is not None:
            return [Result(job.id, *worker.killed_for, wall_s) for job in worker.waiting]
        found = []
        for job in worker.waiting:
            times = self._killed[job.id] = self._killed.get(job.id, 0) + 1
            if status in OUTSIDE and times <= KILLS_TOLERATED:
                self.inbox.append(job)
                continue
            why = f"the process of its batch died: {cause_of_death(status)}"
            found.append(Result(job.id, "crashed", why, wall_s))
        return found

    def _watch(self, worker: Worker) -> None:
        """End a batch beyond its deadline or its memory."""
        now = time.monotonic()
        if worker.killed_for is not None:
            if now > worker.kill_at:
                send_signal(worker.pid, signal.SIGKILL)
            return
        limit_s = COMPILING_S if worker.compiling else self.deadline_s + PREPARING_S * len(worker.waiting)
        held = resident_bytes(worker.pid) - worker.base_bytes
        if now - worker.since > limit_s:
            limit = format_time(round(limit_s * SECOND_PS))
            self._end(worker, "timeout", f"its batch was stopped after {limit}")
        elif held > self.memory_bytes:
            limit = format_size(self.memory_bytes)
            self._end(worker, "out_of_memory", f"its batch was stopped at {format_size(held)}, limit {limit}")

    def _end(self, worker: Worker, status: str, cause: str) -> None:
        worker.killed_for, worker.kill_at = (status, cause), time.monotonic() + GRACE_S
        send_signal(worker.pid, signal.SIGTERM)
