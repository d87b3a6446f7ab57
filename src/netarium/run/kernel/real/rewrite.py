"""The header of what is written next: the first segment's, changed as routers and the cutting of a train change it.

Time to live and checksum (RFC 1624), Ethernet addresses of the last hop, ECN field (RFC 3168), and, for a part of a train,
lengths, sequence number and flags as in Linux' tcp_gso_segment.
"""

from __future__ import annotations

from ..jit import kernel
from ..records import CE, CORRUPTED, NONE
from ..rng import advance, mix64
from .arena import HEADER_AT
from .bytes import fold, get8, get16, put8, put16, put32, put48, words
from .parse import CWR, DATA_VALID, FIN, GSO_ECN, GSO_TCPV4, GSO_TCPV6, NEEDS_CSUM, PSH, TCP, UDP, segments_of
from .system import copy

VNET_AT = HEADER_AT - 10


@kernel
def rewrite(sim, interface, p, last, count, payload_bytes):
    """Write the header of `count` packets from `p` to `last` with `payload_bytes` in all at HEADER_AT, ready to go."""
    packet = sim.packets[p]
    held = sim.slots[packet.ext]
    way = sim.ways[packet.conn]
    copy(sim, HEADER_AT, held.frame, held.head_bytes)
    if interface.ahead == NONE:
        put48(sim, HEADER_AT, interface.mac)
        put48(sim, HEADER_AT + 6, interface.gateway_mac)
    cut = 1 if held.train or count > 1 else 0
    if held.version:
        shape_network(sim, held, packet, way.hops, payload_bytes)
    if cut:
        shape_tcp(sim, held, packet, sim.packets[last])
    checksum(sim, interface, held, packet, cut, payload_bytes)
    if interface.vnet_bytes:
        shape_vnet(sim, interface, held, packet, cut, count)


@kernel
def shape_network(sim, held, packet, hops, payload_bytes):
    """IP: lengths, time to live, ECN field, identification."""
    at = HEADER_AT + held.l3
    if held.version == 4:
        put16(sim, at + 2, held.head_bytes - held.l3 + payload_bytes)
        put16(sim, at + 4, get16(sim, at + 4) + packet.seq)
        put8(sim, at + 8, get8(sim, at + 8) - hops)
        put8(sim, at + 1, (get8(sim, at + 1) & 0xFC) | packet.ecn)
        put16(sim, at + 10, 0)
        put16(sim, at + 10, ~fold(words(sim, at, (get8(sim, at) & 15) * 4)))
    else:
        put16(sim, at + 4, held.head_bytes - held.l3 - 40 + payload_bytes)
        put8(sim, at + 7, get8(sim, at + 7) - hops)
        if packet.ecn == CE:
            put8(sim, at + 1, get8(sim, at + 1) | CE << 4)


@kernel
def shape_tcp(sim, held, packet, last):
    """A part of a train: its first byte's number; FIN and PSH only with the last segment, CWR only with the first."""
    at = HEADER_AT + held.l4
    put32(sim, at + 4, held.tcp_seq + packet.seq * held.segment_bytes)
    flags = held.tcp_flags
    final = sim.slots[last.ext]
    if last.seq + 1 < segments_of(final):
        flags &= ~(FIN | PSH)
    elif last.ext != packet.ext:
        flags |= final.tcp_flags & (FIN | PSH)
    if packet.seq > 0:
        flags &= ~CWR
    put8(sim, at + 13, flags)


@kernel
def checksum(sim, interface, held, packet, cut, payload_bytes):
    """The transport checksum: left to the receiver where it can take it, else computed."""
    if held.l4 == NONE or not (cut or held.partial):
        return
    if not interface.vnet_bytes or packet.flags & CORRUPTED:
        complete(sim, held, packet, payload_bytes)
        return
    total = pseudo(sim, held, held.head_bytes - held.l4 + payload_bytes)
    put16(sim, HEADER_AT + held.l4 + held.check, fold(total))


@kernel
def complete(sim, held, packet, payload_bytes):
    """Compute the transport checksum over everything."""
    at = HEADER_AT + held.l4
    put16(sim, at + held.check, 0)
    total = pseudo(sim, held, held.head_bytes - held.l4 + payload_bytes)
    total += words(sim, at, held.head_bytes - held.l4)
    total += words(sim, held.frame + held.head_bytes + packet.seq * held.segment_bytes, payload_bytes)
    total = fold(total) ^ 0xFFFF
    put16(sim, at + held.check, 0xFFFF if total == 0 and held.protocol == UDP else total)


@kernel
def pseudo(sim, held, transport_bytes):
    """Sum of the pseudo header (RFC 9293 section 3.1, RFC 8200 section 8.1)."""
    at = HEADER_AT + held.l3
    if held.version == 4:
        total = words(sim, at + 12, 8)
    else:
        total = words(sim, at + 8, 32)
    return total + held.protocol + transport_bytes


@kernel
def shape_vnet(sim, interface, held, packet, cut, count):
    """The virtio-net header: what the receiver may take for granted, and how long its segments are."""
    for place in range(VNET_AT, HEADER_AT):
        put8(sim, place, 0)
    if packet.flags & CORRUPTED:
        return
    if held.l4 == NONE or not (cut or held.partial):
        put8(sim, VNET_AT, DATA_VALID if held.protocol == TCP or held.protocol == UDP else 0)
        return
    put8(sim, VNET_AT, NEEDS_CSUM)
    put8(sim, VNET_AT + 6, held.l4)
    put8(sim, VNET_AT + 8, held.check)
    if count > 1 and held.protocol == TCP:
        kind = GSO_TCPV4 if held.version == 4 else GSO_TCPV6
        if get8(sim, HEADER_AT + held.l4 + 13) & CWR:
            kind |= GSO_ECN
        put8(sim, VNET_AT + 1, kind)
        put8(sim, VNET_AT + 2, held.head_bytes)
        put8(sim, VNET_AT + 4, held.segment_bytes)
        put8(sim, VNET_AT + 5, held.segment_bytes >> 8)


@kernel
def flip(sim, p, payload_bytes):
    """Flip one bit of the payload of packet `p`, or of its transport header when it has none, always the same; 1 if it must be
    flipped back after writing, because others share the bytes."""
    packet = sim.packets[p]
    held = sim.slots[packet.ext]
    draw = mix64(advance(packet.hash, packet.sent_ps)) & 0x7FFFFFFFFFFFFFFF
    bit = 1 << (draw & 7)
    if payload_bytes > 0:
        at = held.frame + held.head_bytes + packet.seq * held.segment_bytes + (draw >> 3) % payload_bytes
        put8(sim, at, get8(sim, at) ^ bit)
        return 1
    header_bytes = held.head_bytes - held.l3
    at = HEADER_AT + held.l3 + (draw >> 3) % header_bytes
    put8(sim, at, get8(sim, at) ^ bit)
    return 0
