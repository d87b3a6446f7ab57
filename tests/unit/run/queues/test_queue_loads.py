"""Long loads: red, codel, fq_codel and pie deep in congestion, against naive versions and their papers."""

from __future__ import annotations

import math
from typing import Any

import naive_queues as naive
import numpy as np
import pytest
from queue_bench import STREAM_KEY, Result, offer

from netarium.describe import queues as d
from netarium.run.kernel.jit import kernel
from netarium.run.kernel.queues import codel, pie, red

RATE = 10**8
BYTE_PS = 80_000
PACKET_PS = 1500 * BYTE_PS
"""120 us: a full packet at 100 Mbit/s."""
MS = 10**9


@kernel(entry=True)
def control_law(from_ps: int, interval_ps: int, count: int) -> int:
    return codel.control_law(from_ps, interval_ps, count)


@kernel(entry=True)
def scaled(probability: float) -> float:
    return pie.scaled(probability)


def load(
    share: float, duration_ms: int, seed: int = 1, flows: int = 1, ecn: int = 0
) -> list[tuple[int, ...]]:
    """Full packets, Poisson at `share` of the rate."""
    draw = np.random.default_rng(seed)
    count = int(share * duration_ms * MS / PACKET_PS)
    times = np.sort(draw.integers(0, duration_ms * MS, count))
    hashes = draw.integers(0, flows, count) * 7919
    return [(int(at), 1500, 0, 0, int(h), ecn) for at, h in zip(times, hashes, strict=True)]


def compare(spec: Any, rows: list[tuple[int, ...]], queue: naive.Queue, reasons: int = 1) -> Result:
    """Same packets at the same instants as naive; at least `reasons` kinds of drops or marks happened."""
    expected = naive.serve(queue, rows, BYTE_PS)
    got = offer(spec, rows, RATE, check=False)
    assert list(zip(got.left, got.begins_ps, got.ecn, strict=True)) == expected
    assert got.drops == dict(queue.log.drops)
    assert got.marks == queue.log.marks
    assert len(got.drops) + bool(got.marks) >= reasons
    return got


@pytest.mark.parametrize("ecn", [False, True])
def test_codel_in_overload_is_naive_codel(ecn: bool) -> None:
    spec = d.Codel(limit=400, ecn=ecn)
    got = compare(spec, load(1.15, 2000, ecn=2 * ecn), naive.Codel(naive.Log(), spec))
    assert got.marks > 50 if ecn else got.drops["DROP_AQM"] > 50


def test_codel_drops_at_the_instants_of_the_control_law() -> None:
    """A queue that only grows: drop k+1 comes interval/sqrt(k) after drop k."""
    queue = naive.Codel(naive.Log(), d.Codel(limit=10**6))
    rows = load(2.0, 1500)
    compare(d.Codel(limit=10**6), rows, queue)
    first = queue.instants[0]
    due = first
    for count, instant in enumerate(queue.instants[1:40], start=1):
        due += 100 * MS / math.sqrt(count)
        assert due <= instant < due + PACKET_PS
    assert first >= 100 * MS


def test_codel_control_law_is_interval_over_square_root() -> None:
    interval = 100 * MS
    for count in (1, 2, 3, 10, 1000, 10**6):
        assert abs(control_law(5, interval, count) - 5 - interval / math.sqrt(count)) <= 1


def test_codel_leaves_alone_what_never_stands() -> None:
    """Below capacity no sojourn stays above target for an interval, so nothing is dropped."""
    assert offer(d.Codel(limit=10**6), load(0.8, 1000), RATE, check=False).drops == {}


def test_codel_never_drops_what_leaves_one_mtu_behind() -> None:
    """RFC 8289 section 5.5: at most one packet's bytes in the queue is no queue, however long it stood."""
    rows = load(1.3, 200)
    impatient = {"target": "1 ps", "interval": "1 ms"}
    assert "DROP_AQM" not in offer(d.Codel(limit=2, **impatient), rows, RATE, check=False).drops
    assert offer(d.Codel(limit=3, **impatient), rows, RATE, check=False).drops["DROP_AQM"] > 10


def test_fq_codel_in_overload_is_naive_fq_codel() -> None:
    spec = d.FqCodel(limit=300, flows=8, ecn=False)
    index_of = lambda value: naive.mix(value) % 8  # noqa: E731
    rows = load(1.6, 600, flows=12)
    got = compare(spec, rows, naive.FqCodel(naive.Log(), spec, index_of), reasons=2)
    assert got.drops["DROP_TAIL"] > 50


def test_fq_codel_gives_equal_shares_whatever_is_offered() -> None:
    """Flows that offer 3, 1 and 1 times the rate each get a third of it, within one quantum a flow."""
    rows = sorted(
        (at, 1500, 0, 0, flow)
        for flow, times in ((11, 3), (22, 1), (33, 1))
        for at in range(0, 200 * MS, PACKET_PS // times)
    )
    got = offer(d.FqCodel(limit=10**6, memory_limit="1 GB", target="1 s"), rows, RATE, check=False)
    while_busy = [p for p, at in got.departures if at < 200 * MS]
    shares = np.unique([rows[p][4] for p in while_busy], return_counts=True)[1]
    assert len(shares) == 3
    assert max(shares) - min(shares) <= 2


def test_fq_codel_serves_a_new_flow_before_the_old_ones() -> None:
    rows = [(0, 1500, 0, 0, 7)] * 50 + [(30 * PACKET_PS - 1, 100, 0, 0, 8)]
    got = offer(d.FqCodel(), rows, RATE)
    assert dict(got.departures)[50] == 30 * PACKET_PS


@pytest.mark.parametrize("ecn", [False, True])
def test_pie_in_overload_is_naive_pie(ecn: bool) -> None:
    spec = d.Pie(limit=600, ecn=ecn)
    rows = load(1.2, 3000, ecn=2 * ecn)
    queue = naive.Pie(naive.Log(), naive.splitmix64(STREAM_KEY), spec)
    got = compare(spec, rows, queue)
    assert got.drops.get("DROP_AQM", 0) + got.marks > 300


def test_pie_holds_the_delay_at_its_target() -> None:
    """20 % too much load: once settled, the mean delay is within 5 ms of the target, a sixth is dropped."""
    rows = load(1.2, 6000)
    got = offer(d.Pie(limit=1000), rows, RATE, check=False)
    delays = [at - rows[p][0] for p, at in got.departures if at > 2000 * MS]
    assert abs(np.mean(delays) / MS - 15) < 5
    assert abs(got.drops["DROP_AQM"] / len(rows) - 1 / 6) < 0.02


def test_pie_after_a_long_pause_is_as_if_every_update_had_been_made() -> None:
    """A day of idle updates is skipped once they change nothing."""
    spec = d.Pie(limit=600)
    rows = load(1.3, 600)
    day_ps = 86_400 * 1000 * MS
    later = [(at + day_ps, *rest) for at, *rest in load(1.3, 600, seed=2)]
    early = naive.Pie(naive.Log(), naive.splitmix64(STREAM_KEY), spec)
    skip = (day_ps - 10_000 * MS) // spec.tupdate * spec.tupdate
    near = [(at - skip, *rest) for at, *rest in later]
    expected = naive.serve(early, [*rows, *near], BYTE_PS)
    got = offer(spec, [*rows, *later], RATE, check=False)
    assert got.left == [number for number, _, _ in expected]


def test_red_in_overload_is_naive_red() -> None:
    spec = d.Red(limit="150 kB", min="30 kB", max="90 kB", probability=0.1)
    queue = naive.Red(naive.Log(), naive.splitmix64(STREAM_KEY), spec, red.wlog(30_000, 50, 1000), RATE)
    compare(spec, load(1.1, 2000), queue)
    compare(
        spec.model_copy(update={"ecn": True}),
        load(1.1, 2000, ecn=2),
        naive.Red(
            naive.Log(),
            naive.splitmix64(STREAM_KEY),
            spec.model_copy(update={"ecn": True}),
            red.wlog(30_000, 50, 1000),
            RATE,
        ),
        reasons=2,
    )


def test_red_spaces_its_drops_evenly() -> None:
    """With the average half way between min and max, gaps between drops are uniform up to 2/maxp packets."""
    queue = naive.Red(naive.Log(), naive.splitmix64(3), d.Red(limit="1 MB", min="1 kB", max="3 kB"), 9, RATE)
    queue.average = 2000.0
    gaps, last = [], 0
    for number in range(200_000):
        if queue.verdict():
            gaps.append(number - last)
            last = number
    assert max(gaps[1:]) <= 2 / 0.02 + 1
    assert abs(np.mean(gaps[1:]) - (1 / 0.02 + 0.5)) < 1


def test_red_averages_as_the_paper_says() -> None:
    """Section 6: w at most 0.0042 for bursts of 50 packets above a minimum of 5; and no smaller than needed.

    tc's formula, which is ours, has L where the paper's equation 3 has L + 1, so it is half a step slower.
    """
    assert 0.0042 / 4 < 2.0 ** -red.wlog(5000, 50, 1000) <= 0.0042
    for burst in (40, 46, 57, 75, 101, 135, 400):
        log2 = red.wlog(32_000, burst, 1000)
        average = [(1 - (1 - 2.0**-each) ** burst) * 2**each for each in (log2 - 1, log2)]
        assert average[0] < burst + 1 - 32 <= average[1]


def test_pie_constants_are_those_of_rfc_8033() -> None:
    spec = d.Pie()
    assert (spec.target, spec.tupdate) == (15 * MS, 15 * MS)
    assert (spec.alpha / 16, spec.beta / 16) == (0.125, 1.25)
    assert pie.MAX_BURST_PS == 150 * MS
    assert (pie.ACCUMULATED_LOW, pie.ACCUMULATED_HIGH) == (0.85, 8.5)
    table = {0.2: 1, 0.1: 1, 0.09: 2, 9e-3: 8, 9e-4: 32, 9e-5: 128, 9e-6: 512, 9e-7: 2048, 0: 2048}
    assert {p: round(1 / scaled(float(p))) for p in table} == table


def test_codel_and_fq_codel_defaults_are_those_of_their_rfcs() -> None:
    assert (d.Codel().target, d.Codel().interval) == (5 * MS, 100 * MS)
    assert codel.RECENT_INTERVALS == 16
    spec = d.FqCodel()
    assert (spec.target, spec.interval) == (5 * MS, 100 * MS)
    assert (spec.flows, spec.limit, spec.ecn) == (1024, 10240, True)
    assert spec.memory_limit == 32 * 2**20
