"""Ports that are more than a plain FIFO: other disciplines, traces, impairments, policing, captures, links that are down.

The transmitter is served by events: SENT when a packet has left (or when a discipline asks to be asked again). Then the link's
impairments act on it, and it joins the list of packets in flight, or, where jitter may reorder, gets an event of its own.
"""

from __future__ import annotations

from .events import ARRIVAL, PACKET_ARRIVAL, SENT, push
from .flags import CAPTURED, DOWN, HOST, IMPAIRED, POLICED, SLICED, TRACED
from .impairments import corrupted, duplicated, extra_delay_ps, lost
from .jit import kernel
from .pool import drop, left_host, take
from .queues.dispatch import dequeue as queue_dequeue
from .queues.dispatch import enqueue as queue_enqueue
from .queues.policer import police
from .real.capture import keep_frame
from .records import (
    BYTE_TIME_BITS,
    CORRUPTED,
    DATA,
    DATAGRAM,
    DROP_IMPAIRMENT,
    DROP_LINK_DOWN,
    DROP_POLICER,
    DUPLICATE,
    FRAME,
    NONE,
)
from .traces import transmit_end_ps


@kernel
def enqueue_special(sim, port_index, p, now_ps):
    """Packet `p` arrives at the queue of a special port."""
    port = sim.ports[port_index]
    if port.features & DOWN:
        drop(sim, port_index, p, DROP_LINK_DOWN)
        return
    packet = sim.packets[p]
    if (
        port.features & POLICED
        and packet.band > 0
        and sim.slices[packet.band - 1].port == port_index
        and not police(sim.slices[packet.band - 1], packet.size_bytes, now_ps)
    ):
        drop(sim, port_index, p, DROP_POLICER)
        return
    packet.time_ps = now_ps
    queue = sim.queues[port.queue]
    queue_enqueue(sim, port.queue, p, now_ps)
    if queue.packets > port.queue_packets_max:
        port.queue_packets_max = queue.packets
    if queue.bytes > port.queue_bytes_max:
        port.queue_bytes_max = queue.bytes
    if port.sending == NONE:
        serve(sim, port_index, now_ps)


@kernel
def serve(sim, port_index, now_ps):
    """The transmitter is free: begin the next packet, or arrange to ask again."""
    port = sim.ports[port_index]
    p = queue_dequeue(sim, port.queue, now_ps)
    port.sending = p
    if p == NONE:
        queue = sim.queues[port.queue]
        if queue.packets > 0 and queue.next_ps > now_ps:
            port.busy_ps = queue.next_ps
            push(sim, queue.next_ps, SENT, port_index)
        return
    packet = sim.packets[p]
    wire_bytes = int(packet.size_bytes) + port.overhead_bytes
    port.queue_time_ps += now_ps - packet.time_ps
    if (
        port.features & SLICED
        and packet.band > 0
        and (packet.kind == DATA or packet.kind == DATAGRAM or packet.kind == FRAME)
    ):
        packet.sent_ps = now_ps
    if port.features & TRACED:
        ends_ps = transmit_end_ps(sim, port.trace, now_ps, wire_bytes)
    else:
        ends_ps = now_ps + ((wire_bytes * port.byte_time) >> BYTE_TIME_BITS)
    port.busy_ps = ends_ps
    port.sent_packets += 1
    port.sent_bytes += wire_bytes
    push(sim, ends_ps, SENT, port_index)


@kernel
def sent(sim, port_index, now_ps):
    """A SENT event: a packet has left the transmitter, or it is time to ask the discipline again."""
    port = sim.ports[port_index]
    if now_ps != port.busy_ps or port.features & DOWN:
        return
    p = port.sending
    if p != NONE:
        port.sending = NONE
        launch(sim, port_index, p, now_ps)
    serve(sim, port_index, now_ps)


@kernel
def launch(sim, port_index, p, now_ps):
    """Packet `p` has left the transmitter: capture it, impair it, send it on its way."""
    port = sim.ports[port_index]
    if port.features & HOST:
        left_host(sim, port_index, p)
    if port.features & CAPTURED:
        capture(sim, port_index, p, now_ps)
    if port.features & IMPAIRED == 0:
        fly(sim, port_index, p, now_ps + port.delay_ps)
        return
    impairment = sim.impairments[port.impairment]
    stream = sim.streams[impairment.stream]
    if lost(impairment, stream):
        drop(sim, port_index, p, DROP_IMPAIRMENT)
        return
    if corrupted(impairment, stream):
        sim.packets[p].flags |= CORRUPTED
    if duplicated(impairment, stream) and (sim.packets[p].ext == NONE or sim.packets[p].kind == FRAME):
        twin = duplicate(sim, p)
        fly_impaired(sim, port_index, twin, now_ps)
    fly_impaired(sim, port_index, p, now_ps)


@kernel
def fly_impaired(sim, port_index, p, now_ps):
    """Propagation with jitter: such packets may overtake one another, so each has its own event."""
    port = sim.ports[port_index]
    impairment = sim.impairments[port.impairment]
    if impairment.jittered:
        extra_ps = extra_delay_ps(impairment, sim.streams[impairment.stream], port.delay_ps)
        sim.packets[p].time_ps = now_ps + port.delay_ps + extra_ps
        sim.packets[p].next = port_index
        push(sim, sim.packets[p].time_ps, PACKET_ARRIVAL, p)
    else:
        fly(sim, port_index, p, now_ps + port.delay_ps)


@kernel
def fly(sim, port_index, p, arrives_ps):
    """Join the packets in flight behind the last."""
    port = sim.ports[port_index]
    packet = sim.packets[p]
    packet.time_ps = arrives_ps
    packet.next = NONE
    if port.head == NONE:
        port.head = p
        push(sim, arrives_ps, ARRIVAL, port_index)
    else:
        sim.packets[port.tail].next = p
    port.tail = p


@kernel
def duplicate(sim, p):
    """A copy of packet `p` (netem: the copy is sent just before the original)."""
    twin = take(sim)
    source, copy = sim.packets[p], sim.packets[twin]
    copy.sent_ps = source.sent_ps
    copy.seq = source.seq
    copy.conn = source.conn
    copy.flow = source.flow
    copy.size_bytes = source.size_bytes
    copy.route = source.route
    copy.ext = NONE
    copy.kind = source.kind
    copy.ecn = source.ecn
    copy.priority = source.priority
    copy.flags = (
        source.flags | DUPLICATE if (source.kind == DATA or source.kind == DATAGRAM) else source.flags
    )
    copy.band = source.band
    copy.hash = source.hash
    sim.counters[0].duplicated += 1
    if source.kind == FRAME:
        copy_frame(sim, source, copy)
        return twin
    if source.kind == DATA or source.kind == DATAGRAM:
        sim.services[sim.flows[source.flow].service].sent_packets += 1
    return twin


@kernel
def copy_frame(sim, source, copy):
    """The copy of a real frame shares its bytes."""
    copy.ext = source.ext
    copy.flags = source.flags | DUPLICATE
    sim.slots[source.ext].refs += 1
    if source.flow != NONE:
        sim.services[sim.flows[source.flow].service].sent_packets += 1


@kernel
def capture(sim, port_index, p, now_ps):
    """Note a packet on the wire of a captured port (written as pcapng after the run)."""
    kept = sim.captures[sim.ports[port_index].capture]
    counters = sim.counters[0]
    if kept.count >= kept.limit or now_ps < kept.from_ps or now_ps >= kept.to_ps:
        return
    kept.count += 1
    packet = sim.packets[p]
    entry = sim.captured[counters.captured]
    counters.captured += 1
    entry.time_ps = now_ps
    entry.seq = packet.seq
    entry.sent_ps = packet.sent_ps
    entry.flow = packet.flow
    entry.port = port_index
    entry.size_bytes = packet.size_bytes
    entry.kind = packet.kind
    entry.ecn = packet.ecn
    entry.flags = packet.flags
    entry.blocks = 0
    if packet.kind == FRAME:
        if not keep_frame(sim, packet, entry, kept.snap_bytes):
            counters.captured -= 1
            kept.limit = kept.count
    elif packet.ext != NONE:
        blocks = sim.sacks[packet.ext]
        entry.blocks = blocks.count
        for block in range(blocks.count):
            entry.start[block] = blocks.start[block]
            entry.end[block] = blocks.end[block]
