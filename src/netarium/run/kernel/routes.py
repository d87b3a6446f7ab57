"""The way of a connection's packets: an explicit path, or a walk through the forwarding tables in force.

A packet carries the position of its next port in `routes`; a way ends with DELIVER. Ways are found when a connection opens and
again when new tables come into force; packets already under way keep the old one (docs/limitations.md).
"""

from __future__ import annotations

from .jit import kernel
from .records import NONE
from .rng import advance, mix64

DELIVER = -1
NO_ROUTE = -2


@kernel
def choose(hash_, node, count):
    """Which of `count` equal ports a flow takes at a node: splitmix64 of hash and node, as an unsigned remainder."""
    bits = mix64(hash_ ^ advance(0, node))
    return (2 * (((bits >> 1) & 0x7FFFFFFFFFFFFFFF) % count) + (bits & 1)) % count


@kernel
def walk(sim, src, dst, hash_, start):
    """Write the ports from node `src` to node `dst` into routes from `start` on; False: no way.

    The tables are those of compile/routing.py in their aggregated form: a host with one neighbour shares the column of that
    neighbour, its gateway, which has a group of its own for it.
    """
    counters = sim.counters[0]
    row = counters.epoch * counters.table_nodes
    column = int(sim.columns[row + dst])
    gateway = int(sim.gateways[row + dst])
    node = src
    position = start
    end = start + counters.route_span - 1
    while node != dst:
        group = int(sim.access_groups[row + dst]) if node == gateway else int(sim.groups[row + node, column])
        if group < 0 or position >= end:
            sim.routes[start] = NO_ROUTE
            return False
        count = int(sim.group_count[group])
        chosen = choose(hash_, node, count) if counters.ecmp and count > 1 else 0
        port = int(sim.group_ports[sim.group_first[group] + chosen])
        sim.routes[position] = port
        position += 1
        node = sim.ports[port].node
    sim.routes[position] = DELIVER
    return True


@kernel
def resolve(sim, k):
    """Find the ways of connection `k`, there and back."""
    conn = sim.conns[k]
    pair = sim.pairs[conn.pair]
    counters = sim.counters[0]
    room = counters.conn_route + 2 * counters.route_span * k
    if pair.path != NONE:
        conn.route = pair.path
    else:
        conn.route = room
        walk(sim, pair.src, pair.dst, conn.hash, room)
    if pair.path_back != NONE:
        conn.route_back = pair.path_back
    else:
        conn.route_back = room + counters.route_span
        walk(sim, pair.dst, pair.src, mix64(conn.hash), room + counters.route_span)
