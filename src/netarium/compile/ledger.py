"""What admitted slices have reserved, what all of them wait at most, and the words in which that is said.

A Ledger is never changed: one more slice makes a new one, so a path can be tried and dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil, fsum, inf, isfinite
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from netarium.compile.bounds import Arrival, Bounds, strict_priority_bounds
from netarium.compile.graph import UNBOUNDED_PS, Graph


class Asked(Protocol):
    """What admission reads of a slice: the model's names and units (bit/s, ps, bytes, ratio)."""

    @property
    def from_(self) -> str: ...
    @property
    def to(self) -> str: ...
    @property
    def bandwidth(self) -> int: ...
    @property
    def latency(self) -> int | None: ...
    @property
    def delay_variation(self) -> int | None: ...
    @property
    def loss(self) -> float | None: ...
    @property
    def path(self) -> Sequence[str] | None: ...
    @property
    def burst(self) -> int | None: ...


@dataclass(frozen=True)
class Request:
    """One slice as asked for. Units as in the model: bit/s, ps, bytes, ratio; None: not promised."""

    name: str
    from_: str
    to: str
    bandwidth: int
    latency: int | None = None
    delay_variation: int | None = None
    loss: float | None = None
    path: tuple[str, ...] | None = None
    burst: int | None = None


@dataclass(frozen=True)
class Fit:
    """A slice on a path that holds it. Bounds are infinite when there is none. All times ps, sizes bytes."""

    request: Request
    ports: tuple[int, ...]
    mtu_bytes: int
    burst_bytes: int
    reserved_bps: tuple[int, ...]
    loss: float
    floor_ps: int
    smallest_ps: int
    latency_ps: float
    variation_ps: float

    def arrival(self, graph: Graph) -> Arrival:
        ratio = tuple(1.0 + int(graph.overhead_bytes[port]) / self.mtu_bytes for port in self.ports)
        return Arrival(self.ports, self.request.bandwidth, 8 * self.burst_bytes, ratio)


@dataclass(frozen=True)
class Misfit:
    """Why a path does not hold a slice: the objective that fails, at which port, what it needs, what there
    is.

    bandwidth: bit/s on the wire. latency, delay_variation: `needed` is the bound (infinite: none) or, with
    `by_floor`, what the path takes even when empty, and `there_is` the promise, in ps. loss: ratios. burst:
    bytes. `hurts`: the earlier slice whose promise would break.
    """

    objective: str
    port: int
    needed: float
    there_is: float
    hurts: str = ""
    by_floor: bool = False


@dataclass(frozen=True, eq=False)
class Ledger:
    """The network and what has been reserved on it. reserved_bps, reservable_bps int64[P], on the wire."""

    graph: Graph
    costs: tuple[int, ...]
    reservable_bps: NDArray[np.int64]
    reserved_bps: NDArray[np.int64]
    fits: tuple[Fit, ...]
    bounds: Bounds

    @classmethod
    def empty(cls, graph: Graph, metric: str, share: float) -> Ledger:
        reservable = np.array(
            [int(rate) * round(share * 10**6) // 10**6 for rate in graph.rate_bps], np.int64
        )
        nothing = np.zeros(graph.port_count, np.int64)
        costs = tuple(graph.costs(metric).tolist())
        no_slices = strict_priority_bounds(graph, ())
        assert no_slices is not None
        return cls(graph, costs, reservable, nothing, (), no_slices)

    @property
    def left_bps(self) -> NDArray[np.int64]:
        return self.reservable_bps - self.reserved_bps

    @cached_property
    def margin_ps(self) -> NDArray[np.float64]:
        """float64[P]: by how much the delay of each port may grow before a promise made there breaks."""
        margin = np.full(self.graph.port_count, inf)
        for fit in self.fits:
            ports = list(fit.ports)
            for promised, bound in (
                (fit.request.latency, fit.latency_ps),
                (fit.request.delay_variation, fit.variation_ps),
            ):
                if promised is not None:
                    margin[ports] = np.minimum(margin[ports], promised - bound)
        return margin

    def add(self, fit: Fit, as_promised: bool = False) -> Ledger | None:
        """The ledger with one more slice, and the bounds of all of them together.

        With `as_promised` None when some promise of latency or delay variation would break (quicker than to
        find the bounds and see). Bandwidth and loss are not looked at.
        """
        fits = (*self.fits, fit)
        arrivals = [each.arrival(self.graph) for each in fits]
        most_ps = [_most_waiting_ps(self.graph, each) for each in fits] if as_promised else None
        bounds = strict_priority_bounds(self.graph, arrivals, self.bounds, most_ps)
        if bounds is None:
            return None
        reserved = self.reserved_bps.copy()
        reserved[list(fit.ports)] += fit.reserved_bps
        fits = tuple(_bounded(self.graph, each, bounds.hop_delay_ps[i]) for i, each in enumerate(fits))
        after = replace(self, reserved_bps=reserved, fits=fits, bounds=bounds)
        return None if as_promised and after.broken_promise() else after

    def broken_promise(self) -> Misfit | None:
        """A promise of latency or delay variation that the bounds exceed, of the last slice if it has one."""
        for i, fit in reversed(list(enumerate(self.fits))):
            for objective, needed in (("latency", fit.latency_ps), ("delay_variation", fit.variation_ps)):
                promised = getattr(fit.request, objective)
                if promised is not None and needed > promised:
                    hops = self.bounds.hop_delay_ps[i]
                    worst = fit.ports[max(range(len(hops)), key=hops.__getitem__)]
                    hurts = "" if i == len(self.fits) - 1 else fit.request.name
                    return Misfit(objective, worst, needed, promised, hurts)
        return None


def _most_waiting_ps(graph: Graph, fit: Fit) -> float:
    """How long packets may wait in all hops together within the promises of `fit`."""
    ports = list(fit.ports)
    fixed = sum(graph.delay_ps[ports].tolist())
    jitter = sum(graph.jitter_ps[ports].tolist())
    latency = inf if fit.request.latency is None else fit.request.latency - fixed - jitter
    if fit.request.delay_variation is None:
        return latency
    return min(latency, fit.request.delay_variation + fit.smallest_ps - fixed - 2 * jitter)


def _bounded(graph: Graph, fit: Fit, hop_delay_ps: Sequence[float]) -> Fit:
    """`fit` with its bounds of latency and delay variation."""
    ports = list(fit.ports)
    waiting = fsum(hop_delay_ps)
    jitter = sum(graph.jitter_ps[ports].tolist())
    if not isfinite(waiting) or (graph.jitter_ps[ports] == UNBOUNDED_PS).any():
        return replace(fit, latency_ps=inf, variation_ps=inf)
    fixed = sum(graph.delay_ps[ports].tolist())
    longest = fixed + ceil(round(waiting, 3))  # a thousandth of a ps is rounding of the sum
    return replace(fit, latency_ps=longest + jitter, variation_ps=longest - fit.smallest_ps + 2 * jitter)
