"""Time-aware gates (IEEE 802.1Q-2022 section 8.6.8.4, first IEEE 802.1Qbv; tc-taprio(8)).

Each traffic class sends only while its gate is open, and begins a packet only if that ends before the gate closes. Of
the classes that may begin, the highest sends. The record of a class holds the packet whose size it must know before
it sends it, taken out of its leaf, as drr's does.

Deviations: the cycle repeats before the base time too; on a port whose rate changes the end of a packet is reckoned
at the rate of the link.
"""

from __future__ import annotations

from typing import Any

from netarium.errors import Mistake
from netarium.units import format_size, format_time

from ..events import NEVER
from ..jit import kernel
from ..pool import drop
from ..records import DROP_OVERSIZE, NONE
from . import traffic_classes
from .clock import clock_of, reading_ps, true_ps
from .gates import entry_at, rows, windows
from .leaf import dequeue_child, enqueue_child
from .traffic_classes import class_of
from .wire import wire_ps

GATE_FIRST, GATE_COUNT, CYCLE_PS, BASE_PS = range(1, 5)
"""Slots of `i`, behind traffic_classes.CLASS_OF: its gate control list, and when a cycle begins."""
MAX_SDU_BYTES, ALWAYS_OPEN = 0, 1
"""Slots of `i` of a class. Its `head` is the packet taken out of the leaf and not sent yet."""


@kernel
def enqueue(sim, queue, p, now_ps):
    """Packet `p` goes to the class of its priority, unless it is larger than the class may send."""
    size_bytes = sim.packets[p].size_bytes
    each = sim.queues[queue.child_first + class_of(queue, int(sim.packets[p].priority))]
    if size_bytes > each.i[MAX_SDU_BYTES]:
        drop(sim, queue.port, p, DROP_OVERSIZE)
        return
    packets_before = int(each.packets)
    bytes_before = each.bytes
    enqueue_child(sim, each, sim.queues[each.child_first], p, now_ps)
    queue.packets += each.packets - packets_before
    queue.bytes += each.bytes - bytes_before


@kernel
def peek(sim, queue, each, now_ps):
    """The packet at the head of a class, taken out of its leaf and kept, or NONE."""
    if each.head == NONE:
        leaf = sim.queues[each.child_first]
        packets_before = int(leaf.packets)
        bytes_before = leaf.bytes
        p = dequeue_child(sim, each, leaf, now_ps)
        if p != NONE:
            sim.packets[p].next = NONE
            each.head = p
            each.packets += 1
            each.bytes += sim.packets[p].size_bytes
            packets_before -= 1
            bytes_before -= sim.packets[p].size_bytes
        queue.packets += leaf.packets - packets_before
        queue.bytes += leaf.bytes - bytes_before
    return int(each.head)


@kernel
def begin_ps(sim, queue, k, sending_ps, now_ps):
    """The first instant from `now_ps` on at which class `k` may begin what takes `sending_ps`, or NEVER."""
    clock = clock_of(sim, queue)
    state = queue.i
    first = state[GATE_FIRST]
    count = state[GATE_COUNT]
    local_ps = reading_ps(clock, now_ps)
    cycle_begin_ps = local_ps - (local_ps - state[BASE_PS]) % state[CYCLE_PS]
    entry = entry_at(sim, first, count, local_ps - cycle_begin_ps)
    opens_ps = NEVER
    at_ps = local_ps
    for _ in range(3 * count + 1):
        ends_ps = cycle_begin_ps + sim.gates[first + entry].end_ps
        if (sim.gates[first + entry].open >> k) & 1:
            if opens_ps == NEVER:
                opens_ps = now_ps if at_ps == local_ps else true_ps(clock, at_ps)
            if opens_ps + sending_ps <= true_ps(clock, ends_ps):
                return opens_ps
        else:
            opens_ps = NEVER
        at_ps = ends_ps
        entry += 1
        if entry == count:
            entry = 0
            cycle_begin_ps += state[CYCLE_PS]
    return NEVER


@kernel
def dequeue(sim, queue, now_ps):
    """The next packet of the highest class that may begin it now, or NONE."""
    queue.next_ps = NEVER
    last = queue.child_count - 1
    for step in range(queue.child_count):
        k = last - step
        each = sim.queues[queue.child_first + k]
        if each.packets == 0:
            continue
        p = peek(sim, queue, each, now_ps)
        if p == NONE:
            if each.packets > 0:
                queue.next_ps = min(queue.next_ps, sim.queues[each.child_first].next_ps)
            continue
        sending_ps = wire_ps(sim.ports[queue.port], sim.packets[p].size_bytes)
        may_ps = now_ps if each.i[ALWAYS_OPEN] else begin_ps(sim, queue, k, sending_ps, now_ps)
        if may_ps <= now_ps:
            each.head = NONE
            each.packets -= 1
            each.bytes -= sim.packets[p].size_bytes
            queue.packets -= 1
            queue.bytes -= sim.packets[p].size_bytes
            return p
        queue.next_ps = min(queue.next_ps, may_ps)
    return NONE


def entries_of(spec: Any) -> list[tuple[int, int, int]]:
    """(interval_ps, open mask, no limit of bytes) of each entry."""
    return [(entry.interval, entry.gates, NONE) for entry in spec.sched_entries]


def encode(queue: Any, spec: Any, gates: list[Any]) -> None:
    """Write classes and the gate control list, which is added to the run's `gates`."""
    traffic_classes.encode(queue, spec)
    state = queue.i
    state[GATE_FIRST], state[GATE_COUNT] = len(gates), len(spec.sched_entries)
    state[CYCLE_PS], state[BASE_PS] = spec.cycle_ps, spec.base_time
    gates.extend(rows(entries_of(spec), spec.cycle_ps))


def encode_class(record: Any, spec: Any, k: int, mtu_bytes: int, longest_ps: Any) -> None:
    """Write the largest packet of class `k`. longest_ps: largest reading that a packet of so many bytes lasts.

    Raises Mistake when no window of the class holds its largest packet, and some priority is mapped to it.
    """
    most_bytes = min(spec.max_sdu.get(k, mtu_bytes), mtu_bytes)
    record.i[MAX_SDU_BYTES] = most_bytes
    found = windows(entries_of(spec), spec.cycle_ps, k)
    record.i[ALWAYS_OPEN] = found == [-1]
    needed_ps = longest_ps(most_bytes)
    if k in spec.class_of and found != [-1] and max(found, default=0) < needed_ps:
        told = f"windows of at most {format_time(max(found))}" if found else "no window"
        raise Mistake(
            f"class {k} with {told}",
            f"a window of {format_time(needed_ps)}, which its largest packet of {format_size(most_bytes)} needs",
            "lengthen a window, limit the class by max_sdu, or map no priority to it",
            at=("sched_entries",),
        )
