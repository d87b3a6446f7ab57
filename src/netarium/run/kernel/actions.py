"""Scheduled changes of the network: ports go down and up, routing tables change, impairments change."""

from __future__ import annotations

from .flags import DOWN, IMPAIRED, PORT_DOWN, PORT_UP, ROUTES
from .jit import kernel
from .pool import drop
from .port import settle
from .queues.dispatch import drain
from .records import DROP_LINK_DOWN, LOST_ON_LINK, NONE
from .routes import resolve
from .special import serve


@kernel
def act(sim, index, now_ps):
    """Carry out action `index`."""
    action = sim.actions[index]
    if action.kind == PORT_DOWN:
        port_down(sim, action.target, now_ps)
    elif action.kind == PORT_UP:
        port_up(sim, action.target, now_ps)
    elif action.kind == ROUTES:
        sim.counters[0].epoch = action.target
        for k in range(len(sim.conns)):
            if sim.conns[k].flow != NONE:
                resolve(sim, k)
    else:
        port = sim.ports[action.target]
        port.impairment = action.value
        port.features = port.features | IMPAIRED if action.value != NONE else port.features & ~IMPAIRED


@kernel
def port_down(sim, port_index, now_ps):
    """A link is cut: what waits and what is being sent is lost here, what is under way is lost too. What is being sent has been
    counted as sent when it began. Cuts are counted: a port whose link and node are both down comes back when both have."""
    port = sim.ports[port_index]
    port.down += 1
    if port.down > 1:
        return
    port.features |= DOWN
    if port.queue == NONE:
        settle(sim, port, now_ps)
        lose_unsent(sim, port_index, now_ps)
    else:
        while sim.queues[port.queue].packets > 0:
            p = drain(sim, port.queue)
            if p == NONE:
                break
            drop(sim, port_index, p, DROP_LINK_DOWN)
        if port.sending != NONE:
            drop(sim, port_index, port.sending, DROP_LINK_DOWN)
            port.sending = NONE
    p = port.head
    while p != NONE:
        sim.packets[p].flags |= LOST_ON_LINK
        p = sim.packets[p].next


@kernel
def lose_unsent(sim, port_index, now_ps):
    """Plain port: drop the packets of the list that have not left completely. Only those that still waited count as not
    sent; the one being transmitted has been counted, as on a special port."""
    port = sim.ports[port_index]
    last = NONE
    p = port.head
    while p != NONE and sim.packets[p].time_ps - port.delay_ps <= now_ps:
        last = p
        p = sim.packets[p].next
    begun = 1
    while p != NONE:
        following = sim.packets[p].next
        if p == port.waiting:
            begun = 0
        if begun == 0:
            port.sent_packets -= 1
            port.sent_bytes -= sim.packets[p].size_bytes + port.overhead_bytes
        drop(sim, port_index, p, DROP_LINK_DOWN)
        p = following
    port.tail = last
    if last == NONE:
        port.head = NONE
    else:
        sim.packets[last].next = NONE
    port.waiting = NONE
    port.waiting_packets = 0
    port.waiting_bytes = 0
    port.busy_ps = now_ps


@kernel
def port_up(sim, port_index, now_ps):
    """A link is whole again."""
    port = sim.ports[port_index]
    port.down -= 1
    if port.down > 0:
        return
    port.features &= ~DOWN
    if port.queue != NONE:
        serve(sim, port_index, now_ps)
