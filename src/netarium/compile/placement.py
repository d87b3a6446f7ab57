"""Does a slice fit on a path, and which path is the first on which it does: what admission decides with.

A Ledger is what the slices admitted so far have reserved. `examine` holds one slice against one path; `place`
finds the first path in order of the routing metric that passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, fsum, inf, isfinite, log1p, prod
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from netarium.compile.bounds import Arrival, Bounds, blocking_ps, strict_priority_bounds
from netarium.compile.graph import UNBOUNDED_PS, Graph
from netarium.compile.search import Limit, PathSearch
from netarium.units import SECOND_PS

BURST_PACKETS = 10
"""Burst of a slice that states none, in packets of its path's MTU."""

SMALLEST_PACKET_BYTES = 28
"""An IPv4 and a UDP header: the packet that is through soonest, for the bound of the delay variation."""

EXAMINED_MOST = 200
"""Paths held against the whole ledger before a search gives up."""


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
        return cls(graph, costs, reservable, nothing, (), strict_priority_bounds(graph, ()))

    @property
    def left_bps(self) -> NDArray[np.int64]:
        return self.reservable_bps - self.reserved_bps

    def add(self, fit: Fit) -> Ledger:
        """The ledger with one more slice, and the bounds of all of them together."""
        reserved = self.reserved_bps.copy()
        reserved[list(fit.ports)] += fit.reserved_bps
        fits = (*self.fits, fit)
        bounds = strict_priority_bounds(self.graph, [each.arrival(self.graph) for each in fits])
        fits = tuple(_bounded(self.graph, each, bounds.hop_delay_ps[i]) for i, each in enumerate(fits))
        return replace(self, reserved_bps=reserved, fits=fits, bounds=bounds)


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


def examine(ledger: Ledger, request: Request, ports: tuple[int, ...]) -> Ledger | Misfit:
    """The ledger with `request` on `ports` added; or the first objective that fails there."""
    fit = _fit(ledger.graph, request, ports)
    misfit = _misfit_alone(ledger, fit)
    if misfit:
        return misfit
    after = ledger.add(fit)
    for i, each in reversed(list(enumerate(after.fits))):
        for objective, needed in (("latency", each.latency_ps), ("delay_variation", each.variation_ps)):
            promised = getattr(each.request, objective)
            if promised is not None and needed > promised:
                hops = after.bounds.hop_delay_ps[i]
                worst = each.ports[max(range(len(hops)), key=hops.__getitem__)]
                hurts = "" if i == len(ledger.fits) else each.request.name
                return Misfit(objective, worst, needed, promised, hurts)
    return after


def _fit(graph: Graph, request: Request, ports: tuple[int, ...]) -> Fit:
    chosen = list(ports)
    mtu = int(graph.mtu_bytes[chosen].min())
    overheads = graph.overhead_bytes[chosen].tolist()
    rates = graph.rate_bps[chosen].tolist()
    fixed = sum(graph.delay_ps[chosen].tolist())

    def crossing_ps(packet_bytes: int) -> int:
        bits = [8 * SECOND_PS * (packet_bytes + overhead) for overhead in overheads]
        return fixed + sum(-(-each // rate) for each, rate in zip(bits, rates, strict=True))

    return Fit(
        request=request,
        ports=ports,
        mtu_bytes=mtu,
        burst_bytes=BURST_PACKETS * mtu if request.burst is None else request.burst,
        reserved_bps=tuple(-(-request.bandwidth * (mtu + overhead) // mtu) for overhead in overheads),
        loss=round(1.0 - prod(1.0 - ratio for ratio in graph.loss_ratio[chosen].tolist()), 12),
        floor_ps=crossing_ps(mtu),
        smallest_ps=min(crossing_ps(SMALLEST_PACKET_BYTES), crossing_ps(mtu)),
        latency_ps=inf,
        variation_ps=inf,
    )


def _misfit_alone(ledger: Ledger, fit: Fit) -> Misfit | None:
    """What fails whatever the other slices' bursts are."""
    graph, request = ledger.graph, fit.request
    lacking = [
        int(ledger.left_bps[port]) - needed for port, needed in zip(fit.ports, fit.reserved_bps, strict=True)
    ]
    if min(lacking) < 0:
        hop = lacking.index(min(lacking))
        port = fit.ports[hop]
        return Misfit("bandwidth", port, fit.reserved_bps[hop], int(ledger.left_bps[port]))
    if fit.burst_bytes < fit.mtu_bytes:
        narrow = int(np.argmin(graph.mtu_bytes[list(fit.ports)]))
        return Misfit("burst", fit.ports[narrow], fit.mtu_bytes, fit.burst_bytes)
    if request.loss is not None and fit.loss > request.loss:
        worst = int(np.argmax(graph.loss_ratio[list(fit.ports)]))
        return Misfit("loss", fit.ports[worst], fit.loss, request.loss)
    if request.latency is not None and fit.floor_ps > request.latency:
        longest = int(np.argmax(graph.delay_ps[list(fit.ports)]))
        return Misfit("latency", fit.ports[longest], fit.floor_ps, request.latency, by_floor=True)
    return None


def allowed_ports(graph: Graph, request: Request) -> NDArray[np.bool_]:
    """bool[P]: ports that a path of this slice may use, whatever is reserved on them."""
    src, dst = graph.node(request.from_), graph.node(request.to)
    inner_head = graph.node_forwards[graph.head] & (graph.head != src)
    inner_tail = graph.node_forwards[graph.tail] & (graph.tail != dst)
    allowed = graph.up & (inner_head | (graph.head == dst)) & (inner_tail | (graph.tail == src))
    if request.path is not None:
        nodes = [graph.node(name) for name in request.path]
        wanted = [
            port for a, b in zip(nodes[:-1], nodes[1:], strict=True) for port in graph.ports_between(a, b)
        ]
        allowed &= np.isin(np.arange(graph.port_count), wanted)
    return allowed


def width_bps(ledger: Ledger, mtu_bytes: NDArray[np.int64] | int) -> NDArray[np.int64]:
    """int64[P]: the largest bandwidth (IP packets of this size) that what is left on each port holds."""
    return np.maximum(ledger.left_bps, 0) * mtu_bytes // (mtu_bytes + ledger.graph.overhead_bytes)


def search_paths(
    ledger: Ledger, request: Request, steps: Sequence[float] | None = None, reserved: bool = True
) -> PathSearch:
    """Paths on which `request` may fit, by the routing metric or `steps`; all paths without `reserved`."""
    graph = ledger.graph
    allowed = allowed_ports(graph, request)
    limits: list[Limit] = []
    if reserved:
        allowed &= request.bandwidth <= width_bps(ledger, graph.mtu_bytes)
        limits = [
            Limit(least_steps(ledger, request, objective), most)
            for objective, most in (
                ("latency", _just_above(request.latency, 1.0)),
                ("delay_variation", _just_above(request.delay_variation, 1.0)),
                ("loss", None if request.loss is None else _hidden(min(1.0, request.loss + 1e-9))),
            )
            if most is not None
        ]
    src, dst = graph.node(request.from_), graph.node(request.to)
    return PathSearch(graph, src, dst, allowed, ledger.costs if steps is None else steps, limits)


def _just_above(promised: int | None, by: float) -> float | None:
    return None if promised is None else promised + by


def _hidden(ratio: float) -> float:
    return inf if ratio >= 1.0 else -log1p(-ratio)


def least_steps(ledger: Ledger, request: Request, objective: str) -> list[float]:
    """What each port adds at least to an objective: a lower bound, since bursts grow along the path.

    latency, delay_variation in ps. loss as -log(1 - ratio), which adds up.
    """
    graph = ledger.graph
    if objective == "loss":
        return [_hidden(ratio) for ratio in graph.loss_ratio.tolist()]
    if request.burst is None:
        packet = graph.mtu_bytes.min(initial=0)
        own = 8.0 * BURST_PACKETS * (packet + graph.overhead_bytes)
    else:
        own = 8.0 * request.burst * (1.0 + graph.overhead_bytes / graph.mtu_bytes)
    waiting = blocking_ps(graph) + (ledger.bounds.burst_bits + own) * SECOND_PS / graph.rate_bps
    jitter = np.where(graph.jitter_ps == UNBOUNDED_PS, inf, graph.jitter_ps)
    if objective == "latency":
        return (waiting + graph.delay_ps + jitter).tolist()
    smallest = 8.0 * (SMALLEST_PACKET_BYTES + graph.overhead_bytes) * SECOND_PS / graph.rate_bps
    return np.maximum(0.0, waiting - smallest - 1.0 + 2 * jitter).tolist()


def place(ledger: Ledger, request: Request) -> Ledger | None:
    """The ledger with `request` on the first path, by the routing metric, that holds it; None when none does.

    Exhaustive unless the search gives up (PathSearch.effort_most, EXAMINED_MOST); then the path with the
    smallest latency and the one wanted on an empty network are tried as well.
    """
    search = search_paths(ledger, request)
    for number, (_, ports) in enumerate(search, 1):
        after = examine(ledger, request, ports)
        if isinstance(after, Ledger):
            return after
        if number >= EXAMINED_MOST:
            break
    if search.complete:
        return None
    soonest = search_paths(ledger, request, least_steps(ledger, request, "latency"))
    for ports in (next(iter(soonest), (0.0, ()))[1], wanted_ports(ledger, request)):
        after = examine(ledger, request, ports) if ports else None
        if isinstance(after, Ledger):
            return after
    return None


def wanted_ports(ledger: Ledger, request: Request) -> tuple[int, ...]:
    """The path that `request` would have on the empty network; of parallel links, the one with most left.

    Empty when there is none.
    """
    graph = ledger.graph
    _, ports = next(iter(search_paths(ledger, request, reserved=False)), (0.0, ()))
    left = ledger.left_bps
    return tuple(
        max(graph.ports_between(graph.tail[port], graph.head[port]), key=lambda each: (left[each], -each))
        for port in ports
    )
