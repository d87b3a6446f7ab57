"""What may stand at a port without slices, and as best effort at one with slices: any leaf, or a classful
discipline over leaves.
"""

from __future__ import annotations

from ..jit import kernel
from . import cqf, drr, htb, leaf, mqprio, prio, taprio
from .kinds import DRR, HTB, LAST_LEAF, MQPRIO, PRIO, TAPRIO


@kernel
def enqueue(sim, queue, p, now_ps):
    """Give packet `p` to the discipline: it waits or is dropped."""
    kind = queue.kind
    if kind <= LAST_LEAF:
        leaf.enqueue(sim, queue, p, now_ps)
    elif kind == PRIO:
        prio.enqueue(sim, queue, p, now_ps)
    elif kind == DRR:
        drr.enqueue(sim, queue, p, now_ps)
    elif kind == HTB:
        htb.enqueue(sim, queue, p, now_ps)
    elif kind == MQPRIO:
        mqprio.enqueue(sim, queue, p, now_ps)
    elif kind == TAPRIO:
        taprio.enqueue(sim, queue, p, now_ps)
    else:
        cqf.enqueue(sim, queue, p, now_ps)


@kernel
def dequeue(sim, queue, now_ps):
    """The next packet of the discipline, or NONE."""
    kind = queue.kind
    if kind <= LAST_LEAF:
        return leaf.dequeue(sim, queue, now_ps)
    if kind == PRIO:
        return prio.dequeue(sim, queue, now_ps)
    if kind == DRR:
        return drr.dequeue(sim, queue, now_ps)
    if kind == HTB:
        return htb.dequeue(sim, queue, now_ps)
    if kind == MQPRIO:
        return mqprio.dequeue(sim, queue, now_ps)
    if kind == TAPRIO:
        return taprio.dequeue(sim, queue, now_ps)
    return cqf.dequeue(sim, queue, now_ps)


@kernel
def enqueue_below(sim, parent, child, p, now_ps):
    """Give packet `p` to the discipline below `parent`, whose totals follow whatever it does."""
    packets_before = int(child.packets)
    bytes_before = child.bytes
    enqueue(sim, child, p, now_ps)
    parent.packets += child.packets - packets_before
    parent.bytes += child.bytes - bytes_before


@kernel
def dequeue_below(sim, parent, child, now_ps):
    """The next packet of the discipline below `parent`, or NONE; the parent's totals follow."""
    packets_before = int(child.packets)
    bytes_before = child.bytes
    p = dequeue(sim, child, now_ps)
    parent.packets += child.packets - packets_before
    parent.bytes += child.bytes - bytes_before
    return p
