"""The far future: a four-ary heap ordered by (time, key).

An entry is 16 bytes, so the four children of a node fill one cache line (the root sits at position 3, children at multiples
of four). Places behind the last entry hold EMPTY, so every inner node has four children to compare, and the root of an empty
heap has a time that never comes.
"""

from __future__ import annotations

from .instructions import before
from .jit import kernel

ROOT = 3
EMPTY = (1 << 63) - 1
"""The time of a place that holds no event."""


@kernel
def sift_down(events, size, time_ps, key):
    """Put (time, key) where the hole at the root leads it; which child is least is found without branches, as no processor
    could predict them."""
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
def push(sim, time_ps, key):
    """Add an event."""
    counters = sim.counters[0]
    size = counters.heap_size
    counters.heap_size = size + 1
    sift_up(sim.events, ROOT + size, time_ps, key)


@kernel
def pop(sim):
    """Remove the top."""
    counters = sim.counters[0]
    size = counters.heap_size - 1
    counters.heap_size = size
    last = sim.events[ROOT + size]
    time_ps = last.time_ps
    key = last.key
    last.time_ps = EMPTY
    if size > 0:
        sift_down(sim.events, size, time_ps, key)
