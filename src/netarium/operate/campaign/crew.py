"""What a pool of workers on this machine and a cluster of them have in common: trials come in, wait, and go once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netarium.describe.design import Job


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
