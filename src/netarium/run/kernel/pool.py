"""The packets of a run: one pool, free packets linked in a list, last freed first used (it is still in the cache).

Every packet that leaves the network passes through `release`; a loss passes through `drop`, which gives it its reason.
"""

from __future__ import annotations

from .jit import kernel
from .records import FREE, NONE


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
    if packet.ext != NONE:
        sim.sacks[packet.ext].link = pool.ext_free
        pool.ext_free = packet.ext
        pool.ext_free_count += 1
        packet.ext = NONE
    packet.kind = FREE
    packet.next = pool.free
    pool.free = p
    pool.free_count += 1


@kernel
def drop(sim, port_index, p, reason):
    """Packet `p` is lost at a port for `reason` (a column of `drops`): count it and give it back."""
    sim.drops[port_index, reason] += 1
    release(sim, p)
