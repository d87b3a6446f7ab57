"""Cyclic queuing and forwarding (IEEE 802.1Q-2022 annex T, first IEEE 802.1Qch), with a shift of cycles for long links
(draft-eckert-detnet-tcqf, draft-chen-detnet-sr-based-bounded-latency).

Time on the node's clock is cut into cycles. A packet is mapped to the cycle in which it will leave: `shift` cycles
after the one it arrives in, or after the one in which the neighbour sent it (its label). In its cycle a buffer is
served before all else, and a packet begins only if it ends within the cycle. Buffer c mod n is that of cycle c.

The label is not in the packet. The neighbour sends a packet wholly within one cycle of its own clock, so the cycle
follows from the instant at which the transmission began: arrival, less propagation, less transmission.

Children: the buffers, the discipline of all other packets, then a record for each neighbour that sends in cycles.
"""

from __future__ import annotations

from typing import Any

from netarium.errors import Mistake
from netarium.units import format_time

from ..events import NEVER
from ..jit import kernel
from ..pool import drop
from ..records import DROP_LATE, DROP_TAIL, NONE
from .clock import clock_of, reading_ps, true_ps
from .fifo import pop, push
from .ingress import came_by
from .leaf import dequeue_child, enqueue_child
from .site import Ingress, Site, clock_error_ps
from .wire import wire_ps

CYCLE_PS, BASE_PS, BUFFERS, CYCLIC, ROOM_PS, SHIFT, LABELLED = range(7)
"""Slots of `i`. CYCLIC: bit k set when priority k is queued in cycles. ROOM_PS: what a cycle can send. LABELLED: 1 when
the neighbours' cycles count."""
CYCLE, USED_PS = range(2)
"""Slots of `i` of a buffer: the cycle it is filled for, and how long its packets take to send."""
PORT, OWN_SHIFT, OWN_BASE_PS = range(3)
"""Slots of `i` of a neighbour: its port, the shift from its cycles to ours, when its cycles begin."""


@kernel(inline=True)
def cycle_at(queue, local_ps):
    """The cycle in force at a reading of the clock."""
    return (local_ps - queue.i[BASE_PS]) // queue.i[CYCLE_PS]


@kernel
def cycle_for(sim, queue, packet, cycle, now_ps):
    """The cycle in which a packet that arrives in `cycle` shall leave."""
    if queue.i[LABELLED] == 0:
        return cycle + queue.i[SHIFT]
    before = came_by(sim, queue, packet)
    first = int(queue.child_first + queue.i[BUFFERS] + 1)
    for k in range(first, int(queue.child_first + queue.child_count)):
        state = sim.queues[k].i
        if state[PORT] == before:
            port = sim.ports[before]
            began_ps = now_ps - port.delay_ps - wire_ps(port, packet.size_bytes)
            shown_ps = reading_ps(sim.clocks[port.from_node], began_ps)
            return (shown_ps - state[OWN_BASE_PS]) // queue.i[CYCLE_PS] + state[OWN_SHIFT]
    return cycle + 1


@kernel
def enqueue(sim, queue, p, now_ps):
    """Packet `p` joins the buffer of its cycle, or the discipline of all others."""
    packet = sim.packets[p]
    buffers = int(queue.i[BUFFERS])
    if (queue.i[CYCLIC] >> (packet.priority & 15)) & 1 == 0:
        enqueue_child(sim, queue, sim.queues[queue.child_first + buffers], p, now_ps)
        return
    now_cycle = cycle_at(queue, reading_ps(clock_of(sim, queue), now_ps))
    cycle = cycle_for(sim, queue, packet, now_cycle, now_ps)
    if cycle <= now_cycle or cycle - now_cycle >= buffers:
        drop(sim, queue.port, p, DROP_LATE)
        return
    buffer = sim.queues[queue.child_first + cycle % buffers]
    if buffer.packets == 0:
        buffer.i[USED_PS] = 0
    sending_ps = wire_ps(sim.ports[queue.port], packet.size_bytes)
    if buffer.i[USED_PS] + sending_ps > queue.i[ROOM_PS]:
        drop(sim, queue.port, p, DROP_TAIL)
        return
    buffer.i[CYCLE] = cycle
    buffer.i[USED_PS] += sending_ps
    push(sim, buffer, p)
    queue.packets += 1
    queue.bytes += packet.size_bytes


@kernel
def send_cyclic(sim, queue, buffer, ends_ps, now_ps):
    """The packet at the head of a buffer whose cycle it is, if it ends within the cycle; else NONE."""
    if buffer.packets == 0:
        return NONE
    size_bytes = int(sim.packets[buffer.head].size_bytes)
    sending_ps = wire_ps(sim.ports[queue.port], size_bytes)
    if now_ps + sending_ps > ends_ps:
        return NONE
    buffer.i[USED_PS] -= sending_ps
    queue.packets -= 1
    queue.bytes -= size_bytes
    return pop(sim, buffer)


@kernel
def dequeue(sim, queue, now_ps):
    """The next packet of the cycle, else of all others, or NONE."""
    clock = clock_of(sim, queue)
    buffers = int(queue.i[BUFFERS])
    first = int(queue.child_first)
    cycle = cycle_at(queue, reading_ps(clock, now_ps))
    ends_local_ps = queue.i[BASE_PS] + (cycle + 1) * queue.i[CYCLE_PS]
    buffer = sim.queues[first + cycle % buffers]
    p = NONE
    if buffer.packets > 0:
        p = send_cyclic(sim, queue, buffer, true_ps(clock, ends_local_ps), now_ps)
    if p != NONE:
        return p
    others = sim.queues[first + buffers]
    p = dequeue_child(sim, queue, others, now_ps)
    if p != NONE:
        return p
    queue.next_ps = others.next_ps if others.packets > 0 else NEVER
    if queue.packets > others.packets:
        for ahead in range(1, buffers + 1):
            if sim.queues[first + (cycle + ahead) % buffers].packets > 0:
                begins_ps = queue.i[BASE_PS] + (cycle + ahead) * queue.i[CYCLE_PS]
                queue.next_ps = min(queue.next_ps, true_ps(clock, begins_ps))
                break
    return p


def labelled_neighbours(spec: Any, site: Site) -> list[Ingress]:
    """The neighbours whose labels count: those that send in cycles of the same length."""
    if spec.mapping != "label":
        return []
    return [each for each in site.ingresses if each.sends_cycles and each.sends_cycles[0] == spec.cycle_time]


def shifts(spec: Any, ingress: Ingress, site: Site) -> tuple[int, int]:
    """(fewest cycles from a neighbour's cycle to a sending one that has not begun when its last packet is here, cycles
    from the earliest arrival of that cycle to the sending one), whatever the clocks show within the run.

    A packet of the neighbour's cycle 0, on readings here, comes after (begin + propagation) with the most that our
    clock can be behind theirs, and before (end + propagation) with the most that it can be ahead.
    """
    ours, theirs = (
        clock_error_ps(site.clock, site.duration_ps),
        clock_error_ps(ingress.clock, site.duration_ps),
    )
    base_ps = (ingress.sends_cycles or (0, 0))[1] - spec.base_time + ingress.delay_ps
    drifts = any(clock is not None and clock.drift for clock in (site.clock, ingress.clock))
    rounding_ps = 4 if drifts else 0
    last_ps = spec.cycle_time - (1 if spec.guard is None else 0)
    latest_ps = base_ps + last_ps + ours[1] - theirs[0] + rounding_ps
    earliest_ps = base_ps + ours[0] - theirs[1] - rounding_ps
    fewest = latest_ps // spec.cycle_time + 1
    shift = spec.shift if spec.shift is not None else fewest
    return fewest, shift - earliest_ps // spec.cycle_time


def children(spec: Any, site: Site) -> int:
    """Records beside the queue's own, without those of the discipline inside."""
    return spec.queues + 1 + len(labelled_neighbours(spec, site))


def encode(queue: Any, spec: Any, rate_bps: int, mtu_bytes: int, site: Site) -> None:
    """Write cycles and priorities. Raises Mistake when a cycle has no room for a packet."""
    guard_ps = spec.guard if spec.guard is not None else site.wire_ps(mtu_bytes, rate_bps)
    slack_ps = site.reading_ps(spec.cycle_time) - spec.cycle_time
    room_ps = spec.cycle_time - guard_ps - slack_ps
    needed_ps = site.wire_ps(mtu_bytes, rate_bps)
    if room_ps < needed_ps:
        raise Mistake(
            f"{format_time(spec.cycle_time)}, of which a guard of {format_time(guard_ps)} stays empty",
            f"a cycle with room for a packet of the link's MTU, which takes {format_time(needed_ps)}",
            at=("cycle_time",),
        )
    state = queue.i
    state[CYCLE_PS], state[BASE_PS], state[BUFFERS] = spec.cycle_time, spec.base_time, spec.queues
    state[CYCLIC] = sum(1 << priority for priority in set(spec.priorities))
    state[ROOM_PS], state[SHIFT] = room_ps, spec.shift or 1
    state[LABELLED] = spec.mapping == "label"


def encode_neighbour(record: Any, spec: Any, ingress: Ingress, site: Site) -> None:
    """Write a neighbour's port, shift and base. Raises Mistake when buffers or shift are too few for link and clocks."""
    fewest, span = shifts(spec, ingress, site)
    if spec.shift is not None and spec.shift < fewest:
        found = f"shift {spec.shift} behind a link of {format_time(ingress.delay_ps)}"
        raise Mistake(found, f"at least {fewest}", at=("shift",))
    if span >= spec.queues:
        raise Mistake(
            f"{spec.queues} queues", f"at least {span + 1} for this link and these clocks", at=("queues",)
        )
    shift = spec.shift if spec.shift is not None else fewest
    record.i[PORT], record.i[OWN_SHIFT] = ingress.port, shift
    record.i[OWN_BASE_PS] = (ingress.sends_cycles or (0, 0))[1]
