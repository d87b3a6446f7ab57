"""The loop: events in the order of (time, sequence), until an instant, or until an array must grow.

The loop allocates nothing. Before an event it makes sure that there is room for whatever one event can need; when there is
not, it returns a status, the caller lengthens the array, and the loop goes on as if nothing had happened.
"""

from __future__ import annotations

from .actions import act
from .calendar import TUNE_EVENTS, tune
from .events import (
    ACTION,
    ARRIVAL,
    FRAMES,
    INDEX_BITS,
    INDEX_MASK,
    KIND_MASK,
    PACKET_ARRIVAL,
    ROOT,
    SENT,
    SOURCE,
    TIMER,
    pop_until,
)
from .instructions import prefetch
from .jit import kernel
from .memory import as_sim
from .pool import drop, release
from .port import enqueue, pop_arrived
from .real.arrival import arrive
from .records import (
    ACK,
    CONN,
    CORRUPTED,
    DATA,
    DATAGRAM,
    DROP_CORRUPTED,
    DROP_LINK_DOWN,
    FRAME,
    LOST_ON_LINK,
    NONE,
)
from .special import sent
from .transport.acknowledge import receive_ack
from .transport.handshake import receive_control
from .transport.receiver import receive_data
from .transport.tcp import on_timer
from .transport.udp import receive_datagram
from .workloads.dispatch import on_source, on_stop

LINE = 64
TIMERS, RECEIVER, SENDER, SENDER_END = (CONN.fields[name][1] for name in ("timer_ps", "rcv_next", "una", "i"))
"""Where the parts of a connection's record lie, in bytes."""
STRIDE = 16
"""Events between two looks at the room left."""
ROOM = 2048
"""Entries that must be free for STRIDE events (an event sends at most BURST packets and schedules a few events)."""

(
    REACHED,
    NEED_PACKETS,
    NEED_EVENTS,
    NEED_SACKS,
    NEED_CONNS,
    NEED_FLOWS,
    NEED_SEGMENTS,
    NEED_RANGES,
    NEED_CAPTURED,
) = range(9)
GROWS = (
    "",
    "packets",
    "events",
    "sacks",
    "conns",
    "flows",
    "segments",
    "ranges",
    "captured",
)
"""Status -> the array that must grow."""


@kernel
def shortage(sim):
    """Which array is short of room, or REACHED."""
    pool = sim.pool[0]
    counters = sim.counters[0]
    if pool.free_count < ROOM:
        return NEED_PACKETS
    if counters.heap_size + ROOM + ROOT > len(sim.events):
        return NEED_EVENTS
    if pool.ext_free_count < ROOM:
        return NEED_SACKS
    if counters.conn_free_count < 2 * STRIDE:
        return NEED_CONNS
    if counters.flows + 2 * STRIDE > len(sim.flows):
        return NEED_FLOWS
    if counters.segments_used + counters.segments_reserve + ROOM > len(sim.segments):
        return NEED_SEGMENTS
    if counters.ranges_used + counters.ranges_reserve + ROOM > len(sim.ranges):
        return NEED_RANGES
    if counters.captured + ROOM > len(sim.captured) and len(sim.captured) > 1:
        return NEED_CAPTURED
    return REACHED


@kernel
def deliver(sim, p, now_ps):
    """Packet `p` has reached its host."""
    packet = sim.packets[p]
    k = int(packet.conn)
    conn = sim.conns[k]
    kind = packet.kind
    sim.counters[0].delivered += 1
    if conn.flow == packet.flow:
        if kind == DATA:
            sim.services[conn.service].received_packets += 1
            receive_data(sim, k, p, now_ps)
        elif kind == ACK:
            receive_ack(sim, k, p, now_ps)
        elif kind == DATAGRAM:
            sim.services[conn.service].received_packets += 1
            receive_datagram(sim, k, p, now_ps)
        else:
            receive_control(sim, k, p, now_ps)
    elif kind == DATA or kind == DATAGRAM:
        sim.services[sim.flows[packet.flow].service].received_packets += 1
    release(sim, p)


@kernel(inline=True)
def expect_delivery(sim, packet):
    """The next hop of a packet is its last: ask for what of its connection its receiver will need."""
    conn = sim.conns[packet.conn]
    prefetch(conn, 0)
    prefetch(conn, TIMERS)
    if packet.kind == ACK:
        for offset in range(SENDER, SENDER_END, LINE):
            prefetch(conn, offset)
    else:
        prefetch(conn, RECEIVER)


@kernel
def forward(sim, port_index, p, now_ps):
    """Packet `p` has crossed a link: to the next port, or to the host."""
    packet = sim.packets[p]
    if packet.flags & LOST_ON_LINK:
        drop(sim, port_index, p, DROP_LINK_DOWN)
        return
    route = packet.route
    port = sim.routes[route]
    if port >= 0:
        packet.route = route + 1
        if sim.routes[route + 1] < 0 and packet.kind != FRAME:
            expect_delivery(sim, packet)
        enqueue(sim, port, p, now_ps)
    elif packet.kind == FRAME:
        arrive(sim, p, now_ps)
    elif packet.flags & CORRUPTED:
        drop(sim, port_index, p, DROP_CORRUPTED)
    else:
        deliver(sim, p, now_ps)


@kernel
def enter(sim, i, now_ps):
    """The frames that were read from interface `i` come to its port."""
    interface = sim.interfaces[i]
    p = int(interface.in_head)
    interface.in_head = NONE
    while p != NONE:
        following = int(sim.packets[p].next)
        forward(sim, int(interface.port), p, now_ps)
        p = following


@kernel
def land(sim, p, now_ps):
    """A packet that crossed a jittered link, on an event of its own, has arrived (its port stands in `next`)."""
    port_index = int(sim.packets[p].next)
    if sim.ports[port_index].down:
        sim.packets[p].flags |= LOST_ON_LINK
    forward(sim, port_index, p, now_ps)


@kernel(entry=True)
def run(address, until_ps):
    """Handle all events up to and including `until_ps`; returns REACHED or what must grow."""
    sim = as_sim(address)
    counters = sim.counters[0]
    handled = counters.events
    status = REACHED
    while True:
        if handled % STRIDE == 0:
            status = shortage(sim)
            if status != REACHED:
                break
            if handled - counters.tuned_events >= TUNE_EVENTS:
                counters.events = handled
                tune(sim)
        key = pop_until(sim, until_ps)
        if key == NONE:
            break
        now_ps = counters.now_ps
        index = key & INDEX_MASK
        kind = (key >> INDEX_BITS) & KIND_MASK
        handled += 1
        if kind == ARRIVAL:
            head = sim.ports[index].head
            if head != NONE and sim.packets[head].time_ps == now_ps:
                forward(sim, index, pop_arrived(sim, index), now_ps)
        elif kind == TIMER:
            on_timer(sim, index, now_ps)
        elif kind == SENT:
            sent(sim, index, now_ps)
        elif kind == SOURCE:
            on_source(sim, index, now_ps)
        elif kind == PACKET_ARRIVAL:
            land(sim, index, now_ps)
        elif kind == ACTION:
            act(sim, index, now_ps)
        elif kind == FRAMES:
            enter(sim, index, now_ps)
        else:
            on_stop(sim, index, now_ps)
    counters.events = handled
    if status == REACHED:
        counters.now_ps = until_ps
    counters.status = status
    return status
