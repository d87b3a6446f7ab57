"""The shaper at a slice's source: the sender's first port holds each slice to its reserved bandwidth,
before best effort.

Each slice has a FIFO of its own and a token bucket of (bandwidth, burst), full at the start. Every packet
costs its bytes and a fixed overhead, so that small packets are held to what was reserved on the wire. A packet
takes its tokens when its transmission begins, so that what leaves the port conforms,
whatever it had to wait for. Among slices whose first packet may go, the one that may go longest is served
first (ties: the lower slice number); best effort gets what is left.

A slice with a planned window (compile/mechanisms/scheduled.py) has it once a period, on the node's clock: its packets begin
there or wait for the next, whatever the bucket holds, and none is larger than the window is planned for. Nothing else begins
what would not end before such a window opens; best effort, whose packets are not looked at beforehand, nothing unless a
largest one would.

Compare IEEE 802.1Q-2022 section 8.6.8.2 (credit-based shaper): this one lets an idle slice save up a burst,
which is in its reservation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..events import NEVER
from ..jit import kernel
from ..pool import drop
from ..records import DROP_TAIL, NONE
from .classful import dequeue_below, enqueue_below
from .clock import clock_of, reading_ps, true_ps
from .fifo import full, pop, push
from .tokens import bucket, refilled, wait_ps
from .wire import wire_ps

PLANNED, GUARD_PS = range(2)
"""Slots of `i`: how many classes have windows, and what a largest packet lasts."""
BAND, BYTE_TIME, SHIFT, DEPTH, TOKENS, LAST_PS, ELIGIBLE_PS, OVERHEAD = range(8)
"""Slots of `i` of a slice's class. ELIGIBLE_PS: from when on its first packet may go."""
PERIOD_PS, OPENS_PS, WINDOW_PS, LARGEST_BYTES = range(8, 12)
"""And of one with a window; PERIOD_PS is 0 without."""


@dataclass(frozen=True)
class ShapedSlice:
    """One slice at its source. band: slice number + 1; limit_bytes: IP bytes that may wait; overhead_bytes: what
    each packet costs above its IP bytes, counted in rate_bps and burst_bytes. period_ps: 0, or its window opens at opens_ps of
    every period for window_ps, for packets of largest_bytes."""

    band: int
    rate_bps: int
    burst_bytes: int
    limit_bytes: int
    overhead_bytes: int = 0
    period_ps: int = 0
    opens_ps: int = 0
    window_ps: int = 0
    largest_bytes: int = 0


@dataclass(frozen=True)
class Shaper:
    """What the compile stage asks for at a sender's first port. best_effort: the queue of the trial, any
    kind."""

    slices: tuple[ShapedSlice, ...]
    best_effort: Any
    kind: str = "shaper"


@kernel
def find(sim, queue, band):
    """The class of a band (classes are sorted by band), or NONE when this port does not shape it."""
    low = int(queue.child_first)
    high = low + queue.child_count - 1
    while low < high:
        middle = (low + high) >> 1
        if sim.queues[middle].i[BAND] < band:
            low = middle + 1
        else:
            high = middle
    if low < queue.child_first + queue.child_count - 1 and sim.queues[low].i[BAND] == band:
        return low
    return NONE


@kernel
def in_window_ps(sim, queue, each, now_ps):
    """The first instant from `now_ps` on at which the head of a class may begin and ends within its window."""
    clock = clock_of(sim, queue)
    state = each.i
    local_ps = reading_ps(clock, now_ps)
    opened_ps = local_ps - (local_ps - state[OPENS_PS]) % state[PERIOD_PS]
    ends_ps = now_ps + wire_ps(sim.ports[queue.port], sim.packets[each.head].size_bytes)
    if ends_ps <= true_ps(clock, opened_ps + state[WINDOW_PS]):
        return now_ps
    return true_ps(clock, opened_ps + state[PERIOD_PS])


@kernel
def others_until(sim, queue, now_ps):
    """(Until when what has no window may send, when to ask again): a window opens then, or is open now and closes."""
    clock = clock_of(sim, queue)
    local_ps = reading_ps(clock, now_ps)
    until_ps, again_ps = NEVER, NEVER
    for k in range(int(queue.child_first), int(queue.child_first + queue.child_count - 1)):
        state = sim.queues[k].i
        if state[PERIOD_PS] > 0:
            since_ps = (local_ps - state[OPENS_PS]) % state[PERIOD_PS]
            if since_ps < state[WINDOW_PS]:
                until_ps = now_ps
                again_ps = min(again_ps, true_ps(clock, local_ps - since_ps + state[WINDOW_PS]))
            else:
                opens_ps = true_ps(clock, local_ps - since_ps + state[PERIOD_PS])
                until_ps = min(until_ps, opens_ps)
                again_ps = min(again_ps, opens_ps)
    return until_ps, again_ps


@kernel
def new_head(sim, queue, each, now_ps):
    """A packet has come to the head of a slice's FIFO: find out from when on it may go."""
    state = each.i
    if state[PERIOD_PS] > 0:
        state[ELIGIBLE_PS] = in_window_ps(sim, queue, each, now_ps)
        return
    tokens = refilled(state[TOKENS], now_ps - state[LAST_PS], state[DEPTH], state[SHIFT])
    state[TOKENS] = tokens
    state[LAST_PS] = now_ps
    cost = (sim.packets[each.head].size_bytes + state[OVERHEAD]) * state[BYTE_TIME]
    state[ELIGIBLE_PS] = now_ps if cost <= tokens else now_ps + wait_ps(cost - tokens, state[SHIFT])


@kernel
def enqueue(sim, queue, p, now_ps):
    """Packet `p` waits in the FIFO of its slice, or goes to best effort."""
    packet = sim.packets[p]
    k = find(sim, queue, packet.band) if packet.band > 0 else NONE
    if k == NONE:
        best_effort = sim.queues[queue.child_first + queue.child_count - 1]
        enqueue_below(sim, queue, best_effort, p, now_ps)
        return
    each = sim.queues[k]
    cost = (packet.size_bytes + each.i[OVERHEAD]) * each.i[BYTE_TIME]
    oversize = each.i[PERIOD_PS] > 0 and packet.size_bytes > each.i[LARGEST_BYTES]
    if oversize or cost > each.i[DEPTH] or full(sim, each, p):
        drop(sim, queue.port, p, DROP_TAIL)
        return
    push(sim, each, p)
    queue.packets += 1
    queue.bytes += packet.size_bytes
    if each.packets == 1:
        new_head(sim, queue, each, now_ps)


@kernel
def dequeue(sim, queue, now_ps):
    """The next packet of a slice that conforms, else the next of best effort, or NONE."""
    first = int(queue.child_first)
    last = first + queue.child_count - 1
    if queue.i[PLANNED] > 0:
        return dequeue_beside_windows(sim, queue, now_ps)
    eligible_ps = NEVER
    chosen = first
    for k in range(first, last):
        each = sim.queues[k]
        if each.packets > 0 and each.i[ELIGIBLE_PS] < eligible_ps:
            eligible_ps = each.i[ELIGIBLE_PS]
            chosen = k
    if eligible_ps <= now_ps:
        return take(sim, queue, sim.queues[chosen], now_ps)
    best_effort = sim.queues[last]
    p = dequeue_below(sim, queue, best_effort, now_ps)
    if p == NONE and best_effort.packets > 0:
        eligible_ps = min(eligible_ps, best_effort.next_ps)
    queue.next_ps = eligible_ps
    return p


@kernel
def dequeue_beside_windows(sim, queue, now_ps):
    """The next packet where slices have windows: one in its window, else of another slice, else of best effort, or NONE."""
    first = int(queue.child_first)
    last = first + queue.child_count - 1
    queue.next_ps = NEVER
    eligible_ps = NEVER
    chosen = NONE
    for k in range(first, last):
        each = sim.queues[k]
        if each.packets == 0:
            continue
        if each.i[PERIOD_PS] > 0:
            if each.i[ELIGIBLE_PS] <= now_ps:
                each.i[ELIGIBLE_PS] = in_window_ps(sim, queue, each, now_ps)
                if each.i[ELIGIBLE_PS] <= now_ps:
                    return take(sim, queue, each, now_ps)
            queue.next_ps = min(queue.next_ps, each.i[ELIGIBLE_PS])
        elif each.i[ELIGIBLE_PS] < eligible_ps:
            eligible_ps = each.i[ELIGIBLE_PS]
            chosen = k
    until_ps, again_ps = others_until(sim, queue, now_ps)
    if eligible_ps <= now_ps:
        each = sim.queues[chosen]
        if now_ps + wire_ps(sim.ports[queue.port], sim.packets[each.head].size_bytes) <= until_ps:
            return take(sim, queue, each, now_ps)
        queue.next_ps = min(queue.next_ps, again_ps)
    else:
        queue.next_ps = min(queue.next_ps, eligible_ps)
    best_effort = sim.queues[last]
    if best_effort.packets == 0:
        return NONE
    if now_ps + queue.i[GUARD_PS] > until_ps:
        queue.next_ps = min(queue.next_ps, again_ps)
        return NONE
    p = dequeue_below(sim, queue, best_effort, now_ps)
    if p == NONE and best_effort.packets > 0:
        queue.next_ps = min(queue.next_ps, best_effort.next_ps)
    return p


@kernel
def take(sim, queue, each, now_ps):
    """The head of a slice's FIFO leaves and pays its tokens."""
    state = each.i
    tokens = refilled(state[TOKENS], now_ps - state[LAST_PS], state[DEPTH], state[SHIFT])
    p = pop(sim, each)
    size_bytes = int(sim.packets[p].size_bytes)
    state[TOKENS] = tokens - (size_bytes + state[OVERHEAD]) * state[BYTE_TIME]
    state[LAST_PS] = now_ps
    queue.packets -= 1
    queue.bytes -= size_bytes
    if each.packets > 0:
        new_head(sim, queue, each, now_ps)
    return p


def encode(queue: Any, spec: Shaper, guard_ps: int) -> None:
    """Write how many slices have windows, and what a largest packet lasts."""
    queue.i[PLANNED], queue.i[GUARD_PS] = sum(each.period_ps > 0 for each in spec.slices), guard_ps


def encode_class(record: Any, spec: ShapedSlice) -> None:
    """Write a slice's band, bucket and limit."""
    record.limit_bytes = spec.limit_bytes
    state = record.i
    state[BAND] = spec.band
    state[BYTE_TIME], state[SHIFT], state[DEPTH] = bucket(spec.rate_bps, spec.burst_bytes)
    state[TOKENS] = state[DEPTH]
    state[LAST_PS] = 0
    state[OVERHEAD] = spec.overhead_bytes
    state[PERIOD_PS], state[OPENS_PS], state[WINDOW_PS] = spec.period_ps, spec.opens_ps, spec.window_ps
    state[LARGEST_BYTES] = spec.largest_bytes
