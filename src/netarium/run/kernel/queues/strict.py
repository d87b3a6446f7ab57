"""Slices before best effort: what a port gets whose traffic belongs to slices (strict priority, IEEE
802.1Q-2022 section 8.6.8.1).

All packets of slices wait in one queue in the order of their arrival, with its own limit; slices need no
protection from one another here, since each was shaped at its source and policed at its ingress to what it
reserved. Best effort has the queue that the trial gives the port, and is served while no slice's packet
waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..jit import kernel
from ..records import NONE
from .classful import dequeue_below, enqueue_below
from .fifo import enqueue as enqueue_fifo
from .fifo import pop
from .kinds import BFIFO

SLICES, BEST_EFFORT = 0, 1
"""Children."""


@dataclass(frozen=True)
class Strict:
    """What the compile stage asks for at a port on the path of slices.

    limit_bytes: IP bytes of slices that may wait (at least what admission found they can need).
    best_effort: the queue of the trial, any kind.
    """

    limit_bytes: int
    best_effort: Any
    kind: str = "strict"


@kernel
def enqueue(sim, queue, p, now_ps):
    """Packet `p` goes to the slices' queue when it belongs to one, else to best effort."""
    if sim.packets[p].band == 0:
        enqueue_below(sim, queue, sim.queues[queue.child_first + BEST_EFFORT], p, now_ps)
        return
    size_bytes = sim.packets[p].size_bytes
    child = sim.queues[queue.child_first + SLICES]
    packets_before = int(child.packets)
    enqueue_fifo(sim, child, p)
    if child.packets > packets_before:
        queue.packets += 1
        queue.bytes += size_bytes


@kernel
def dequeue(sim, queue, now_ps):
    """The first packet of a slice, else the next of best effort, or NONE."""
    p = pop(sim, sim.queues[queue.child_first + SLICES])
    if p != NONE:
        queue.packets -= 1
        queue.bytes -= sim.packets[p].size_bytes
        return p
    best_effort = sim.queues[queue.child_first + BEST_EFFORT]
    p = dequeue_below(sim, queue, best_effort, now_ps)
    queue.next_ps = best_effort.next_ps
    return p


def encode(slices: Any, spec: Strict) -> None:
    """Write the slices' queue: a FIFO limited in bytes."""
    slices.kind = BFIFO
    slices.limit_bytes = spec.limit_bytes
