"""FQ-CoDel, fair queues with controlled delay (RFC 8290; Linux: sch_fq_codel.c).

Flows are hashed into queues, each under CoDel; queues are served by deficit round robin, new ones before
old ones. When the limit is exceeded, packets are dropped from the head of the queue with most bytes: half
of it, at most 64.

Deviations: the memory limit counts IP bytes (Linux: the kernel's buffers, about 1.5 times as much for full
packets); the hash is splitmix64 of flow hash and port. As in Linux, round robin counts a packet as its
Ethernet frame without FCS, so that a quantum of 1514 is one full packet a round, and CoDel's backlog is
that of the whole discipline.
"""

from __future__ import annotations

from typing import Any

from ..jit import kernel
from ..pool import drop
from ..records import DROP_TAIL, NONE
from ..rng import mix64
from . import codel
from .fifo import pop, push

NEW_FIRST, NEW_LAST, OLD_FIRST, OLD_LAST, QUANTUM_BYTES = range(5)
"""Slots of `i` of the discipline: its two lists of queues (indices among its children, or NONE), and the
quantum."""
DEFICIT_BYTES, NEXT_FLOW, LISTED = 10, 11, 12
"""Slots of `i` of one queue, behind those of CoDel."""

DROP_BATCH = 64
"""RFC 8290 section 4.1: most packets dropped at once."""
HEADER_BYTES = 14
"""Ethernet header, which Linux counts in the length of a packet."""
QUANTUM_BYTES_MIN = 256
"""Least quantum that Linux takes."""


@kernel
def append(sim, queue, first_slot, k):
    """Put queue `k` at the end of the list whose first and last stand in `first_slot` and the next one."""
    flow = sim.queues[queue.child_first + k]
    flow.i[NEXT_FLOW] = NONE
    if queue.i[first_slot] == NONE:
        queue.i[first_slot] = k
    else:
        sim.queues[queue.child_first + queue.i[first_slot + 1]].i[NEXT_FLOW] = k
    queue.i[first_slot + 1] = k


@kernel
def enqueue(sim, queue, p):
    """Packet `p` joins the queue of its flow; too much waiting costs the fattest queue."""
    k = (mix64(sim.packets[p].hash ^ queue.port) & 0x7FFFFFFFFFFFFFFF) % int(queue.child_count)
    flow = sim.queues[queue.child_first + k]
    push(sim, flow, p)
    queue.packets += 1
    queue.bytes += sim.packets[p].size_bytes
    if flow.i[LISTED] == 0:
        flow.i[LISTED] = 1
        flow.i[DEFICIT_BYTES] = queue.i[QUANTUM_BYTES]
        append(sim, queue, NEW_FIRST, k)
    if queue.packets > queue.limit_packets or queue.bytes > queue.limit_bytes:
        drop_from_fattest(sim, queue)


@kernel
def drop_from_fattest(sim, queue):
    """Drop half of the bytes of the queue that has most, from its head, at most DROP_BATCH packets."""
    first = int(queue.child_first)
    fattest = 0
    for k in range(1, queue.child_count):
        if sim.queues[first + k].bytes > sim.queues[first + fattest].bytes:
            fattest = k
    flow = sim.queues[first + fattest]
    before_bytes = flow.bytes
    dropped = 0
    while dropped < DROP_BATCH:
        drop(sim, queue.port, pop(sim, flow), DROP_TAIL)
        dropped += 1
        if before_bytes - flow.bytes >= before_bytes >> 1:
            break
    flow.i[codel.COUNT] += dropped
    queue.packets -= dropped
    queue.bytes -= before_bytes - flow.bytes


@kernel
def dequeue(sim, queue, now_ps):
    """The next packet, or NONE (RFC 8290 section 4.2)."""
    lists = queue.i
    while True:
        from_new = lists[NEW_FIRST] != NONE
        first_slot = NEW_FIRST if from_new else OLD_FIRST
        k = lists[first_slot]
        if k == NONE:
            return NONE
        flow = sim.queues[queue.child_first + k]
        if flow.i[DEFICIT_BYTES] <= 0:
            flow.i[DEFICIT_BYTES] += lists[QUANTUM_BYTES]
            lists[first_slot] = flow.i[NEXT_FLOW]
            append(sim, queue, OLD_FIRST, k)
            continue
        packets_before = int(flow.packets)
        bytes_before = flow.bytes
        p = codel.dequeue(sim, flow, queue.bytes - flow.bytes, now_ps)
        queue.packets -= packets_before - flow.packets
        queue.bytes -= bytes_before - flow.bytes
        if p != NONE:
            flow.i[DEFICIT_BYTES] -= sim.packets[p].size_bytes + HEADER_BYTES
            return p
        lists[first_slot] = flow.i[NEXT_FLOW]
        if from_new and lists[OLD_FIRST] != NONE:
            append(sim, queue, OLD_FIRST, k)
        else:
            flow.i[LISTED] = 0


def children(spec: Any) -> int:
    """One record a queue."""
    return spec.flows


def encode(queue: Any, flows: Any, spec: Any, rate_bps: int, mtu_bytes: int) -> None:
    """Write all parameters into the record and into the records of its queues (an array of them)."""
    queue.limit_packets = spec.limit
    queue.limit_bytes = spec.memory_limit
    queue.i[: OLD_LAST + 1] = NONE
    quantum_bytes = mtu_bytes + HEADER_BYTES if spec.quantum is None else spec.quantum
    queue.i[QUANTUM_BYTES] = max(QUANTUM_BYTES_MIN, quantum_bytes)
    flows["i"][:, codel.TARGET_PS] = spec.target
    flows["i"][:, codel.INTERVAL_PS] = spec.interval
    flows["i"][:, codel.ECN] = spec.ecn
    flows["i"][:, codel.CE_THRESHOLD_PS] = NONE
    flows["i"][:, codel.MTU_BYTES] = mtu_bytes
