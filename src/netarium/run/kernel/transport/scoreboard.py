"""What a sender knows of each segment in its window: sent when, sacked, lost, sent again (RFC 6675's scoreboard).

A ring of SEGMENT records, a power of two long, indexed by segment number. Sacked runs are skipped by distances that are
shortened on the way (as in a disjoint-set forest), so SACK blocks that repeat large ranges in every ACK cost next to nothing.
A second ring of the same size, `again`, lists retransmissions in the order they were sent.
"""

from __future__ import annotations

from ..jit import kernel
from ..records import NONE

SACKED, LOST, AGAIN, EVER, APP_LIMITED = 1, 2, 4, 8, 16
FIRST_LOG2 = 6
"""log2 of a new scoreboard's capacity."""


@kernel
def allocate(sim, log2):
    """A block of 2**log2 segments (and places in `again`). The loop keeps counters.segments_reserve free."""
    counters = sim.counters[0]
    base = counters.segments_free[log2]
    if base != NONE:
        counters.segments_free[log2] = sim.segments[base].sent_ps
        return base
    base = counters.segments_used
    counters.segments_used += 1 << log2
    counters.segments_reserve = max(counters.segments_reserve, 4 << log2)
    return base


@kernel
def free(sim, base, log2):
    """Give a block back."""
    counters = sim.counters[0]
    sim.segments[base].sent_ps = counters.segments_free[log2]
    counters.segments_free[log2] = base


@kernel
def double(sim, conn):
    """The window has outgrown the ring: move it to one of twice the size."""
    old_base, old_log2 = int(conn.segments), int(conn.segments_log2)
    old_mask = (1 << old_log2) - 1
    log2 = old_log2 + 1
    base = allocate(sim, log2)
    mask = (1 << log2) - 1
    for seq in range(conn.una, conn.nxt):
        source, target = sim.segments[old_base + (seq & old_mask)], sim.segments[base + (seq & mask)]
        target.sent_ps = source.sent_ps
        target.delivered_bytes = source.delivered_bytes
        target.delivered_ps = source.delivered_ps
        target.first_sent_ps = source.first_sent_ps
        target.flags = source.flags
        target.skip = source.skip
    for position in range(conn.again_first, conn.again_first + conn.again_count):
        sim.again[base + (position & mask)] = sim.again[old_base + (position & old_mask)]
    free(sim, old_base, old_log2)
    conn.segments = base
    conn.segments_log2 = log2


@kernel
def next_unsacked(sim, conn, seq):
    """The first segment at or after `seq` that is not sacked (or conn.nxt)."""
    base, mask = int(conn.segments), (1 << int(conn.segments_log2)) - 1
    found = seq
    while found < conn.nxt:
        segment = sim.segments[base + (found & mask)]
        if segment.flags & SACKED == 0:
            break
        found += segment.skip
    while seq < found:
        segment = sim.segments[base + (seq & mask)]
        step = int(segment.skip)
        segment.skip = found - seq
        seq += step
    return found


@kernel
def remember_again(sim, conn, seq):
    """Append a retransmission to `again`; entries that no longer matter are cleared out when the ring is full."""
    base, mask = int(conn.segments), (1 << int(conn.segments_log2)) - 1
    if conn.again_count > mask:
        kept = 0
        for position in range(conn.again_first, conn.again_first + conn.again_count):
            old = sim.again[base + (position & mask)]
            if old >= conn.una and sim.segments[base + (old & mask)].flags & AGAIN:
                sim.again[base + ((conn.again_first + kept) & mask)] = old
                kept += 1
        conn.again_count = kept
    sim.again[base + ((conn.again_first + conn.again_count) & mask)] = seq
    conn.again_count += 1


@kernel(inline=True)
def payload_bytes(conn, seq):
    """Payload of segment `seq`: a full one, but for the last of what the application has written."""
    return int(conn.last_bytes) if seq == conn.end - 1 else int(conn.mss_bytes)
