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
from netarium.run.kernel.queues import user
from netarium.run.kernel.queues.build import QueueTable, build
from netarium.run.kernel.queues.dispatch import dequeue, enqueue

TIME, SIZE, PRIORITY, BAND, HASH, ECN = range(6)
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


def offer(
    spec: Any,
    arrivals: list[tuple[int, ...]] | np.ndarray,
    rate_bps: int = 10**9,
    mtu_bytes: int = 1500,
    check: bool = True,
) -> Result:
    """Run a discipline.

    arrivals: rows (time_ps, size_bytes, priority, band, hash, ecn), the last ones 0 if missing.

    A spec of kind "user" names a file; it is compiled.
    """
    rows = np.zeros((len(arrivals), 6), np.int64)
    for row, given in zip(rows, arrivals, strict=True):
        row[: len(given)] = given
    table = QueueTable()
    addresses: list[int] = [0]

    def hook_of(queue: Any) -> tuple[int, int]:
        addresses[:], limit = loaded(queue.file, tuple(queue.parameters.items()))
        return 0, limit

    root = build(spec, 0, rate_bps, mtu_bytes, table, stream=0, hook_of=hook_of)
    streams = np.zeros(1, r.STREAM)
    streams["key"] = STREAM_KEY
    memory = Memory(
        packets=np.zeros(max(1, len(rows)), r.PACKET),
        ports=np.zeros(1, r.PORT),
        queues=table.array(),
        streams=streams,
        hooks=np.array(addresses, np.int64),
        drops=np.zeros((1, len(r.REASONS)), np.int64),
    )
    out = np.zeros((max(1, len(rows)), 3), np.int64)
    byte_ps = 8 * 10**12 // rate_bps
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
