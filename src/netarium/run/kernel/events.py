"""The event queue: a four-ary heap ordered by (time, sequence).

An entry is 16 bytes, so the four children of a node fill one cache line (the root sits at position 3, children at multiples
of four). While an event is handled its place at the top stays open: the first event scheduled meanwhile is put there and
sifted down, which saves a removal and an insertion for nearly every event. `key` packs the sequence number (36 bits), the
kind (4 bits) and the index (23 bits); it orders events of one instant by when they were scheduled.
"""

from __future__ import annotations

from .jit import kernel

ROOT = 3
INDEX_BITS, KIND_BITS = 23, 4
INDEX_MASK, KIND_MASK = (1 << INDEX_BITS) - 1, (1 << KIND_BITS) - 1
SEQUENCE_MASK = (1 << 36) - 1
INDEX_LIMIT = 1 << INDEX_BITS
"""Most ports, connections, sources or jittered packets of one run."""

NEVER = (1 << 63) - (1 << 32)
"""A time that does not come: beyond the 100 days of virtual time that a run may last."""
EMPTY = (1 << 63) - 1
"""The time of a place in the queue that holds no event."""


# Kinds of events
ARRIVAL, SENT, TIMER, SOURCE, SOURCE_STOP, ACTION, PACKET_ARRIVAL, FRAMES = range(8)


@kernel(inline=True)
def before(time_a, key_a, time_b, key_b):
    """Whether event a comes before event b, without a branch."""
    return (time_a < time_b) | ((time_a == time_b) & (key_a < key_b))


@kernel
def sift_down(events, size, time_ps, key):
    """Put (time, key) where the hole at the root leads it. Places behind the last entry hold EMPTY, so every inner node has
    four children to compare; which is least is found without branches, as no processor could predict them."""
    end = ROOT + size
    hole = ROOT
    while True:
        child = 4 * hole - 8
        if child >= end:
            break
        first, second, third, fourth = events[child], events[child + 1], events[child + 2], events[child + 3]
        left = before(second.time_ps, second.key, first.time_ps, first.key)
        left_time = second.time_ps if left else first.time_ps
        left_key = second.key if left else first.key
        right = before(fourth.time_ps, fourth.key, third.time_ps, third.key)
        right_time = fourth.time_ps if right else third.time_ps
        right_key = fourth.key if right else third.key
        other = before(right_time, right_key, left_time, left_key)
        best_time = right_time if other else left_time
        best_key = right_key if other else left_key
        if before(time_ps, key, best_time, best_key):
            break
        events[hole].time_ps = best_time
        events[hole].key = best_key
        hole = child + (2 + right if other else 0 + left)
    events[hole].time_ps = time_ps
    events[hole].key = key


@kernel
def sift_up(events, position, time_ps, key):
    """Put (time, key) at or above an open position at the bottom."""
    hole = position
    while hole > ROOT:
        parent = (hole >> 2) + 2
        parent_time = events[parent].time_ps
        if parent_time < time_ps or (parent_time == time_ps and events[parent].key < key):
            break
        events[hole].time_ps = parent_time
        events[hole].key = events[parent].key
        hole = parent
    events[hole].time_ps = time_ps
    events[hole].key = key


@kernel
def push(sim, time_ps, kind, index):
    """Schedule an event. The loop makes sure, before each event, that there is room."""
    counters = sim.counters[0]
    sequence = counters.sequence
    counters.sequence = sequence + 1
    key = ((sequence & SEQUENCE_MASK) << (INDEX_BITS + KIND_BITS)) | (kind << INDEX_BITS) | index
    if counters.hole:
        counters.hole = 0
        sift_down(sim.events, counters.heap_size, time_ps, key)
    else:
        size = counters.heap_size
        counters.heap_size = size + 1
        sift_up(sim.events, ROOT + size, time_ps, key)


@kernel
def close_hole(sim):
    """Nothing took the place of the event just handled: remove it for good."""
    counters = sim.counters[0]
    counters.hole = 0
    size = counters.heap_size - 1
    counters.heap_size = size
    if size > 0:
        last = sim.events[ROOT + size]
        time_ps = last.time_ps
        key = last.key
        last.time_ps = EMPTY
        sift_down(sim.events, size, time_ps, key)
    else:
        sim.events[ROOT].time_ps = EMPTY
