"""A queue from the user's own file: eight FIFO bands, and the user's functions that choose among them.

    enqueue(queue, packet, now_ps) -> band 0..7, or DROP      (required) may mark: packet.ecn = CE
    select(queue, packet, now_ps)  -> band to serve, or HOLD  (default: the first that is not empty); `packet` is the head of that band
    dequeue(queue, packet, now_ps) -> PASS or DROP            (default: PASS); asked for the head of the selected band, may mark

`queue.i[0..7]` are the packets in each band (kept by the engine), `queue.i[8..15]` and `queue.f[0..4]` the user's own; `queue.f[5]`
is a new random number, uniform in [0, 1), at every call of enqueue and dequeue. HOLD means: not before `queue.next_ps`. A band
above 7 counts as 7. Beyond `limit` packets (a parameter of that name; default 1000) a packet is dropped without asking.
"""

from __future__ import annotations

from typing import Any

from ..jit import call_hook, kernel
from ..pool import drop
from ..records import CE, DROP_AQM, DROP_TAIL, NONE
from ..rng import next_uniform
from .fifo import full, pop, push

BANDS = 8
OWN = 8
"""First slot of `i` that is the user's."""
RANDOM = 5
"""Slot of `f`."""
ENQUEUE, DEQUEUE, SELECT = range(3)
"""Offsets of the user's functions in hooks."""
PASS, DROP, HOLD = 0, -1, -1
LIMIT_PACKETS = 1000


@kernel
def ask(sim, queue, verb, p, now_ps):
    """Call one of the user's functions about packet `p`; a mark it makes is counted."""
    packet = sim.packets[p]
    before = packet.ecn
    if verb != SELECT:
        queue.f[RANDOM] = next_uniform(sim.streams[queue.stream])
    answer = call_hook(sim.hooks[queue.hook + verb], queue, packet, now_ps)
    if packet.ecn == CE and before != CE:
        sim.ports[queue.port].marks += 1
    return answer


@kernel
def first_band(queue):
    """The first band that is not empty, or NONE."""
    for band in range(BANDS):
        if queue.i[band] > 0:
            return band
    return NONE


@kernel
def enqueue(sim, queue, p, now_ps):
    """Packet `p` joins the band that the user's function gives it, or is dropped."""
    if full(sim, queue, p):
        drop(sim, queue.port, p, DROP_TAIL)
        return
    band = ask(sim, queue, ENQUEUE, p, now_ps)
    if band < 0:
        drop(sim, queue.port, p, DROP_AQM)
        return
    band = min(band, BANDS - 1)
    push(sim, sim.queues[queue.child_first + band], p)
    queue.i[band] += 1
    queue.packets += 1
    queue.bytes += sim.packets[p].size_bytes


@kernel
def dequeue(sim, queue, now_ps):
    """The next packet, or NONE."""
    while True:
        first = first_band(queue)
        if first == NONE:
            return NONE
        head = sim.queues[queue.child_first + first].head
        band = ask(sim, queue, SELECT, head, now_ps)
        if band < 0 and queue.next_ps > now_ps:
            return NONE
        if band < 0 or band >= BANDS or queue.i[band] <= 0:
            band = first
        chosen = sim.queues[queue.child_first + band]
        verdict = ask(sim, queue, DEQUEUE, chosen.head, now_ps)
        p = pop(sim, chosen)
        queue.i[band] -= 1
        queue.packets -= 1
        queue.bytes -= sim.packets[p].size_bytes
        if verdict >= 0:
            return p
        drop(sim, queue.port, p, DROP_AQM)


def enqueue_default(queue: Any, packet: Any, now_ps: int) -> int:
    """One band for all."""
    return 0


def dequeue_default(queue: Any, packet: Any, now_ps: int) -> int:
    """Every packet passes."""
    return 0


def select_default(queue: Any, packet: Any, now_ps: int) -> int:
    """The first band that is not empty."""
    for band in range(8):
        if queue.i[band] > 0:
            return band
    return 0


FUNCTIONS = (("enqueue", None), ("dequeue", dequeue_default), ("select", select_default))
"""Names of the user's functions in the order of their hooks, each with its default (None: required)."""


def children(spec: Any) -> int:
    """One record a band."""
    return BANDS


def encode(queue: Any, spec: Any, hook: int) -> None:
    """Write the limit and the index of the user's first function in hooks."""
    queue.limit_packets = int(spec.parameters.get("limit", LIMIT_PACKETS))
    queue.hook = hook
