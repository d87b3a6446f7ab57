"""Asynchronous traffic shaping (IEEE 802.1Q-2022 sections 8.6.5.6, 8.6.8.5 and 8.6.11, first IEEE 802.1Qcr).

Each stream has a scheduler, whose state machine gives every packet an eligibility time on arrival (section 8.6.11.3).
Packets that came by the same port form a scheduler group and become eligible in the order of their arrival, so a group
is a FIFO. The packet that is eligible longest goes first.

A packet's eligibility is reckoned twice: on arrival, to know whether it exceeds the largest residence time, and again
when it comes to the head of its group, with the scheduler's state as it was then. So packets need not carry it.

Children: the groups, the node's own first.
"""

from __future__ import annotations

from typing import Any

from ..events import NEVER
from ..jit import kernel
from ..pool import drop
from ..records import DROP_LATE, DROP_OVERSIZE, DROP_TAIL, NONE
from . import streams
from .clock import clock_of, reading_ps, true_ps
from .fifo import pop, push
from .ingress import came_by
from .site import Site
from .streams import filter_of, meter_of
from .tokens import bucket

FILTER_FIRST, FILTER_COUNT, RESIDENCE_PS, HELD = range(4)
"""Slots of `i`. HELD: packets that were let in and not let out; more than `packets` when a failure of the link has
emptied the queue."""
PORT, GROUP_PS, HEAD_GROUP_PS, ELIGIBLE_PS = range(4)
"""Slots of `i` of a group: the port it comes by; GroupEligibilityTime as packets arrive, and as they come to the head;
eligibility of the packet at the head. Times are readings of the node's clock."""
LONG_AGO = -(1 << 60)


@kernel
def group_of(sim, queue, packet):
    """The scheduler group of a packet that is enqueued; the node's own when no other fits."""
    before = came_by(sim, queue, packet)
    first = int(queue.child_first)
    if before != NONE:
        for k in range(first + 1, int(queue.child_first + queue.child_count)):
            if sim.queues[k].i[PORT] == before:
                return k
    return first


@kernel(inline=True)
def eligible_ps(meter, empty_ps, group_ps, arrival_ps, size_bytes):
    """EligibilityTime of a packet (section 8.6.11.3.2), a picosecond at most late."""
    return max(arrival_ps, group_ps, empty_ps + recovery_ps(meter, size_bytes))


@kernel(inline=True)
def recovery_ps(meter, size_bytes):
    """LengthRecoveryDuration: what the committed rate needs for a packet, rounded up."""
    return (size_bytes * meter.byte_time + (1 << meter.shift) - 1) >> meter.shift


@kernel(inline=True)
def emptied_ps(meter, empty_ps, eligible, size_bytes):
    """BucketEmptyTime behind a packet that is eligible at `eligible`."""
    full_ps = empty_ps + (meter.depth >> meter.shift)
    scheduler_ps = empty_ps + recovery_ps(meter, size_bytes)
    return scheduler_ps if eligible < full_ps else scheduler_ps + eligible - full_ps


@kernel
def begin_anew(sim, queue):
    """A failure has emptied the queue: what came to the head since is what arrived."""
    queue.i[HELD] = 0
    for k in range(int(queue.child_first), int(queue.child_first + queue.child_count)):
        sim.queues[k].i[HEAD_GROUP_PS] = sim.queues[k].i[GROUP_PS]
    for f in range(queue.i[FILTER_FIRST], queue.i[FILTER_FIRST] + queue.i[FILTER_COUNT]):
        first = sim.filters[f].meter_first
        for m in range(first, first + sim.filters[f].meter_count):
            sim.meters[m].head_empty_ps = sim.meters[m].empty_ps


@kernel
def new_head(sim, queue, group):
    """A packet has come to the head of its group: find its eligibility again."""
    packet = sim.packets[group.head]
    arrival_ps = reading_ps(clock_of(sim, queue), packet.time_ps)
    f = filter_of(sim, queue.i[FILTER_FIRST], queue.i[FILTER_COUNT], packet)
    if f == NONE:
        group.i[ELIGIBLE_PS] = max(arrival_ps, group.i[HEAD_GROUP_PS])
        return
    meter = sim.meters[meter_of(sim, sim.filters[f], packet)]
    found_ps = eligible_ps(meter, meter.head_empty_ps, group.i[HEAD_GROUP_PS], arrival_ps, packet.size_bytes)
    meter.head_empty_ps = emptied_ps(meter, meter.head_empty_ps, found_ps, packet.size_bytes)
    group.i[HEAD_GROUP_PS] = found_ps
    group.i[ELIGIBLE_PS] = found_ps


@kernel
def enqueue(sim, queue, p, now_ps):
    """Packet `p` gets its eligibility and waits in its group, or is dropped: no room, or too long to wait."""
    if queue.packets == 0 and queue.i[HELD] > 0:
        begin_anew(sim, queue)
    packet = sim.packets[p]
    if queue.packets >= queue.limit_packets:
        drop(sim, queue.port, p, DROP_TAIL)
        return
    group = sim.queues[group_of(sim, queue, packet)]
    f = filter_of(sim, queue.i[FILTER_FIRST], queue.i[FILTER_COUNT], packet)
    if f != NONE:
        meter = sim.meters[meter_of(sim, sim.filters[f], packet)]
        arrival_ps = reading_ps(clock_of(sim, queue), now_ps)
        found_ps = eligible_ps(meter, meter.empty_ps, group.i[GROUP_PS], arrival_ps, packet.size_bytes)
        if packet.size_bytes * meter.byte_time > meter.depth:
            drop(sim, queue.port, p, DROP_OVERSIZE)
            return
        if found_ps - arrival_ps > queue.i[RESIDENCE_PS]:
            drop(sim, queue.port, p, DROP_LATE)
            return
        meter.empty_ps = emptied_ps(meter, meter.empty_ps, found_ps, packet.size_bytes)
        group.i[GROUP_PS] = found_ps
    push(sim, group, p)
    queue.packets += 1
    queue.bytes += packet.size_bytes
    queue.i[HELD] += 1
    if group.packets == 1:
        new_head(sim, queue, group)


@kernel
def dequeue(sim, queue, now_ps):
    """The packet that is eligible longest, or NONE: then `next_ps` says when one will be."""
    if queue.packets == 0:
        return NONE
    clock = clock_of(sim, queue)
    first = int(queue.child_first)
    chosen = first
    earliest_ps = NEVER
    for k in range(first, int(queue.child_first + queue.child_count)):
        group = sim.queues[k]
        if group.packets > 0 and group.i[ELIGIBLE_PS] < earliest_ps:
            earliest_ps = group.i[ELIGIBLE_PS]
            chosen = k
    if earliest_ps > reading_ps(clock, now_ps):
        queue.next_ps = true_ps(clock, earliest_ps)
        return NONE
    group = sim.queues[chosen]
    p = pop(sim, group)
    queue.packets -= 1
    queue.bytes -= sim.packets[p].size_bytes
    queue.i[HELD] -= 1
    if group.packets > 0:
        new_head(sim, queue, group)
    return p


def children(spec: Any, site: Site) -> int:
    """A group for the node itself and one for each neighbour."""
    return 1 + len(site.ingresses)


def _write_meter(meter: Any, entry: Any) -> None:
    rate_bps, burst_bytes = entry.committed_information_rate, entry.committed_burst_size
    meter["byte_time"], meter["shift"], meter["depth"] = bucket(rate_bps, burst_bytes)
    meter["empty_ps"] = meter["head_empty_ps"] = LONG_AGO


def encode(queue: Any, groups: Any, spec: Any, site: Site, table: Any) -> None:
    """Write limits, the streams and their schedulers, and the port of each group."""
    state = queue.i
    lay = streams.lay_out(spec, site, table, lambda row, entry: None, _write_meter)
    state[FILTER_FIRST], state[FILTER_COUNT] = lay
    state[RESIDENCE_PS] = spec.max_residence_time or NEVER
    queue.limit_packets = spec.limit
    for group, port in zip(groups, [NONE, *(each.port for each in site.ingresses)], strict=True):
        group.i[PORT] = port
        group.i[GROUP_PS] = group.i[HEAD_GROUP_PS] = LONG_AGO
