"""Arrivals that keep to token buckets and are as bad as a search finds, and what they met at a port."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st
from queue_bench import offer

from netarium.compile.mechanisms.terms import PortTerms, StreamTerms
from netarium.run.kernel.queues.site import NOWHERE, Site

PORT = PortTerms(10**9, overhead_bytes=0)
"""1 Gbit/s: a byte takes 8000 ps, in whole picoseconds."""
BYTE_PS = 8000
PAUSES = st.sampled_from([0, 0, 0, 0, 1, 5_000_000, 40_000_000, 400_000_000])


@dataclass(frozen=True)
class Sender:
    """A stream and the priority of its packets; hop: the neighbour's port it comes by (0: begins here)."""

    terms: StreamTerms
    priority: int
    hop: int = 0


def conforming(draw: Callable[..., Any], terms: StreamTerms, count: int) -> list[tuple[int, int]]:
    """(time ps, bytes): each packet as soon as the bucket lets it, or after a pause."""
    tokens, at, now, found = Fraction(round(terms.burst_bytes)), 0, draw(PAUSES), []
    per_ps = Fraction(round(terms.rate_bps), 8 * 10**12)
    sizes = sorted({terms.smallest_bytes or terms.largest_bytes, terms.largest_bytes})
    for _ in range(count):
        size = draw(st.sampled_from(sizes))
        tokens = min(Fraction(round(terms.burst_bytes)), tokens + per_ps * (now - at))
        at = now
        if tokens < size:
            now += -((tokens - size) // per_ps)
            tokens += per_ps * (now - at)
            at = now
        tokens -= size
        found.append((now, size))
        now += draw(PAUSES)
    return found


@st.composite
def merged(draw: Callable[..., Any], senders: Sequence[Sender], most: int = 25) -> list[tuple[int, ...]]:
    """Rows for the bench of all senders' packets, by time; flow number = number of the sender."""
    rows = []
    for number, sender in enumerate(senders):
        for at, size in conforming(draw, sender.terms, draw(st.integers(1, most))):
            rows.append((at, size, sender.priority, 0, 0, 0, number, sender.hop))
    order = draw(st.sampled_from([1, -1]))
    return sorted(rows, key=lambda row: (row[0], order * row[6]))


@dataclass(frozen=True)
class Met:
    """What the packets of one priority met: longest time to the last bit on the wire, most bytes waiting; each one's end."""

    latency_ps: int
    backlog_bytes: int
    ends_ps: dict[int, int]


def meet(
    spec: Any, rows: list[tuple[int, ...]], priority: int, site: Site = NOWHERE, flows: Any = None
) -> Met:
    """Offer rows to a queue; all packets must leave."""
    got = offer(spec, rows, PORT.rate_bps, site=site, flows=flows)
    assert got.drops == {}
    assert got.faults == 0
    assert len(got.left) == len(rows)
    begins = dict(got.departures)
    ends = {p: at + rows[p][1] * BYTE_PS for p, at in got.departures}
    mine = [p for p in ends if rows[p][2] == priority]
    held = 0
    for p in mine:
        now = rows[p][0]
        held = max(held, sum(rows[q][1] for q in mine if rows[q][0] <= now < begins[q]))
    longest = max((ends[p] - rows[p][0] for p in mine), default=0)
    return Met(longest, held, {p: ends[p] for p in mine})
