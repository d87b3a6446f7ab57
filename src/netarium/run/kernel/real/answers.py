"""What models answer to real frames: routers an expired time to live and a packet too big, and everybody an echo request.

ICMP (RFC 792; RFC 1191 for the MTU), ICMPv6 (RFC 4443). So traceroute and path MTU discovery work, and a router can be
pinged. Any other frame for a model ends in silence. Deviation: at most QUOTED_BYTES of the packet are quoted, and nothing
limits the rate.
"""

from __future__ import annotations

from ..events import FRAMES, push
from ..jit import kernel
from ..pool import release, take
from ..records import FRAME, NONE, NOT_ECT
from .arena import VNET_ROOM, let_go, place_of, take_large, take_small
from .bytes import fold, get8, get32, get64, put8, put16, put32, words
from .ingress import enlist
from .parse import ICMP, ICMP6, parse
from .records import ECHO, EXPIRED, OTHER, PASS, SINK
from .system import copy
from .ways import FROM_NODE, find_owner, way_to

QUOTED_BYTES = 128
TTL = 64
ECHO_REQUEST, ECHO_REPLY, ECHO6_REQUEST, ECHO6_REPLY = 8, 0, 128, 129
TIME_EXCEEDED, UNREACHABLE, NEEDS_FRAGMENTING = 11, 3, 4
TIME_EXCEEDED6, PACKET_TOO_BIG6 = 3, 2


@kernel
def answer_all(sim, now_ps):
    """Handle all frames whose way ended at a model."""
    real = sim.real[0]
    p = real.answers
    real.answers = NONE
    while p != NONE:
        following = int(sim.packets[p].next)
        answer(sim, p, now_ps)
        sim.counters[0].delivered += 1
        release(sim, p)
        p = following


@kernel
def answer(sim, p, now_ps):
    """Answer packet `p` if it asks for it; the answer enters at the model where it ended."""
    packet = sim.packets[p]
    way = sim.ways[packet.conn]
    held = sim.slots[packet.ext]
    if way.ending == SINK or held.version == 0:
        return
    asks = get8(sim, held.frame + held.l4) if held.l4 != NONE else NONE
    icmp = held.protocol == ICMP or held.protocol == ICMP6
    asks_echo = icmp and asks == (ECHO_REQUEST if held.version == 4 else ECHO6_REQUEST)
    if not asks_echo and (icmp or way.ending == ECHO):
        return
    room = held.bytes if way.ending == ECHO else 14 + 40 + 8 + QUOTED_BYTES
    slot = take_small(sim) if room + VNET_ROOM <= sim.real[0].small_bytes else take_large(sim)
    if slot == NONE:
        return
    reply = sim.slots[slot]
    reply.frame = place_of(sim, slot) + VNET_ROOM
    reply.refs = 1
    if way.ending == ECHO:
        echo(sim, held, reply)
    elif not report(sim, held, reply, way):
        let_go(sim, slot)
        return
    parse(sim, slot, 0)
    send(sim, slot, way.node, now_ps)


@kernel
def echo(sim, held, reply):
    """The echo reply to an echo request."""
    copy(sim, reply.frame, held.frame, held.bytes)
    reply.bytes = held.bytes
    at = reply.frame + held.l3
    icmp = reply.frame + held.l4
    if held.version == 4:
        copy(sim, at + 12, held.frame + held.l3 + 16, 4)
        copy(sim, at + 16, held.frame + held.l3 + 12, 4)
        put8(sim, at + 8, TTL)
        put8(sim, icmp, ECHO_REPLY)
        seal(sim, reply, at, icmp, 4)
    else:
        copy(sim, at + 8, held.frame + held.l3 + 24, 16)
        copy(sim, at + 24, held.frame + held.l3 + 8, 16)
        put8(sim, at + 7, TTL)
        put8(sim, icmp, ECHO6_REPLY)
        seal(sim, reply, at, icmp, 6)


@kernel
def report(sim, held, reply, way):
    """The ICMP message of the router at the end of the way; False when the router has no address to send it from."""
    row = address_of_node(sim, way.node, held.version)
    if row == NONE:
        return False
    owner = sim.owners[row]
    source = held.frame + held.l3
    quoted = min(QUOTED_BYTES, held.bytes - held.l3)
    expired = way.ending == EXPIRED
    copy(sim, reply.frame, held.frame, 14)
    at = reply.frame + 14
    if held.version == 4:
        icmp = at + 20
        put32(sim, at, 0x45000000 | (28 + quoted))
        put32(sim, at + 4, 0)
        put32(sim, at + 8, (TTL << 24) | (ICMP << 16))
        put32(sim, at + 12, owner.low)
        copy(sim, at + 16, source + 12, 4)
        put16(sim, icmp, TIME_EXCEEDED << 8 if expired else (UNREACHABLE << 8) | NEEDS_FRAGMENTING)
        put32(sim, icmp + 4, 0 if expired else way.mtu_bytes)
    else:
        icmp = at + 40
        put32(sim, at, 0x60000000)
        put32(sim, at + 4, ((8 + quoted) << 16) | (ICMP6 << 8) | TTL)
        put32(sim, at + 8, owner.high >> 32)
        put32(sim, at + 12, owner.high)
        put32(sim, at + 16, owner.low >> 32)
        put32(sim, at + 20, owner.low)
        copy(sim, at + 24, source + 8, 16)
        put16(sim, icmp, TIME_EXCEEDED6 << 8 if expired else PACKET_TOO_BIG6 << 8)
        put32(sim, icmp + 4, 0 if expired else way.mtu_bytes)
    copy(sim, icmp + 8, source, quoted)
    reply.bytes = icmp + 8 + quoted - reply.frame
    put16(sim, reply.frame + 12, 0x0800 if held.version == 4 else 0x86DD)
    seal(sim, reply, at, icmp, held.version)
    return True


@kernel
def seal(sim, reply, at, icmp, version):
    """The checksums of an answer; its network header is at `at`, its ICMP header at `icmp`."""
    length = reply.frame + reply.bytes - icmp
    put16(sim, icmp + 2, 0)
    total = words(sim, icmp, length)
    if version == 4:
        put16(sim, at + 10, 0)
        put16(sim, at + 10, ~fold(words(sim, at, icmp - at)))
    else:
        total += words(sim, at + 8, 32) + ICMP6 + length
    put16(sim, icmp + 2, ~fold(total))


@kernel
def address_of_node(sim, node, version):
    """A row of owners with an address of a model, or NONE."""
    for row in range(sim.real[0].owner_mask + 1):
        owner = sim.owners[row]
        if owner.used and owner.node == node and owner.version == version and owner.interface == NONE:
            return row
    return NONE


@kernel
def send(sim, slot, node, now_ps):
    """Give an answer to the first port on the way from `node` to its destination."""
    held = sim.slots[slot]
    real = sim.real[0]
    p = take(sim)
    packet = sim.packets[p]
    packet.kind = FRAME
    packet.ext = slot
    packet.seq = 0
    packet.flow = NONE
    packet.flags = OTHER
    packet.band = 0
    packet.priority = 0
    packet.hash = 0
    packet.ecn = NOT_ECT
    packet.sent_ps = now_ps
    packet.time_ps = now_ps
    packet.size_bytes = held.bytes - held.l3
    row = destination(sim, held)
    if row == NONE:
        release(sim, p)
        return
    packet.conn = way_to(sim, FROM_NODE - node, row, 0, 0, PASS)
    packet.route = sim.ways[packet.conn].route
    real.other_sent += 1
    real.other_bytes += packet.size_bytes
    desk = real.interfaces
    empty = sim.interfaces[desk].in_head == NONE
    enlist(sim, desk, p)
    if empty and sim.interfaces[desk].in_head != NONE:
        push(sim, now_ps, FRAMES, desk)


@kernel
def destination(sim, held):
    """The row of owners of a frame's destination, or NONE."""
    at = held.frame + held.l3
    if held.version == 4:
        return find_owner(sim, 0, get32(sim, at + 16), 4)
    if held.version == 6:
        return find_owner(sim, get64(sim, at + 24), get64(sim, at + 32), 6)
    return NONE
