"""The order of trials: repetitions in random rounds; the longest first once that could end the campaign sooner.

A round holds every variant once, in an order of its own, drawn from the campaign's `shuffle`. So at any time all
variants have been run equally often, and a slow moment of the machine hits no variant alone. Only near the end does
the order decide how long the campaign takes: a long trial begun last would be waited for. So from the moment on
when the longest trial left could outlast its share of the rest, the longest come first (Graham, 1969: then no
schedule is more than 4/3 as long as the best one). Until then the order is random; `order` in the results says what
it was.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Iterable, Iterator, Mapping

from netarium.describe.design import Job

MARGIN = 2.0
"""How early the longest come first: when twice the longest trial is a worker's share of the rest."""
UNKNOWN_S = 0.1


class Order:
    """The trials of one mode that are still to be run. estimates: expected seconds by variant, where known."""

    def __init__(
        self, jobs: Iterable[Job], shuffle: int, estimates: Mapping[int, float] | None = None
    ) -> None:
        self._jobs: dict[int, deque[Job]] = {}
        for job in jobs:
            self._jobs.setdefault(job.variant, deque()).append(job)
        self._queue = deque(self._rounds(shuffle))
        self.left = len(self._queue)
        known = dict(estimates or {})
        mean_s = sum(known.values()) / len(known) if known else UNKNOWN_S
        self._expected = {variant: known.get(variant, mean_s) for variant in self._jobs}
        self._measured: dict[int, tuple[int, float]] = {}
        self.left_s = sum(len(jobs) * self._expected[variant] for variant, jobs in self._jobs.items())
        self._longest = [(-seconds, variant) for variant, seconds in self._expected.items()]
        heapq.heapify(self._longest)

    def _rounds(self, shuffle: int) -> Iterator[int]:
        """The variants, round by round."""
        most = max((len(jobs) for jobs in self._jobs.values()), default=0)
        for number in range(most):
            variants = [variant for variant, jobs in self._jobs.items() if len(jobs) > number]
            random.Random(f"{shuffle}/{number}").shuffle(variants)
            yield from variants

    def take(self, count: int, workers: int) -> list[Job]:
        """The next trials, at most `count`."""
        taken: list[Job] = []
        while len(taken) < count and self.left:
            variant = self._next(workers)
            jobs = self._jobs[variant]
            taken.append(jobs.popleft())
            self.left -= 1
            self.left_s -= self._expected[variant]
        return taken

    def measured(self, variant: int, seconds: float) -> None:
        """Learn how long a trial of a variant took."""
        count, mean = self._measured.get(variant, (0, 0.0))
        mean += (seconds - mean) / (count + 1)
        self._measured[variant] = (count + 1, mean)
        before = self._expected.get(variant)
        if before is None or not self._jobs[variant]:
            return
        self.left_s += len(self._jobs[variant]) * (mean - before)
        self._expected[variant] = mean
        if abs(mean - before) > 0.2 * before:
            heapq.heappush(self._longest, (-mean, variant))

    def _next(self, workers: int) -> int:
        longest = self._find_longest()
        if longest is not None and MARGIN * self._expected[longest] * workers >= self.left_s:
            return longest
        while not self._jobs[self._queue[0]]:
            self._queue.popleft()
        return self._queue.popleft()

    def _find_longest(self) -> int | None:
        """The variant with trials left that is expected to take longest."""
        while self._longest:
            seconds, variant = self._longest[0]
            if not self._jobs[variant]:
                heapq.heappop(self._longest)
            elif abs(-seconds - self._expected[variant]) > 0.2 * self._expected[variant]:
                heapq.heapreplace(self._longest, (-self._expected[variant], variant))
            else:
                return variant
        return None
