"""Credit-based shaper (IEEE 802.1Q-2022 section 8.6.8.2 and annex L, first IEEE 802.1Qav; tc-cbs(8)).

A packet may begin while credit is not negative. Credit falls at sendslope while one is being sent, and grows at
idleslope while packets wait or credit is negative; a queue that is empty, with nothing being sent, loses positive
credit.

Credit is kept as time: the picoseconds that idleslope needs for it, in fixed point. It is settled when a packet comes
or is asked for; the queue knows at dequeue when its packet will have been sent.
"""

from __future__ import annotations

from typing import Any

from netarium.errors import Mistake
from netarium.units import format_rate

from ..jit import kernel
from ..pool import drop
from ..records import DROP_TAIL, NONE
from .fifo import full, pop, push
from .tokens import BIT_PS, PACKET_BYTES_MAX, SHIFT_MAX, refilled, wait_ps
from .wire import wire_ps

SHIFT, COST, HIGH, LOW, CREDIT, SENT_PS = range(6)
"""Slots of `i`. COST: what a picosecond of sending costs. HIGH, LOW: limits of credit. SENT_PS: credit is that of then,
which is when the last packet has been sent."""
CREDIT_MAX = 1 << 60


@kernel
def settle(queue, now_ps):
    """Bring credit to `now_ps`, the queue being as it has been since."""
    state = queue.i
    elapsed_ps = now_ps - state[SENT_PS]
    if elapsed_ps < 0:
        return
    state[SENT_PS] = now_ps
    if queue.packets > 0:
        state[CREDIT] = refilled(state[CREDIT], elapsed_ps, state[HIGH], state[SHIFT])
    elif state[CREDIT] < 0:
        state[CREDIT] = refilled(state[CREDIT], elapsed_ps, 0, state[SHIFT])
    else:
        state[CREDIT] = 0


@kernel
def enqueue(sim, queue, p, now_ps):
    """Packet `p` waits, or is dropped when the queue is full."""
    settle(queue, now_ps)
    if full(sim, queue, p):
        drop(sim, queue.port, p, DROP_TAIL)
    else:
        push(sim, queue, p)


@kernel
def dequeue(sim, queue, now_ps):
    """The next packet, or NONE: then `next_ps` says when credit will be 0."""
    if queue.head == NONE:
        return NONE
    settle(queue, now_ps)
    state = queue.i
    if state[CREDIT] < 0:
        queue.next_ps = now_ps + wait_ps(-state[CREDIT], state[SHIFT])
        return NONE
    p = pop(sim, queue)
    sending_ps = wire_ps(sim.ports[queue.port], sim.packets[p].size_bytes)
    state[CREDIT] = max(state[LOW], state[CREDIT] - sending_ps * state[COST])
    state[SENT_PS] = now_ps + sending_ps
    return p


def fixed_point(idleslope_bps: int, sendslope_bps: int, longest_ps: int) -> tuple[int, int]:
    """(shift, cost of a picosecond of sending, rounded up) such that `longest_ps` of sending can be reckoned."""
    for shift in range(SHIFT_MAX, -1, -1):
        cost = -((-sendslope_bps << shift) // idleslope_bps)
        if cost * longest_ps < CREDIT_MAX:
            return shift, cost
    raise Mistake(
        f"{format_rate(idleslope_bps)}",
        "an idleslope that pays for a packet within days",
        "raise idleslope",
        at=("idleslope",),
    )


def encode(queue: Any, spec: Any, rate_bps: int, mtu_bytes: int) -> None:
    """Write slopes and limits. Raises Mistake when idleslope leaves nothing to send at."""
    sendslope_bps = spec.sendslope if spec.sendslope is not None else rate_bps - spec.idleslope
    if spec.idleslope > rate_bps or (spec.sendslope is None and sendslope_bps < 0):
        raise Mistake(
            format_rate(spec.idleslope), f"at most the port's {format_rate(rate_bps)}", at=("idleslope",)
        )
    state = queue.i
    longest_ps = 2 * PACKET_BYTES_MAX * BIT_PS // rate_bps
    state[SHIFT], state[COST] = fixed_point(spec.idleslope, max(0, sendslope_bps), longest_ps)
    state[HIGH] = credit(spec.hicredit, spec.idleslope, int(state[SHIFT]))
    state[LOW] = -credit(spec.locredit, spec.idleslope, int(state[SHIFT]))
    state[SENT_PS] = 0
    queue.limit_packets = spec.limit


def credit(size_bytes: int | None, idleslope_bps: int, shift: int) -> int:
    """Bytes of credit as time in fixed point; None: as much as there can be."""
    if size_bytes is None:
        return CREDIT_MAX
    return min(CREDIT_MAX, (size_bytes * BIT_PS << shift) // idleslope_bps)
