"""A port: queue, transmitter and propagation of one direction of a link.

Two kinds. A *plain* port (pfifo or bfifo, fixed rate, nothing else) knows at enqueue when a packet will have left, so waiting
packets and packets in flight form one list, and the port holds one entry in the event queue: the arrival of the list's head.
How many packets wait is counted from above, and settled only when the answer matters (a full queue, a new maximum).
A *special* port (any other discipline, a rate that follows a trace, impairments, a capture, a link that is down) is served by
`special.py` at the price of one more event a packet.
"""

from __future__ import annotations

from .events import ARRIVAL, push
from .instructions import prefetch
from .jit import kernel
from .pool import drop
from .records import BYTE_TIME_BITS, DROP_TAIL, NONE
from .special import enqueue_special


@kernel(inline=True)
def transmission_ps(port, size_bytes):
    """How long an IP packet of `size_bytes` occupies the wire of `port`, overhead included, rounded up to byte_time."""
    return ((size_bytes + port.overhead_bytes) * port.byte_time) >> BYTE_TIME_BITS


@kernel
def settle(sim, port, now_ps):
    """Plain port: move `waiting` past the packets whose transmission has begun by `now_ps`."""
    waiting = port.waiting
    while waiting != NONE:
        packet = sim.packets[waiting]
        begins_ps = packet.time_ps - port.delay_ps - transmission_ps(port, packet.size_bytes)
        if begins_ps > now_ps:
            break
        port.waiting_packets -= 1
        port.waiting_bytes -= packet.size_bytes
        waiting = packet.next
    port.waiting = waiting


@kernel(inline=True)
def settle_one(sim, port, now_ps):
    """Plain port: as `settle`, for one packet at most. Done at every enqueue that has to wait, it leaves `settle` little to
    do, and each packet is asked for long before it is looked at."""
    waiting = port.waiting
    if waiting != NONE:
        packet = sim.packets[waiting]
        size_bytes = packet.size_bytes
        if packet.time_ps - port.delay_ps - transmission_ps(port, size_bytes) <= now_ps:
            port.waiting_packets -= 1
            port.waiting_bytes -= size_bytes
            waiting = packet.next
            port.waiting = waiting
            prefetch(sim.packets[waiting], 0)


@kernel
def full(sim, port, size_bytes, now_ps):
    """Plain port: whether one more packet would exceed the queue's limit (exact)."""
    settle(sim, port, now_ps)
    return port.waiting_packets >= port.limit_packets or port.waiting_bytes + size_bytes > port.limit_bytes


@kernel
def new_maximum(sim, port, size_bytes, backlog_ps, now_ps):
    """Plain port: the backlog was never so long; note how much waits."""
    port.backlog_ps_max = backlog_ps
    settle(sim, port, now_ps)
    port.queue_packets_max = max(port.queue_packets_max, port.waiting_packets + 1)
    port.queue_bytes_max = max(port.queue_bytes_max, port.waiting_bytes + size_bytes)


@kernel
def enqueue(sim, port_index, p, now_ps):
    """Packet `p` arrives at a port's queue."""
    port = sim.ports[port_index]
    if port.features != 0:
        enqueue_special(sim, port_index, p, now_ps)
        return
    packet = sim.packets[p]
    size_bytes = packet.size_bytes
    begins_ps = port.busy_ps
    if begins_ps > now_ps:
        settle_one(sim, port, now_ps)
        if (
            port.waiting_packets >= port.limit_packets or port.waiting_bytes + size_bytes > port.limit_bytes
        ) and full(sim, port, size_bytes, now_ps):
            drop(sim, port_index, p, DROP_TAIL)
            return
        backlog_ps = begins_ps - now_ps
        port.queue_time_ps += backlog_ps
        if backlog_ps > port.backlog_ps_max:
            new_maximum(sim, port, size_bytes, backlog_ps, now_ps)
    else:
        begins_ps = now_ps
    ends_ps = begins_ps + transmission_ps(port, size_bytes)
    arrives_ps = ends_ps + port.delay_ps
    port.busy_ps = ends_ps
    port.sent_packets += 1
    port.sent_bytes += size_bytes + port.overhead_bytes
    port.waiting_packets += 1
    port.waiting_bytes += size_bytes
    packet.time_ps = arrives_ps
    packet.next = NONE
    if port.waiting == NONE:
        port.waiting = p
    if port.head == NONE:
        port.head = p
        push(sim, arrives_ps, ARRIVAL, port_index)
    else:
        sim.packets[port.tail].next = p
    port.tail = p


@kernel(inline=True)
def pop_arrived(sim, port_index):
    """The packet at the head of a port's list has reached the far end: take it off and schedule the next."""
    port = sim.ports[port_index]
    p = port.head
    packet = sim.packets[p]
    following = packet.next
    port.head = following
    if port.waiting == p:
        port.waiting = following
        port.waiting_packets -= 1
        port.waiting_bytes -= packet.size_bytes
    if following != NONE:
        coming = sim.packets[following]
        prefetch(sim.packets[coming.next], 0)
        push(sim, coming.time_ps, ARRIVAL, port_index)
    return p
