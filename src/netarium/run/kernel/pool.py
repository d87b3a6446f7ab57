"""The packets of a run: one pool, free packets linked in a list, last freed first used (it is still in the cache).

Every packet that leaves the network passes through `release`; a loss passes through `drop`, which gives it its reason.
"""

from __future__ import annotations

from .events import NEVER, TIMER, push
from .flags import HOST
from .jit import kernel
from .real.arena import let_go
from .records import DATA, FRAME, FREE, LEFT_HOST, NONE


@kernel(inline=True)
def take(sim):
    """A free packet. The engine's loop makes sure, before each event, that there are enough of them."""
    pool = sim.pool[0]
    p = pool.free
    pool.free = sim.packets[p].next
    pool.free_count -= 1
    return p


@kernel(inline=True)
def release(sim, p):
    """Give packet `p` back, and its SACK blocks if it carries any."""
    packet = sim.packets[p]
    pool = sim.pool[0]
    if packet.ext != NONE and packet.kind == FRAME:
        let_go(sim, packet.ext)
        packet.ext = NONE
    elif packet.ext != NONE:
        sim.sacks[packet.ext].link = pool.ext_free
        pool.ext_free = packet.ext
        pool.ext_free_count += 1
        packet.ext = NONE
    packet.kind = FREE
    packet.next = pool.free
    pool.free = p
    pool.free_count += 1


@kernel
def left_host(sim, port_index, p):
    """Packet `p` no longer waits at a special port; if it was its own host's, let a waiting sender go on.

    This is the back-pressure of a host's own queue (Linux: TCP small queues): a sender never fills it beyond
    conn.local_limit_bytes, so it is not dropped from there for want of room of its own making. A packet leaves once, though the
    link behind the port may still lose it.
    """
    packet = sim.packets[p]
    conn = sim.conns[packet.conn]
    if packet.kind != DATA or conn.flow != packet.flow or packet.route != conn.route + 1:
        return
    if packet.flags & LEFT_HOST:
        return
    packet.flags |= LEFT_HOST
    conn.local_bytes -= packet.size_bytes
    if conn.send_at_ps == NEVER - 1 and conn.local_bytes <= conn.local_limit_bytes:
        now_ps = sim.counters[0].now_ps
        conn.send_at_ps = now_ps
        if conn.timer_ps < NEVER:
            conn.later_ps = conn.timer_ps
        conn.timer_ps = now_ps
        push(sim, now_ps, TIMER, packet.conn)


@kernel
def drop(sim, port_index, p, reason):
    """Packet `p` is lost at a port for `reason` (a column of `drops`): count it and give it back."""
    sim.drops[port_index, reason] += 1
    if sim.ports[port_index].features & HOST:
        left_host(sim, port_index, p)
    release(sim, p)
