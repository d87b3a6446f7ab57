"""What a pool of workers on this machine and a cluster of them have in common: trials come in, wait, and go once."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable
from multiprocessing.connection import Connection
from types import TracebackType
from typing import TYPE_CHECKING

from netarium.operate.campaign.nurse import Nurse, NurseryGone

if TYPE_CHECKING:
    from netarium.describe.design import Job

RENEWED_MAX = 3
"""Times that a nursery is started again without a trial done in between."""


class Crew(ABC):
    """A context manager around the trials. inbox: those that nobody has begun with; afresh: ids of those that are to be
    run even where the store has the result."""

    def __init__(self) -> None:
        self.inbox: deque[Job] = deque()
        self.afresh: set[str] = set()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def submit(self, jobs: Iterable[Job], afresh: bool = False) -> None:
        """Add trials. afresh: to be run even where the store has the result."""
        for job in jobs:
            self.inbox.append(job)
            if afresh:
                self.afresh.add(job.id)

    @abstractmethod
    def close(self) -> None:
        """End every worker at once."""


class CrewHere(Crew):
    """A crew on this machine, whose workers come from a nursery; nurse: one that was started already;
    real_hosts: what the workers of one that was not are to have.

    A nursery that was killed is started again: its workers went with it, and that they did is noticed as of any other.
    """

    def __init__(self, nurse: Nurse | None, real_hosts: bool = False) -> None:
        super().__init__()
        self._real_hosts = real_hosts
        self._given, self._owns_nurse = nurse, nurse is None
        self._renewed = 0

    @property
    def _nurse(self) -> Nurse:
        if self._given is None:
            self._given = Nurse(real_hosts=self._real_hosts)
        return self._given

    def _fork(self, *first: object) -> tuple[int, Connection]:
        """(process number of a new worker, the pipe to it); first: what it is sent at once.

        Raises NurseryGone when nurseries end again and again.
        """
        while True:
            try:
                pid, pipe = self._nurse.fork()
                break
            except NurseryGone as gone:
                self._renew(gone)
        with contextlib.suppress(OSError):  # it has been killed meanwhile, which is noticed as of any other
            for message in first:
                pipe.send(message)
        return pid, pipe

    def _renew(self, gone: NurseryGone) -> None:
        """Another nursery in place of the one that has gone."""
        self._renewed += 1
        if self._renewed > RENEWED_MAX:
            raise gone
        self._nurse.restart()

    def _let_nurse_go(self) -> None:
        """End the nursery, if it is this crew's own."""
        if self._given is not None and self._owns_nurse:
            self._given.close()
