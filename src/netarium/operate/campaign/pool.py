"""A supervised pool of workers on this machine: a trial that crashes, hangs or fills memory costs that trial alone.

    with Pool(task, workers=2, deadline_s=60, memory_bytes=2 * 10**9) as pool:
        pool.submit(jobs[: pool.wanted])
        results = pool.pump(0.1)

Workers are forked from a nursery (nursery.py) that has the engine loaded; `nurse`: one that was started already.
Results come one by one, so that of a worker that dies the trial it was doing is known: the first without a result.
The others go to another worker.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import select
import signal
import time
from collections import deque
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Self

from netarium.errors import MachineCannot
from netarium.operate.campaign.crew import CrewHere
from netarium.operate.campaign.nurse import Nurse, NurseryGone
from netarium.operate.campaign.task import Result
from netarium.operate.campaign.worker import poller
from netarium.units import SECOND_PS, format_size, format_time

if TYPE_CHECKING:
    from netarium.describe.design import Job
    from netarium.operate.campaign.task import Task

AHEAD_S = 0.5
"""Work that a worker has before it: it never waits, and little is to be given to others when it dies."""
MOST_AHEAD = 256
"""Trials before a worker at most: their descriptions fit into the buffer of its socket."""
STUCK_S = 0.5
"""A worker whose trial lasts longer than this gives what waits behind it to idle ones."""
GATHER_S, GATHER_FROM = 0.03, 8
"""How long results are left to gather before they are read, where workers have more than so many trials before them."""
WATCH_S = 0.1
"""How often memory is looked at."""
COMPILING_S = 900.0
"""The compiling of a user's file is not counted as the trial's time, and is never cut short before this."""
KILLS_TOLERATED = 1
"""Times that a trial whose worker was killed from outside is tried again."""
FRUITLESS_MAX = 5
"""Workers that may die one after another without having done a trial."""
GRACE_S = 5.0
"""What an emulated trial gets to take its hosts down before its worker is killed."""
OUTSIDE = (-signal.SIGKILL, -signal.SIGTERM)


@dataclasses.dataclass
class Worker:
    """One worker: its process, the pipe to it, the trials before it, and since when it does the first."""

    pid: int
    pipe: Connection
    waiting: deque[Job] = dataclasses.field(default_factory=deque)
    since: float = 0.0
    compiling: bool = False
    killed_for: tuple[str, str] | None = None
    kill_at: float = 0.0
    status: int | None = None
    done: int = 0
    base_bytes: int = 0
    arrived: select.poll = dataclasses.field(init=False)
    columns: list[tuple[str, ...]] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        self.arrived = poller(self.pipe)


class Pool(CrewHere):
    """See the module. `workers`, `deadline_s` and `memory_bytes` are limits of a campaign's trials."""

    def __init__(
        self,
        task: Task,
        *,
        workers: int,
        deadline_s: float,
        memory_bytes: int,
        nurse: Nurse | None = None,
        real_hosts: bool = False,
    ) -> None:
        super().__init__(nurse, real_hosts)
        self.task, self.size, self.deadline_s, self.memory_bytes = task, workers, deadline_s, memory_bytes
        self.mean_s = 0.05
        self._killed: dict[str, int] = {}
        self._workers: list[Worker] = []
        self._watched = 0.0
        self._poll = select.poll()
        self._fruitless = 0
        self._control = -1

    def __enter__(self) -> Self:
        self._hear()
        try:
            for _ in range(self.size):
                self._hire()
        except BaseException:
            self.close()
            raise
        return self

    @property
    def backlog(self) -> int:
        """Trials submitted and not yet ended."""
        return len(self.inbox) + sum(len(worker.waiting) for worker in self._workers)

    @property
    def wanted(self) -> int:
        """Trials that it would be good to have now, so that no worker waits."""
        return max(0, self.size * (self._ahead() + 1) - self.backlog)

    @property
    def pids(self) -> list[int]:
        """Process numbers of the workers."""
        return [worker.pid for worker in self._workers]

    def pump(self, timeout_s: float) -> list[Result]:
        """Hand out work, wait at most `timeout_s` for something to happen, and return the trials that ended."""
        self._hand_out()
        if self._ahead() > GATHER_FROM and len(self.inbox) + self.size < self.backlog:
            time.sleep(
                GATHER_S
            )  # results wait in their pipes: to wake for each one costs more than to read ten
        ready = {number for number, _ in self._poll.poll(1000 * timeout_s)}
        if self._control in ready:
            try:
                self._nurse.listen()
            except NurseryGone as gone:
                self._renew(gone)
        found: list[Result] = []
        for worker in [each for each in self._workers if each.pipe.fileno() in ready]:
            found += self._listen(worker)
        self._watch(found)
        self._hand_out()
        return found

    def close(self) -> None:
        """End every worker at once, whatever it is doing; emulated trials are given a moment to clean up."""
        emulating = [w for w in self._workers if w.waiting and w.waiting[0].mode == "emulate"]
        for worker in emulating:
            send_signal(worker.pid, signal.SIGTERM)
        until = time.monotonic() + GRACE_S
        while emulating and time.monotonic() < until and any(_alive(worker.pid) for worker in emulating):
            time.sleep(0.05)
        for worker in self._workers:
            worker.pipe.close()
            send_signal(worker.pid, signal.SIGKILL)
        self._workers.clear()
        self._let_nurse_go()

    # -- handing out

    def _ahead(self) -> int:
        """Trials that make up the work a worker has before it."""
        return max(1, min(MOST_AHEAD, int(AHEAD_S / max(self.mean_s, 1e-6))))

    def _hand_out(self) -> None:
        ahead = self._ahead()
        fair = max(1, -(-len(self.inbox) // (2 * self.size)))
        for worker in sorted(self._workers, key=lambda each: len(each.waiting)):
            room = min(ahead, fair + len(worker.waiting)) - len(worker.waiting)
            if not self.inbox or worker.killed_for or len(worker.waiting) > ahead // 2 or room <= 0:
                continue
            self._send(worker, [self.inbox.popleft() for _ in range(min(room, len(self.inbox)))])
        if not self.inbox:
            self._relieve()

    def _send(self, worker: Worker, jobs: list[Job]) -> None:
        if not worker.waiting:
            worker.since = time.monotonic()
        worker.waiting.extend(jobs)
        try:
            worker.pipe.send([(job, job.id in self.afresh) for job in jobs])
        except OSError:
            return  # it has died, which `_listen` finds out

    def _relieve(self) -> None:
        """What waits behind a long trial goes to a worker that has nothing to do."""
        idle = [worker for worker in self._workers if not worker.waiting]
        now = time.monotonic()
        for worker in self._workers:
            if not idle or len(worker.waiting) < 2 or now - worker.since < STUCK_S:
                continue
            moved = [worker.waiting.pop() for _ in range(len(worker.waiting) - 1)]
            with contextlib.suppress(OSError):
                worker.pipe.send({job.id for job in moved})
            share = -(-len(moved) // len(idle))
            for other in idle:
                if moved:
                    self._send(other, [moved.pop() for _ in range(min(share, len(moved)))])
            return

    # -- listening

    def _listen(self, worker: Worker) -> list[Result]:
        """What a worker has sent; when it has died, how its trial ended too."""
        found: list[Result] = []
        try:
            while worker.arrived.poll(0):
                message = worker.pipe.recv()
                now = time.monotonic()
                if isinstance(message, bool):
                    worker.compiling, worker.since = message, now
                    continue
                if isinstance(message, tuple):
                    worker.columns.append(message)
                    continue
                ended = self._ended(worker, message.named(worker.columns[message.number]))
                if ended is not None:
                    found.append(ended)
                worker.since = now
        except (EOFError, OSError):
            found += self._bury(worker)
        return found

    def _ended(self, worker: Worker, result: Result) -> Result | None:
        """The result of a trial that was waited for; None for one given to another worker meanwhile."""
        worker.done += 1
        self._fruitless = self._renewed = 0
        self.mean_s += 0.1 * (result.wall_s - self.mean_s)
        if worker.waiting and worker.waiting[0].id == result.id:
            worker.waiting.popleft()
        elif not any(job.id == result.id for job in worker.waiting):
            return self._overtaken(result)
        else:
            while worker.waiting[0].id != result.id:
                self.inbox.append(worker.waiting.popleft())
            worker.waiting.popleft()
        self.afresh.discard(result.id)
        return result

    def _overtaken(self, result: Result) -> Result | None:
        """A result of a trial that was moved away too late: taken if nobody else has begun with it."""
        for other in self._workers:
            for job in list(other.waiting)[1:]:
                if job.id == result.id:
                    other.waiting.remove(job)
                    with contextlib.suppress(OSError):
                        other.pipe.send({job.id})
                    return result
        return None

    def _bury(self, worker: Worker) -> list[Result]:
        """A worker has died: the trial it was doing has a result, the rest is done by others, a new one is hired."""
        status = self._nurse.status_of(worker.pid)
        self._workers.remove(worker)
        self._poll.unregister(worker.pipe.fileno())
        worker.pipe.close()
        found = []
        if worker.waiting:
            job = worker.waiting.popleft()
            result = self._verdict(worker, job, status)
            if result is None:
                self.inbox.appendleft(job)
            else:
                found.append(result)
        self.inbox.extendleft(reversed(worker.waiting))
        self._fruitless = 0 if worker.done or found else self._fruitless + 1
        if self._fruitless > FRUITLESS_MAX:
            raise MachineCannot(
                f"{self._fruitless} workers died one after another before their first trial "
                f"(the last one: {cause_of_death(status)}); is there enough memory for {self.size} workers?"
            )
        self._hire()
        return found

    def _verdict(self, worker: Worker, job: Job, status: int) -> Result | None:
        """How the trial of a dead worker ended; None when it should be tried again."""
        wall_s = time.monotonic() - worker.since
        if worker.killed_for is not None:
            return Result(job.id, *worker.killed_for, wall_s)
        if status in OUTSIDE:
            self._killed[job.id] = self._killed.get(job.id, 0) + 1
            if self._killed[job.id] <= KILLS_TOLERATED:
                return None
            times = self._killed[job.id]
            cause = (
                f"its worker was killed from outside ({times} times; the kernel does so when memory is full)"
            )
            return Result(job.id, "crashed", cause, wall_s)
        return Result(job.id, "crashed", f"its process died: {cause_of_death(status)}", wall_s)

    # -- watching

    def _watch(self, found: list[Result]) -> None:
        """End workers whose trial is beyond its deadline or its memory."""
        now = time.monotonic()
        if now - self._watched < WATCH_S:
            return
        self._watched = now
        for worker in list(self._workers):
            if not worker.waiting:
                continue
            if worker.killed_for is not None:
                if now > worker.kill_at:
                    send_signal(worker.pid, signal.SIGKILL)
                continue
            if now - worker.since > (COMPILING_S if worker.compiling else self.deadline_s):
                limit = format_time(self.deadline_s * SECOND_PS)
                self._end(worker, "timeout", f"stopped after its deadline of {limit}")
                continue
            held = resident_bytes(worker.pid) - worker.base_bytes
            if held > self.memory_bytes:
                cause = f"stopped at {format_size(held)}, above its limit of {format_size(self.memory_bytes)}"
                self._end(worker, "out_of_memory", cause)

    def _end(self, worker: Worker, status: str, cause: str) -> None:
        if worker.arrived.poll(0):
            return  # it has just finished
        worker.killed_for = (status, cause)
        gentle = worker.waiting[0].mode == "emulate"
        worker.kill_at = time.monotonic() + (GRACE_S if gentle else 0.0)
        send_signal(worker.pid, signal.SIGTERM if gentle else signal.SIGKILL)

    def _hear(self) -> None:
        """Notice what the nursery has to tell."""
        self._control = self._nurse.control.fileno()
        self._poll.register(self._control, select.POLLIN)

    def _renew(self, gone: NurseryGone) -> None:
        """Another nursery; its workers are hired as those of the old one are found to be dead."""
        self._poll.unregister(self._control)
        super()._renew(gone)
        self._hear()

    def _hire(self) -> None:
        pid, pipe = self._fork((self.task, self.memory_bytes))
        base = resident_bytes(self._nurse.pid)
        self._workers.append(Worker(pid, pipe, since=time.monotonic(), base_bytes=base))
        self._poll.register(pipe.fileno(), select.POLLIN)


def cause_of_death(status: int) -> str:
    """An exit code as Popen gives it, in words: a negative one is a signal."""
    if status >= 0:
        return f"exit code {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"
    words = {"SIGSEGV": "a segmentation fault", "SIGABRT": "an abort", "SIGBUS": "a bus error"}
    return f"{words[name]} ({name})" if name in words else name


def resident_bytes(pid: int) -> int:
    """Memory of a process that is in RAM, bytes; 0 when it is gone."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def send_signal(pid: int, number: int) -> None:
    """Send a process a signal, if it is still there."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _alive(pid: int) -> bool:
    return resident_bytes(pid) > 0
