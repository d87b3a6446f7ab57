"""A frame at the end of its way through the network, before it is written."""

from __future__ import annotations

from ..jit import kernel
from ..records import NONE


@kernel
def arrive(sim, p, now_ps):
    """Packet `p`, a frame, has come to the end of its way: to be written, or to be answered by the engine."""
    packet = sim.packets[p]
    packet.time_ps = now_ps
    packet.next = NONE
    real = sim.real[0]
    i = int(sim.ways[packet.conn].interface)
    if i == NONE:
        if real.answers == NONE:
            real.answers = p
        else:
            sim.packets[real.answers_tail].next = p
        real.answers_tail = p
        return
    interface = sim.interfaces[i]
    if interface.out_head == NONE:
        interface.out_head = p
        interface.out_next = real.dirty
        real.dirty = i
    else:
        sim.packets[interface.out_tail].next = p
    interface.out_tail = p
