"""Class shaping like tc-htb(8) (Linux: sch_htb.c; Devera, "HTB Linux queuing discipline manual", 2002):
every class is sure of its `rate` and may borrow what others leave, up to its `ceil`.

Two levels: classes under one root, which is the port itself. A class sends by right while its own bucket
(rate, burst) is not in debt, and by borrowing while only the other one (ceil, burst) is not; in debt at
ceil it waits. All that send by right come before those that borrow; among these a smaller `prio` first, and
equals share by deficit round robin.

Deviations: the root's own bucket is left out, as it never binds: its rate is the port's, and the wire takes
longer for a packet (overhead) than the root's bucket does. Quanta are in proportion to the rates, the least
being one MTU (Linux: rate / r2q, between 1000 and 200000 bytes). A class that loses and regains the right
to send keeps its turn (Linux moves on). Bytes are those of IP packets; both buckets have the same burst;
time is exact.
"""

from __future__ import annotations

from typing import Any

from netarium.units import SECOND_PS

from ..events import NEVER
from ..jit import kernel
from ..records import NONE
from . import priorities
from .leaf import dequeue_child, enqueue_child
from .priorities import class_of
from .tokens import bucket, refilled, wait_ps

BYTE_TIME, SHIFT, DEPTH, TOKENS = range(4)
"""Slots of `i` of a class: its bucket of (rate, burst)."""
CEIL = 4
"""Slots of `i` of a class from here on: the same four of its bucket of (ceil, burst)."""
LAST_PS, PRIO, QUANTUM_BYTES = 8, 9, 10
DEFICIT_BYTES, TURN, HELD_PS = 11, 13, 15
"""DEFICIT_BYTES, TURN: two each, when sending by right and when borrowing. HELD_PS: when its leaf last held
its packets back."""

BY_RIGHT, BORROWING = 0, 1
BURST_PS = SECOND_PS // 1000
"""Default burst: one millisecond at ceil."""
BURST_MTUS = 2
"""... and at least two packets."""


@kernel
def enqueue(sim, queue, p, now_ps):
    """Packet `p` goes to the class of its priority."""
    each = sim.queues[queue.child_first + class_of(queue, int(sim.packets[p].priority))]
    packets_before = int(each.packets)
    bytes_before = each.bytes
    enqueue_child(sim, each, sim.queues[each.child_first], p, now_ps)
    queue.packets += each.packets - packets_before
    queue.bytes += each.bytes - bytes_before


@kernel
def refill(each, now_ps):
    """Bring both buckets of a class up to date."""
    state = each.i
    elapsed_ps = now_ps - state[LAST_PS]
    state[TOKENS] = refilled(state[TOKENS], elapsed_ps, state[DEPTH], state[SHIFT])
    ceil_tokens, ceil_depth = state[CEIL + TOKENS], state[CEIL + DEPTH]
    state[CEIL + TOKENS] = refilled(ceil_tokens, elapsed_ps, ceil_depth, state[CEIL + SHIFT])
    state[LAST_PS] = now_ps


@kernel
def may_send(each, level, now_ps):
    """Whether a class may send at a level: BY_RIGHT or BORROWING."""
    if each.packets == 0 or each.i[HELD_PS] == now_ps or each.i[CEIL + TOKENS] < 0:
        return False
    return (each.i[TOKENS] >= 0) == (level == BY_RIGHT)


@kernel
def choose(sim, queue, level, now_ps):
    """The class whose turn it is at a level, or NONE."""
    first = int(queue.child_first)
    count = int(queue.child_count)
    prio = NEVER
    for k in range(first, first + count):
        if sim.queues[k].i[PRIO] < prio and may_send(sim.queues[k], level, now_ps):
            prio = sim.queues[k].i[PRIO]
    if prio == NEVER:
        return NONE
    start = 0
    for k in range(count):
        each = sim.queues[first + k]
        if each.i[PRIO] == prio and each.i[TURN + level] != 0:
            start = k
            each.i[TURN + level] = 0
    chosen = start
    for step in range(count):
        chosen = (start + step) % count
        each = sim.queues[first + chosen]
        if each.i[PRIO] == prio and may_send(each, level, now_ps):
            break
    sim.queues[first + chosen].i[TURN + level] = 1
    return chosen


@kernel
def charge(sim, queue, k, level, size_bytes):
    """Class `k` has sent `size_bytes` at a level; its turn ends when its deficit is used up."""
    each = sim.queues[queue.child_first + k]
    state = each.i
    state[CEIL + TOKENS] -= size_bytes * state[CEIL + BYTE_TIME]
    if level == BY_RIGHT:
        state[TOKENS] -= size_bytes * state[BYTE_TIME]
    state[DEFICIT_BYTES + level] -= size_bytes
    if state[DEFICIT_BYTES + level] >= 0:
        return
    state[DEFICIT_BYTES + level] += state[QUANTUM_BYTES]
    state[TURN + level] = 0
    count = int(queue.child_count)
    for step in range(1, count + 1):
        following = sim.queues[queue.child_first + (k + step) % count]
        if following.i[PRIO] == state[PRIO]:
            following.i[TURN + level] = 1
            break


@kernel
def serve(sim, queue, level, now_ps):
    """The next packet at a level, or NONE."""
    while True:
        k = choose(sim, queue, level, now_ps)
        if k == NONE:
            return NONE
        each = sim.queues[queue.child_first + k]
        leaf = sim.queues[each.child_first]
        packets_before = int(each.packets)
        bytes_before = each.bytes
        p = dequeue_child(sim, each, leaf, now_ps)
        queue.packets += each.packets - packets_before
        queue.bytes += each.bytes - bytes_before
        if p != NONE:
            charge(sim, queue, k, level, int(sim.packets[p].size_bytes))
            return p
        if each.packets > 0:
            each.i[HELD_PS] = now_ps


@kernel
def dequeue(sim, queue, now_ps):
    """The next packet, or NONE: then `next_ps` says when a class may send again."""
    first = int(queue.child_first)
    for k in range(first, first + queue.child_count):
        refill(sim.queues[k], now_ps)
    p = serve(sim, queue, BY_RIGHT, now_ps)
    if p == NONE:
        p = serve(sim, queue, BORROWING, now_ps)
    if p == NONE and queue.packets > 0:
        next_ps = NEVER
        for k in range(first, first + queue.child_count):
            each = sim.queues[k]
            if each.packets == 0:
                continue
            if each.i[HELD_PS] == now_ps:
                next_ps = min(next_ps, sim.queues[each.child_first].next_ps)
            else:
                next_ps = min(next_ps, now_ps + wait_ps(-each.i[CEIL + TOKENS], each.i[CEIL + SHIFT]))
        queue.next_ps = next_ps
    return p


def encode(queue: Any, spec: Any) -> None:
    """Write the classes of the priorities."""
    priorities.encode(queue, spec)


def encode_class(record: Any, spec: Any, rate_min_bps: int, mtu_bytes: int) -> None:
    """Write a class's two buckets, prio and quantum. rate_min_bps: least rate of the discipline's classes."""
    ceil_bps = spec.rate if spec.ceil is None else spec.ceil
    burst = spec.burst
    if burst is None:
        burst = max(BURST_MTUS * mtu_bytes, ceil_bps * BURST_PS // (8 * SECOND_PS))
    state = record.i
    for slot, rate_bps in ((0, spec.rate), (CEIL, ceil_bps)):
        state[slot + BYTE_TIME], state[slot + SHIFT], state[slot + DEPTH] = bucket(rate_bps, burst)
        state[slot + TOKENS] = state[slot + DEPTH]
    state[LAST_PS] = 0
    state[PRIO] = spec.prio
    state[QUANTUM_BYTES] = mtu_bytes * spec.rate // rate_min_bps
    state[HELD_PS] = NONE
