"""The memory of a run, filled from its plan; and how it grows while the run goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from netarium.run.hooks import addresses
from netarium.run.kernel import calendar
from netarium.run.kernel import records as r
from netarium.run.kernel.events import (
    ACTION,
    EMPTY,
    INDEX_BITS,
    INDEX_LIMIT,
    KIND_BITS,
    NEVER,
    ROOT,
    SOURCE,
    SOURCE_STOP,
)
from netarium.run.kernel.memory import Memory, aligned
from netarium.run.kernel.observe import BIN_COUNT
from netarium.run.samples import PORT_SERIES

FIRST_PACKETS, FIRST_SACKS, FIRST_NEAR, FIRST_CAPTURED = 4096, 2560, 4096, 65536
"""Sizes to begin with; they grow as a run needs. A tiny run spends more time on filling them than on anything else."""
REAL_TIME_SCALE = 8
"""How many times larger they are in real time, where growing makes the engine late."""
LOOK_AHEAD_PORTS = 2048
"""With so many ports, their packets and connections no longer fit a core's cache."""
CONNS_MARGIN, FLOWS_MARGIN = 64, 64
"""Connections and flows at first beside one for each source; those of requests come and go, and grow on demand."""
NEAR_PER_CONN = 4
GROWTH = 2


@dataclass
class Run:
    """A run under way: its memory, and the numbers that tell its arrays apart."""

    memory: Memory
    plan: Any

    def packet_hops(self) -> int:
        """Packets put on links so far, data and ACK."""
        ports = self.memory.ports
        return int(ports["sent_packets"].sum() - ports["waiting_packets"].sum())

    def grow(self, name: str) -> None:
        """Lengthen the array that the loop found too short. Raises MemoryError."""
        memory = self.memory
        old = len(getattr(memory, name))
        new = GROWTH * old
        if name in ("conns", "packets") and new > INDEX_LIMIT:
            raise MemoryError
        memory.grow(name, new)
        if name == "packets":
            grow_near(memory, GROWTH * len(memory.near))  # more of them have more events under way
            link_packets(memory, old, new)
        elif name == "sacks":
            link_sacks(memory, old, new)
        elif name == "conns":
            grow_near(memory, len(memory.near) + NEAR_PER_CONN * (new - old))
            span = 2 * int(memory.counters[0].route_span)
            routes = int(memory.counters[0].conn_route) + span * new
            if routes > len(memory.routes):
                memory.grow("routes", routes)
            link_conns(memory, old, new)
        elif name == "events":
            memory.events["time_ps"][old:] = EMPTY
        elif name == "segments":
            memory.grow("again", new)


def fill(plan: Any) -> Run:
    """Allocate and initialise everything. Raises TrialInvalid when a user's file cannot be compiled."""
    given = {name: _copied(array) for name, array in plan.arrays.items()}
    services, ports = max(1, len(plan.service_names)), len(plan.arrays["ports"])
    sources = len(plan.arrays["sources"])
    own_routes = len(given["routes"])
    scale = 1 if plan.emulation is None else REAL_TIME_SCALE
    conns = sources + CONNS_MARGIN * (scale if sources else 1)
    given["routes"] = _copied(
        np.concatenate([given["routes"], np.zeros(2 * plan.route_span * conns, np.int64)])
    )
    given["hooks"] = np.array(addresses(plan.user_functions) or [0], np.int64)
    packets, sacks = scale * FIRST_PACKETS, scale * FIRST_SACKS
    segments = scale << (64 * sources + 4096).bit_length()
    memory = Memory(
        **given,
        packets=aligned(packets, r.PACKET),
        sacks=aligned(sacks, r.SACKS),
        conns=aligned(conns, r.CONN),
        flows=aligned(max(sources, conns) + FLOWS_MARGIN, r.FLOW),
        segments=aligned(segments, r.SEGMENT),
        again=aligned(segments, np.dtype(np.int64)),
        ranges=aligned(max(1 << 12, 16 * conns), r.RANGE),
        events=aligned(4096 + 4 * (sources + len(given["actions"]) + conns + ports), r.EVENT),
        near=aligned(0, r.NEAR_EVENT),
        days=aligned(calendar.DAYS >> calendar.WORD_BITS, np.dtype(np.int64)),
        weeks=aligned(calendar.DAYS >> 2 * calendar.WORD_BITS, np.dtype(np.int64)),
        day_first=aligned(calendar.DAYS, np.dtype(np.int32)),
        services=aligned(services, r.SERVICE),
        drops=np.zeros((ports, len(r.REASONS)), np.int64),
        latency=np.zeros((services, BIN_COUNT), np.int64),
        rtt=np.zeros((services, BIN_COUNT), np.int64),
        acks=aligned(1, r.ACK_SAMPLE),
        port_row=np.zeros((ports, len(PORT_SERIES.names)), np.int64),
        counters=aligned(1, r.COUNTERS),
        pool=aligned(1, r.POOL),
        captured=aligned(FIRST_CAPTURED if plan.captures else 1, r.CAPTURED),
    )
    counters = memory.counters[0]
    counters.route_span, counters.conn_route = plan.route_span, own_routes
    counters.table_nodes = plan.graph.node_count
    counters.ecmp = plan.ecmp
    counters.segments_free[:] = r.NONE
    counters.ranges_free[:] = r.NONE
    counters.segments_reserve = counters.ranges_reserve = 1024
    memory.pool[0].free = memory.pool[0].ext_free = r.NONE
    counters.conn_free = r.NONE
    counters.looks_ahead = ports >= LOOK_AHEAD_PORTS
    counters.day_log2 = calendar.DAY_LOG2_FIRST
    counters.near_free = r.NONE
    grow_near(memory, scale * FIRST_NEAR + NEAR_PER_CONN * (ports + conns))
    link_packets(memory, 0, packets)
    link_sacks(memory, 0, sacks)
    link_conns(memory, 0, conns)
    reset_windows(memory)
    _schedule(memory, plan)
    return Run(memory, plan)


def _copied(array: np.ndarray) -> np.ndarray:
    copy = aligned(array.shape, array.dtype)
    copy[...] = array
    return copy


def grow_near(memory: Memory, count: int) -> None:
    """Lengthen the calendar's pool of entries to `count`, or its largest size; the new ones are free."""
    old, new = len(memory.near), min(count, calendar.NODES)
    if new <= old:
        return
    memory.grow("near", new)
    near, counters = memory.near, memory.counters[0]
    near["next"][old:] = np.arange(old + 1, new + 1)
    near["next"][new - 1] = counters.near_free
    counters.near_free = old


def link_packets(memory: Memory, first: int, end: int) -> None:
    """Add packets first..end-1 to the free ones."""
    packets, pool = memory.packets, memory.pool[0]
    packets["next"][first:end] = np.arange(first + 1, end + 1)
    packets["next"][end - 1] = pool.free
    packets["ext"][first:end] = r.NONE
    packets["kind"][first:end] = r.FREE
    pool.free = first
    pool.free_count += end - first


def link_sacks(memory: Memory, first: int, end: int) -> None:
    """Add slots of SACK blocks first..end-1 to the free ones."""
    sacks, pool = memory.sacks, memory.pool[0]
    sacks["link"][first:end] = np.arange(first + 1, end + 1)
    sacks["link"][end - 1] = pool.ext_free
    pool.ext_free = first
    pool.ext_free_count += end - first


def link_conns(memory: Memory, first: int, end: int) -> None:
    """Add connections first..end-1 to the free ones."""
    conns, counters = memory.conns, memory.counters[0]
    conns["una"][first:end] = np.arange(first + 1, end + 1)
    conns["una"][end - 1] = counters.conn_free
    conns["flow"][first:end] = r.NONE
    conns["timer_ps"][first:end] = NEVER
    conns["later_ps"][first:end] = NEVER
    counters.conn_free = first
    counters.conn_free_count += end - first


def reset_windows(memory: Memory) -> None:
    """Begin the next sample interval of latency and round-trip times."""
    services = memory.services
    for what in ("latency", "rtt"):
        services[f"{what}_count"] = 0
        services[f"{what}_sum_ps"] = 0
        services[f"{what}_min_ps"] = NEVER
        services[f"{what}_max_ps"] = r.NONE


def _schedule(memory: Memory, plan: Any) -> None:
    """The first events: actions, then sources by their start, then the stops of sources that hold a flow."""
    entries: list[tuple[int, int, int]] = []
    for index, action in enumerate(plan.arrays["actions"]):
        if action.kind != r.NONE:
            entries.append((int(action.time_ps), ACTION, index))
    count = sum(1 for _ in plan.service_names) and len(plan.arrays["sources"])
    sources = plan.arrays["sources"][:count]
    entries += [(int(s.start_ps), SOURCE, i) for i, s in enumerate(sources) if s.start_ps < s.stop_ps]
    entries += [
        (int(s.stop_ps), SOURCE_STOP, i) for i, s in enumerate(sources) if s.stop_ps < plan.duration_ps
    ]
    order = sorted(range(len(entries)), key=lambda i: (entries[i][0], i))
    events, counters = memory.events, memory.counters[0]
    events["time_ps"] = EMPTY
    for rank, i in enumerate(order):
        time_ps, kind, index = entries[i]
        events[ROOT + rank].time_ps = time_ps
        events[ROOT + rank].key = (rank << (INDEX_BITS + KIND_BITS)) | (kind << INDEX_BITS) | index
    counters.heap_size = counters.sequence = len(entries)
