"""The way into queue disciplines: enqueue, dequeue, and drain when a link is cut.

Before enqueue the port sets packet.time_ps to the instant. A packet that is refused or dropped goes to
pool.drop with its reason. When dequeue gives NONE though packets wait, queue.next_ps (later than now) says
when to ask again. The totals `packets` and `bytes` of a root are at every moment those of all packets held
below it.
"""

from __future__ import annotations

from ..jit import kernel
from ..records import NONE
from . import classful, psfp, shaper, strict
from .kinds import LAST_CLASSFUL, PSFP, STRICT, USER


@kernel
def enqueue(sim, q, p, now_ps):
    """Packet `p` arrives at root queue `q`."""
    queue = sim.queues[q]
    if queue.kind != PSFP:
        enqueue_unfiltered(sim, queue, p, now_ps)
    elif psfp.passes(sim, queue, p, now_ps):
        child = sim.queues[queue.child_first]
        enqueue_unfiltered(sim, child, p, now_ps)
        queue.packets = child.packets
        queue.bytes = child.bytes


@kernel
def dequeue(sim, q, now_ps):
    """The transmitter of root queue `q` is free: the next packet, or NONE."""
    queue = sim.queues[q]
    if queue.kind != PSFP:
        return dequeue_unfiltered(sim, queue, now_ps)
    child = sim.queues[queue.child_first]
    p = dequeue_unfiltered(sim, child, now_ps)
    queue.packets = child.packets
    queue.bytes = child.bytes
    queue.next_ps = child.next_ps
    return p


@kernel
def enqueue_unfiltered(sim, queue, p, now_ps):
    """Packet `p` has passed what filters there are."""
    kind = queue.kind
    if kind <= LAST_CLASSFUL:
        classful.enqueue(sim, queue, p, now_ps)
    elif kind == STRICT:
        strict.enqueue(sim, queue, p, now_ps)
    else:
        shaper.enqueue(sim, queue, p, now_ps)


@kernel
def dequeue_unfiltered(sim, queue, now_ps):
    """The next packet of the discipline behind the filters, or NONE."""
    kind = queue.kind
    if kind <= LAST_CLASSFUL:
        return classful.dequeue(sim, queue, now_ps)
    if kind == STRICT:
        return strict.dequeue(sim, queue, now_ps)
    return shaper.dequeue(sim, queue, now_ps)


@kernel
def below(sim, k):
    """The first child of queue `k` that holds packets (it must have one)."""
    child = int(sim.queues[k].child_first)
    while sim.queues[child].packets == 0:
        child += 1
    return child


@kernel
def drain(sim, q):
    """Some packet held at or below root queue `q`, taken out against all rules, or NONE: to empty it when
    its link is cut."""
    if sim.queues[q].packets == 0:
        return NONE
    k = q
    while sim.queues[k].head == NONE:
        k = below(sim, k)
    p = int(sim.queues[k].head)
    packet = sim.packets[p]
    node = q
    while True:
        queue = sim.queues[node]
        queue.packets -= 1
        queue.bytes -= packet.size_bytes
        if node == k:
            break
        node = below(sim, node)
        if queue.kind == USER:
            queue.i[node - queue.child_first] -= 1
    queue.head = packet.next
    return p
