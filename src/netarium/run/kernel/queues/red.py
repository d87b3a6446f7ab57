"""Random early detection (Floyd and Jacobson, "Random Early Detection Gateways for Congestion Avoidance",
IEEE/ACM ToN 1993; tc-red(8); Linux: include/net/red.h, sch_red.c), on the average queue in bytes.

The average is updated at every arrival, avg += (queue - avg) * 2**-wlog, and after an idle time as if that
many packets of `avpkt` bytes had passed an empty queue. Between min and max a packet is marked or dropped
with a probability that grows with the average and with the packets since the last mark (the paper's uniform
spacing, section 9: one random number a mark).

Deviations: probability, average and (1 - w)**m are exact where Linux takes powers of two and a table; the
queue counts as idle from the dequeue that empties it (Linux: from the first dequeue that finds it empty);
bytes are those of IP packets. Not there: adaptive RED, harddrop, nodrop.
"""

from __future__ import annotations

import math
from typing import Any

from netarium.errors import Mistake

from ..jit import kernel
from ..pool import drop
from ..records import DROP_AQM, DROP_TAIL, NONE
from ..rng import next_uniform
from .ecn import mark
from .fifo import full, pop, push
from .kinds import NO_LIMIT_PACKETS

MIN_BYTES, MAX_BYTES, ECN, COUNT, IDLE_PS = range(5)
"""Slots of `i`. COUNT: packets since the last mark, NONE below min. IDLE_PS: since when it is empty, or
NONE."""
WEIGHT, PROBABILITY, PACKET_PS, AVERAGE_BYTES, RANDOM = range(5)
"""Slots of `f`. PACKET_PS: time to transmit avpkt."""

PASS, EARLY, FORCED = 0, 1, 2
WLOG_MAX = 31


@kernel
def update_average(queue, now_ps):
    """The average queue at an arrival (the paper's figure 2)."""
    state = queue.f
    if queue.i[IDLE_PS] != NONE:
        missed = math.floor((now_ps - queue.i[IDLE_PS]) / state[PACKET_PS])
        state[AVERAGE_BYTES] = state[AVERAGE_BYTES] * math.pow(1.0 - state[WEIGHT], float(missed))
        queue.i[IDLE_PS] = NONE
    else:
        state[AVERAGE_BYTES] += (queue.bytes - state[AVERAGE_BYTES]) * state[WEIGHT]


@kernel
def judge(sim, queue):
    """PASS, EARLY (by chance) or FORCED (the average is at or above max)."""
    average = queue.f[AVERAGE_BYTES]
    if average < queue.i[MIN_BYTES]:
        queue.i[COUNT] = NONE
        return PASS
    if average >= queue.i[MAX_BYTES]:
        queue.i[COUNT] = NONE
        return FORCED
    queue.i[COUNT] += 1
    count = queue.i[COUNT]
    if count > 0:
        share = (average - queue.i[MIN_BYTES]) / (queue.i[MAX_BYTES] - queue.i[MIN_BYTES])
        if count * (queue.f[PROBABILITY] * share) < queue.f[RANDOM]:
            return PASS
        queue.i[COUNT] = 0
        queue.f[RANDOM] = next_uniform(sim.streams[queue.stream])
        return EARLY
    queue.f[RANDOM] = next_uniform(sim.streams[queue.stream])
    return PASS


@kernel
def enqueue(sim, queue, p, now_ps):
    """Packet `p` waits, is marked and waits, or is dropped."""
    update_average(queue, now_ps)
    verdict = judge(sim, queue)
    if verdict != PASS and (queue.i[ECN] == 0 or not mark(sim, queue, p)):
        drop(sim, queue.port, p, DROP_AQM)
    elif full(sim, queue, p):
        drop(sim, queue.port, p, DROP_TAIL)
    else:
        push(sim, queue, p)
        return
    if queue.packets == 0:
        queue.i[IDLE_PS] = now_ps


@kernel
def dequeue(sim, queue, now_ps):
    """The packet at the head, or NONE."""
    p = pop(sim, queue)
    if p != NONE and queue.packets == 0:
        queue.i[IDLE_PS] = now_ps
    return p


def wlog(min_bytes: int, burst: int, avpkt_bytes: int) -> int:
    """log2 of 1/w for bursts of `burst` packets (tc's tc_red_eval_ewma; the paper's section 6, equation 3).

    Raises Mistake when the burst is shorter than the minimum allows.
    """
    asked = burst + 1 - min_bytes / avpkt_bytes
    if asked < 1:
        least = -(-min_bytes // avpkt_bytes)
        raise Mistake(f"{burst} packets", f"at least min / avpkt = {least} packets", at=("burst",))
    for log in range(1, WLOG_MAX + 1):
        weight = 2.0**-log
        if asked <= (1 - (1 - weight) ** burst) / weight:
            return log
    raise Mistake(f"{burst} packets", "a shorter burst: no averaging is slow enough for it", at=("burst",))


def children(spec: Any) -> int:
    """Records needed beside the queue's own."""
    return 0


def encode(queue: Any, spec: Any, rate_bps: int, mtu_bytes: int) -> None:
    """Write limit, min, max, averaging, probability and ecn into the record. Raises Mistake (see wlog)."""
    burst = spec.burst
    if burst is None:
        burst = -(-(2 * spec.min + spec.max) // (3 * spec.avpkt))
    queue.limit_packets = NO_LIMIT_PACKETS
    queue.limit_bytes = spec.limit
    queue.i[MIN_BYTES] = spec.min
    queue.i[MAX_BYTES] = spec.max
    queue.i[ECN] = spec.ecn
    queue.i[COUNT] = NONE
    queue.i[IDLE_PS] = NONE
    queue.f[WEIGHT] = 2.0 ** -wlog(spec.min, burst, spec.avpkt)
    queue.f[PROBABILITY] = spec.probability
    queue.f[PACKET_PS] = spec.avpkt * 8e12 / (spec.bandwidth or rate_bps)
