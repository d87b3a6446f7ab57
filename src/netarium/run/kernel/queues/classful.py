"""What may stand at a port without slices, and as best effort at one with slices: any leaf, or a classful
discipline over leaves.
"""

from __future__ import annotations

from ..jit import kernel
from . import drr, htb, leaf, prio
from .kinds import DRR, LAST_LEAF, PRIO


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
    else:
        htb.enqueue(sim, queue, p, now_ps)


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
    return htb.dequeue(sim, queue, now_ps)


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
