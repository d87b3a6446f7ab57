"""Does a slice fit on a path, and which path is the first on which it does: what admission decides with.

`examine` holds one slice against one path; `place` finds the first path, in order of the routing metric, that
passes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil, inf, log1p, prod

import numpy as np
from numpy.typing import NDArray

from netarium.compile.bounds import blocking_ps
from netarium.compile.graph import UNBOUNDED_PS, Graph
from netarium.compile.ledger import Fit, Misfit, Request
from netarium.compile.mechanisms import scheduled, solver
from netarium.compile.mechanisms.classes import CYCLES_PS, MECHANISMS, RUN_MOST_PS, cycled, port_terms
from netarium.compile.mechanisms.terms import StreamTerms
from netarium.compile.search import Limit, PathSearch
from netarium.compile.timetable import Span
from netarium.describe.slices import SINGLE_PATH
from netarium.units import SECOND_PS, format_time

BURST_PACKETS = 10
"""Burst of a slice that states none, in packets of its path's MTU."""

CLOCK_SLACK = 1002
"""Thousandths of its rate at which a slice with planned windows is policed: a source's clock may be fast by a thousandth."""
MTU_MOST = 65_535
SMALLEST_PACKET_BYTES = 28
"""An IPv4 and a UDP header: the packet that is through soonest, for the bound of the delay variation."""


@dataclass(frozen=True)
class Effort:
    """When a search for a path gives up: partial paths looked at, whole paths held against the span."""

    partial_most: int
    whole_most: int


DECISION = Effort(10_000, 100)
ALTERNATIVE = Effort(1_000, 25)
THOROUGH = Effort(1_000, 4)


def examine(span: Span, request: Request, ports: tuple[int, ...]) -> Span | None:
    """The span with `request` on `ports` added; None when that path does not hold it."""
    fit = fit_on(span, request, ports)
    return None if _misfit_alone(span, fit) else span.add(fit, as_promised=True)


def misfit(span: Span, request: Request, ports: tuple[int, ...]) -> Misfit | None:
    """Why `ports` do not hold `request`, the first objective that fails; None when they do."""
    fit = fit_on(span, request, ports)
    alone = _misfit_alone(span, fit)
    if alone:
        return alone
    after = span.add(fit)
    return after.broken_promise() if after else None


def fit_on(span: Span, request: Request, ports: tuple[int, ...]) -> Fit:
    """What `request` takes of `ports` with the mechanism of `span`, whatever is reserved there."""
    graph = span.graph
    chosen = list(ports)
    mtu = int(graph.mtu_bytes[chosen].min())
    overheads = graph.overhead_bytes[chosen].tolist()
    rates = graph.rate_bps[chosen].tolist()
    fixed = sum(graph.delay_ps[chosen].tolist())
    packet, most = min(request.packet_size or mtu, mtu), max(overheads)
    ratio = 1.0 + most / packet
    message = request.message_bytes
    if message is not None:  # in whole packets, none of which is larger
        packet = mtu = min(packet, message)
        ratio = -(-message // packet) * (packet + most) / message

    def crossing_ps(packet_bytes: int) -> int:
        bits = [8 * SECOND_PS * (packet_bytes + overhead) for overhead in overheads]
        return fixed + sum(-(-each // rate) for each, rate in zip(bits, rates, strict=True))

    shaped = sum(span.service.shaped[chosen].tolist())
    fit = Fit(
        request=request,
        ports=ports,
        mtu_bytes=mtu,
        packet_bytes=packet,
        overhead_bytes=most,
        burst_bytes=_burst(request, mtu, packet),
        reserved_bps=(ceil(request.bandwidth * ratio),) * len(ports)
        if message is not None
        else (-(-request.bandwidth * (packet + most) // packet),) * len(ports),
        wire_ratio=(ratio,) * len(ports),
        loss=round(1.0 - prod(1.0 - ratio for ratio in graph.loss_ratio[chosen].tolist()), 12),
        floor_ps=crossing_ps(mtu),
        fixed_ps=fixed,
        jitter_ps=min(sum(graph.jitter_ps[chosen].tolist()), int(UNBOUNDED_PS)),
        smallest_ps=min(crossing_ps(SMALLEST_PACKET_BYTES), crossing_ps(mtu)),
        mechanism=span.mechanism,
        shaped_hops=shaped,
    )
    if span.mechanism == "scheduled":
        return _in_windows(span, fit)
    if span.mechanism == "ats":
        regulated_bps = fit.regulated[0]
        return replace(fit, reserved_bps=(-(-regulated_bps * (packet + most) // packet),) * len(ports))
    return _in_cycles(span, fit) if span.mechanism == "cqf" and len(ports) > shaped else fit


def _burst(request: Request, mtu: int, packet: int) -> int:
    """What may come at once: as stated, or a message in whole packets, or a few of the largest packets."""
    if request.message_bytes is not None:
        return -(-request.message_bytes // packet) * packet
    return BURST_PACKETS * mtu if request.burst is None else request.burst


def _in_windows(span: Span, fit: Fit) -> Fit:
    """The slice with its planned windows; unchanged when it can have none (see _unplanned)."""
    graph, request, ports = span.graph, fit.request, list(fit.ports)
    if request.period is None or fit.shaped_hops == 0 or graph.jitter_ps[ports].any():
        return fit
    packets = fit.burst_bytes // fit.packet_bytes
    message = scheduled.Message(packets, fit.packet_bytes, SMALLEST_PACKET_BYTES, request.period)
    terms = port_terms(graph, fit.ports)
    try:
        found = scheduled.planned(fit.ports, terms, message, min(span.until_ps, RUN_MOST_PS))
    except ValueError:
        return fit
    bits = 8 * packets * (fit.packet_bytes + fit.overhead_bytes)
    policed_bps = -(-bits * SECOND_PS * CLOCK_SLACK // (1000 * request.period))
    kept = tuple(
        ceil(
            (window.closes_ps - window.opens_ps + port.sending_ps(port.mtu_bytes))
            * port.rate_bps
            / request.period
        )
        for window, port in zip(found.windows, terms, strict=True)
    )
    return replace(fit, planned=found, reserved_bps=(policed_bps,) * len(ports), kept_bps=kept)


def _unplanned(span: Span, fit: Fit) -> Misfit | None:
    """Why a slice has no place in the schedule of its path, whatever it promises."""
    graph, request = span.graph, fit.request
    first, reason = fit.ports[0], ""
    if request.period is None:
        reason = "a schedule needs the period of the slice's messages"
    elif fit.shaped_hops == 0:
        reason = f"a schedule begins at a host, and {request.from_} forwards"
    elif graph.jitter_ps[list(fit.ports)].any():
        first = next(port for port in fit.ports if graph.jitter_ps[port])
        reason = f"{graph.port_names[first]} has jitter, behind which no window can be planned"
    elif fit.planned is None:
        reason = "its message and the errors of clocks take longer than its period"
    elif (full := _too_many(span, fit)) is not None:
        first = full
        reason = f"more than {scheduled.ENTRIES_MOST} windows until the periods at {graph.port_names[first]} meet again"
    elif span.releases_with(fit) is None:
        tried = (
            "in turn or by the solver"
            if solver.available()
            else "in turn; the solver (extra `solver`) is not installed"
        )
        reason = f"no instant of its period of {format_time(request.period)} leaves every port free ({tried})"
    return Misfit("schedule", first, 0, 0, reason=reason) if reason else None


def _too_many(span: Span, fit: Fit) -> int | None:
    """A port whose gate control list would be too long."""
    for port in fit.ports:
        standing = [period for _, _, period in span.windows_at.get(port, ())]
        if fit.planned and scheduled.entries([*standing, fit.planned.period_ps]) > scheduled.ENTRIES_MOST:
            return port
    return None


def _in_cycles(span: Span, fit: Fit) -> Fit:
    """The slice in cycles of the network's length; while none is chosen, in the longest with which its promises hold, else
    the shortest that holds it. Unchanged when no cycle does."""
    behind = fit.ports[fit.shaped_hops :]
    burst = fit.burst_bytes + fit.mtu_bytes  # and a packet's growth at the source's port
    stream = StreamTerms(fit.request.bandwidth, burst, fit.mtu_bytes, fit.packet_bytes)
    found = None
    at_source_ps = float(blocking_ps(span.graph)[list(fit.ports[: fit.shaped_hops])].sum())
    for cycle_ps in (span.cycle_ps,) if span.cycle_ps else CYCLES_PS:
        place = cycled(span.graph, behind, stream, cycle_ps, span.until_ps)
        if place is None:
            continue
        if found is None or at_source_ps + place.latest_ps <= replace(fit, cycled=place).most_ps:
            found = place
        if span.shortest_cycle:
            break
    return replace(fit, cycled=found)


def _misfit_alone(span: Span, fit: Fit) -> Misfit | None:
    """What fails whatever the other slices' bursts are."""
    graph, request = span.graph, fit.request
    behind = list(fit.ports[fit.shaped_hops :])
    taken = [port for port in behind if not span.open_ports[port]]
    if taken:
        return Misfit("mechanism", taken[0], MECHANISMS.index(fit.mechanism), int(span.carried[taken[0]]) - 1)
    if span.mechanism == "scheduled" and (unplanned := _unplanned(span, fit)):
        return unplanned
    if span.mechanism == "cqf" and behind:
        if fit.cycled is None:
            return Misfit("cycle", behind[0], 8 * fit.burst_bytes, 0)
        if span.cycle_ps:
            port = min(behind, key=span.cycle_left_bits.__getitem__)
            if fit.cycled.bits > span.cycle_left_bits[port]:
                return Misfit("cycle", port, fit.cycled.bits, float(span.cycle_left_bits[port]))
    lacking = [
        int(span.left_bps[port]) - needed for port, needed in zip(fit.ports, fit.taken_bps, strict=True)
    ]
    if min(lacking) < 0:
        hop = lacking.index(min(lacking))
        port = fit.ports[hop]
        return Misfit("bandwidth", port, fit.taken_bps[hop], int(span.left_bps[port]))
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


def width_bps(span: Span, mtu_bytes: NDArray[np.int64] | int, request: Request) -> NDArray[np.int64]:
    """int64[P]: the largest bandwidth (IP packets of this size) that what is left on each port holds."""
    packet = mtu_bytes if request.packet_size is None else np.minimum(mtu_bytes, request.packet_size)
    return np.maximum(span.left_bps, 0) * packet // (packet + span.graph.overhead_bytes)


def search_paths(
    span: Span,
    request: Request,
    steps: Sequence[float] | None = None,
    reserved: bool = True,
    partial_most: int = DECISION.partial_most,
    among: NDArray[np.bool_] | None = None,
) -> PathSearch:
    """Paths on which `request` may fit, by the routing metric or `steps`; all paths without `reserved`."""
    graph = span.graph
    allowed = allowed_ports(graph, request)
    if among is not None:
        allowed &= among
    limits: list[Limit] = []
    if reserved:
        allowed &= request.bandwidth <= width_bps(span, graph.mtu_bytes, request)
        allowed &= span.open_ports | span.service.shaped
        limits = [
            Limit(least_steps(span, request, objective), most)
            for objective, most in (
                ("latency", _just_above(request.latency, 1.0)),
                ("delay_variation", _just_above(request.delay_variation, 1.0)),
                ("loss", None if request.loss is None else _hidden(min(1.0, request.loss + 1e-9))),
            )
            if most is not None
        ]
    src, dst = graph.node(request.from_), graph.node(request.to)
    return PathSearch(graph, src, dst, allowed, span.costs if steps is None else steps, limits, partial_most)


def _just_above(promised: int | None, by: float) -> float | None:
    return None if promised is None else promised + by


def _hidden(ratio: float) -> float:
    return inf if ratio >= 1.0 else -log1p(-ratio)


def least_steps(span: Span, request: Request, objective: str) -> list[float]:
    """What each port adds at least to an objective: a lower bound, since bursts grow along the path.

    latency, delay_variation in ps. loss as -log(1 - ratio), which adds up.
    """
    graph = span.graph
    if objective == "loss":
        return [_hidden(ratio) for ratio in graph.loss_ratio.tolist()]
    waiting = least_waiting_ps(span, request)
    jitter = np.where(graph.jitter_ps == UNBOUNDED_PS, inf, graph.jitter_ps)
    if objective == "latency":
        return (waiting + graph.delay_ps + jitter).tolist()
    smallest = 8.0 * (SMALLEST_PACKET_BYTES + graph.overhead_bytes) * SECOND_PS / graph.rate_bps
    return np.maximum(0.0, waiting - smallest - 1.0 + 2 * jitter).tolist()


def least_waiting_ps(span: Span, request: Request) -> NDArray[np.float64]:
    """float64[P]: what a further slice waits at least: what slices wait there now, or for a frame of its own; nothing
    that adds up port by port where the mechanism has a closed form of the whole path."""
    graph, service = span.graph, span.service
    if span.mechanism in ("cqf", "scheduled"):
        return np.zeros(graph.port_count)
    smallest = min(int(graph.mtu_bytes.min(initial=1500)), request.message_bytes or MTU_MOST)
    frame = 8.0 * (smallest + graph.overhead_bytes)
    alone = np.where(service.shaped, 0.0, service.latency_ps) + frame * SECOND_PS / service.rate_bps
    return np.maximum(span.delay_ps, alone)


def mechanisms_for(span: Span, request: Request) -> Iterator[str]:
    """The mechanism that is asked for; with auto those that may hold what strict priority does not, in order."""
    if request.mechanism != "auto":
        yield request.mechanism
        return
    carried = set(np.unique(span.carried).tolist())
    promised = request.latency is not None or request.delay_variation is not None
    for number, word in enumerate(MECHANISMS, 1):
        if (word in SINGLE_PATH and request.protection) or (word == "scheduled" and request.period is None):
            continue
        tried = word in ("ats", "cqf", "scheduled")
        if word == "strict" or number in carried or (promised and tried):
            yield word


def place(span: Span, request: Request, effort: Effort = DECISION) -> Span | None:
    """The span with `request` by the first mechanism that holds it on some path; None when none does."""
    for word in mechanisms_for(span, request):
        by = place_pair if request.protection else place_by
        after = by(span.using(word), request, effort)
        if after is not None:
            return after
    return None


def place_thoroughly(span: Span, request: Request) -> Span | None:
    """The span with `request` in windows that the solver finds on one of the first paths; None when it finds none."""
    possible = (
        request.period is not None and request.mechanism in ("auto", "scheduled") and not request.protection
    )
    if not possible or not solver.available() or not span.planned:
        return None
    return place_by(replace(span.using("scheduled"), thorough=True), request, THOROUGH)


def second_name(request: Request) -> str:
    """What the second path of a protected slice is called."""
    return f"{request.name} (second path)"


def place_pair(span: Span, request: Request, effort: Effort = DECISION) -> Span | None:
    """The span with `request` on the first two paths, in order of the routing metric, that share no router and no link
    but the access of a host that has one, and that both hold it."""
    examined = 0
    other = replace(request, name=second_name(request))
    for _, ports in search_paths(span, request, partial_most=effort.partial_most):
        fit = fit_on(span, request, ports)
        examined += 1
        alone = None if _misfit_alone(span, fit) else span.add(fit, as_promised=True)
        if alone is not None:
            among = _apart(span.graph, ports)
            for _, others in search_paths(alone, other, partial_most=effort.partial_most, among=among):
                after = _both(span, fit, fit_on(alone, other, others)) if others != ports else None
                examined += 1
                if after is not None or examined >= effort.whole_most:
                    return after
        if examined >= effort.whole_most:
            return None
    return None


def _both(span: Span, first: Fit, second: Fit) -> Span | None:
    """With both paths; a packet may come by either, so delay variation counts from the quicker one."""
    soonest = min(first.soonest_ps, second.soonest_ps)
    after: Span | None = span
    for fit in (first, second):
        if after is None or _misfit_alone(after, fit):
            return None
        after = after.add(replace(fit, soonest_by_either_ps=soonest), as_promised=True)
    return after


def _apart(graph: Graph, ports: tuple[int, ...]) -> NDArray[np.bool_]:
    """bool[P]: ports that a second path may use beside the first."""
    inner = {int(graph.head[port]) for port in ports[:-1]}
    access = [port for port in (ports[0], ports[-1]) if _is_access(graph, port)]
    inner -= {int(end[port]) for port in access for end in (graph.head, graph.tail)}
    free = np.ones(graph.port_count, bool)
    for node in inner:
        free[[*graph.out_ports[node], *graph.in_ports[node]]] = False
    for port in ports:
        if port not in access:
            free[[port, port ^ 1]] = False
    return free


def _is_access(graph: Graph, port: int) -> bool:
    """Whether a port is the only link of one of its ends."""
    return any(len(graph.out_ports[int(end[port])]) == 1 for end in (graph.tail, graph.head))


def place_by(span: Span, request: Request, effort: Effort = DECISION) -> Span | None:
    """The span with `request` on the first path, by the routing metric, that holds it; None when none does.

    Exhaustive unless the search gives up after `effort`; then the path with the smallest latency and the one
    wanted on an empty network are tried as well. More effort accepts whatever less effort accepts.
    """
    search = search_paths(span, request, partial_most=effort.partial_most)
    for examined, (_, ports) in enumerate(search, 1):
        after = examine(span, request, ports)
        if after is not None:
            return after
        if examined >= effort.whole_most:
            break
    if search.complete:
        return None
    soonest = search_paths(span, request, least_steps(span, request, "latency"))
    for ports in (next(iter(soonest), (0.0, ()))[1], wanted_ports(span, request)):
        after = examine(span, request, ports) if ports else None
        if after is not None:
            return after
    return None


def wanted_ports(span: Span, request: Request) -> tuple[int, ...]:
    """The path that `request` would have on the empty network; of parallel links the shortest with room, else the one
    with most left.

    Empty when there is none.
    """
    graph = span.graph
    _, ports = next(iter(search_paths(span, request, reserved=False)), (0.0, ()))
    room = width_bps(span, graph.mtu_bytes, request) >= request.bandwidth
    left, costs = span.left_bps, span.costs

    def preferred(port: int) -> tuple[bool, int, int]:
        return (not room[port], costs[port] if room[port] else -int(left[port]), port)

    return tuple(
        min(graph.ports_between(graph.tail[port], graph.head[port]), key=preferred) for port in ports
    )
