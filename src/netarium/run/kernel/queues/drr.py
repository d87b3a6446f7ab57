"""Deficit round robin (Shreedhar and Varghese, "Efficient Fair Queueing using Deficit Round Robin", SIGCOMM
1995 and IEEE/ACM ToN 1996; tc-drr(8); Linux: sch_drr.c).

A class that becomes busy joins the end of the round with one quantum; when its turn comes it sends while
its deficit covers the packet at its head, else it gets a quantum more and goes to the end. A class that
falls empty loses its deficit.

The record of a class holds its leaf as its child, and the one packet whose size the round must know before
it sends it (Linux: qdisc_peek_dequeued). So a leaf that drops or marks at dequeue (codel) judges that
packet when it comes to the head. Deviations: bytes are those of IP packets; a child that holds its packets
back (tbf) loses its turn instead of stopping the round.
"""

from __future__ import annotations

from typing import Any

from ..events import NEVER
from ..jit import kernel
from ..records import NONE
from . import priorities
from .leaf import dequeue_child, enqueue_child
from .priorities import class_of

FIRST, LAST = 0, 1
"""Slots of `i` of the discipline: the round, as indices among its classes; behind them,
priorities.CLASS_OF."""
QUANTUM_BYTES, DEFICIT_BYTES, NEXT_CLASS, LISTED = range(4)
"""Slots of `i` of a class. Its `head` is the packet that was taken out of the leaf and not sent yet."""


@kernel
def append(sim, queue, k):
    """Class `k` goes to the end of the round."""
    sim.queues[queue.child_first + k].i[NEXT_CLASS] = NONE
    if queue.i[FIRST] == NONE:
        queue.i[FIRST] = k
    else:
        sim.queues[queue.child_first + queue.i[LAST]].i[NEXT_CLASS] = k
    queue.i[LAST] = k


@kernel
def enqueue(sim, queue, p, now_ps):
    """Packet `p` goes to the class of its priority."""
    k = class_of(queue, int(sim.packets[p].priority))
    each = sim.queues[queue.child_first + k]
    packets_before = int(each.packets)
    bytes_before = each.bytes
    enqueue_child(sim, each, sim.queues[each.child_first], p, now_ps)
    queue.packets += each.packets - packets_before
    queue.bytes += each.bytes - bytes_before
    if each.packets > 0 and each.i[LISTED] == 0:
        each.i[LISTED] = 1
        each.i[DEFICIT_BYTES] = each.i[QUANTUM_BYTES]
        append(sim, queue, k)


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
def dequeue(sim, queue, now_ps):
    """The next packet, or NONE."""
    queue.next_ps = NEVER
    first_held = NONE
    while queue.i[FIRST] != NONE and queue.i[FIRST] != first_held:
        k = queue.i[FIRST]
        each = sim.queues[queue.child_first + k]
        p = peek(sim, queue, each, now_ps)
        if p != NONE:
            if sim.packets[p].size_bytes <= each.i[DEFICIT_BYTES]:
                send(sim, queue, each, p)
                return p
            each.i[DEFICIT_BYTES] += each.i[QUANTUM_BYTES]
            first_held = NONE
        queue.i[FIRST] = each.i[NEXT_CLASS]
        if each.packets == 0:
            each.i[LISTED] = 0
            continue
        append(sim, queue, k)
        if p == NONE:
            queue.next_ps = min(queue.next_ps, sim.queues[each.child_first].next_ps)
            if first_held == NONE:
                first_held = k
    return NONE


@kernel
def send(sim, queue, each, p):
    """Packet `p`, the head of the class whose turn it is, leaves."""
    size_bytes = int(sim.packets[p].size_bytes)
    each.head = NONE
    each.i[DEFICIT_BYTES] -= size_bytes
    each.packets -= 1
    each.bytes -= size_bytes
    queue.packets -= 1
    queue.bytes -= size_bytes
    if each.packets == 0:
        each.i[LISTED] = 0
        queue.i[FIRST] = each.i[NEXT_CLASS]


def encode(queue: Any, spec: Any) -> None:
    """Write an empty round and the classes of the priorities."""
    queue.i[FIRST] = queue.i[LAST] = NONE
    priorities.encode(queue, spec)


def encode_class(record: Any, spec: Any, mtu_bytes: int) -> None:
    """Write the quantum: as stated, or weight x MTU (at least one byte)."""
    quantum = spec.quantum if spec.quantum is not None else round(spec.weight * mtu_bytes)
    record.i[QUANTUM_BYTES] = max(1, quantum)
