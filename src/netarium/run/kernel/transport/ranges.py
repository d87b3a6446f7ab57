"""What a receiver holds out of order: runs of segments, lowest first, in a ring that can grow (RFC 2018's queue)."""

from __future__ import annotations

from ..jit import kernel
from ..records import NONE

FIRST_LOG2 = 3
"""log2 of a new ring's capacity."""


@kernel
def allocate(sim, log2):
    """A block of 2**log2 ranges. The loop keeps counters.ranges_reserve free."""
    counters = sim.counters[0]
    base = counters.ranges_free[log2]
    if base != NONE:
        counters.ranges_free[log2] = sim.ranges[base].start
        return base
    base = counters.ranges_used
    counters.ranges_used += 1 << log2
    counters.ranges_reserve = max(counters.ranges_reserve, 4 << log2)
    return base


@kernel
def free(sim, base, log2):
    """Give a block back."""
    counters = sim.counters[0]
    sim.ranges[base].start = counters.ranges_free[log2]
    counters.ranges_free[log2] = base


@kernel
def double(sim, conn):
    """Move the ranges to a ring of twice the size."""
    old_base, old_log2 = int(conn.gaps), int(conn.gaps_log2)
    old_mask = (1 << old_log2) - 1
    base = allocate(sim, old_log2 + 1)
    for position in range(conn.gap_count):
        source = sim.ranges[old_base + ((conn.gap_first + position) & old_mask)]
        sim.ranges[base + position].start = source.start
        sim.ranges[base + position].end = source.end
    free(sim, old_base, old_log2)
    conn.gaps = base
    conn.gaps_log2 = old_log2 + 1
    conn.gap_first = 0


@kernel(inline=True)
def at(sim, conn, position):
    """The range number `position`, lowest first."""
    return sim.ranges[conn.gaps + ((conn.gap_first + position) & ((1 << int(conn.gaps_log2)) - 1))]


@kernel
def find(sim, conn, seq):
    """The last range that begins at or before `seq`, or -1; searched from the top, where new segments mostly fall."""
    position = int(conn.gap_count) - 1
    while position >= 0 and at(sim, conn, position).start > seq:
        position -= 1
    return position


@kernel
def remove(sim, conn, position):
    """Take range `position` out, closing the ring."""
    for later in range(position, conn.gap_count - 1):
        source, target = at(sim, conn, later + 1), at(sim, conn, later)
        target.start = source.start
        target.end = source.end
    conn.gap_count -= 1


@kernel
def insert(sim, conn, position, seq):
    """Make range `position` the single segment `seq`, moving the later ones up."""
    if conn.gap_count >> int(conn.gaps_log2):
        double(sim, conn)
    conn.gap_count += 1
    for later in range(conn.gap_count - 1, position, -1):
        source, target = at(sim, conn, later - 1), at(sim, conn, later)
        target.start = source.start
        target.end = source.end
    new = at(sim, conn, position)
    new.start = seq
    new.end = seq + 1


@kernel
def add(sim, conn, seq):
    """A segment above rcv_next arrived: note it. Returns the range it now lies in, or -1 when it was there before."""
    before = find(sim, conn, seq)
    if before >= 0:
        lower = at(sim, conn, before)
        if seq < lower.end:
            return -1
        if seq == lower.end:
            lower.end = seq + 1
            if before + 1 < conn.gap_count:
                upper = at(sim, conn, before + 1)
                if upper.start == seq + 1:
                    lower.end = upper.end
                    remove(sim, conn, before + 1)
            return before
    if before + 1 < conn.gap_count:
        upper = at(sim, conn, before + 1)
        if upper.start == seq + 1:
            upper.start = seq
            return before + 1
    insert(sim, conn, before + 1, seq)
    return before + 1


@kernel
def pop_reached(sim, conn):
    """rcv_next has reached the lowest range: move past it."""
    lowest = at(sim, conn, 0)
    conn.rcv_next = lowest.end
    conn.gap_first = (conn.gap_first + 1) & ((1 << int(conn.gaps_log2)) - 1)
    conn.gap_count -= 1
