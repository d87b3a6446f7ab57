"""The mechanisms as admission sees them: what the class of the slices gets at the ports of one mechanism.

A port has one mechanism for all slices on it. Where the class is a server of packets (strict, cbs, taprio, ats) it is
a rate-latency curve for the analysis of compile/bounds.py, and the same whatever slices come: so bounds only grow with
more slices, and admission can go on from what it knows. Cyclic queuing and planned windows have a closed form for a whole path.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netarium.compile.bounds import Service, blocking_ps, strict_service
from netarium.compile.graph import Graph
from netarium.compile.mechanisms import cqf
from netarium.compile.mechanisms.terms import PortTerms, StreamTerms
from netarium.units import SECOND_PS

PRIORITY = 7
"""Priority of the packets of slices at ports whose mechanism tells classes by it."""
CLASS = 1
"""Traffic class of slices there; best effort is class 0."""
MECHANISMS = ("strict", "ats", "cbs", "cqf", "taprio", "scheduled")
"""In the order in which admission tries them: what needs the least beside it first."""
STRICT_SHARE = 0.95
"""Largest part of a port's rate that slices may reserve together, where nothing else limits it."""
CBS_SHARE = 0.75
"""IEEE 802.1Q-2022 section 34.3.1: deltaBandwidth is at most 75 % by default. It is the idleslope of every cbs port."""
GATE_CYCLE_PS, GATE_SHARE = 250 * 10**6, 0.5
"""taprio: the cycle of the gates of every port (longer where frames are), and the part of it that is the slices' window."""
GATE_FRAMES = 16
"""Frames that a window of the gates holds at least."""
CYCLES_PS = (*(k * decade for decade in (10**6, 10**7, 10**8, 10**9) for k in range(1, 10)), 10**10)
"""cqf: lengths of a cycle to choose from; all ports of a network have the same."""
RUN_MOST_PS = 86_400 * SECOND_PS
"""cqf: how far clocks may have drifted apart where no end is known."""


@dataclass(frozen=True, eq=False)
class PortClass:
    """The slices' class at all ports of one mechanism: its service, the share of a port that can be reserved; regulated:
    each slice is shaped anew at every port."""

    word: str
    share: float
    service: Service
    regulated: bool = False


def port_classes(graph: Graph, share: float = STRICT_SHARE) -> Mapping[str, PortClass]:
    """The class of each mechanism on a network; strict priority first. share: the most that may be reserved anywhere."""
    strict = strict_service(graph)
    gates = gate_service(graph)
    return {
        "strict": PortClass("strict", share, strict),
        "ats": PortClass("ats", share, strict, regulated=True),
        "cbs": PortClass("cbs", min(share, CBS_SHARE), _slowed(strict, CBS_SHARE)),
        "cqf": PortClass("cqf", share, strict),
        "taprio": PortClass("taprio", share, gates),
        "scheduled": PortClass("scheduled", share, strict),
    }


def reservable_bps(graph: Graph, found: PortClass) -> NDArray[np.int64]:
    """int64[P]: what slices may reserve at each port of a mechanism; at hosts, which shape, the largest share."""
    shaped = found.service.shaped
    part = [int(rate) * round(found.share * 10**6) // 10**6 for rate in graph.rate_bps]
    at_hosts = [int(rate) * round(max(found.share, STRICT_SHARE) * 10**6) // 10**6 for rate in graph.rate_bps]
    if found.word == "taprio":
        part = np.minimum(part, found.service.rate_bps.astype(np.int64))
    return np.where(shaped & (found.word != "strict"), at_hosts, part).astype(np.int64)


def _slowed(service: Service, share: float) -> Service:
    """cbs: rate idleslope = share x C after one largest frame of others (De Azua and Boyer, RTNS 2014, section 4)."""
    return Service(service.rate_bps * share, service.latency_ps, service.shaped)


def gate_cycle_ps(graph: Graph) -> NDArray[np.int64]:
    """int64[P]: the cycle of the gates at each port."""
    least = (GATE_FRAMES * blocking_ps(graph) / GATE_SHARE).astype(np.int64)
    return np.maximum(least, GATE_CYCLE_PS)


def gate_window_ps(graph: Graph) -> NDArray[np.int64]:
    """int64[P]: the slices' window in it."""
    return (gate_cycle_ps(graph) * GATE_SHARE).astype(np.int64)


def gate_service(graph: Graph) -> Service:
    """taprio: a window w of a cycle c, less one largest frame that may not fit before the gate closes, w': rate C w' / c after
    c - w' (Wandeler and Thiele, ASP-DAC 2006, section 3), with the drift of the node's clock."""
    drift = np.array([_drift(clock) for clock in graph.clocks_of_ports()])
    useful = gate_window_ps(graph) * (1 - drift - 1e-9) - blocking_ps(graph)
    cycle = gate_cycle_ps(graph)
    latency = (cycle - useful) * (1 + drift) + 2
    return Service(graph.rate_bps * useful / cycle, latency, ~graph.node_forwards[graph.tail])


def _drift(clock: Any) -> float:
    return 0.0 if clock is None else abs(clock.drift) / 1e9


def port_terms(graph: Graph, ports: tuple[int, ...]) -> list[PortTerms]:
    """Ports in the words of the closed forms."""
    clocks = graph.clocks_of_ports()
    return [
        PortTerms(int(graph.rate_bps[p]), int(graph.mtu_bytes[p]), int(graph.overhead_bytes[p]), int(graph.delay_ps[p]),
                  clocks[p])
        for p in ports
    ]  # fmt: skip


@dataclass(frozen=True)
class Cycled:
    """A slice on a path of cyclic queuing: the cycle, the largest and least time behind its source's port, less
    propagation, and the bits that it may bring in a cycle."""

    cycle_ps: int
    latest_ps: float
    least_ps: float
    bits: float


def cycled(
    graph: Graph, ports: tuple[int, ...], stream: StreamTerms, cycle_ps: int, duration_ps: int
) -> Cycled | None:
    """What a path of ports that queue in cycles of this length takes; None when a cycle does not hold the stream, or
    clocks are too far apart."""
    terms = cqf.CycleTerms(cycle_ps)
    listed = port_terms(graph, ports)
    bits = max(cqf.cycle_load_bits([stream], port, cycle_ps) for port in listed)
    if any(bits > cqf.room_bits(port, terms) for port in listed):
        return None
    duration_ps = min(duration_ps, RUN_MOST_PS)
    try:
        cqf.encode(listed, terms, duration_ps, (PRIORITY,))
        bound = cqf.bound(listed, terms, duration_ps, stream.smallest_bytes)
    except ValueError:
        return None
    fixed = sum(port.delay_ps for port in listed)
    return Cycled(cycle_ps, bound.latency_ps - fixed, bound.least_ps - fixed, bits)


def cycle_room_bits(graph: Graph, cycle_ps: int) -> NDArray[np.float64]:
    """float64[P]: bits of slices that a cycle holds at each port."""
    listed = port_terms(graph, tuple(range(graph.port_count)))
    return np.array([cqf.room_bits(port, cqf.CycleTerms(cycle_ps)) for port in listed])
