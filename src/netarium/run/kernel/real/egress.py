"""Frames out of the network: what has arrived is written to its interface, segments in a row as one train.

Segments are put together as a network card does it (Linux: tcp_gro_receive): one connection, one after the other, the same
header but for length and number, the same ECN mark. Only what has already arrived is put together, so it makes no segment
later than the turn of the engine that found it due.
"""

from __future__ import annotations

from ..jit import kernel
from ..observe import bin_of, observe_latency
from ..pool import drop, release
from ..records import CORRUPTED, DROP_LINK_DOWN, DUPLICATE, NONE
from .arena import HEADER_AT
from .bytes import get8, get32
from .parse import CWR, FIN, PSH, RST, SYN, TCP, URG, payload_of, segments_of
from .records import BACKWARD, LATE_FRAMES, LATE_WINDOW, OTHER
from .rewrite import flip, rewrite
from .system import clock_ns, write_frame

PACKET_BYTES_MAX = 65_535
"""Longest IP packet, and so longest train."""
PIECES_MAX = 60
"""Most places that a train is written from: one for the header, one for each slot."""
NS_PS = 1000


@kernel
def write_all(sim):
    """Write what has arrived at all interfaces."""
    real = sim.real[0]
    real.written_ps = (clock_ns(sim) - real.start_ns) * NS_PS
    while real.dirty != NONE:
        i = real.dirty
        real.dirty = int(sim.interfaces[i].out_next)
        p = int(sim.interfaces[i].out_head)
        sim.interfaces[i].out_head = NONE
        while p != NONE:
            p = write_next(sim, i, p)


@kernel
def write_next(sim, i, p):
    """Write packet `p` with those behind it that make one train with it; returns the packet after them."""
    interface = sim.interfaces[i]
    last, count, pieces, payload_bytes = gather(sim, interface, p)
    rewrite(sim, interface, p, last, count, payload_bytes)
    spoilt = 0
    if sim.packets[p].flags & CORRUPTED:
        spoilt = flip(sim, p, payload_bytes)
        sim.real[0].corrupted += 1
    put = write_frame(sim, interface.fd, pieces) if interface.fd != NONE else -1
    interface.write_calls += 1
    if spoilt:
        flip(sim, p, payload_bytes)
    real = sim.real[0]
    written_ps = (clock_ns(sim) - real.start_ns) * NS_PS
    real.call_ns_max = max(real.call_ns_max, (written_ps - real.written_ps) // NS_PS)
    real.written_ps = written_ps
    after = int(sim.packets[last].next)
    while p != after:
        following = int(sim.packets[p].next)
        if put < 0:
            interface.refused_frames += 1
            drop(sim, interface.port_in, p, DROP_LINK_DOWN)
        else:
            written(sim, interface, p, written_ps)
        p = following
    return after


@kernel
def gather(sim, interface, p):
    """The packets from `p` on that can be written as one: (last, count, pieces, payload); pieces go to iovec."""
    packet = sim.packets[p]
    held = sim.slots[packet.ext]
    payload_bytes = payload_of(held, packet.seq)
    sim.iovec[0] = HEADER_AT - interface.vnet_bytes
    sim.iovec[1] = interface.vnet_bytes + held.head_bytes
    sim.iovec[2] = held.frame + held.head_bytes + packet.seq * held.segment_bytes
    sim.iovec[3] = payload_bytes
    last, count, pieces = p, 1, 2 if payload_bytes > 0 else 1
    segment_bytes = payload_bytes
    following = int(packet.next)
    room_bytes = PACKET_BYTES_MAX - (held.head_bytes - held.l3)
    while following != NONE and interface.vnet_bytes:
        if not follows(sim, last, following, segment_bytes):
            break
        own = sim.packets[following]
        theirs = sim.slots[own.ext]
        more = payload_of(theirs, own.seq)
        if payload_bytes + more > room_bytes:
            break
        if own.ext == sim.packets[last].ext:
            sim.iovec[2 * pieces - 1] += more
        elif pieces == PIECES_MAX:
            break
        else:
            sim.iovec[2 * pieces] = theirs.frame + theirs.head_bytes + own.seq * theirs.segment_bytes
            sim.iovec[2 * pieces + 1] = more
            pieces += 1
        payload_bytes += more
        count += 1
        last = following
        following = int(own.next)
    return last, count, pieces, payload_bytes


@kernel
def follows(sim, last, p, segment_bytes):
    """Whether packet `p` continues the train that ends with packet `last`."""
    before, packet = sim.packets[last], sim.packets[p]
    if before.conn != packet.conn or before.hash != packet.hash or before.ecn != packet.ecn:
        return False
    if (before.flags | packet.flags) & CORRUPTED:
        return False
    one, two = sim.slots[before.ext], sim.slots[packet.ext]
    if one.protocol != TCP or two.protocol != TCP or one.l4 == NONE or two.l4 == NONE:
        return False
    sent, more = payload_of(one, before.seq), payload_of(two, packet.seq)
    if sent != segment_bytes or more == 0 or more > segment_bytes:
        return False
    if before.ext == packet.ext:
        return packet.seq == before.seq + 1
    if before.seq + 1 != segments_of(one) or packet.seq != 0:
        return False
    if one.tcp_flags & (FIN | PSH | SYN | RST | URG | CWR) or two.tcp_flags & (SYN | RST | URG | CWR):
        return False
    if (one.tcp_seq + one.payload_bytes) & 0xFFFFFFFF != two.tcp_seq:
        return False
    return alike(sim, one, two)


@kernel
def alike(sim, one, two):
    """Whether the headers of two slots differ in nothing that a train has once: acknowledgement, window, options, TTL, TOS."""
    if one.head_bytes != two.head_bytes or one.l3 != two.l3 or one.l4 != two.l4 or one.version != two.version:
        return False
    a, b = one.frame + one.l3, two.frame + two.l3
    if get8(sim, a + 1) & 0xFC != get8(sim, b + 1) & 0xFC:
        return False
    ttl = 8 if one.version == 4 else 7
    if get8(sim, a + ttl) != get8(sim, b + ttl):
        return False
    a, b = one.frame + one.l4, two.frame + two.l4
    if get32(sim, a) != get32(sim, b) or get32(sim, a + 8) != get32(sim, b + 8):
        return False
    fixed = ~((FIN | PSH) << 16)
    if get32(sim, a + 12) & fixed != get32(sim, b + 12) & fixed:
        return False
    different = 0
    for word in range(20, one.head_bytes - one.l4, 4):
        different |= get32(sim, a + word) ^ get32(sim, b + word)
    return different == 0


@kernel
def written(sim, interface, p, written_ps):
    """Packet `p` has been taken by its host at `written_ps`."""
    packet = sim.packets[p]
    late_ps = max(0, written_ps - packet.time_ps)
    bin_ = bin_of(late_ps)
    sim.late[LATE_FRAMES, bin_] += 1
    sim.late[LATE_WINDOW, bin_] += 1
    interface.written_frames += 1
    interface.written_bytes += packet.size_bytes
    sim.counters[0].delivered += 1
    if packet.flow != NONE:
        serve(sim, interface, packet, written_ps)
    elif packet.flags & OTHER:
        sim.real[0].other_delivered += 1
    release(sim, p)


@kernel
def serve(sim, interface, packet, written_ps):
    """A packet of a service has reached a host: if it is the one it is for, it counts."""
    rule = sim.rules[2 * packet.flow + (1 if packet.flags & BACKWARD else 0)]
    if interface.node != rule.dst:
        return
    if packet.flags & CORRUPTED:
        return
    totals = sim.services[rule.service]
    totals.received_packets += 1
    if packet.flags & DUPLICATE:
        return
    payload_bytes = payload_of(sim.slots[packet.ext], packet.seq)
    totals.delivered_packets += 1
    totals.delivered_bytes += payload_bytes
    flow = sim.flows[packet.flow]
    flow.delivered_packets += 1
    flow.delivered_bytes += payload_bytes
    if sim.interfaces[sim.ways[packet.conn].source].node == rule.src:
        observe_latency(sim, rule, max(0, written_ps - packet.sent_ps))
