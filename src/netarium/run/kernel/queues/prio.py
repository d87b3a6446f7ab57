"""Strict priority between bands (tc-prio(8); Linux: sch_prio.c): a band is served only while all before it
have nothing to send.

The band follows from the packet's priority by `priomap`; each band has its own child. A child that holds
its packets back (tbf) lets later bands go first, as in Linux.
"""

from __future__ import annotations

from typing import Any

from ..events import NEVER
from ..jit import kernel
from ..records import NONE
from .leaf import dequeue_child, enqueue_child

PRIORITY_MASK = 15
"""TC_PRIO_MAX. The slots of `i` are the priomap."""


@kernel
def enqueue(sim, queue, p, now_ps):
    """Packet `p` goes to the band of its priority."""
    band = queue.i[sim.packets[p].priority & PRIORITY_MASK]
    enqueue_child(sim, queue, sim.queues[queue.child_first + band], p, now_ps)


@kernel
def dequeue(sim, queue, now_ps):
    """The next packet of the first band that has one to send, or NONE."""
    queue.next_ps = NEVER
    for band in range(queue.child_count):
        child = sim.queues[queue.child_first + band]
        if child.packets == 0:
            continue
        p = dequeue_child(sim, queue, child, now_ps)
        if p != NONE:
            return p
        if child.packets > 0:
            queue.next_ps = min(queue.next_ps, child.next_ps)
    return NONE


def encode(queue: Any, spec: Any) -> None:
    """Write the priomap."""
    queue.i[:] = spec.priomap
