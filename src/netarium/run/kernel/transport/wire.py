"""Packets of a connection put on the wire: data, acknowledgements, handshake, datagrams."""

from __future__ import annotations

from ..jit import kernel
from ..pool import drop, take
from ..port import enqueue
from ..records import (
    ACK,
    CONTROL,
    CWR,
    DATA,
    DATAGRAM,
    DROP_NO_ROUTE,
    DUPLICATE,
    ECE,
    ECT_0,
    NONE,
    NOT_ECT,
    RETRANSMITTED,
)
from . import ranges
from .features import ECN, SEND_CWR

SACK_BLOCKS_MAX = 3
"""RFC 2018 section 3: three blocks beside a time stamp option."""


@kernel(inline=True)
def emit(sim, p, route, now_ps):
    """Give a packet to the first port of its route."""
    packet = sim.packets[p]
    sim.counters[0].sent += 1
    port = sim.routes[route]
    packet.route = route + 1
    if port < 0:
        drop(sim, 0, p, DROP_NO_ROUTE)
        return
    enqueue(sim, port, p, now_ps)


@kernel
def new_packet(sim, k, kind, seq, size_bytes, now_ps):
    """A packet of connection `k` with the fields common to all kinds."""
    conn = sim.conns[k]
    p = take(sim)
    packet = sim.packets[p]
    packet.kind = kind
    packet.seq = seq
    packet.sent_ps = now_ps
    packet.size_bytes = size_bytes
    packet.conn = k
    packet.flow = conn.flow
    packet.priority = conn.priority
    packet.hash = conn.hash
    packet.ext = NONE
    packet.ecn = NOT_ECT
    packet.flags = 0
    packet.band = 0
    return p


@kernel
def send_data(sim, k, seq, payload_bytes, again, now_ps):
    """Segment `seq` of connection `k`, for the first time or `again`."""
    conn = sim.conns[k]
    p = new_packet(sim, k, DATA, seq, payload_bytes + conn.header_bytes, now_ps)
    packet = sim.packets[p]
    packet.band = conn.band
    flags = RETRANSMITTED if again else 0
    if conn.features & ECN:
        packet.ecn = NOT_ECT if again else ECT_0
        if conn.features & SEND_CWR and not again:
            flags |= CWR
            conn.features &= ~SEND_CWR
    packet.flags = flags
    conn.local_bytes += packet.size_bytes
    conn.sent_packets += 1
    emit(sim, p, conn.route, now_ps)


@kernel
def send_datagram(sim, k, seq, payload_bytes, now_ps):
    """Datagram number `seq` of a UDP flow."""
    conn = sim.conns[k]
    p = new_datagram(sim, k, seq, payload_bytes, now_ps)
    conn.sent_packets += 1
    emit(sim, p, conn.route, now_ps)


@kernel
def new_datagram(sim, k, seq, payload_bytes, now_ps):
    """A packet with datagram number `seq`, not on its way yet."""
    conn = sim.conns[k]
    p = new_packet(sim, k, DATAGRAM, seq, payload_bytes + conn.header_bytes, now_ps)
    sim.packets[p].band = conn.band
    return p


@kernel
def send_control(sim, k, stage, size_bytes, forward, echo_ps, now_ps):
    """A handshake packet: towards the data's receiver when `forward`, else towards its sender."""
    conn = sim.conns[k]
    p = new_packet(sim, k, CONTROL, stage, size_bytes, echo_ps)
    sim.packets[p].band = conn.band if forward else conn.band_back
    emit(sim, p, conn.route if forward else conn.route_back, now_ps)


@kernel
def send_ack(sim, k, echo_ps, newest_range, duplicate, now_ps):
    """Acknowledge all that has arrived in order; newest_range: the out-of-order range to report first, or NONE."""
    conn = sim.conns[k]
    size_bytes = int(conn.ack_bytes)
    p = new_packet(sim, k, ACK, conn.rcv_next, size_bytes, echo_ps)
    packet = sim.packets[p]
    flags = ECE if conn.rcv_ce else 0
    if duplicate:
        flags |= DUPLICATE
    packet.flags = flags
    packet.band = conn.band_back
    if conn.gap_count > 0 and conn.features & 1:
        attach_blocks(sim, conn, packet, newest_range)
    conn.rcv_waiting = 0
    emit(sim, p, conn.route_back, now_ps)


@kernel
def attach_blocks(sim, conn, packet, newest_range):
    """SACK blocks (RFC 2018 section 4): the range of the newest segment first, then the highest others."""
    pool = sim.pool[0]
    slot = pool.ext_free
    blocks = sim.sacks[slot]
    pool.ext_free = blocks.link
    pool.ext_free_count -= 1
    packet.ext = slot
    count = 0
    if newest_range >= 0:
        newest = ranges.at(sim, conn, newest_range)
        blocks.start[0] = newest.start
        blocks.end[0] = newest.end
        count = 1
    position = int(conn.gap_count) - 1
    while position >= 0 and count < SACK_BLOCKS_MAX:
        if position != newest_range:
            other = ranges.at(sim, conn, position)
            blocks.start[count] = other.start
            blocks.end[count] = other.end
            count += 1
        position -= 1
    blocks.count = count
    packet.size_bytes += 4 + 8 * count
