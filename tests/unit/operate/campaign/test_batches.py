"""Batches whose nursery is killed, without real hosts: another one is started, and each trial ends once."""

from __future__ import annotations

import os
import select
import signal
import socket
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, cast

import pytest

from netarium.describe.design import Job
from netarium.operate.campaign.crew import RENEWED_MAX
from netarium.operate.campaign.nurse import Nurse, NurseryGone
from netarium.operate.campaign.task import Result
from netarium.operate.campaign.together import Batches

NOBODY = 2**30
"""No process has this number."""
JOBS = [Job(f"t{number}", number, 1, "emulate") for number in range(4)]


class FakeNurse:
    """dies_after: how many trials of each batch are done before its process and the nursery go; None: all, and neither goes."""

    pid = NOBODY

    def __init__(self, dies_after: Callable[[int], int | None]) -> None:
        self.dies_after = dies_after
        self.gone, self.restarts, self.batches = False, 0, 0
        self.theirs: Connection | None = None

    def fork(self) -> tuple[int, Connection]:
        if self.gone:
            raise NurseryGone("the process that workers are started from has ended (exit code -9)")
        ours, theirs = (Connection(each.detach()) for each in socket.socketpair())
        self.theirs = theirs
        return NOBODY, ours

    def work(self) -> None:
        """Do what the batch that was begun last has been told."""
        assert self.theirs is not None
        self.theirs.recv()
        jobs = self.theirs.recv()
        limit = self.dies_after(self.batches)
        self.batches += 1
        self.theirs.send(())
        for job in jobs[:limit]:
            self.theirs.send(Result(job.id, "succeeded").numbered(0))
        self.theirs.close()
        self.theirs, self.gone = None, limit is not None

    def status_of(self, pid: int) -> int:
        return -signal.SIGKILL

    def restart(self) -> None:
        self.gone, self.restarts = False, self.restarts + 1


class Begun(Batches):
    """Whose fake nurse does each batch as soon as it has begun."""

    def _begin(self) -> None:
        super()._begin()
        cast("FakeNurse", self._nurse).work()


def batches(nurse: FakeNurse) -> Batches:
    return Begun(cast("Any", None), size=3, deadline_s=60.0, memory_bytes=10**9, nurse=cast("Any", nurse))


def ended(nurse: FakeNurse, jobs: list[Job]) -> dict[str, Result]:
    found: dict[str, Result] = {}
    with batches(nurse) as crew:
        crew.submit(jobs)
        for _ in range(20):
            for result in crew.pump(1.0):
                assert result.id not in found
                found[result.id] = result
            if not crew.backlog:
                break
    return found


def test_a_killed_nursery_is_started_again_and_no_trial_is_lost() -> None:
    nurse = FakeNurse(lambda batch: 1 if batch == 0 else None)
    found = ended(nurse, JOBS)
    assert {name: result.status for name, result in found.items()} == {job.id: "succeeded" for job in JOBS}
    assert (nurse.restarts, nurse.batches) == (1, 2)


def test_a_trial_that_goes_with_two_nurseries_has_crashed() -> None:
    nurse = FakeNurse(lambda batch: 0 if batch < 2 else None)
    found = ended(nurse, JOBS[:3])
    assert {result.status for result in found.values()} == {"crashed"} and len(found) == 3
    assert all("the process of its batch died: SIGKILL" in result.cause for result in found.values())


def test_nurseries_that_always_end_are_given_up() -> None:
    nurse = FakeNurse(lambda batch: None)
    nurse.gone = True
    nurse.restart = lambda: setattr(nurse, "restarts", nurse.restarts + 1)  # type: ignore[method-assign]
    with batches(nurse) as crew:
        crew.submit(JOBS)
        with pytest.raises(NurseryGone):
            crew.pump(0.1)
    assert nurse.restarts == RENEWED_MAX


def test_how_a_worker_ended_can_be_asked_when_its_nursery_was_killed() -> None:
    nurse = Nurse()
    try:
        workers = [nurse.fork() for _ in range(2)]
        os.kill(nurse.pid, signal.SIGKILL)
        for _, pipe in workers:
            assert select.select([pipe], [], [], 10.0)[0], "a worker goes with its nursery"
            pipe.close()
        assert nurse.status_of(workers[0][0]) == -signal.SIGKILL
        nurse.restart()
        assert nurse.status_of(workers[1][0]) == -signal.SIGKILL
    finally:
        nurse.close()
