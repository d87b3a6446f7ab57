"""Frames into the network: read from an interface, recognised, made packets, one a segment, that enter at its port.

The packets of one turn wait in a list of their interface, and an event of the instant at which they were read brings them to
the port (loop.py), so that all that happens in the network happens in the order of time.
"""

from __future__ import annotations

from ..events import FRAMES, push
from ..jit import kernel
from ..pool import drop, take
from ..records import DROP_NO_ROUTE, FRAME, NONE
from ..rng import advance, mix64
from .arena import settle_down
from .bytes import get8, get16, get32, get64
from .parse import TCP, UDP, parse, payload_of, segments_of
from .records import BACKWARD, ECHO, EXPIRED, OTHER, PASS, PROBE_PORT, TOO_BIG
from .system import read_frame
from .ways import BUCKETS, NOWHERE, find_owner, room_for_ways, stays_on_link, way_to

BATCH_BYTES = 192 * 1024
BATCH_FRAMES = 48
"""Most that is read from an interface in one turn: what is due elsewhere must not wait."""
ROOM = 2048
"""Packets left for what else happens in the loop (loop.ROOM)."""
SEGMENTS_MAX = 1400
"""Most segments of a train: 65,535 bytes in the smallest segments that Linux makes (TCP_MIN_MSS 48)."""
READ_BYTES = 66 * 1024
TOS_PRIORITY = (0, 1, 0, 0, 2, 2, 2, 2, 6, 6, 6, 6, 4, 4, 4, 4)
"""Linux: ip_tos2prio, the SO_PRIORITY that a router gives a packet by bits 1 to 4 of its TOS byte."""


@kernel
def read_interface(sim, i, now_ps):
    """Read what interface `i` has, up to a batch; False when the run's arrays must grow first."""
    interface = sim.interfaces[i]
    real = sim.real[0]
    frames = 0
    size_bytes = 0
    before = interface.in_head
    room = True
    while frames < BATCH_FRAMES and size_bytes < BATCH_BYTES:
        if sim.pool[0].free_count < ROOM + SEGMENTS_MAX or not room_for_ways(sim):
            room = False
            break
        place = sim.slots[real.reading].frame - interface.vnet_bytes
        got = read_frame(sim, interface.fd, place, READ_BYTES)
        if got < 14 + interface.vnet_bytes:
            break
        frames += 1
        size_bytes += got
        sim.slots[real.reading].bytes = got - interface.vnet_bytes
        slot = settle_down(sim, got - interface.vnet_bytes)
        if slot == NONE:
            real.loss_of_slots = 1
            room = False
            break
        sim.slots[slot].bytes = got - interface.vnet_bytes
        parse(sim, slot, interface.vnet_bytes)
        interface.read_calls += 1
        admit(sim, i, slot, now_ps)
    if before == NONE and interface.in_head != NONE:
        push(sim, now_ps, FRAMES, i)
    return room


@kernel
def admit(sim, i, slot, now_ps):
    """Make packets of a slot and put them into the interface's list."""
    held = sim.slots[slot]
    met = meet(sim, i, held)
    w = way_of(sim, i, met, held)
    tos = 0
    if held.version == 4:
        tos = get8(sim, held.frame + held.l3 + 1)
    elif held.version == 6:
        tos = (get16(sim, held.frame + held.l3) >> 4) & 0xFF
    count = segments_of(held)
    held.refs = count
    flags = BACKWARD if met.backward else 0
    if met.flow == NONE:
        flags |= OTHER
    service = met.counts == 1 and (held.protocol != TCP or held.payload_bytes > 0)
    for segment in range(count):
        p = take(sim)
        packet = sim.packets[p]
        packet.kind = FRAME
        packet.seq = segment
        packet.size_bytes = held.head_bytes - held.l3 + payload_of(held, segment)
        packet.sent_ps = now_ps
        packet.time_ps = now_ps
        packet.conn = w
        packet.flow = met.flow if service else NONE
        packet.route = sim.ways[w].route
        packet.ext = slot
        packet.ecn = tos & 3
        packet.priority = TOS_PRIORITY[(tos >> 1) & 15]
        packet.flags = flags
        packet.band = met.band
        packet.hash = met.hash
        enlist(sim, i, p)
    account(sim, i, met, held, count, service)


@kernel
def enlist(sim, i, p):
    """Packet `p` joins the list of interface `i`."""
    interface = sim.interfaces[i]
    packet = sim.packets[p]
    packet.next = NONE
    sim.counters[0].sent += 1
    if sim.routes[packet.route] < 0:
        drop(sim, interface.port, p, DROP_NO_ROUTE)
        return
    if interface.in_head == NONE:
        interface.in_head = p
    else:
        sim.packets[interface.in_tail].next = p
    interface.in_tail = p


@kernel
def account(sim, i, met, held, count, service):
    """Count what interface `i` gave; for its service only at the host where the service's frames begin."""
    interface = sim.interfaces[i]
    size_bytes = count * (held.head_bytes - held.l3) + held.payload_bytes
    interface.read_frames += count
    interface.read_bytes += size_bytes
    if met.flow == NONE:
        sim.real[0].other_sent += count
        sim.real[0].other_bytes += size_bytes
        return
    rule = sim.rules[2 * met.flow + met.backward]
    if not service or interface.node != rule.src:
        return
    again_bytes = 0
    if held.protocol == TCP:
        again_bytes = seen_before(met, held)
    totals = sim.services[rule.service]
    flow = sim.flows[met.flow]
    totals.sent_packets += count
    totals.sent_bytes += held.payload_bytes - again_bytes
    flow.sent_packets += count
    if again_bytes > 0:
        again = (again_bytes + held.segment_bytes - 1) // held.segment_bytes
        totals.retransmissions += again
        flow.retransmissions += again


@kernel
def seen_before(met, held):
    """Bytes of a TCP payload that have been sent before, by sequence numbers modulo 2**32."""
    first = held.tcp_seq
    end = first + held.payload_bytes
    if met.seq_high == NONE:
        met.seq_high = end & 0xFFFFFFFF
        return 0
    behind = (met.seq_high - first) & 0xFFFFFFFF
    if behind >= 1 << 31:
        behind = 0
    if behind < held.payload_bytes:
        met.seq_high = end & 0xFFFFFFFF
    return min(behind, held.payload_bytes)


@kernel
def meet(sim, i, held):
    """What is known of frames like this one; found out now if it is the first, or if routing has changed."""
    source_high, source_low, target_high, target_low, ports = 0, 0, 0, 0, held.protocol << 32
    at = held.frame + held.l3
    if held.version == 4:
        source_low = get32(sim, at + 12)
        target_low = get32(sim, at + 16)
    elif held.version == 6:
        source_high, source_low = get64(sim, at + 8), get64(sim, at + 16)
        target_high, target_low = get64(sim, at + 24), get64(sim, at + 32)
    else:
        ports = 1 << 50
    if held.l4 != NONE and (held.protocol == TCP or held.protocol == UDP):
        ports |= get32(sim, held.frame + held.l4)
    hash_ = mix64(advance(advance(source_high, source_low), advance(advance(target_high, target_low), ports)))
    place = mix64(advance(hash_, i)) & (len(sim.met) - 1)
    met = sim.met[place]
    epoch = sim.counters[0].epoch
    if (
        met.interface == i + 1
        and met.source_low == source_low
        and met.target_low == target_low
        and met.ports == ports
        and met.source_high == source_high
        and met.target_high == target_high
    ):
        if met.epoch != epoch:
            met.epoch = epoch
            met.way = direct_way(sim, i, met, held)
        return met
    met.interface = i + 1
    met.source_high = source_high
    met.source_low = source_low
    met.target_high = target_high
    met.target_low = target_low
    met.ports = ports
    met.epoch = epoch
    met.hash = hash_ & 0x7FFFFFFFFFFFFFFF
    met.seq_high = NONE
    met.bucket = hash_ & (BUCKETS - 1) if sim.counters[0].ecmp else 0
    met.owner = find_owner(sim, target_high, target_low, held.version) if held.version else NONE
    classify(sim, i, met, held)
    met.way = direct_way(sim, i, met, held)
    return met


@kernel
def direct_way(sim, i, met, held):
    """The whole way of such frames."""
    if (
        sim.interfaces[i].ahead != NONE
        or held.version == 0
        or stays_on_link(met.target_high, met.target_low, held.version)
    ):
        return way_to(sim, i, NONE, 0, 0, PASS)
    if met.owner == NONE:
        return way_to(sim, i, NONE, NOWHERE, 0, PASS)
    model = sim.owners[met.owner].interface == NONE
    return way_to(sim, i, met.owner, met.bucket, 0, ECHO if model else PASS)


@kernel
def way_of(sim, i, met, held):
    """The way of this very frame: shorter where its time to live ends or a link is too narrow for it."""
    w = int(met.way)
    way = sim.ways[w]
    if way.hops == 0 or held.version == 0:
        return w
    at = held.frame + held.l3
    left = get8(sim, at + 8) if held.version == 4 else get8(sim, at + 7)
    if left <= way.hops:
        return way_to(sim, i, met.owner, met.bucket, max(1, left), EXPIRED)
    if way.narrow:
        largest = held.head_bytes - held.l3 + payload_of(held, 0)
        if largest > way.mtu_bytes:
            return way_to(sim, i, met.owner, met.bucket, way.narrow, TOO_BIG)
    return w


@kernel
def classify(sim, i, met, held):
    """The rule that names such frames: by the hosts that own their addresses, protocol and port."""
    met.flow = NONE
    met.band = 0
    met.backward = 0
    met.counts = 0
    source = NONE
    if held.version:
        source = find_owner(sim, met.source_high, met.source_low, held.version)
    if source == NONE or met.owner == NONE:
        return
    src, dst = sim.owners[source].node, sim.owners[met.owner].node
    near_port, far_port = (met.ports >> 16) & 0xFFFF, met.ports & 0xFFFF
    if held.protocol == UDP and far_port == PROBE_PORT:
        return
    for row in range(2 * sim.real[0].rules):
        rule = sim.rules[row]
        port = near_port if row & 1 else far_port
        if (
            rule.src == src
            and rule.dst == dst
            and (rule.protocol == 0 or rule.protocol == held.protocol)
            and (rule.port == 0 or rule.port == port)
        ):
            met.flow = row >> 1
            met.backward = row & 1
            met.band = rule.band
            met.counts = rule.counts
            if rule.path != NONE and sim.routes[rule.path] == sim.interfaces[i].port:
                met.bucket = BUCKETS + rule.path
            return
