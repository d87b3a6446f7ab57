"""The queue of a port that forwards slices: the mechanism's class for them, and the trial's queue for everything else."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, isfinite
from typing import TYPE_CHECKING, Any

from netarium.compile.graph import Graph
from netarium.compile.mechanisms import cqf, scheduled, taprio
from netarium.compile.mechanisms.classes import (
    CBS_SHARE,
    CLASS,
    PRIORITY,
    RUN_MOST_PS,
    gate_cycle_ps,
    gate_window_ps,
    port_terms,
)
from netarium.run.kernel.queues.strict import Strict

if TYPE_CHECKING:
    from netarium.compile.admission import Reservation

BUFFER_FACTOR = 2
"""A port's buffer for slices holds this many times what admission found that they can need."""
SMALLEST_FRAME_BYTES = 28
PACKETS_MOST = 2**31 - 1


def slice_queue(
    graph: Graph,
    port: int,
    slices: Sequence[Reservation],
    backlog_bytes: float,
    best_effort: Any,
    duration_ps: int,
) -> Any:
    """The queue of `port` for `slices`, all of one mechanism. backlog_bytes: the most that their class holds."""
    bursts = sum(each.burst_bytes + each.mtu_bytes for each in slices)
    held = max(ceil(BUFFER_FACTOR * (backlog_bytes if isfinite(backlog_bytes) else bursts)), 2 * bursts)
    word = slices[0].mechanism
    if word == "strict":
        return Strict(held, best_effort)
    if word == "cqf":
        return _cycles(graph, slices, best_effort, duration_ps)
    if word == "taprio":
        return _gates(graph, port, held, best_effort)
    if word == "scheduled":
        return _windows(port, slices, held, best_effort)
    limit = min(PACKETS_MOST, held // SMALLEST_FRAME_BYTES + 1)
    if word == "cbs":
        slope = int(int(graph.rate_bps[port]) * CBS_SHARE)
        return _two_classes({"kind": "cbs", "idleslope": f"{slope} bit/s", "limit": limit}, best_effort)
    streams = [
        {
            "slices": [each.name],
            "committed_information_rate": f"{each.regulated[0]} bit/s",
            "committed_burst_size": f"{each.regulated[1]} B",
        }
        for each in slices
    ]
    return _two_classes({"kind": "ats", "streams": streams, "limit": limit}, best_effort)


def _two_classes(slices: dict[str, Any], best_effort: Any) -> Any:
    from netarium.describe.tsn import Mqprio

    found = Mqprio(num_tc=2, map=_class_map(), queues={CLASS: slices})
    return found.model_copy(update={"queues": {**found.queues, 0: best_effort}})


def _class_map() -> list[int]:
    return [CLASS if priority == PRIORITY else 0 for priority in range(16)]


def _gates(graph: Graph, port: int, held_bytes: int, best_effort: Any) -> Any:
    """One window for the slices in every cycle, the rest for everything else."""
    from netarium.describe.queues import Bfifo

    cycle, window = (int(values[port]) for values in (gate_cycle_ps(graph), gate_window_ps(graph)))
    found = taprio.encode([(0, window, CLASS)], cycle, {PRIORITY: CLASS}, num_tc=2)
    return found.model_copy(update={"queues": {CLASS: Bfifo(limit=f"{held_bytes} B"), 0: best_effort}})


def planned_window(each: Reservation, port: int) -> scheduled.Taken:
    """When a slice with planned windows has its window at a port of its path."""
    assert each.planned is not None
    window = each.planned.windows[each.ports.index(port)]
    return scheduled.Taken(
        each.release_ps + window.opens_ps, each.release_ps + window.closes_ps, each.planned.period_ps
    )


def _windows(port: int, slices: Sequence[Reservation], held_bytes: int, best_effort: Any) -> Any:
    """A window for each slice where its packets are due, the rest for everything else."""
    from netarium.describe.queues import Bfifo

    windows, cycle_ps = scheduled.gate_windows(planned_window(each, port) for each in slices)
    largest = {CLASS: max(each.packet_bytes for each in slices)}
    found = taprio.encode(
        [(begin, end, CLASS) for begin, end in windows],
        cycle_ps,
        {PRIORITY: CLASS},
        num_tc=2,
        max_sdu=largest,
    )
    return found.model_copy(update={"queues": {CLASS: Bfifo(limit=f"{held_bytes} B"), 0: best_effort}})


def _cycles(graph: Graph, slices: Sequence[Reservation], best_effort: Any, duration_ps: int) -> Any:
    """Buffers enough for every path that comes through."""
    terms = cqf.CycleTerms(slices[0].cycle_ps)
    duration_ps = min(duration_ps, RUN_MOST_PS)
    found = max(
        (
            cqf.encode(port_terms(graph, each.ports[each.shaped_hops :]), terms, duration_ps, (PRIORITY,))
            for each in slices
        ),
        key=lambda spec: spec.queues,
    )
    return found.model_copy(update={"queue": best_effort})
