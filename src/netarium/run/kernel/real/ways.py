"""Where a frame goes: who owns its destination, the ports on the way there, and where on it a frame ends too early.

Over a link between two real interfaces every frame goes as it is. Where the neighbour is a model, it is a router that never
floods: the destination address says which real interface (or model) is meant, and the way leads through the forwarding tables
of the models up to the first real host on it, which forwards further if it is a router.
"""

from __future__ import annotations

from ..jit import kernel
from ..records import NONE
from ..rng import advance, mix64
from ..routes import DELIVER, NO_ROUTE, choose
from .records import PASS, SINK

FROM_NODE = -2
"""A way that begins at node n, for what a model sends, has FROM_NODE - n for its source."""
NOWHERE = -1
"""The bucket of a way that leads to nobody."""
BUCKETS = 64
"""Flow hashes fall into so many shares, each of which takes one of several equal ways. A way with the bucket BUCKETS + n is
bound to the explicit path that begins at routes[n]."""


@kernel
def owner_place(sim, high, low):
    """Where the table of owners is searched first for an address."""
    return mix64(advance(high, low)) & sim.real[0].owner_mask


@kernel
def find_owner(sim, high, low, version):
    """The row of owners that has an address, or else the longest prefix around it; NONE when nobody has it."""
    mask = sim.real[0].owner_mask
    place = owner_place(sim, high, low)
    while sim.owners[place].used:
        if (
            sim.owners[place].high == high
            and sim.owners[place].low == low
            and sim.owners[place].version == version
        ):
            return place
        place = (place + 1) & mask
    first = mask + 1
    for row in range(first, first + sim.real[0].prefixes):
        owner = sim.owners[row]
        if owner.version == version and covers(owner, high, low):
            return row
    return NONE


@kernel
def stays_on_link(high, low, version):
    """Whether an address is for the neighbours only, or for many: a model takes such frames and does nothing."""
    if version == 4:
        return low >> 28 == 14 or low == 0xFFFFFFFF
    return (high >> 56) & 0xFF == 0xFF or (high >> 54) & 0x3FF == 0x3FA


@kernel
def covers(owner, high, low):
    """Whether a prefix covers an address."""
    bits = owner.bits + 96 if owner.version == 4 else owner.bits
    if bits >= 64:
        rest = 128 - bits
        return owner.high == high and (rest >= 64 or (owner.low ^ low) >> rest == 0)
    return bits == 0 or (owner.high ^ high) >> (64 - bits) == 0


@kernel
def way_to(sim, source, target, bucket, cut, ending):
    """The way from interface `source` to a row of owners, found or looked up; ending after `cut` routers unless that is 0.

    target NONE: over one link, to the real interface there, or to an end in silence.
    """
    epoch = sim.counters[0].epoch
    mask = len(sim.way_table) - 1
    place = mix64(advance(advance(source, target), advance(bucket + BUCKETS * cut, epoch))) & mask
    while sim.way_table[place] != 0:
        w = int(sim.way_table[place]) - 1
        way = sim.ways[w]
        if (
            way.source == source
            and way.target == target
            and way.bucket == bucket
            and way.cut == cut
            and way.epoch == epoch
            and (cut == 0 or way.ending == ending)
        ):
            return w
        place = (place + 1) & mask
    real = sim.real[0]
    w = real.ways
    real.ways = w + 1
    sim.way_table[place] = w + 1
    way = sim.ways[w]
    way.source = source
    way.target = target
    way.bucket = bucket
    way.cut = cut
    way.epoch = epoch
    way.ending = ending
    way.route = real.route_next
    walk_way(sim, way)
    return w


@kernel
def walk_way(sim, way):
    """Write the ports of a new way behind the last one's."""
    real = sim.real[0]
    target = sim.owners[way.target] if way.target != NONE else sim.owners[0]
    position = way.route
    end = position + sim.counters[0].route_span - 1
    if way.source >= 0:
        port = int(sim.interfaces[way.source].port)
    else:
        port = next_port(sim, FROM_NODE - way.source, target.node, way.bucket)
    if port == NONE or way.bucket == NOWHERE:
        no_way(sim, way)
        return
    way.hops = 0
    way.narrow = 0
    way.mtu_bytes = sim.port_mtu[port]
    sim.routes[position] = port
    position += 1
    node = int(sim.ports[port].node)
    arrives = int(sim.interface_at[port])
    while way.target != NONE and arrives == NONE and node != target.node:
        way.hops += sim.routes_at[node]
        if way.cut and way.hops >= way.cut:
            port = following_port(sim, way, position - way.route, node, target.node)
            way.mtu_bytes = sim.port_mtu[port] if port != NONE else way.mtu_bytes
            break
        port = following_port(sim, way, position - way.route, node, target.node)
        if port == NONE or position >= end:
            no_way(sim, way)
            return
        if sim.port_mtu[port] < way.mtu_bytes:
            way.mtu_bytes = sim.port_mtu[port]
            if way.narrow == 0:
                way.narrow = way.hops
        sim.routes[position] = port
        position += 1
        node = int(sim.ports[port].node)
        arrives = int(sim.interface_at[port])
    sim.routes[position] = DELIVER
    real.route_next = position + 1
    way.interface = arrives
    way.node = node
    if way.ending == PASS and arrives == NONE:
        way.ending = SINK


@kernel
def following_port(sim, way, rank, node, dst):
    """The `rank`-th port of a way, by which it leaves `node`: of the path it is bound to, or of the tables. NONE: no more."""
    if way.bucket >= BUCKETS:
        return int(sim.routes[way.bucket - BUCKETS + rank])
    return next_port(sim, node, dst, way.bucket)


@kernel
def no_way(sim, way):
    """The tables in force lead nowhere."""
    sim.routes[way.route] = NO_ROUTE
    sim.real[0].route_next = way.route + 1
    way.interface = NONE


@kernel
def next_port(sim, node, dst, bucket):
    """The port that the tables in force choose at a model for a destination node, or NONE (see routes.walk)."""
    counters = sim.counters[0]
    row = counters.epoch * counters.table_nodes
    column = int(sim.columns[row + dst])
    gateway = int(sim.gateways[row + dst])
    group = int(sim.access_groups[row + dst]) if node == gateway else int(sim.groups[row + node, column])
    if group < 0:
        return NONE
    count = int(sim.group_count[group])
    chosen = choose(bucket, node, count) if counters.ecmp and count > 1 else 0
    return int(sim.group_ports[sim.group_first[group] + chosen])


@kernel
def room_for_ways(sim):
    """Whether a few more ways can be found without growing."""
    real = sim.real[0]
    if 2 * (real.ways + 8) > len(sim.way_table) or real.ways + 8 > len(sim.ways):
        return False
    return real.route_next + 8 * sim.counters[0].route_span <= real.routes_end
