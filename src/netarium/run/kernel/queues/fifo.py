"""First in, first out: the list of packets that every leaf is made of; tc's pfifo and bfifo (tc-bfifo(8),
sch_fifo.c).

A packet that finds the queue full is dropped (DROP_TAIL). Deviation: bytes are those of IP packets; Linux
counts the 14 bytes of the Ethernet header too. The packet being transmitted is not in the queue.
"""

from __future__ import annotations

from typing import Any

from ..jit import kernel
from ..pool import drop
from ..records import DROP_TAIL, NONE
from .kinds import NO_LIMIT_BYTES, NO_LIMIT_PACKETS


@kernel(inline=True)
def push(sim, queue, p):
    """Packet `p` joins the end of the list."""
    packet = sim.packets[p]
    packet.next = NONE
    if queue.head == NONE:
        queue.head = p
    else:
        sim.packets[queue.tail].next = p
    queue.tail = p
    queue.packets += 1
    queue.bytes += packet.size_bytes


@kernel
def pop(sim, queue):
    """The packet at the head of the list, taken off it; NONE when there is none."""
    p = int(queue.head)
    if p == NONE:
        return NONE
    packet = sim.packets[p]
    queue.head = packet.next
    queue.packets -= 1
    queue.bytes -= packet.size_bytes
    return p


@kernel
def full(sim, queue, p):
    """Whether packet `p` would exceed a limit of the queue."""
    return queue.packets >= queue.limit_packets or queue.bytes + sim.packets[p].size_bytes > queue.limit_bytes


@kernel
def enqueue(sim, queue, p):
    """Packet `p` waits, or is dropped when there is no room."""
    if full(sim, queue, p):
        drop(sim, queue.port, p, DROP_TAIL)
    else:
        push(sim, queue, p)


def children(spec: Any) -> int:
    """Records needed beside the queue's own."""
    return 0


def encode_pfifo(queue: Any, spec: Any, rate_bps: int, mtu_bytes: int) -> None:
    """Write `limit` (packets) into the record."""
    queue.limit_packets = spec.limit
    queue.limit_bytes = NO_LIMIT_BYTES


def encode_bfifo(queue: Any, spec: Any, rate_bps: int, mtu_bytes: int) -> None:
    """Write `limit` (bytes) into the record."""
    queue.limit_packets = NO_LIMIT_PACKETS
    queue.limit_bytes = spec.limit
