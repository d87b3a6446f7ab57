"""PIE, proportional integral controller enhanced (RFC 8033; Linux: sch_pie.c, whose details it follows).

Every `tupdate` the drop probability moves by alpha * (delay - target) + beta * (delay - delay before), in
smaller steps while it is small; a packet is dropped (or marked, while the probability is at most 10 %) at
enqueue with about that probability, evenly spaced. The delay is how long the packet dequeued last had
waited, as Linux measures it by default.

The updates have no timer here: all that are due are made before the next packet is enqueued or dequeued, at
the instants tupdate, 2 tupdate, ... Deviations: probabilities are real numbers; the first update comes
after one tupdate (Linux: after half a second); bytes are those of IP packets. Not there: the estimator of
the dequeue rate.
"""

from __future__ import annotations

from typing import Any

from ..jit import kernel
from ..pool import drop
from ..records import DROP_AQM, DROP_TAIL, NONE
from ..rng import next_uniform
from .ecn import mark
from .fifo import full, pop, push
from .kinds import NO_LIMIT_BYTES

TARGET_PS, UPDATE_PS, ECN, BYTE_MODE, MTU_BYTES = range(5)
"""Slots of `i`: parameters."""
DELAY_PS, OLD_DELAY_PS, DEQUEUED_PS, BURST_PS, NEXT_UPDATE_PS = range(5, 10)
"""Slots of `i`: state. DEQUEUED_PS: when a packet last left, or NONE."""
ALPHA, BETA, PROBABILITY, ACCUMULATED = range(4)
"""Slots of `f`. ALPHA, BETA: per second."""

MAX_BURST_PS = 150 * 10**9
"""RFC 8033 section 4.1: MAX_BURST, 150 ms."""
ACCUMULATED_LOW, ACCUMULATED_HIGH = 0.85, 8.5
"""RFC 8033 section 5.4: de-randomisation."""
MARK_PROBABILITY = 0.1
"""RFC 8033 section 5.1: above it, packets are dropped even where they could be marked."""
QUIET_PROBABILITY = 0.2
"""RFC 8033 section 4.1: below it, and with the delay below half the target, nothing is dropped."""
STEP_LIMIT = 0.02
"""RFC 8033 section 5.2: largest step once the probability is 10 % or more."""
LONG_DELAY_PS = 250 * 10**9
"""Linux: above it the probability grows by two more percent."""
DECAY = 1.0 / 64.0
"""RFC 8033 section 4.2: what an empty queue takes off the probability."""


@kernel
def scaled(probability):
    """The factor on alpha and beta while the probability is small (RFC 8033 section 5.2)."""
    if probability >= 0.1:
        return 1.0
    if probability >= 0.01:
        return 1.0 / 2.0
    if probability >= 0.001:
        return 1.0 / 8.0
    if probability >= 0.0001:
        return 1.0 / 32.0
    if probability >= 0.00001:
        return 1.0 / 128.0
    if probability >= 0.000001:
        return 1.0 / 512.0
    return 1.0 / 2048.0


@kernel
def update(queue):
    """One update of the drop probability (RFC 8033 section 4.2)."""
    state = queue.i
    real = queue.f
    delay_ps = state[DELAY_PS]
    old_ps = state[OLD_DELAY_PS]
    probability = real[PROBABILITY]
    factor = scaled(probability)
    step = factor * real[ALPHA] * ((delay_ps - state[TARGET_PS]) * 1e-12)
    step += factor * real[BETA] * ((delay_ps - old_ps) * 1e-12)
    if step > STEP_LIMIT and probability >= 0.1:
        step = STEP_LIMIT
    if delay_ps > LONG_DELAY_PS:
        step += STEP_LIMIT
    probability += step
    if delay_ps == 0 and old_ps == 0 and queue.bytes == 0:
        probability -= probability * DECAY
    real[PROBABILITY] = min(1.0, max(0.0, probability))
    half_ps = state[TARGET_PS] // 2
    if delay_ps < half_ps and old_ps < half_ps and real[PROBABILITY] == 0.0:
        state[BURST_PS] = MAX_BURST_PS
        state[DEQUEUED_PS] = NONE
        real[ACCUMULATED] = 0.0
    state[OLD_DELAY_PS] = delay_ps


@kernel
def catch_up(queue, now_ps):
    """Make the updates due by `now_ps`; once they change nothing any more, skip to the last."""
    state = queue.i
    while state[NEXT_UPDATE_PS] <= now_ps:
        before = queue.f[PROBABILITY]
        settled = state[OLD_DELAY_PS] == state[DELAY_PS]
        update(queue)
        state[NEXT_UPDATE_PS] += state[UPDATE_PS]
        if settled and queue.f[PROBABILITY] == before and state[NEXT_UPDATE_PS] <= now_ps:
            missed = (now_ps - state[NEXT_UPDATE_PS]) // state[UPDATE_PS] + 1
            state[NEXT_UPDATE_PS] += missed * state[UPDATE_PS]


@kernel
def strikes(sim, queue, size_bytes):
    """Whether the arriving packet is to be dropped or marked (RFC 8033 section 4.1 and 5.4; Linux:
    pie_drop_early)."""
    state = queue.i
    real = queue.f
    if state[BURST_PS] > 0:
        return False
    if state[DELAY_PS] < state[TARGET_PS] // 2 and real[PROBABILITY] < QUIET_PROBABILITY:
        return False
    if queue.bytes < 2 * state[MTU_BYTES]:
        return False
    probability = real[PROBABILITY]
    if state[BYTE_MODE] != 0 and size_bytes <= state[MTU_BYTES]:
        probability = probability * size_bytes / state[MTU_BYTES]
    if probability == 0.0:
        real[ACCUMULATED] = 0.0
    else:
        real[ACCUMULATED] += probability
    if real[ACCUMULATED] < ACCUMULATED_LOW:
        return False
    if real[ACCUMULATED] >= ACCUMULATED_HIGH:
        return True
    if next_uniform(sim.streams[queue.stream]) < probability:
        real[ACCUMULATED] = 0.0
        return True
    return False


@kernel
def enqueue(sim, queue, p, now_ps):
    """Packet `p` waits, is marked and waits, or is dropped."""
    catch_up(queue, now_ps)
    reason = DROP_TAIL
    refused = full(sim, queue, p)
    if not refused and strikes(sim, queue, int(sim.packets[p].size_bytes)):
        reason = DROP_AQM
        refused = not (queue.i[ECN] != 0 and queue.f[PROBABILITY] <= MARK_PROBABILITY and mark(sim, queue, p))
    if refused:
        queue.f[ACCUMULATED] = 0.0
        drop(sim, queue.port, p, reason)
    else:
        push(sim, queue, p)


@kernel
def dequeue(sim, queue, now_ps):
    """The packet at the head, or NONE; its waiting time is the delay that the controller sees."""
    catch_up(queue, now_ps)
    p = pop(sim, queue)
    if p == NONE:
        return NONE
    state = queue.i
    state[DELAY_PS] = 0 if queue.packets == 0 else now_ps - sim.packets[p].time_ps
    if state[DEQUEUED_PS] != NONE:
        state[BURST_PS] = max(0, state[BURST_PS] - (now_ps - state[DEQUEUED_PS]))
    state[DEQUEUED_PS] = now_ps
    return p


def children(spec: Any) -> int:
    """Records needed beside the queue's own."""
    return 0


def encode(queue: Any, spec: Any, rate_bps: int, mtu_bytes: int) -> None:
    """Write limit (packets), target, tupdate, alpha and beta (in sixteenths of 1/s, as tc), ecn, bytemode."""
    queue.limit_packets = spec.limit
    queue.limit_bytes = NO_LIMIT_BYTES
    state = queue.i
    state[TARGET_PS] = spec.target
    state[UPDATE_PS] = max(1, spec.tupdate)
    state[ECN] = spec.ecn
    state[BYTE_MODE] = spec.bytemode
    state[MTU_BYTES] = mtu_bytes
    state[DEQUEUED_PS] = NONE
    state[BURST_PS] = MAX_BURST_PS
    state[NEXT_UPDATE_PS] = state[UPDATE_PS]
    queue.f[ALPHA] = spec.alpha / 16
    queue.f[BETA] = spec.beta / 16
