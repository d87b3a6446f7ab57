"""Asynchronous traffic shaping (IEEE 802.1Q-2022 sections 8.6.5.6, 8.6.8.5 and 8.6.11, first IEEE 802.1Qcr).

Each stream has a scheduler, whose state machine gives every packet an eligibility time on arrival (section 8.6.11.3).
Packets that came by the same port form a scheduler group and become eligible in the order of their arrival, so a group
is a FIFO. The packet that is eligible longest goes first.

A packet's eligibility stands in its `time_ps`, in true time. The wait until then is counted as waiting at the port at
once, so the sum over all packets that leave is right.

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

FILTER_FIRST, FILTER_COUNT, RESIDENCE_PS = range(3)
"""Slots of `i`."""
PORT, GROUP_PS = range(2)
"""Slots of `i` of a group: the port it comes by; GroupEligibilityTime, a reading of the node's clock."""
LONG_AGO = -(1 << 60)
DISCARD = -(1 << 61)
"""At or below this: no eligibility but a reason of dropping, DISCARD - reason."""


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
def assign(sim, queue, group, packet, arrival_ps):
    """EligibilityTime of a packet on the node's clock, and the scheduler's new state; or -reason: it is discarded."""
    f = filter_of(sim, queue.i[FILTER_FIRST], queue.i[FILTER_COUNT], packet)
    if f == NONE:
        return max(arrival_ps, group.i[GROUP_PS])
    meter = sim.meters[meter_of(sim, sim.filters[f], packet)]
    if packet.size_bytes * meter.byte_time > meter.depth:
        return DISCARD - DROP_OVERSIZE
    found_ps = eligible_ps(meter, meter.empty_ps, group.i[GROUP_PS], arrival_ps, packet.size_bytes)
    if found_ps - arrival_ps > queue.i[RESIDENCE_PS]:
        return DISCARD - DROP_LATE
    meter.empty_ps = emptied_ps(meter, meter.empty_ps, found_ps, packet.size_bytes)
    group.i[GROUP_PS] = found_ps
    return found_ps


@kernel
def enqueue(sim, queue, p, now_ps):
    """Packet `p` gets its eligibility and waits in its group, or is dropped: no room, or too long to wait."""
    packet = sim.packets[p]
    if queue.packets >= queue.limit_packets:
        drop(sim, queue.port, p, DROP_TAIL)
        return
    clock = clock_of(sim, queue)
    group = sim.queues[group_of(sim, queue, packet)]
    found_ps = assign(sim, queue, group, packet, reading_ps(clock, now_ps))
    if found_ps <= DISCARD:
        drop(sim, queue.port, p, DISCARD - found_ps)
        return
    packet.time_ps = max(now_ps, true_ps(clock, found_ps))
    sim.ports[queue.port].queue_time_ps += packet.time_ps - now_ps
    push(sim, group, p)
    queue.packets += 1
    queue.bytes += packet.size_bytes


@kernel
def dequeue(sim, queue, now_ps):
    """The packet that is eligible longest, or NONE: then `next_ps` says when one will be."""
    if queue.packets == 0:
        return NONE
    first = int(queue.child_first)
    chosen = first
    earliest_ps = NEVER
    for k in range(first, int(queue.child_first + queue.child_count)):
        group = sim.queues[k]
        if group.packets > 0 and sim.packets[group.head].time_ps < earliest_ps:
            earliest_ps = sim.packets[group.head].time_ps
            chosen = k
    if earliest_ps > now_ps:
        queue.next_ps = earliest_ps
        return NONE
    p = pop(sim, sim.queues[chosen])
    queue.packets -= 1
    queue.bytes -= sim.packets[p].size_bytes
    return p


def children(spec: Any, site: Site) -> int:
    """A group for the node itself and one for each neighbour."""
    return 1 + len(site.ingresses)


def _write_meter(meter: Any, entry: Any) -> None:
    rate_bps, burst_bytes = entry.committed_information_rate, entry.committed_burst_size
    meter["byte_time"], meter["shift"], meter["depth"] = bucket(rate_bps, burst_bytes)
    meter["empty_ps"] = LONG_AGO


def encode(queue: Any, groups: Any, spec: Any, site: Site, table: Any) -> None:
    """Write limits, the streams and their schedulers, and the port of each group."""
    state = queue.i
    lay = streams.lay_out(spec, site, table, lambda row, entry: None, _write_meter)
    state[FILTER_FIRST], state[FILTER_COUNT] = lay
    state[RESIDENCE_PS] = spec.max_residence_time or NEVER
    queue.limit_packets = spec.limit
    for group, port in zip(groups, [NONE, *(each.port for each in site.ingresses)], strict=True):
        group.i[PORT] = port
        group.i[GROUP_PS] = LONG_AGO
