"""Leaves: the disciplines that hold packets, behind one enqueue and one dequeue."""

from __future__ import annotations

from ..jit import kernel
from . import ats, cbs, codel, fifo, fq_codel, pie, red, tbf, user
from .kinds import ATS, BFIFO, CBS, CODEL, FQ_CODEL, PIE, RED, TBF


@kernel
def enqueue(sim, queue, p, now_ps):
    """Give packet `p` to a leaf: it waits or is dropped."""
    kind = queue.kind
    if kind <= BFIFO or kind == CODEL:
        fifo.enqueue(sim, queue, p)
    elif kind == TBF:
        tbf.enqueue(sim, queue, p)
    elif kind == RED:
        red.enqueue(sim, queue, p, now_ps)
    elif kind == FQ_CODEL:
        fq_codel.enqueue(sim, queue, p)
    elif kind == PIE:
        pie.enqueue(sim, queue, p, now_ps)
    elif kind == CBS:
        cbs.enqueue(sim, queue, p, now_ps)
    elif kind == ATS:
        ats.enqueue(sim, queue, p, now_ps)
    else:
        user.enqueue(sim, queue, p, now_ps)


@kernel
def dequeue(sim, queue, now_ps):
    """The next packet of a leaf, or NONE."""
    kind = queue.kind
    if kind <= BFIFO:
        return fifo.pop(sim, queue)
    if kind == CODEL:
        return codel.dequeue(sim, queue, 0, now_ps)
    if kind == TBF:
        return tbf.dequeue(sim, queue, now_ps)
    if kind == RED:
        return red.dequeue(sim, queue, now_ps)
    if kind == FQ_CODEL:
        return fq_codel.dequeue(sim, queue, now_ps)
    if kind == PIE:
        return pie.dequeue(sim, queue, now_ps)
    if kind == CBS:
        return cbs.dequeue(sim, queue, now_ps)
    if kind == ATS:
        return ats.dequeue(sim, queue, now_ps)
    return user.dequeue(sim, queue, now_ps)


@kernel
def enqueue_child(sim, parent, child, p, now_ps):
    """Give packet `p` to a leaf below `parent`, whose totals follow whatever the leaf does."""
    packets_before = int(child.packets)
    bytes_before = child.bytes
    enqueue(sim, child, p, now_ps)
    parent.packets += child.packets - packets_before
    parent.bytes += child.bytes - bytes_before


@kernel
def dequeue_child(sim, parent, child, now_ps):
    """The next packet of a leaf below `parent`, or NONE; the parent's totals follow."""
    packets_before = int(child.packets)
    bytes_before = child.bytes
    p = dequeue(sim, child, now_ps)
    parent.packets += child.packets - packets_before
    parent.bytes += child.bytes - bytes_before
    return p
