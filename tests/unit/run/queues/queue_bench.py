"""A bench for queue disciplines: one port, given arrivals, what leaves and when; no engine around it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from netarium.run.kernel import records as r
from netarium.run.kernel.events import NEVER
from netarium.run.kernel.jit import kernel
from netarium.run.kernel.memory import Memory, as_sim
from netarium.run.kernel.queues import clock, user
from netarium.run.kernel.queues.build import QueueTable, build
from netarium.run.kernel.queues.dispatch import dequeue, enqueue
from netarium.run.kernel.queues.site import NOWHERE, Site

TIME, SIZE, PRIORITY, BAND, HASH, ECN, FLOW, HOP = range(8)
"""Columns of arrivals."""
STREAM_KEY = 0x1234567890ABCDEF


@kernel
def held_wrongly(sim, q, arrived, left):
    """1 when the totals of the root differ from what has arrived and neither left nor been dropped."""
    packets = 0
    size_bytes = 0
    for p in range(arrived):
        if sim.packets[p].kind == r.DATA:
            packets += 1
            size_bytes += sim.packets[p].size_bytes
    queue = sim.queues[q]
    return 1 if queue.packets != packets or queue.bytes != size_bytes else 0


@kernel(entry=True)
def run(address, arrivals, out, q, byte_ps, check):
    """Offer `arrivals` to root queue q at a transmitter of byte_ps picoseconds a byte.

    Rows of `out`: packet, begin of its transmission, ECN field. Returns (rows, faults of the totals).
    """
    sim = as_sim(address)
    count = len(arrivals)
    arrived = 0
    left = 0
    faults = 0
    ask_ps = NEVER
    busy_ps = 0
    while True:
        next_ps = arrivals[arrived, TIME] if arrived < count else NEVER
        if ask_ps == NEVER and next_ps == NEVER:
            break
        if ask_ps <= next_ps:
            now_ps = ask_ps
        else:
            now_ps = next_ps
            packet = sim.packets[arrived]
            packet.kind = r.DATA
            packet.time_ps = now_ps
            packet.size_bytes = arrivals[arrived, SIZE]
            packet.priority = arrivals[arrived, PRIORITY]
            packet.band = arrivals[arrived, BAND]
            packet.hash = arrivals[arrived, HASH]
            packet.ecn = arrivals[arrived, ECN]
            packet.ext = r.NONE
            packet.flow = arrivals[arrived, FLOW]
            packet.route = 2 * arrivals[arrived, HOP] + 2
            enqueue(sim, q, arrived, now_ps)
            arrived += 1
        if now_ps >= busy_ps:
            p = dequeue(sim, q, now_ps)
            if p != r.NONE:
                out[left, 0] = p
                out[left, 1] = now_ps
                out[left, 2] = sim.packets[p].ecn
                left += 1
                sim.packets[p].kind = r.CONTROL
                busy_ps = now_ps + sim.packets[p].size_bytes * byte_ps
                ask_ps = busy_ps
            elif sim.queues[q].packets > 0:
                ask_ps = sim.queues[q].next_ps
                if ask_ps <= now_ps:
                    faults += 1
                    break
            else:
                ask_ps = NEVER
        if check:
            faults += held_wrongly(sim, q, arrived, left)
    return left, faults


@dataclass
class Result:
    """What a run gave. left: packets in the order they left; begins_ps: when; ecn: their ECN field then."""

    left: list[int]
    begins_ps: list[int]
    ecn: list[int]
    drops: dict[str, int]
    marks: int
    faults: int
    memory: Any

    @property
    def departures(self) -> list[tuple[int, int]]:
        return list(zip(self.left, self.begins_ps, strict=True))


@cache
def loaded(file: str, parameters: tuple[tuple[str, float], ...]) -> tuple[list[int], int]:
    """The addresses of a user's functions, compiled once, and the queue's limit."""
    checked = user.read(file, "mine", dict(parameters))
    return user.load(file, "mine", dict(parameters)), user.limit_packets(checked)


def ports_of(site: Site, byte_ps: int) -> np.ndarray:
    """The port of the bench (number 0, at node 1), and those of its neighbours (at nodes 2, 3, ...)."""
    ports = np.zeros(1 + len(site.ingresses), r.PORT)
    ports["byte_time"], ports["from_node"], ports["node"] = byte_ps << r.BYTE_TIME_BITS, 1, 1
    ports["overhead_bytes"] = site.overhead_bytes
    ports["node"][0] = 0
    for k, ingress in enumerate(site.ingresses):
        ports[k + 1].from_node, ports[k + 1].delay_ps = k + 2, ingress.delay_ps
    return ports


def clocks_of(site: Site) -> np.ndarray:
    """The clocks of the bench's nodes."""
    clocks = np.zeros(2 + len(site.ingresses), clock.CLOCK)
    for record, spec in zip(clocks[1:], [site.clock, *(each.clock for each in site.ingresses)], strict=True):
        clock.encode(record, spec)
    return clocks


def flows_of(numbered: list[tuple[int, int]]) -> np.ndarray:
    """Flows of (service, number) whose ends are not at the bench's node."""
    flows = np.zeros(len(numbered), r.FLOW)
    for record, (service, number) in zip(flows, numbered, strict=True):
        record.service, record.number = service, number
        record.src = record.dst = r.NONE
    return flows


def offer(
    spec: Any,
    arrivals: list[tuple[int, ...]] | np.ndarray,
    rate_bps: int = 10**9,
    mtu_bytes: int = 1500,
    check: bool = True,
    site: Site = NOWHERE,
    flows: list[tuple[int, int]] | None = None,
) -> Result:
    """Run a discipline.

    arrivals: rows (time_ps, size_bytes, priority, band, hash, ecn, flow, hop), the last ones 0 if missing. flows: (service,
    number) of each flow. hop: 0 for packets that begin here, k for those that come by the k-th port of the site.

    A spec of kind "user" names a file; it is compiled.
    """
    rows = np.zeros((len(arrivals), 8), np.int64)
    for row, given in zip(rows, arrivals, strict=True):
        row[: len(given)] = given
    table = QueueTable()
    addresses: list[int] = [0]

    def hook_of(queue: Any) -> tuple[int, int]:
        addresses[:], limit = loaded(queue.file, tuple(queue.parameters.items()))
        return 0, limit

    root = build(spec, 0, rate_bps, mtu_bytes, table, stream=0, hook_of=hook_of, site=site)
    byte_ps = 8 * 10**12 // rate_bps
    streams = np.zeros(1, r.STREAM)
    streams["key"] = STREAM_KEY
    memory = Memory(
        packets=np.zeros(max(1, len(rows)), r.PACKET),
        ports=ports_of(site, byte_ps),
        queues=table.array(),
        clocks=clocks_of(site),
        flows=flows_of(flows or [(0, 0)]),
        routes=np.array(
            [r.NONE, 0, *(hop for k in range(len(site.ingresses)) for hop in (k + 1, 0))], np.int64
        ),
        **table.extras(),
        streams=streams,
        hooks=np.array(addresses, np.int64),
        drops=np.zeros((1, len(r.REASONS)), np.int64),
    )
    out = np.zeros((max(1, len(rows)), 3), np.int64)
    left, faults = run(memory.handle, rows, out, root, byte_ps, check)
    return Result(
        left=out[:left, 0].tolist(),
        begins_ps=out[:left, 1].tolist(),
        ecn=out[:left, 2].tolist(),
        drops={name: int(n) for name, n in zip(r.REASONS, memory.drops[0], strict=True) if n},
        marks=int(memory.ports[0].marks),
        faults=int(faults),
        memory=memory,
    )
