"""Strict priority between traffic classes (IEEE 802.1Q-2022 section 8.6.8.1): the highest that has a packet sends.

Each class has a leaf of its own. One that holds its packets back (tbf, cbs, ats) lets lower classes go first.
"""

from __future__ import annotations

from ..events import NEVER
from ..jit import kernel
from ..records import NONE
from .leaf import dequeue_child, enqueue_child
from .traffic_classes import class_of


@kernel
def enqueue(sim, queue, p, now_ps):
    """Packet `p` goes to the class of its priority."""
    k = class_of(queue, int(sim.packets[p].priority))
    enqueue_child(sim, queue, sim.queues[queue.child_first + k], p, now_ps)


@kernel
def dequeue(sim, queue, now_ps):
    """The next packet of the highest class that has one to send, or NONE."""
    queue.next_ps = NEVER
    first = int(queue.child_first)
    for step in range(1, queue.child_count + 1):
        child = sim.queues[first + queue.child_count - step]
        if child.packets == 0:
            continue
        p = dequeue_child(sim, queue, child, now_ps)
        if p != NONE:
            return p
        if child.packets > 0:
            queue.next_ps = min(queue.next_ps, child.next_ps)
    return NONE
