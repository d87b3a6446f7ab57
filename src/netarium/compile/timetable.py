"""Reservations over time: a ledger for every interval in which the same slices stand.

A slice that ends keeps its capacity a little longer, until its last packets have left the network (`released_ps`).
What starts or ends splits an interval; a further slice must fit in every interval that it touches.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netarium.compile.bounds import Service
from netarium.compile.graph import Graph
from netarium.compile.ledger import Fit, Ledger, Misfit, Request
from netarium.compile.mechanisms import scheduled, solver
from netarium.compile.mechanisms.classes import MECHANISMS, cycle_room_bits, reservable_bps
from netarium.units import SECOND_PS

ALWAYS_PS = 2**100
"""The end of a slice that states none."""
DRAIN_PS = SECOND_PS
"""How long packets of a slice that promises no latency are given to leave the network after its end."""


def released_ps(request: Request) -> int:
    """When the capacity of a slice is free again: its end, and the time its last packets are under way."""
    if request.end is None:
        return ALWAYS_PS
    return request.end + (DRAIN_PS if request.latency is None else request.latency)


@dataclass(frozen=True)
class Span:
    """Ledgers of the intervals that a slice touches, as one: what fits here fits in each of them.

    mechanism: the one that is being tried. everywhere: the ledgers of all time, since a port has one mechanism, and
    a network one cycle, for the whole run. until_ps: the end of all. releases: of all slices with planned windows, by name,
    where in their periods these begin (gates too are the same for the whole run). thorough: ask the solver where slices do not
    fit in turn. shortest_cycle: take it, where cqf may choose, instead of the longest that keeps the promises.
    """

    ledgers: tuple[Ledger, ...]
    everywhere: tuple[Ledger, ...]
    mechanism: str = "strict"
    until_ps: int = ALWAYS_PS
    releases: Mapping[str, int] = field(default_factory=dict)
    thorough: bool = False
    shortest_cycle: bool = False

    def using(self, mechanism: str) -> Span:
        """The same span for slices of another mechanism."""
        return self if mechanism == self.mechanism else replace(self, mechanism=mechanism)

    @property
    def graph(self) -> Graph:
        return self.ledgers[0].graph

    @property
    def costs(self) -> tuple[int, ...]:
        return self.ledgers[0].costs

    @property
    def service(self) -> Service:
        return self.ledgers[0].classes[self.mechanism].service

    @property
    def fits(self) -> tuple[Fit, ...]:
        return self.ledgers[0].fits

    @cached_property
    def reservable_bps(self) -> NDArray[np.int64]:
        """int64[P]: what slices of the mechanism may reserve at most."""
        return reservable_bps(self.graph, self.ledgers[0].classes[self.mechanism])

    @cached_property
    def left_bps(self) -> NDArray[np.int64]:
        """int64[P]: the least that is left at any time."""
        return self.reservable_bps - np.maximum.reduce([each.reserved_bps for each in self.ledgers])

    @cached_property
    def delay_ps(self) -> NDArray[np.float64]:
        """float64[P]: the longest that slices of the mechanism wait at any time."""
        return np.maximum.reduce([each.load_of(self.mechanism).delay_ps for each in self.ledgers])

    @cached_property
    def carried(self) -> NDArray[np.int8]:
        """int8[P]: the mechanism of each port at any time, as in Ledger."""
        return np.maximum.reduce([each.carried for each in self.everywhere])

    @cached_property
    def open_ports(self) -> NDArray[np.bool_]:
        """bool[P]: ports that have this mechanism or none."""
        return (self.carried == 0) | (self.carried == MECHANISMS.index(self.mechanism) + 1)

    @cached_property
    def cycle_ps(self) -> int:
        """The cycle of cqf in this network, 0 while none is chosen."""
        return max(each.cycle_ps for each in (*self.everywhere, *self.ledgers))

    @cached_property
    def cycle_left_bits(self) -> NDArray[np.float64]:
        """float64[P]: what is left of a cycle."""
        room = cycle_room_bits(self.graph, self.cycle_ps)
        return room - np.maximum.reduce([each.cycle_bits for each in self.ledgers])

    @cached_property
    def planned(self) -> dict[str, Fit]:
        """All slices with planned windows, by name."""
        return {
            fit.request.name: fit
            for each in (*self.everywhere, *self.ledgers)
            for fit in each.fits
            if fit.planned
        }

    @cached_property
    def windows_at(self) -> dict[int, list[tuple[str, scheduled.Window, int]]]:
        """Port -> (slice, its window, its period) of all slices with planned windows."""
        found: dict[int, list[tuple[str, scheduled.Window, int]]] = {}
        for name, fit in self.planned.items():
            assert fit.planned is not None
            for window in fit.planned.windows:
                found.setdefault(window.port, []).append((name, window, fit.planned.period_ps))
        return found

    def releases_with(self, fit: Fit) -> Mapping[str, int] | None:
        """`releases` with one more slice; those of others may change, not their bounds. None when none are found.

        First behind what stands; then all anew, those with the shortest periods first; then, if thorough, by the solver. Slices
        that state their release keep it.
        """
        if fit.planned is None:
            return self.releases
        asked = (fit.request, fit.planned)
        if asked not in self._found:
            self._found[asked] = self._releases_with(fit)
        return self._found[asked]

    @cached_property
    def _found(self) -> dict[Any, Mapping[str, int] | None]:
        """What was found already, as it is asked for twice."""
        return {}

    def _releases_with(self, fit: Fit) -> Mapping[str, int] | None:
        assert fit.planned is not None
        name, own = fit.request.name, fit.request.release
        if own is None:
            taken = {
                port: [
                    scheduled.taken_by(window, self.releases[word], period) for word, window, period in there
                ]
                for port in fit.ports
                if (there := self.windows_at.get(port))
            }
            own = scheduled.first_release(fit.planned, taken)
        if own is not None:
            return {**self.releases, name: own}
        fits = {**self.planned, name: fit}
        plans = {word: each.planned for word, each in fits.items() if each.planned}
        pinned = {
            word: self.releases[word] for word, each in fits.items() if each.request.release is not None
        }
        found = scheduled.in_turn(scheduled.shortest_first(plans), pinned)
        if found is None and self.thorough and solver.available():
            found = solver.together(plans, pinned)
        return found

    def add(self, fit: Fit, as_promised: bool = False) -> Span | None:
        """With one more slice in every interval; None as Ledger.add, and where its windows find no place."""
        releases = self.releases_with(fit)
        if releases is None:
            return None
        after = []
        for ledger in self.ledgers:
            added = ledger.add(fit, as_promised)
            if added is None:
                return None
            after.append(added)
        return replace(self, ledgers=tuple(after), releases=releases)

    def broken_promise(self) -> Misfit | None:
        return next((why for each in self.ledgers if (why := each.broken_promise())), None)

    def latency_ps(self) -> float:
        """Largest one-way latency of the slice added last."""
        return max(each.latency_ps(-1) for each in self.ledgers)

    def variation_ps(self) -> float:
        """Largest difference of two one-way latencies of the slice added last."""
        return max(each.variation_ps(-1) for each in self.ledgers)


@dataclass
class Timetable:
    """Ledgers in the order of time; ledger i holds from edges_ps[i] until edges_ps[i + 1]. releases: as in Span."""

    ledgers: list[Ledger]
    edges_ps: list[int] = field(default_factory=lambda: [0])
    until_ps: int = ALWAYS_PS
    releases: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def empty(cls, graph: Graph, metric: str, share: float, until_ps: int = ALWAYS_PS) -> Timetable:
        return cls([Ledger.empty(graph, metric, share)], until_ps=until_ps)

    @property
    def graph(self) -> Graph:
        return self.ledgers[0].graph

    def span(self, request: Request) -> Span:
        """What stands while `request` would."""
        first = bisect_right(self.edges_ps, request.start) - 1
        last = bisect_left(self.edges_ps, released_ps(request))
        ledgers = tuple(self.ledgers)
        return Span(ledgers[first:last], ledgers, until_ps=self.until_ps, releases=self.releases)

    def place(self, request: Request, after: Span) -> None:
        """Take over what was added to `span(request)`."""
        first = self._split(request.start)
        last = self._split(released_ps(request))
        assert last - first == len(after.ledgers)
        self.ledgers[first:last] = after.ledgers
        self.releases = after.releases

    def _split(self, time_ps: int) -> int:
        """Index of the interval that begins at `time_ps`, made if there is none."""
        index = bisect_left(self.edges_ps, time_ps)
        if time_ps >= ALWAYS_PS:
            return len(self.edges_ps)
        if index == len(self.edges_ps) or self.edges_ps[index] != time_ps:
            self.edges_ps.insert(index, time_ps)
            self.ledgers.insert(index, self.ledgers[index - 1])
        return index

    def placed(self) -> dict[str, list[tuple[Ledger, int]]]:
        """Of every slice by name: (ledger, its index there) for each interval in which it stands."""
        found: dict[str, list[tuple[Ledger, int]]] = {}
        for ledger in self.ledgers:
            for i, fit in enumerate(ledger.fits):
                found.setdefault(fit.request.name, []).append((ledger, i))
        return found

    def starts_after(self, request: Request) -> Sequence[int]:
        """Instants, later than its start, at which something ends that may stand in the way of `request`."""
        return [edge for edge in self.edges_ps if edge > request.start]
