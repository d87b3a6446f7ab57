"""What admitted slices have reserved, what all of them wait at most, and the words in which that is said.

A Ledger is never changed: one more slice makes a new one, so a path can be tried and dropped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil, inf, isfinite
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from netarium.compile.bounds import Arrival, Load
from netarium.compile.graph import UNBOUNDED_PS, Graph
from netarium.compile.mechanisms.classes import MECHANISMS, Cycled, PortClass, port_classes
from netarium.compile.mechanisms.scheduled import Planned
from netarium.units import SECOND_PS


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
    def period(self) -> int | None: ...
    @property
    def mechanism(self) -> str: ...
    @property
    def protection(self) -> bool: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int | None: ...


@dataclass(frozen=True)
class Request:
    """One slice as asked for. Units as in the model: bit/s, ps, bytes, ratio; None: not promised.

    start, end: when it is used, ps; None: to the end of all. period: of its messages, ps; release: where in it the planned
    windows of one that stands already begin, which then stay.
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
    mechanism: str = "auto"
    protection: bool = False
    period: int | None = None
    release: int | None = None

    @property
    def message_bytes(self) -> int | None:
        """IP bytes of a periodic slice's message."""
        return None if self.period is None else -(-self.bandwidth * self.period // (8 * SECOND_PS))


@dataclass(frozen=True)
class Fit:
    """A slice on a path that has room for it. All times ps, sizes bytes.

    reserved_bps: on the wire at each port, for packets of packet_bytes with the largest overhead_bytes of the path;
    wire_ratio: bits on the wire per bit of such packets. mechanism: at ports behind the first shaped_hops, which are
    hosts'. cycled: its place in cycles, with cqf; planned: its windows, with scheduled, and kept_bps what they and the
    guard before them keep of each port. floor_ps: a full packet on the empty path; fixed_ps, jitter_ps: the
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
    mechanism: str = "strict"
    shaped_hops: int = 0
    cycled: Cycled | None = None
    planned: Planned | None = None
    kept_bps: tuple[int, ...] = ()
    soonest_by_either_ps: int | None = None

    @property
    def taken_bps(self) -> tuple[int, ...]:
        """What it takes of what can be reserved at each port."""
        return self.kept_bps or self.reserved_bps

    @property
    def closed(self) -> Cycled | Planned | None:
        """The closed form of its path, where its mechanism has one."""
        return self.cycled or self.planned

    @property
    def sent(self) -> Arrival:
        """What its source may send, along its whole path."""
        return Arrival(self.ports, self.request.bandwidth, 8 * self.burst_bytes, self.wire_ratio)

    @property
    def arrival(self) -> Arrival:
        """What it brings to its ports; nothing that others wait for to those that queue in cycles or have a window for it."""
        hops = (
            self.shaped_hops
            if self.cycled is not None
            else 0
            if self.planned is not None
            else len(self.ports)
        )
        rate, burst = (
            self.regulated if self.mechanism == "ats" else (self.request.bandwidth, self.burst_bytes)
        )
        return Arrival(self.ports[:hops], rate, 8 * burst, self.wire_ratio[:hops], self.mechanism == "ats")

    @property
    def regulated(self) -> tuple[int, int]:
        """(bit/s, bytes) of IP packets that a port must let pass in which every packet counts as its IP bytes: the largest
        packets are those with the most IP bytes in what the source may send on the wire. A port's clock may be slow
        by a thousandth."""
        wire = 1 + self.overhead_bytes / self.packet_bytes
        share = wire * self.mtu_bytes / (self.mtu_bytes + self.overhead_bytes)
        return ceil(self.request.bandwidth * share * 1.002), ceil(self.burst_bytes * share * 1.002)

    @property
    def soonest_ps(self) -> int:
        """What a packet takes at least; of a protected slice, by either path."""
        if self.soonest_by_either_ps is not None:
            return self.soonest_by_either_ps
        if self.closed is None:
            return self.smallest_ps
        return max(self.smallest_ps, self.fixed_ps + int(self.closed.least_ps))

    @property
    def most_ps(self) -> float:
        """How long its packets may wait in all hops together within its promises."""
        latency = (
            inf if self.request.latency is None else self.request.latency - self.fixed_ps - self.jitter_ps
        )
        if self.request.delay_variation is None:
            return latency
        variation = self.request.delay_variation + self.soonest_ps - self.fixed_ps - 2 * self.jitter_ps
        return min(latency, variation)


@dataclass(frozen=True)
class Misfit:
    """Why a path does not hold a slice: the objective that fails, at which port, what it needs, what there
    is.

    bandwidth: bit/s on the wire. latency, delay_variation: `needed` is the bound (infinite: none) or, with
    `by_floor`, what the path takes even when empty, and `there_is` the promise, in ps. loss: ratios. burst:
    bytes. schedule: `reason` says why. `hurts`: the earlier slice whose promise would break.
    """

    objective: str
    port: int
    needed: float
    there_is: float
    hurts: str = ""
    by_floor: bool = False
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Ledger:
    """The network and what has been reserved on it. reserved_bps int64[P], on the wire.

    classes, loads: by mechanism, of those in use. carried int8[P]: mechanism of each port that forwards slices, its place in
    MECHANISMS + 1, or 0. cycle_bits float64[P]: what cqf slices bring in a cycle. own_ps float64[slices]: what closed
    forms say of a slice, beside its ports. hop_port int32[hops of all slices], hop_first int64[slices], most_ps
    float64[slices]: the paths one after the other, where each begins, and how long its packets may wait on it;
    so that all promises are looked at in one
    sweep.
    """

    graph: Graph
    costs: tuple[int, ...]
    reserved_bps: NDArray[np.int64]
    fits: tuple[Fit, ...]
    classes: Mapping[str, PortClass]
    loads: Mapping[str, Load]
    carried: NDArray[np.int8]
    cycle_bits: NDArray[np.float64]
    own_ps: NDArray[np.float64]
    hop_port: NDArray[np.int32]
    hop_first: NDArray[np.int64]
    most_ps: NDArray[np.float64]

    @classmethod
    def empty(cls, graph: Graph, metric: str, share: float) -> Ledger:
        classes = port_classes(graph, share)
        loads = {"strict": Load.empty(graph, classes["strict"].service)}
        nothing = np.zeros(graph.port_count, np.int64)
        costs = tuple(graph.costs(metric).tolist())
        none = np.zeros(0, np.int64)
        return cls(
            graph, costs, nothing, (), classes, loads, nothing.astype(np.int8), nothing.astype(float), none.astype(float),
            none.astype(np.int32), none, none.astype(float),
        )  # fmt: skip

    def load_of(self, mechanism: str) -> Load:
        """The slices of one mechanism."""
        return self.loads.get(mechanism) or Load.empty(self.graph, self.classes[mechanism].service)

    @cached_property
    def bound_ps(self) -> NDArray[np.float64]:
        """float64[P]: what slices wait at each port at most; 0 at ports that queue in cycles (see own_ps)."""
        return np.maximum.reduce([load.bound_ps for load in self.loads.values()])

    def backlog_bits(self) -> NDArray[np.float64]:
        """float64[P]: the most that the class of the slices holds at each port, cycles apart."""
        return np.maximum.reduce([load.backlog_bits() for load in self.loads.values()])

    @property
    def cycle_ps(self) -> int:
        """The cycle of cqf, once a slice has it; else 0."""
        return next((fit.cycled.cycle_ps for fit in self.fits if fit.cycled is not None), 0)

    @cached_property
    def waiting_ps(self) -> NDArray[np.float64]:
        """float64[slices]: longest time of a packet in all its ports, without propagation."""
        return _along(self.bound_ps, self.hop_port, self.hop_first) + self.own_ps

    def latency_ps(self, i: int) -> float:
        """Largest one-way latency of slice i; infinite where there is no bound."""
        fit, waiting = self.fits[i], float(self.waiting_ps[i])
        if not isfinite(waiting) or fit.jitter_ps >= UNBOUNDED_PS:
            return inf
        return fit.fixed_ps + ceil(round(waiting, 3)) + fit.jitter_ps  # a thousandth of a ps is rounding

    def variation_ps(self, i: int) -> float:
        """Largest difference of two one-way latencies of slice i; infinite where there is no bound."""
        fit, latency = self.fits[i], self.latency_ps(i)
        return latency if latency == inf else latency - fit.soonest_ps + fit.jitter_ps

    def add(self, fit: Fit, as_promised: bool = False) -> Ledger | None:
        """The ledger with one more slice, and the bounds of all of them together.

        With `as_promised` None when some promise of latency or delay variation would break (quicker than to
        find the bounds and see). Bandwidth and loss are not looked at.
        """
        hop_first = np.append(self.hop_first, len(self.hop_port))
        hop_port = np.concatenate([self.hop_port, np.array(fit.ports, np.int32)])
        most_ps = np.append(self.most_ps, fit.most_ps)
        own_ps = np.append(self.own_ps, 0.0 if fit.closed is None else fit.closed.latest_ps)
        others = [load.bound_ps for word, load in self.loads.items() if word != fit.mechanism]

        def late(delay_ps: NDArray[np.float64]) -> bool:
            together = np.maximum.reduce([delay_ps, *others]) if others else delay_ps
            return bool((_along(together, hop_port, hop_first) + own_ps > most_ps + 1.0).any())

        load = self.load_of(fit.mechanism).joined(fit.arrival).settled(late if as_promised else None)
        if load is None:
            return None
        reserved, carried, cycle_bits = self.reserved_bps.copy(), self.carried.copy(), self.cycle_bits
        reserved[list(fit.ports)] += fit.taken_bps
        behind = list(fit.ports[fit.shaped_hops :])
        carried[behind] = MECHANISMS.index(fit.mechanism) + 1
        if fit.cycled is not None:
            cycle_bits = cycle_bits.copy()
            cycle_bits[behind] += fit.cycled.bits
        after = replace(
            self, reserved_bps=reserved, fits=(*self.fits, fit), loads={**self.loads, fit.mechanism: load},
            carried=carried, cycle_bits=cycle_bits, own_ps=own_ps, hop_port=hop_port, hop_first=hop_first,
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
                    worst = max(fit.ports, key=self.bound_ps.__getitem__)
                    hurts = "" if i == len(self.fits) - 1 else fit.request.name
                    return Misfit(objective, worst, needed, promised, hurts)
        return None


def _along(
    delay_ps: NDArray[np.float64], hop_port: NDArray[np.int32], hop_first: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Sum of the ports' delays along each path."""
    return np.add.reduceat(delay_ps[hop_port], hop_first) if len(hop_first) else np.zeros(0)
