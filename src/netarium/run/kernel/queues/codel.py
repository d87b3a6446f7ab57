"""CoDel, controlled delay (RFC 8289; Nichols and Jacobson, CACM 2012; Linux: codel_impl.h, sch_codel.c).

Drops (or marks) at dequeue, when the time packets wait stayed above `target` for `interval`; the next drop
follows after interval / sqrt(count). Which variant: the RFC's, which for re-entering the dropping state is
Linux's; with ECN as Linux does it (a packet that takes the mark is sent, and no other is looked at).

Deviations: the square root is exact (Linux approximates it in 16 bits); the "one packet" below which CoDel
never drops is the link's MTU, as in Linux (RFC: the largest packet seen); bytes are those of IP packets.
"""

from __future__ import annotations

import math
from typing import Any

from ..jit import kernel
from ..pool import drop
from ..records import DROP_AQM, NONE
from .ecn import mark
from .fifo import pop
from .kinds import NO_LIMIT_BYTES

TARGET_PS, INTERVAL_PS, ECN, CE_THRESHOLD_PS, MTU_BYTES = range(5)
"""Slots of `i`: parameters. CE_THRESHOLD_PS is NONE when not used."""
COUNT, LAST_COUNT, DROPPING, FIRST_ABOVE_PS, DROP_NEXT_PS = range(5, 10)
"""Slots of `i`: state, with the RFC's names (section 5.2)."""

RECENT_INTERVALS = 16
"""RFC 8289 section 5.5: the last dropping state is still a guide within 16 intervals."""


@kernel
def control_law(from_ps, interval_ps, count):
    """When the next drop is due (RFC 8289 section 5.6)."""
    return from_ps + int(interval_ps / math.sqrt(count))


@kernel
def may_drop(sim, queue, p, others_bytes, now_ps):
    """Whether the packet just taken, `p`, may be dropped (RFC 8289 section 5.5: ok_to_drop)."""
    state = queue.i
    if p == NONE:
        state[FIRST_ABOVE_PS] = 0
        return False
    sojourn_ps = now_ps - sim.packets[p].time_ps
    if sojourn_ps < state[TARGET_PS] or queue.bytes + others_bytes <= state[MTU_BYTES]:
        state[FIRST_ABOVE_PS] = 0
        return False
    if state[FIRST_ABOVE_PS] == 0:
        state[FIRST_ABOVE_PS] = now_ps + state[INTERVAL_PS]
        return False
    return now_ps >= state[FIRST_ABOVE_PS]


@kernel
def dequeue(sim, queue, others_bytes, now_ps):
    """The next packet to send, or NONE; may drop some on the way.

    others_bytes: what waits beside this list and counts as backlog (fq_codel; 0 for codel alone).
    """
    state = queue.i
    p = pop(sim, queue)
    ok_to_drop = may_drop(sim, queue, p, others_bytes, now_ps)
    if state[DROPPING] != 0:
        if not ok_to_drop:
            state[DROPPING] = 0
        while state[DROPPING] != 0 and now_ps >= state[DROP_NEXT_PS]:
            state[COUNT] += 1
            if state[ECN] != 0 and mark(sim, queue, p):
                state[DROP_NEXT_PS] = control_law(state[DROP_NEXT_PS], state[INTERVAL_PS], state[COUNT])
                break
            drop(sim, queue.port, p, DROP_AQM)
            p = pop(sim, queue)
            if may_drop(sim, queue, p, others_bytes, now_ps):
                state[DROP_NEXT_PS] = control_law(state[DROP_NEXT_PS], state[INTERVAL_PS], state[COUNT])
            else:
                state[DROPPING] = 0
    elif ok_to_drop:
        if state[ECN] == 0 or not mark(sim, queue, p):
            drop(sim, queue.port, p, DROP_AQM)
            p = pop(sim, queue)
            may_drop(sim, queue, p, others_bytes, now_ps)
        begin_dropping(state, now_ps)
    if (
        p != NONE
        and state[CE_THRESHOLD_PS] != NONE
        and now_ps - sim.packets[p].time_ps > state[CE_THRESHOLD_PS]
    ):
        mark(sim, queue, p)
    return p


@kernel
def begin_dropping(state, now_ps):
    """Enter the dropping state, at the rate that held the queue last time if that was not long ago (section
    5.5)."""
    state[DROPPING] = 1
    delta = state[COUNT] - state[LAST_COUNT]
    state[COUNT] = 1
    if delta > 1 and now_ps - state[DROP_NEXT_PS] < RECENT_INTERVALS * state[INTERVAL_PS]:
        state[COUNT] = delta
    state[LAST_COUNT] = state[COUNT]
    state[DROP_NEXT_PS] = control_law(now_ps, state[INTERVAL_PS], state[COUNT])


def children(spec: Any) -> int:
    """Records needed beside the queue's own."""
    return 0


def encode(queue: Any, spec: Any, rate_bps: int, mtu_bytes: int) -> None:
    """Write limit (packets), target, interval, ecn and ce_threshold into the record."""
    queue.limit_packets = spec.limit
    queue.limit_bytes = NO_LIMIT_BYTES
    state = queue.i
    state[TARGET_PS] = spec.target
    state[INTERVAL_PS] = spec.interval
    state[ECN] = spec.ecn
    state[CE_THRESHOLD_PS] = NONE if spec.ce_threshold is None else spec.ce_threshold
    state[MTU_BYTES] = mtu_bytes
