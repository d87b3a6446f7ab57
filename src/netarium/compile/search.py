"""Loop-free paths in order of length, found lazily, cut off where a limit along them can no longer be met."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import inf

import numpy as np
from numpy.typing import NDArray

from netarium.compile.graph import Graph


@dataclass(frozen=True)
class Limit:
    """The sum of `steps` (one per port, not negative) along a path may be at most `most`."""

    steps: Sequence[float]
    most: float


@dataclass
class PathSearch:
    """Paths from `src` to `dst` over the `allowed` ports (bool[P]), shortest first, as (length, ports).

    `steps`: what each port adds to the length.

    Among equal lengths the one with the lower ports comes first. The search gives up after `effort_most`
    partial paths; `complete` then stays False, otherwise it is True once iteration has ended.
    """

    graph: Graph
    src: int
    dst: int
    allowed: NDArray[np.bool_]
    steps: Sequence[float]
    limits: Sequence[Limit] = ()
    effort_most: int = 20_000
    complete: bool = field(default=False, init=False)

    def __iter__(self) -> Iterator[tuple[float, tuple[int, ...]]]:
        allowed = self.allowed.tolist()
        heads = self.graph.head.tolist()
        remaining = self.to_go(self.steps)
        bounds = [(limit.steps, limit.most, self.to_go(limit.steps)) for limit in self.limits]
        waiting: list[tuple[float, tuple[int, ...], float, tuple[float, ...]]] = []
        if remaining[self.src] < inf and all(togo[self.src] <= most for _, most, togo in bounds):
            waiting.append((remaining[self.src], (), 0, (0.0,) * len(bounds)))
        effort = 0
        while waiting:
            effort += 1
            if effort > self.effort_most:
                return
            length, ports, spent, sums = heapq.heappop(waiting)
            node = heads[ports[-1]] if ports else self.src
            if node == self.dst:
                yield length, ports
                continue
            seen = {self.src, *(heads[port] for port in ports)}
            for port in self.graph.out_ports[node]:
                head = heads[port]
                if not allowed[port] or head in seen or remaining[head] == inf:
                    continue
                after = tuple(total + steps[port] for total, (steps, _, _) in zip(sums, bounds, strict=True))
                if any(
                    total + togo[head] > most for total, (_, most, togo) in zip(after, bounds, strict=True)
                ):
                    continue
                walked = spent + self.steps[port]
                heapq.heappush(waiting, (walked + remaining[head], (*ports, port), walked, after))
        self.complete = True

    def to_go(self, steps: Sequence[float]) -> list[float]:
        """Least sum of `steps` from each node to the destination (Dijkstra from there backwards)."""
        tails = self.graph.tail.tolist()
        allowed = self.allowed.tolist()
        least: list[float] = [inf] * self.graph.node_count
        least[self.dst] = 0
        waiting: list[tuple[float, int]] = [(0, self.dst)]
        while waiting:
            total, node = heapq.heappop(waiting)
            if total > least[node]:
                continue
            for port in self.graph.in_ports[node]:
                tail, length = tails[port], total + steps[port]
                if allowed[port] and length < least[tail]:
                    least[tail] = length
                    heapq.heappush(waiting, (length, tail))
        return least


def widest(search: PathSearch, width: Sequence[int]) -> int:
    """Largest w so that some path uses only allowed ports with width >= w; 0 when there is no path."""
    best = [0] * search.graph.node_count
    heads = search.graph.head.tolist()
    allowed = search.allowed.tolist()
    waiting: list[tuple[float, int]] = [(-inf, search.src)]
    while waiting:
        through, node = heapq.heappop(waiting)
        if node == search.dst:
            return int(-through)
        for port in search.graph.out_ports[node]:
            reached = min(-through, width[port])
            if allowed[port] and reached > best[heads[port]]:
                best[heads[port]] = int(reached)
                heapq.heappush(waiting, (-reached, heads[port]))
    return 0
