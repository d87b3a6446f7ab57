"""The clock of a node, which gates, cycles and regulators go by: its reading at a true time, and the reverse.

Error (reading minus true time): offset, and what drift adds up; where the clock is disciplined (`sync`), it gains by
its drift for one interval and gives it back in the next, so the error is a triangle and readings never run back.
"""

from __future__ import annotations

from typing import Any

from ..jit import kernel
from ..records import record

PPB = 1_000_000_000
ROUNDS = 8
"""Drift is at most a thousandth, so eight rounds bring 100 days below a picosecond."""

CLOCK = record(
    ("offset_ps", "i8", "error at the start"),
    ("drift_ppb", "i8", "how much faster than true time it runs"),
    ("sync_ps", "i8", "length of a flank of the error's triangle, or 0: never set right"),
)
"""One for each node."""


@kernel
def reading_ps(clock, now_ps):
    """What a clock shows at a true time."""
    if clock.drift_ppb == 0:
        return now_ps + clock.offset_ps
    span_ps = now_ps
    if clock.sync_ps > 0:
        span_ps = now_ps % (2 * clock.sync_ps)
        if span_ps > clock.sync_ps:
            span_ps = 2 * clock.sync_ps - span_ps
    gained_ps = (span_ps // PPB) * clock.drift_ppb + (span_ps % PPB) * clock.drift_ppb // PPB
    return now_ps + clock.offset_ps + gained_ps


@kernel
def true_ps(clock, local_ps):
    """The first true time at which a clock shows `local_ps` or more."""
    now_ps = local_ps - clock.offset_ps
    if clock.drift_ppb == 0:
        return now_ps
    for _ in range(ROUNDS):
        now_ps -= reading_ps(clock, now_ps) - local_ps
    while reading_ps(clock, now_ps) < local_ps:
        now_ps += 1
    while reading_ps(clock, now_ps - 1) >= local_ps:
        now_ps -= 1
    return now_ps


@kernel(inline=True)
def clock_of(sim, queue):
    """The clock of the node whose port a discipline stands at."""
    return sim.clocks[sim.ports[queue.port].from_node]


def encode(clock: Any, spec: Any) -> None:
    """Write a node's clock (describe/clock.py), or a perfect one for None."""
    if spec is not None:
        clock.offset_ps, clock.drift_ppb, clock.sync_ps = spec.offset, spec.drift, spec.sync or 0
