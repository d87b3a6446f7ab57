"""Admission of slices: each is placed on a path that holds its promises, or refused with reasons and
alternatives.

Slices are taken in the order of the file. A slice reserves its bandwidth on the wire at every port of its
path, at most a stated share of each port in all, so that control and best effort are never starved. Its
worst-case latency and delay variation (bounds.py) must keep its promise, and must leave the promises of
earlier slices kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from netarium import errors
from netarium.compile.alternatives import Alternative, alternatives
from netarium.compile.bounds import slice_bursts
from netarium.compile.graph import Graph
from netarium.compile.ledger import Asked, Ledger, Misfit, Request
from netarium.compile.mechanisms.classes import MECHANISMS, reservable_bps
from netarium.compile.mechanisms.scheduled import Planned
from netarium.compile.paths import explain_no_route, path_problems
from netarium.compile.placement import (
    mechanisms_for,
    misfit,
    place,
    place_thoroughly,
    second_name,
    wanted_ports,
)
from netarium.compile.timetable import ALWAYS_PS, Span, Timetable
from netarium.errors import AdmissionRefused, Problem, TrialInvalid
from netarium.units import format_rate, format_size, format_time

RESERVABLE_SHARE = 0.95
"""Largest part of a port's rate that slices may reserve together."""


@dataclass(frozen=True)
class Reservation:
    """An admitted slice. Times ps, rates bit/s, sizes bytes; None for no promise, and for no bound.

    nodes, ports, port_names: its path. bandwidth_bps and burst_bytes: IP packets, what the source is held to;
    reserved_bps: on the wire at each port, for packets of packet_bytes with overhead_bytes. floor_ps: a full packet on the
    empty path (propagation and transmission). latency_bound_ps, variation_bound_ps: worst case beside all
    admitted slices; margin_ps: what is left between it and the promised latency. hop_delay_bound_ps: its
    share in each port, without propagation. second: with protection, the other path; the bounds hold if either
    fails. planned: its windows, with scheduled, release_ps behind the begin of each period.
    hop_burst_bound_bytes: IP packets that may come at once to each
    port, which a policer there must let pass. loss: long-run ratio that the impairments on the path cause.
    """

    name: str
    nodes: tuple[str, ...]
    ports: tuple[int, ...]
    port_names: tuple[str, ...]
    bandwidth_bps: int
    burst_bytes: int
    mtu_bytes: int
    packet_bytes: int
    overhead_bytes: int
    reserved_bps: tuple[int, ...]
    floor_ps: int
    latency_bound_ps: int | None
    variation_bound_ps: int | None
    hop_delay_bound_ps: tuple[float, ...]
    hop_burst_bound_bytes: tuple[float, ...]
    loss: float
    latency_promised_ps: int | None
    variation_promised_ps: int | None
    loss_promised: float | None = None
    start_ps: int = 0
    end_ps: int | None = None
    mechanism: str = "strict"
    shaped_hops: int = 0
    cycle_ps: int = 0
    planned: Planned | None = None
    release_ps: int = 0
    regulated: tuple[int, int] = (0, 0)
    second: Reservation | None = None

    @property
    def margin_ps(self) -> int | None:
        if self.latency_promised_ps is None or self.latency_bound_ps is None:
            return None
        return self.latency_promised_ps - self.latency_bound_ps

    @property
    def variation_margin_ps(self) -> int | None:
        if self.variation_promised_ps is None or self.variation_bound_ps is None:
            return None
        return self.variation_promised_ps - self.variation_bound_ps

    @property
    def wire_bps(self) -> int:
        """What the source is held to, counting overhead_bytes of every packet."""
        return self.reserved_bps[0]

    @property
    def wire_burst_bytes(self) -> int:
        return self.burst_bytes + self.burst_bytes * self.overhead_bytes // self.packet_bytes

    def explain(self) -> str:
        bound = "no finite worst case" if self.latency_bound_ps is None else (
            f"latency at most {format_time(self.latency_bound_ps)}"
        )  # fmt: skip
        if self.margin_ps is not None:
            bound += f" ({format_time(self.margin_ps)} below the promise)"
        if self.variation_bound_ps is not None:
            bound += f", delay variation at most {format_time(self.variation_bound_ps)}"
        way = f"along {', '.join(self.nodes)}"
        if self.second is not None:
            way += f" and {', '.join(self.second.nodes)}"
        return f"{self.name}: {format_rate(self.bandwidth_bps)} by {self.mechanism} {way}; {bound}"


@dataclass(frozen=True, kw_only=True)
class Refusal(errors.Refusal):
    """Why one slice is refused. `objective` names the field that fails: bandwidth, latency, delay_variation,
    ….

    port_name: the binding port; nodes: the wanted path. needed and available: bit/s on the wire, ps, ratio
    or bytes, by the objective; excess: by how much. hurts: the earlier slice whose promise would break, if
    that is the reason. Every one of `alternatives` is accepted when asked again.
    """

    objective: str
    reason: str
    nodes: tuple[str, ...] = ()
    port_name: str = ""
    needed: float = 0
    available: float = 0
    hurts: str = ""
    alternatives: tuple[Alternative, ...] = field(default=())

    @property
    def excess(self) -> float:
        return self.needed - self.available

    def explain(self) -> str:
        if not self.alternatives:
            return f"slices.{self.slice_name}: {self.reason}. No change of it was found that fits."
        choices = "; ".join(str(alternative) for alternative in self.alternatives)
        return f"slices.{self.slice_name}: {self.reason}. Would be accepted: {choices}."

    def __str__(self) -> str:
        return self.explain()


@dataclass(frozen=True, eq=False)
class Admission:
    """The decision on all slices. Arrays are indexed by port.

    reserved_bps, reservable_bps int64[P]: on the wire. backlog_bytes float64[P]: the most that the class of
    the slices holds, which its buffer must hold without loss; infinite where there is no bound.
    """

    reservations: tuple[Reservation, ...]
    refusals: tuple[Refusal, ...]
    reserved_bps: NDArray[np.int64]
    reservable_bps: NDArray[np.int64]
    backlog_bytes: NDArray[np.float64]
    share: float

    @cached_property
    def _by_name(self) -> dict[str, Reservation]:
        return {each.name: each for each in self.reservations}

    @property
    def paths(self) -> tuple[Reservation, ...]:
        """Every path of every slice: first those of all slices, then the second paths of protected ones."""
        return (*self.reservations, *(each.second for each in self.reservations if each.second is not None))

    @cached_property
    def bands(self) -> dict[str, int]:
        """Name of each path -> the band of its packets: 1 and up, in the order of `paths`."""
        return {each.name: band for band, each in enumerate(self.paths, 1)}

    @property
    def admitted(self) -> bool:
        return not self.refusals

    def margins(self, name: str) -> dict[str, float]:
        """What is left of each objective of an admitted slice: bandwidth in bit/s on the fullest port of its paths, beside
        all slices; latency and delay variation in ps and loss as a ratio between the bound and the promise, where
        there is one."""
        slot = self[name]
        ports = [port for path in (slot, slot.second) if path is not None for port in path.ports]
        found: dict[str, float] = {"bandwidth": int((self.reservable_bps - self.reserved_bps)[ports].min())}
        known = {"latency": slot.margin_ps, "delay_variation": slot.variation_margin_ps}
        found |= {word: margin for word, margin in known.items() if margin is not None}
        if slot.loss_promised is not None:
            found["loss"] = slot.loss_promised - slot.loss
        return found

    def __getitem__(self, name: str) -> Reservation:
        """The reservation of an admitted slice. Raises KeyError."""
        return self._by_name[name]

    def require(self) -> Admission:
        """This admission. Raises AdmissionRefused with every refusal when a slice was refused."""
        if self.refusals:
            raise AdmissionRefused(self.refusals)
        return self

    def explain(self) -> list[str]:
        """One sentence per slice, admitted ones first."""
        return [each.explain() for each in (*self.reservations, *self.refusals)]


def admit(
    slices: Mapping[str, Asked],
    graph: Graph,
    metric: str = "delay",
    share: float = RESERVABLE_SHARE,
    until_ps: int = ALWAYS_PS,
) -> Admission:
    """Decide on all slices, in their order; a refused one reserves nothing and the next are still decided.

    `metric` is the routing metric that orders paths; `share` of each port may be reserved; no
    later time than `until_ps` is offered. Raises TrialInvalid for an unknown node, a path that is none, or ends
    that nothing joins: those are mistakes, not refusals.
    """
    requests = [request_of(name, asked) for name, asked in slices.items()]
    check(graph, requests)
    times = Timetable.empty(graph, metric, share, until_ps)
    refusals = decide(times, requests, share, until_ps)
    return admission_of(times, requests, refusals, share)


def check(graph: Graph, requests: Sequence[Request]) -> None:
    """Raises TrialInvalid for requests that mean nothing on this graph, with every problem."""
    problems = [problem for request in requests for problem in _problems(graph, request)]
    if problems:
        raise TrialInvalid(problems)


def decide(
    times: Timetable, requests: Sequence[Request], share: float = RESERVABLE_SHARE, until_ps: int = ALWAYS_PS
) -> list[Refusal]:
    """Place every request that fits into `times`, in order; the refusals of the rest."""
    refusals = []
    for request in requests:
        span = times.span(request)
        after = place(span, request) or place_thoroughly(span, request)
        if after is None:
            refusals.append(refusal_of(times, span, request, share, until_ps))
        else:
            times.place(request, after)
    return refusals


def admission_of(
    times: Timetable, requests: Sequence[Request], refusals: Sequence[Refusal], share: float
) -> Admission:
    """What `times` holds of `requests`."""
    placed = times.placed()
    return Admission(
        tuple(_with_second(placed, each, times.releases) for each in requests if each.name in placed),
        tuple(refusals),
        np.maximum.reduce([each.reserved_bps for each in times.ledgers]),
        reservable_bps(times.graph, times.ledgers[0].classes["strict"]),
        np.maximum.reduce([each.backlog_bits() for each in times.ledgers]) / 8,
        share,
    )


def request_of(name: str, asked: Asked) -> Request:
    """What a slice of a trial asks."""
    return Request(
        name=name,
        from_=asked.from_,
        to=asked.to,
        bandwidth=asked.bandwidth,
        latency=asked.latency,
        delay_variation=asked.delay_variation,
        loss=asked.loss,
        path=tuple(asked.path) if asked.path else None,
        burst=asked.burst,
        packet_size=asked.packet_size,
        start=asked.start,
        end=asked.end,
        mechanism=asked.mechanism,
        protection=asked.protection,
        period=asked.period,
    )


def _problems(graph: Graph, request: Request) -> list[Problem]:
    where = f"slices.{request.name}"
    ends = {"from": request.from_, "to": request.to}
    unknown = [
        Graph.unknown("node", name, graph.node_names, f"{where}.{end}")
        for end, name in ends.items()
        if name not in graph.node_index
    ]
    if unknown:
        return unknown
    if request.path is not None:
        problems = path_problems(graph, request.path, f"{where}.path")
        if (request.path[0], request.path[-1]) != (request.from_, request.to):
            found = f"a path from {request.path[0]} to {request.path[-1]}"
            problems.append(Problem(f"{where}.path", found, f"from {request.from_} to {request.to}"))
        return problems
    src, dst = graph.node(request.from_), graph.node(request.to)
    why = "it starts and ends at one node" if src == dst else explain_no_route(graph, src, dst)
    return [Problem(where, "ends without a route", "two nodes that links join", why)] if why else []


def _with_second(
    placed: Mapping[str, list[tuple[Ledger, int]]], request: Request, releases: Mapping[str, int]
) -> Reservation:
    first = _reservation(placed[request.name], releases)
    if not request.protection:
        return first
    second = _reservation(placed[second_name(request)], releases)
    return replace(
        first,
        second=second,
        loss=max(first.loss, second.loss),
        latency_bound_ps=_largest(first.latency_bound_ps, second.latency_bound_ps),
        variation_bound_ps=_largest(first.variation_bound_ps, second.variation_bound_ps),
    )


def _largest(a: int | None, b: int | None) -> int | None:
    return None if a is None or b is None else max(a, b)


def _reservation(stands: list[tuple[Ledger, int]], releases: Mapping[str, int]) -> Reservation:
    """A slice with the largest of its bounds in all intervals in which it stands."""
    ledger, i = stands[0]
    graph, fit = ledger.graph, ledger.fits[i]
    delays = np.maximum.reduce([each.bound_ps for each, _ in stands])
    return Reservation(
        name=fit.request.name,
        nodes=graph.nodes_along(fit.ports),
        ports=fit.ports,
        port_names=tuple(graph.port_names[port] for port in fit.ports),
        bandwidth_bps=fit.request.bandwidth,
        burst_bytes=fit.burst_bytes,
        mtu_bytes=fit.mtu_bytes,
        packet_bytes=fit.packet_bytes,
        overhead_bytes=fit.overhead_bytes,
        reserved_bps=fit.reserved_bps,
        floor_ps=fit.floor_ps,
        latency_bound_ps=_whole(max(each.latency_ps(k) for each, k in stands)),
        variation_bound_ps=_whole(max(each.variation_ps(k) for each, k in stands)),
        hop_delay_bound_ps=tuple(delays[list(fit.ports)].tolist()),
        hop_burst_bound_bytes=tuple(
            bits / 8 for bits in slice_bursts(fit.sent, delays, graph.jitter_ps.astype(float))
        ),
        loss=fit.loss,
        latency_promised_ps=fit.request.latency,
        variation_promised_ps=fit.request.delay_variation,
        loss_promised=fit.request.loss,
        mechanism=fit.mechanism,
        shaped_hops=fit.shaped_hops,
        cycle_ps=0 if fit.cycled is None else fit.cycled.cycle_ps,
        planned=fit.planned,
        release_ps=releases.get(fit.request.name, 0),
        regulated=fit.regulated,
        start_ps=fit.request.start,
        end_ps=fit.request.end,
    )


def _whole(value: float) -> int | None:
    return int(value) if isfinite(value) else None


def refusal_of(times: Timetable, span: Span, request: Request, share: float, until_ps: int) -> Refusal:
    """The reason on the wanted path, and what could be had instead."""
    graph, span = span.graph, span.using("strict" if request.mechanism == "auto" else request.mechanism)
    ports = wanted_ports(span, request)
    nodes = graph.nodes_along(ports)
    if request.mechanism == "auto" and "scheduled" in mechanisms_for(span, request):
        best = span.using("scheduled")
        span = best if best.open_ports[list(ports)].all() else span
    why = misfit(span, request, ports)
    if why is None and request.protection:
        why = Misfit("protection", ports[0], 2, 1)
    if why is None:
        raise AssertionError(f"slice {request.name} fits on {nodes}, yet no path was found for it")
    changes = alternatives(span, request, nodes, times, until_ps)
    name = graph.port_names[why.port]
    asked, left, reason = _words(span, request, why, share)
    return Refusal(
        slice_name=request.name,
        resource=name,
        asked=asked,
        left=left,
        alternative=str(changes[0]) if changes else "",
        objective=why.objective,
        reason=f"{reason}. The wanted path is {', '.join(nodes)}",
        nodes=nodes,
        port_name=name,
        needed=why.needed,
        available=why.there_is,
        hurts=why.hurts,
        alternatives=changes,
    )


def _words(span: Span, request: Request, why: Misfit, share: float) -> tuple[str, str, str]:
    """(what was asked, what there is, the whole reason)."""
    port, over = span.graph.port_names[why.port], why.needed - why.there_is
    if why.objective == "bandwidth":
        asked, left = format_rate(request.bandwidth), format_rate(why.there_is)
        most, rate = (int(values[why.port]) for values in (span.reservable_bps, span.graph.rate_bps))
        needs = f"{asked} of IP packets is {format_rate(why.needed)} on the wire"
        limit = f"{format_rate(most)} that slices may take ({share:.0%} of {format_rate(rate)})"
        return asked, left, f"{needs}; {port} has {left} left of the {limit}: {format_rate(over)} too much"
    if why.objective == "protection":
        held = f"{', '.join(span.graph.nodes_along(wanted_ports(span, request)))} would hold it alone"
        return (
            "two paths",
            "one",
            f"{held}, but no two paths without a common router or link hold it together",
        )
    if why.objective == "mechanism":
        asked, left = MECHANISMS[int(why.needed)], MECHANISMS[int(why.there_is)]
        return asked, left, f"{port} serves slices by {left}, and a port has one mechanism"
    if why.objective == "cycle":
        asked, left = format_size(why.needed / 8), format_size(why.there_is / 8)
        if not why.there_is:
            return asked, left, f"no cycle of {port} holds a burst of {asked}, whatever its length"
        return asked, left, f"it may bring {asked} in a cycle, of which {port} has {left} left"
    if why.objective == "schedule":
        return "planned windows", "none", why.reason
    if why.objective == "burst":
        asked, left = format_size(why.there_is), format_size(why.needed)
        return asked, left, f"a burst of {asked} is less than one packet of the path ({left} at {port})"
    if why.objective == "loss":
        asked, left = f"{why.there_is:.3g}", f"{why.needed:.3g}"
        return asked, left, f"impairments lose {left} of the packets (most at {port}), promised is {asked}"
    word = why.objective.replace("_", " ")
    asked, left = format_time(why.there_is), "no bound"
    if not isfinite(why.needed):
        reason = f"the {word} has no worst case at {port} (unbounded jitter, or slices in a circle)"
    else:
        left = format_time(why.needed)
        what = "propagation and transmission alone take" if why.by_floor else f"the worst-case {word} is"
        reason = f"{what} {left} (most at {port}), {format_time(over)} above the promised {asked}"
    return asked, left, f"for the earlier slice {why.hurts}, {reason}" if why.hurts else reason
