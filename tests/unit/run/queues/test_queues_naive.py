"""Every discipline against its naive version: the same packets leave, marked, at the same picoseconds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import naive_queues as naive
from hypothesis import given, settings
from hypothesis import strategies as st
from queue_bench import STREAM_KEY, offer

from netarium.describe import queues as d
from netarium.run.kernel.queues import red
from netarium.run.kernel.queues.shaper import ShapedSlice, Shaper
from netarium.run.kernel.queues.strict import Strict

RATE = 10**9
BYTE_PS = 8000
RATES = (10**8, 2 * 10**8, 4 * 10**8, 5 * 10**8, 8 * 10**8)
"""Rates at which a byte takes whole picoseconds, so that the naive fractions must agree exactly."""

GAPS = st.sampled_from([0, 0, 0, 1, 4_000_000, 11_999_999, 12_000_000, 50_000_000, 900_000_000])
ROWS = st.tuples(
    GAPS,
    st.sampled_from([40, 64, 577, 1499, 1500]),
    st.integers(0, 15),
    st.integers(0, 4),
    st.integers(0, 2**62),
    st.sampled_from([0, 0, 2, 1, 3]),
)


@st.composite
def arrivals(draw: Callable[..., Any], least: int = 1, most: int = 70) -> list[tuple[int, ...]]:
    rows, now = [], 0
    for gap, *rest in draw(st.lists(ROWS, min_size=least, max_size=most)):
        now += gap
        rows.append((now, *rest))
    return rows


def agree(spec: Any, rows: list[tuple[int, ...]], make: Callable[[naive.Log], naive.Queue]) -> None:
    log = naive.Log()
    expected = naive.serve(make(log), rows, BYTE_PS)
    got = offer(spec, rows, RATE)
    assert list(zip(got.left, got.begins_ps, got.ecn, strict=True)) == expected
    assert got.drops == dict(log.drops)
    assert got.marks == log.marks
    assert got.faults == 0


def uniform() -> Callable[[], float]:
    return naive.splitmix64(STREAM_KEY)


def sizes(*values: int) -> st.SearchStrategy[str]:
    return st.sampled_from(values).map(lambda value: f"{value} B")


def sizes_between(least: int, most: int) -> st.SearchStrategy[str]:
    return st.integers(least, most).map(lambda value: f"{value} B")


def times(*values: int) -> st.SearchStrategy[str]:
    return st.sampled_from(values).map(lambda value: f"{value} ps")


def rates(*values: int) -> st.SearchStrategy[str]:
    return st.sampled_from(values).map(lambda value: f"{value} bit/s")


CODEL = st.builds(
    d.Codel,
    limit=st.integers(1, 40),
    target=times(1_000_000, 13_000_000, 100_000_000),
    interval=times(20_000_000, 100_000_000),
    ecn=st.booleans(),
    ce_threshold=st.none() | times(30_000_000),
)
PFIFO = st.builds(d.Pfifo, limit=st.integers(1, 30))
BFIFO = st.builds(d.Bfifo, limit=sizes_between(1500, 20_000))
TBF = st.builds(d.Tbf, rate=rates(*RATES), burst=sizes_between(1500, 6000), limit=sizes_between(1500, 20_000))
LEAVES = st.one_of(PFIFO, BFIFO, CODEL, TBF)


def leaf(log: naive.Log, spec: Any) -> naive.Queue:
    match spec.kind:
        case "pfifo":
            return naive.Queue(log, limit_packets=spec.limit)
        case "bfifo":
            return naive.Queue(log, limit_bytes=spec.limit)
        case "codel":
            return naive.Codel(log, spec)
        case _:
            return naive.Tbf(log, spec.rate, spec.burst, spec.limit)


@settings(max_examples=40, deadline=None)
@given(arrivals(), LEAVES)
def test_simple_leaves(rows: list[tuple[int, ...]], spec: Any) -> None:
    agree(spec, rows, lambda log: leaf(log, spec))


@settings(max_examples=40, deadline=None)
@given(
    arrivals(20, 120),
    st.builds(
        d.Red,
        limit=sizes_between(20_000, 60_000),
        min=sizes(1500, 4000),
        max=sizes(6000, 15_000),
        burst=st.integers(5, 30),
        probability=st.sampled_from([0.02, 0.3, 1.0]),
        ecn=st.booleans(),
        bandwidth=st.none() | rates(10**8),
    ),
)
def test_red(rows: list[tuple[int, ...]], spec: d.Red) -> None:
    log2 = red.wlog(spec.min, spec.burst, spec.avpkt)
    agree(spec, rows, lambda log: naive.Red(log, uniform(), spec, log2, spec.bandwidth or RATE))


@settings(max_examples=40, deadline=None)
@given(
    arrivals(20, 120),
    st.builds(
        d.FqCodel,
        limit=st.integers(1, 60),
        flows=st.sampled_from([1, 2, 7, 64]),
        quantum=st.none() | sizes(100, 300, 1514, 3000),
        target=times(1_000_000, 13_000_000, 100_000_000),
        interval=times(20_000_000, 100_000_000),
        ecn=st.booleans(),
        memory_limit=sizes(3000, 20_000, 2**25),
    ),
)
def test_fq_codel(rows: list[tuple[int, ...]], spec: d.FqCodel) -> None:
    agree(spec, rows, lambda log: naive.FqCodel(log, spec, lambda value: naive.mix(value) % spec.flows))


@settings(max_examples=40, deadline=None)
@given(
    arrivals(20, 150),
    st.builds(
        d.Pie,
        limit=st.integers(5, 100),
        target=times(1_000_000, 20_000_000),
        tupdate=times(3_000_000, 40_000_000),
        alpha=st.sampled_from([2.0, 32.0]),
        beta=st.sampled_from([20.0, 32.0]),
        ecn=st.booleans(),
        bytemode=st.booleans(),
    ),
    st.sampled_from([0, 10**10]),
)
def test_pie(rows: list[tuple[int, ...]], spec: d.Pie, pause_ps: int) -> None:
    half = len(rows) // 2
    rows = rows[:half] + [(row[0] + pause_ps, *row[1:]) for row in rows[half:]]
    agree(spec, rows, lambda log: naive.Pie(log, uniform(), spec))


@settings(max_examples=40, deadline=None)
@given(arrivals(), st.lists(st.integers(0, 2), min_size=16, max_size=16), LEAVES)
def test_prio(rows: list[tuple[int, ...]], priomap: list[int], child: Any) -> None:
    spec = d.Prio(bands=3, priomap=priomap, child=child)
    agree(spec, rows, lambda log: naive.Prio(log, priomap, [leaf(log, child) for _ in range(3)]))


@st.composite
def classes_of_priorities(draw: Callable[..., Any]) -> tuple[list[tuple[int, ...]], list[int], str | None]:
    """Priorities named by each of some classes; the class of each priority; the default class."""
    count = draw(st.integers(1, 4))
    owner = draw(st.lists(st.integers(-1, count - 1), min_size=16, max_size=16))
    named = [tuple(p for p in range(16) if owner[p] == k) for k in range(count)]
    default = draw(st.sampled_from([None, *range(count)]))
    rest = count - 1 if default is None else default
    return named, [k if k >= 0 else rest for k in owner], None if default is None else f"c{default}"


@settings(max_examples=50, deadline=None)
@given(st.data(), arrivals(), classes_of_priorities())
def test_drr(data: Any, rows: list[tuple[int, ...]], classes: tuple[Any, Any, Any]) -> None:
    named, class_of, default = classes
    quanta = [data.draw(st.sampled_from([300, 1500, 4000])) for _ in named]
    leaves = [data.draw(LEAVES) for _ in named]
    spec = d.Drr(
        classes={
            f"c{k}": {"quantum": f"{quanta[k]} B", "priorities": named[k], "queue": leaves[k]}
            for k in range(len(named))
        },
        default=default,
    )
    agree(spec, rows, lambda log: naive.Drr(log, class_of, quanta, [leaf(log, each) for each in leaves]))


def htb_pair(data: Any, classes: tuple[Any, Any, Any]) -> tuple[d.Htb, Callable[[naive.Log], naive.Htb]]:
    named, class_of, default = classes
    sure = [data.draw(st.sampled_from(RATES[:3])) for _ in named]
    ceils = [data.draw(st.sampled_from([rate, *[r for r in RATES if r > rate]])) for rate in sure]
    bursts = [data.draw(st.sampled_from([1500, 5000])) for _ in named]
    prios = [data.draw(st.integers(0, 1)) for _ in named]
    leaves = [data.draw(LEAVES) for _ in named]
    spec = d.Htb(
        classes={
            f"c{k}": d.HtbClass(
                rate=f"{sure[k]} bit/s",
                ceil=f"{ceils[k]} bit/s",
                burst=f"{bursts[k]} B",
                prio=prios[k],
                priorities=named[k],
                queue=leaves[k],
            )
            for k in range(len(named))
        },
        default=default,
    )

    def make(log: naive.Log) -> naive.Htb:
        parts = zip(sure, ceils, bursts, prios, leaves, strict=True)
        return naive.Htb(
            log,
            class_of,
            [
                naive.HtbClass(rate, ceil, burst, prio, 1500 * rate // min(sure), leaf(log, each))
                for rate, ceil, burst, prio, each in parts
            ],
        )

    return spec, make


@settings(max_examples=50, deadline=None)
@given(st.data(), arrivals(), classes_of_priorities())
def test_htb(data: Any, rows: list[tuple[int, ...]], classes: tuple[Any, Any, Any]) -> None:
    spec, make = htb_pair(data, classes)
    agree(spec, rows, make)


@settings(max_examples=40, deadline=None)
@given(st.data(), arrivals(), st.integers(1500, 9000), classes_of_priorities())
def test_strict_over_htb(
    data: Any, rows: list[tuple[int, ...]], limit: int, classes: tuple[Any, Any, Any]
) -> None:
    below, make = htb_pair(data, classes)
    agree(Strict(limit, below), rows, lambda log: naive.Strict(log, limit, make(log)))


@settings(max_examples=50, deadline=None)
@given(
    arrivals(),
    st.dictionaries(
        st.integers(1, 4),
        st.tuples(st.sampled_from(RATES[:3]), st.sampled_from([1400, 3000, 9000]), st.integers(1500, 20_000)),
        min_size=1,
    ),
    LEAVES,
)
def test_shaper(rows: list[tuple[int, ...]], slices: dict[int, tuple[int, int, int]], below: Any) -> None:
    spec = Shaper(tuple(ShapedSlice(band, *given) for band, given in slices.items()), below)
    agree(spec, rows, lambda log: naive.Shaper(log, slices, leaf(log, below)))


@settings(max_examples=60, deadline=None)
@given(
    arrivals(),
    st.dictionaries(st.integers(1, 4), st.sampled_from([0, 1, 2]), min_size=1),
    st.sampled_from([400_000_000, 1_000_000_000]),
    LEAVES,
)
def test_shaper_with_windows(
    rows: list[tuple[int, ...]], bands: dict[int, int], period: int, below: Any
) -> None:
    """Each band has a window of a packet or two of its own, at another place of the period, or none."""
    plain = (RATES[1], 3000, 20_000)
    windows = {
        band: (period, band * period // 5, packets * 700 * BYTE_PS, 700)
        for band, packets in bands.items()
        if packets
    }

    def shaped(band: int) -> ShapedSlice:
        period_ps, opens_ps, window_ps, largest = windows.get(band, (0, 0, 0, 0))
        return ShapedSlice(band, *plain, 0, period_ps, opens_ps, window_ps, largest)

    def make(log: naive.Log) -> naive.Queue:
        queue = naive.Shaper(log, dict.fromkeys(bands, plain), leaf(log, below))
        queue.windows, queue.byte_ps, queue.guard_ps = windows, BYTE_PS, 1500 * BYTE_PS + 1
        return queue

    agree(Shaper(tuple(shaped(band) for band in bands), below), rows, make)
