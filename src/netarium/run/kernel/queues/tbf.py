"""Token bucket filter, as tc-tbf(8) (Linux: sch_tbf.c): shapes to a rate, with bursts.

A packet leaves when the bucket holds tokens for all of it; the bucket is full at the start. Deviations:
bytes are those of IP packets (Linux adds the Ethernet header); no peak rate; time is exact where Linux has
its clock's nanoseconds.
"""

from __future__ import annotations

from typing import Any

from netarium.errors import Mistake
from netarium.units import SECOND_PS, format_size

from ..jit import kernel
from ..pool import drop
from ..records import DROP_TAIL, NONE
from .fifo import full, pop, push
from .kinds import NO_LIMIT_PACKETS
from .tokens import bucket, refilled, wait_ps

BYTE_TIME, SHIFT, DEPTH, TOKENS, LAST_PS = range(5)
"""Slots of `i`."""


@kernel
def enqueue(sim, queue, p):
    """Packet `p` waits; it is dropped when there is no room, or when it is larger than the bucket."""
    if sim.packets[p].size_bytes * queue.i[BYTE_TIME] > queue.i[DEPTH] or full(sim, queue, p):
        drop(sim, queue.port, p, DROP_TAIL)
    else:
        push(sim, queue, p)


@kernel
def dequeue(sim, queue, now_ps):
    """The next packet, or NONE: then `next_ps` says when the bucket will hold enough."""
    if queue.head == NONE:
        return NONE
    state = queue.i
    tokens = refilled(state[TOKENS], now_ps - state[LAST_PS], state[DEPTH], state[SHIFT])
    state[LAST_PS] = now_ps
    cost = sim.packets[queue.head].size_bytes * state[BYTE_TIME]
    if cost > tokens:
        state[TOKENS] = tokens
        queue.next_ps = now_ps + wait_ps(cost - tokens, state[SHIFT])
        return NONE
    state[TOKENS] = tokens - cost
    return pop(sim, queue)


def children(spec: Any) -> int:
    """Records needed beside the queue's own."""
    return 0


def encode(queue: Any, spec: Any, rate_bps: int, mtu_bytes: int) -> None:
    """Write rate, burst and limit (or latency: limit = rate x latency + burst, as tc) into the record.

    Raises Mistake when the burst is smaller than a packet of the link: it could never leave.
    """
    if spec.burst < mtu_bytes:
        raise Mistake(
            format_size(spec.burst), f"at least the link's MTU of {format_size(mtu_bytes)}", at=("burst",)
        )
    state = queue.i
    state[BYTE_TIME], state[SHIFT], state[DEPTH] = bucket(spec.rate, spec.burst)
    state[TOKENS] = state[DEPTH]
    state[LAST_PS] = 0
    queue.limit_packets = NO_LIMIT_PACKETS
    if spec.limit is not None:
        queue.limit_bytes = spec.limit
    else:
        queue.limit_bytes = spec.rate * spec.latency // (8 * SECOND_PS) + spec.burst
