"""Frames kept for a capture: as they are on the wire of that port, with their payload.

A segment of a train is kept as the packet that it is on the wire; a checksum that the host left to be done is done. Ethernet
addresses are those that the frame was sent with.
"""

from __future__ import annotations

from ..jit import kernel
from ..records import NONE
from .arena import HEADER_AT
from .parse import payload_of
from .rewrite import complete, shape_network, shape_tcp
from .system import copy, keep


@kernel
def passed_routers(sim, way, packet):
    """Routers that a frame at a port has passed."""
    hops = 0
    for place in range(way.route, packet.route - 1):
        hops += int(sim.routes_at[sim.ports[sim.routes[place]].node])
    return hops


@kernel
def keep_frame(sim, packet, entry, snap_bytes):
    """Keep the first `snap_bytes` of a frame; the entry's `seq` says where, `start` how many, of how many. False: no room."""
    real = sim.real[0]
    held = sim.slots[packet.ext]
    payload_bytes = payload_of(held, packet.seq)
    length = held.head_bytes + payload_bytes
    kept = min(length, snap_bytes)
    if real.kept_bytes + kept > len(sim.captured_bytes):
        return False
    copy(sim, HEADER_AT, held.frame, held.head_bytes)
    if held.version:
        shape_network(sim, held, packet, passed_routers(sim, sim.ways[packet.conn], packet), payload_bytes)
    if held.train:
        shape_tcp(sim, held, packet, packet)
    if held.l4 != NONE and (held.train or held.partial):
        complete(sim, held, packet, payload_bytes)
    head = min(kept, held.head_bytes)
    keep(sim, real.kept_bytes, HEADER_AT, head)
    keep(
        sim,
        real.kept_bytes + head,
        held.frame + held.head_bytes + packet.seq * held.segment_bytes,
        kept - head,
    )
    entry.seq = real.kept_bytes
    entry.start[0] = kept
    entry.start[1] = length
    real.kept_bytes += kept
    return True
