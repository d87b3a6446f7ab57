"""The event queue against Python's heapq: the same order whatever the distances, and whatever the length of a day."""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netarium.run.kernel import calendar, heap, records
from netarium.run.kernel.calendar import relabel, tune
from netarium.run.kernel.events import EMPTY, INDEX_MASK, pop_until, push
from netarium.run.kernel.jit import kernel
from netarium.run.kernel.memory import Memory, aligned, as_sim

CAPACITY = 1 << 16


@kernel(entry=True)
def drive(address: Any, rows: Any, until_ps: int, out: Any) -> int:
    """Row k (events taken before it, delay, log2 of a new day or -1): take events, then schedule one that long after now.

    Writes (time, index) of each event taken; returns how many.
    """
    sim = as_sim(address)
    counters = sim.counters[0]
    taken = 0
    for k in range(len(rows)):
        for _ in range(rows[k, 0]):
            key = pop_until(sim, until_ps)
            if key < 0:
                break
            out[taken, 0] = counters.now_ps
            out[taken, 1] = key & INDEX_MASK
            taken += 1
            counters.events += 1
        if rows[k, 2] >= 0:
            relabel(sim, rows[k, 2])
        elif counters.events - counters.tuned_events > 50:
            tune(sim)
        push(sim, counters.now_ps + rows[k, 1], 0, k)
    key = pop_until(sim, until_ps)
    while key >= 0:
        out[taken, 0] = counters.now_ps
        out[taken, 1] = key & INDEX_MASK
        taken += 1
        key = pop_until(sim, until_ps)
    return taken


def empty_memory() -> Memory:
    memory = Memory(
        events=aligned(CAPACITY, records.EVENT),
        near=aligned(calendar.NODES, records.NEAR_EVENT),
        days=aligned(calendar.DAYS >> calendar.WORD_BITS, np.dtype(np.int64)),
        weeks=aligned(calendar.DAYS >> 2 * calendar.WORD_BITS, np.dtype(np.int64)),
        day_first=aligned(calendar.DAYS, np.dtype(np.int32)),
    )
    memory.events["time_ps"] = EMPTY
    memory.near["next"] = np.append(np.arange(1, calendar.NODES), records.NONE)
    memory.counters[0].day_log2 = calendar.DAY_LOG2_FIRST
    return memory


def taken(rows: list[tuple[int, int, int]], until_ps: int = 10**18) -> tuple[list[tuple[int, int]], Memory]:
    memory = empty_memory()
    out = np.zeros((len(rows) + 1, 2), np.int64)
    count = drive(memory.handle, np.array(rows, np.int64), until_ps, out)
    return [tuple(row) for row in out[:count].tolist()], memory


def naive(rows: list[tuple[int, int, int]], until_ps: int = 10**18) -> list[tuple[int, int]]:
    queue: list[tuple[int, int]] = []
    now_ps, order = 0, []
    for k, (count, delay_ps, _) in enumerate(rows):
        for _ in range(count):
            if not queue or queue[0][0] > until_ps:
                break
            now_ps, index = heapq.heappop(queue)
            order.append((now_ps, index))
        heapq.heappush(queue, (now_ps + delay_ps, k))
    while queue and queue[0][0] <= until_ps:
        order.append(heapq.heappop(queue))
    return order


delays = st.one_of(
    st.integers(0, 3),
    st.integers(0, 10**6),
    st.integers(0, 10**10),
    st.sampled_from([0, 1 << 20, (1 << 32) - 1, 1 << 32, 10**15]),
)
days = st.one_of(st.just(-1), st.just(-1), st.integers(0, 40))
rows_of = st.lists(st.tuples(st.integers(0, 3), delays, days), min_size=1, max_size=400)


@settings(deadline=None, max_examples=150)
@given(rows_of, st.sampled_from([10**18, 10**10, 10**6]))
def test_events_come_in_the_order_of_time_then_of_scheduling(rows: list, until_ps: int) -> None:
    assert taken(rows, until_ps)[0] == naive(rows, until_ps)


@pytest.mark.parametrize("spread_ps", [1, 1000, 10**7, 10**12])
def test_dense_and_sparse_loads(spread_ps: int) -> None:
    draw = np.random.default_rng(3)
    rows = [(k > 2000, int(d), -1) for k, d in enumerate(draw.integers(0, spread_ps, 20_000))]
    assert taken(rows)[0] == naive(rows)


def test_a_long_day_goes_to_the_heap() -> None:
    """Distinct times within one day, from late to early at random: lists stay short, the heap takes the rest."""
    draw = np.random.default_rng(4)
    rows = [(0, int(d), -1) for d in draw.permutation(1000)]
    memory = empty_memory()
    out = np.zeros((len(rows) + 1, 2), np.int64)
    drive(memory.handle, np.array(rows, np.int64), -1, out)
    assert int(memory.counters[0].heap_size) > 500
    assert taken(rows)[0] == naive(rows)


def test_nothing_is_lost_when_the_calendar_is_full() -> None:
    rows = [(0, k * 100_000, -1) for k in range(calendar.NODES + 100)]
    got, memory = taken(rows)
    assert got == naive(rows)
    assert int(memory.counters[0].heap_size) == 0
    assert memory.events["time_ps"][heap.ROOT] == EMPTY


def test_the_day_follows_the_density_of_events() -> None:
    """Events a nanosecond apart: a day becomes about as long."""
    _, memory = taken([(k > 20, 20_000, -1) for k in range(3000)])
    assert 8 <= int(memory.counters[0].day_log2) <= 12
