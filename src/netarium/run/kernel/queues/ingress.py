"""Where a packet that waits at a port came from: the port of a neighbour, or its own node."""

from __future__ import annotations

from ..jit import kernel
from ..records import NONE


@kernel
def came_by(sim, queue, packet):
    """The neighbour's port that `packet` came by to the node of `queue`; NONE: it begins here.

    Called while the packet is enqueued: its route has been moved on to the port behind.
    """
    node = sim.ports[queue.port].from_node
    flow = sim.flows[packet.flow]
    if packet.route < 2 or node == flow.src or node == flow.dst:
        return NONE
    before = sim.routes[packet.route - 2]
    if before < 0 or sim.ports[before].node != node:
        return NONE
    return before
