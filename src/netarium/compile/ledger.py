"""What admitted slices have reserved, what all of them wait at most, and the words in which that is said.

A Ledger is never changed: one more slice makes a new one, so a path can be tried and dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil, inf, isfinite
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from netarium.compile.bounds import Arrival, Load, Service
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
    @property
    def packet_size(self) -> int | None: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int | None: ...


@dataclass(frozen=True)
class Request:
    """One slice as asked for. Units as in the model: bit/s, ps, bytes, ratio; None: not promised.

    start, end: when it is used, ps; None: to the end of all.
    """

    name: str
    from_: str
    to: str
    bandwidth: int
    latency: int | None = None
    delay_variation: int | None = None
    loss: float | None = None
    path: tuple[str, ...] | None = None
    burst: int | None = None
    packet_size: int | None = None
    start: int = 0
    end: int | None = None


@dataclass(frozen=True)
class Fit:
    """A slice on a path that has room for it. All times ps, sizes bytes.

    reserved_bps: on the wire at each port, for packets of packet_bytes with the largest overhead_bytes of the path;
    wire_ratio: bits on the wire per bit of such packets. floor_ps: a full packet on the empty path; fixed_ps, jitter_ps: the
    path's propagation and jitter; smallest_ps: what the smallest packet takes at least.
    """

    request: Request
    ports: tuple[int, ...]
    mtu_bytes: int
    packet_bytes: int
    overhead_bytes: int
    burst_bytes: int
    reserved_bps: tuple[int, ...]
    wire_ratio: tuple[float, ...]
    loss: float
    floor_ps: int
    fixed_ps: int
    jitter_ps: int
    smallest_ps: int

    @property
    def arrival(self) -> Arrival:
        return Arrival(self.ports, self.request.bandwidth, 8 * self.burst_bytes, self.wire_ratio)

    @property
    def most_ps(self) -> float:
        """How long its packets may wait in all hops together within its promises."""
        latency = (
            inf if self.request.latency is None else self.request.latency - self.fixed_ps - self.jitter_ps
        )
        if self.request.delay_variation is None:
            return latency
        variation = self.request.delay_variation + self.smallest_ps - self.fixed_ps - 2 * self.jitter_ps
        return min(latency, variation)


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
    """The network and what has been reserved on it. reserved_bps, reservable_bps int64[P], on the wire.

    hop_port int32[hops of all slices], hop_first int64[slices], most_ps float64[slices]: the paths one after the
    other, where each begins, and how long its packets may wait on it; so that all promises are looked at in one
    sweep.
    """

    graph: Graph
    costs: tuple[int, ...]
    reservable_bps: NDArray[np.int64]
    reserved_bps: NDArray[np.int64]
    fits: tuple[Fit, ...]
    load: Load
    hop_port: NDArray[np.int32]
    hop_first: NDArray[np.int64]
    most_ps: NDArray[np.float64]

    @classmethod
    def empty(cls, graph: Graph, metric: str, share: float) -> Ledger:
        reservable = np.array(
            [int(rate) * round(share * 10**6) // 10**6 for rate in graph.rate_bps], np.int64
        )
        nothing = np.zeros(graph.port_count, np.int64)
        costs = tuple(graph.costs(metric).tolist())
        none = np.zeros(0, np.int64)
        return cls(
            graph, costs, reservable, nothing, (), Load.empty(graph), none.astype(np.int32), none, none.astype(float)
        )  # fmt: skip

    @property
    def left_bps(self) -> NDArray[np.int64]:
        return self.reservable_bps - self.reserved_bps

    @property
    def service(self) -> Service:
        return self.load.service

    @property
    def delay_ps(self) -> NDArray[np.float64]:
        """float64[P]: what slices wait at each port, at most and not less than that a further one would."""
        return self.load.delay_ps

    @cached_property
    def waiting_ps(self) -> NDArray[np.float64]:
        """float64[slices]: longest time of a packet in all its ports, without propagation."""
        return _along(self.load.bound_ps, self.hop_port, self.hop_first)

    def latency_ps(self, i: int) -> float:
        """Largest one-way latency of slice i; infinite where there is no bound."""
        fit, waiting = self.fits[i], float(self.waiting_ps[i])
        if not isfinite(waiting) or fit.jitter_ps >= UNBOUNDED_PS:
            return inf
        return fit.fixed_ps + ceil(round(waiting, 3)) + fit.jitter_ps  # a thousandth of a ps is rounding

    def variation_ps(self, i: int) -> float:
        """Largest difference of two one-way latencies of slice i; infinite where there is no bound."""
        fit, latency = self.fits[i], self.latency_ps(i)
        return latency if latency == inf else latency - fit.smallest_ps + fit.jitter_ps

    def add(self, fit: Fit, as_promised: bool = False) -> Ledger | None:
        """The ledger with one more slice, and the bounds of all of them together.

        With `as_promised` None when some promise of latency or delay variation would break (quicker than to
        find the bounds and see). Bandwidth and loss are not looked at.
        """
        hop_first = np.append(self.hop_first, len(self.hop_port))
        hop_port = np.concatenate([self.hop_port, np.array(fit.ports, np.int32)])
        most_ps = np.append(self.most_ps, fit.most_ps)

        def late(delay_ps: NDArray[np.float64]) -> bool:
            return bool((_along(delay_ps, hop_port, hop_first) > most_ps + 1.0).any())

        load = self.load.joined(fit.arrival).settled(late if as_promised else None)
        if load is None:
            return None
        reserved = self.reserved_bps.copy()
        reserved[list(fit.ports)] += fit.reserved_bps
        after = replace(
            self, reserved_bps=reserved, fits=(*self.fits, fit), load=load, hop_port=hop_port, hop_first=hop_first,
            most_ps=most_ps,
        )  # fmt: skip
        return None if as_promised and after.broken_promise() else after

    def broken_promise(self) -> Misfit | None:
        """A promise of latency or delay variation that the bounds exceed, of the last slice if it has one."""
        for i in np.flatnonzero(self.waiting_ps > self.most_ps - 1.0)[::-1].tolist():
            fit = self.fits[i]
            for objective, needed in (
                ("latency", self.latency_ps(i)),
                ("delay_variation", self.variation_ps(i)),
            ):
                promised = getattr(fit.request, objective)
                if promised is not None and needed > promised:
                    worst = max(fit.ports, key=self.load.bound_ps.__getitem__)
                    hurts = "" if i == len(self.fits) - 1 else fit.request.name
                    return Misfit(objective, worst, needed, promised, hurts)
        return None


def _along(
    delay_ps: NDArray[np.float64], hop_port: NDArray[np.int32], hop_first: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Sum of the ports' delays along each path."""
    return np.add.reduceat(delay_ps[hop_port], hop_first) if len(hop_first) else np.zeros(0)
