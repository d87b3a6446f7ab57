"""Rate traces: against naive loops over the rate's integral and Mahimahi's opportunities; readers."""

from __future__ import annotations

from collections import deque
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netarium.errors import TrialInvalid
from netarium.run.kernel.events import NEVER
from netarium.run.kernel.jit import kernel
from netarium.run.kernel.memory import Memory, as_sim
from netarium.run.kernel.tracefile import RateTrace, changes, read
from netarium.run.kernel.traces import (
    OPPORTUNITIES,
    OPPORTUNITY_BYTES,
    RATES,
    TRACE,
    TRACE_POINT,
    transmit_end_ps,
)

MS = 10**9
S = 10**12
OVERHEAD = 38


@kernel(entry=True)
def send_all(address: Any, rows: Any, out: Any) -> None:
    """Row k (time, wire bytes) begins when it has come and the one before has ended."""
    sim = as_sim(address)
    free_ps = 0
    for k in range(len(rows)):
        begin_ps = max(free_ps, rows[k, 0])
        free_ps = transmit_end_ps(sim, 0, begin_ps, rows[k, 1])
        out[k] = free_ps
        if free_ps >= NEVER:
            break


def ends(trace: RateTrace, packets: list[tuple[int, int]], overhead: int = OVERHEAD) -> list[int]:
    """When each packet (time, wire bytes) has ended; the trace stands behind another one's points."""
    traces = np.zeros(1, TRACE)
    points = np.concatenate([np.full(3, -1, np.int64).repeat(2).view(TRACE_POINT), trace.points])
    trace.encode(traces.view(np.recarray)[0], 3, overhead)
    memory = Memory(traces=traces, trace_points=points)
    out = np.full(len(packets), NEVER, np.int64)
    send_all(memory.handle, np.array(packets, np.int64), out)
    return out.tolist()


def rates(*points: tuple[int, int], loop: bool = False) -> RateTrace:
    array = np.zeros(len(points), TRACE_POINT)
    array["time_ps"], array["rate_bps"] = np.array(points, np.int64).T
    return RateTrace(RATES, array, loop, points[-1][0])


def naive_rates(points: list[tuple[int, int]], loop: bool, packets: list[tuple[int, int]]) -> list[int]:
    """Walk from corner to corner of the rate, in exact fractions of a bit."""
    period = points[-1][0]

    def corner_after(t: Fraction) -> Fraction | None:
        base = t // period * period if loop else 0
        later = [base + at for at, _ in points if base + at > t]
        return Fraction(min(later)) if later else None

    def rate_at(t: Fraction) -> int:
        inside = t % period if loop else t
        return [rate for at, rate in (points[:-1] if loop else points) if at <= inside][-1]

    found = []
    free = 0
    for arrives, size in packets:
        t, bits = Fraction(max(free, arrives)), Fraction(8 * size)
        while bits > 0:
            rate, corner = rate_at(t), corner_after(t)
            if corner is None and rate == 0:
                return [*found, *[NEVER] * (len(packets) - len(found))]
            carried = bits if corner is None else min(bits, (corner - t) * rate / S)
            t = corner if carried < bits or rate == 0 else t + carried * S / rate
            bits -= carried
        free = -(-t.numerator // t.denominator)
        found.append(free)
    return found


POINTS = st.lists(
    st.tuples(st.sampled_from([777_777, MS, 3 * MS]), st.sampled_from([0, 999_983, 10**7, 10**10])),
    min_size=1,
    max_size=6,
)
PACKETS = st.lists(
    st.tuples(st.sampled_from([0, 0, 1, 10**6, 5 * MS, 400 * MS]), st.sampled_from([64, 577, 1538])),
    min_size=1,
    max_size=12,
)


def timed(gaps: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return [(sum(gap for gap, _ in gaps[: k + 1]), size) for k, (_, size) in enumerate(gaps)]


@settings(max_examples=80, deadline=None)
@given(POINTS, PACKETS, st.booleans())
def test_rates_are_integrated_exactly(
    steps: list[tuple[int, int]], gaps: list[tuple[int, int]], loop: bool
) -> None:
    points = [(0, 10**8), *((at, rate) for at, rate in timed(steps))]
    packets = timed(gaps)
    assert ends(rates(*points, loop=loop), packets) == naive_rates(points, loop, packets)


def test_a_packet_spans_a_change_of_rate() -> None:
    """1000 bytes: 4000 bits in the first 4 ms at 1 Mbit/s, the rest at 2 Mbit/s."""
    assert ends(rates((0, 10**6), (4 * MS, 2 * 10**6)), [(0, 1000)]) == [6 * MS]


def test_a_rate_of_zero_waits_and_a_last_one_never_ends() -> None:
    assert ends(rates((0, 0), (5 * MS, 8 * 10**6)), [(0, 1000)]) == [6 * MS]
    assert ends(rates((0, 8 * 10**6), (5 * MS, 0)), [(0, 1000), (5 * MS, 1)]) == [MS, NEVER]


def test_a_looping_trace_is_the_same_after_a_month_of_silence() -> None:
    trace = rates((0, 10**6), (2 * MS, 8 * 10**6), (3 * MS, 0), loop=True)
    month = 30 * 86_400 * S // (3 * MS) * (3 * MS)
    assert ends(trace, [(0, 400), (month + MS, 400)]) == [
        e + d for e, d in zip(ends(trace, [(0, 400)]) + ends(trace, [(MS, 400)]), (0, month), strict=True)
    ]


def test_a_constant_trace_is_a_constant_rate() -> None:
    packets = [(0, 1538)] * 50
    assert ends(rates((0, 10**9)), packets) == [12_304_000 * (k + 1) for k in range(50)]
    assert ends(rates((0, 10**9), (7 * MS, 10**9), loop=True), packets) == ends(rates((0, 10**9)), packets)


def test_later_changes_of_rate_become_a_trace() -> None:
    trace = changes(10**6, [(9 * MS, 5), (4 * MS, 2 * 10**6), (9 * MS, 7)])
    assert [tuple(map(int, point)) for point in trace.points] == [
        (0, 10**6),
        (4 * MS, 2 * 10**6),
        (9 * MS, 7),
    ]
    assert not trace.loop


def naive_mahimahi(times_ms: list[int], loop: bool, packets: list[tuple[int, int]]) -> list[int]:
    """link_queue.cc: at every opportunity up to 1504 bytes of the packets that have come before it."""
    waiting: deque[list[int]] = deque()
    coming = deque(enumerate(packets))
    done = [NEVER] * len(packets)
    rounds = 0
    while coming or waiting:
        for at_ms in times_ms:
            now = (rounds * times_ms[-1] + at_ms) * MS
            while coming and coming[0][1][0] < now:
                number, (_, size) = coming.popleft()
                waiting.append([number, size - OVERHEAD + 4])
            left = OPPORTUNITY_BYTES
            while waiting and left:
                part = min(left, waiting[0][1])
                left -= part
                waiting[0][1] -= part
                if waiting[0][1] == 0:
                    done[waiting.popleft()[0]] = now
        rounds += 1
        if not loop:
            break
    return done


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.integers(0, 12), min_size=1, max_size=12).map(sorted).filter(lambda times: times[-1] > 0),
    st.lists(
        st.tuples(st.sampled_from([0, 0, 0, 1, MS // 2, 3 * MS + 1, 70 * MS]), st.integers(64, 4000)),
        min_size=1,
        max_size=25,
    ),
    st.booleans(),
)
def test_opportunities_are_mahimahis(times_ms: list[int], gaps: list[tuple[int, int]], loop: bool) -> None:
    packets = timed([(1, 1538), *gaps])
    array = np.zeros(len(times_ms), TRACE_POINT)
    array["time_ps"] = np.array(times_ms) * MS
    trace = RateTrace(OPPORTUNITIES, array, loop, times_ms[-1] * MS)
    assert ends(trace, packets) == naive_mahimahi(times_ms, loop, packets)


def test_a_full_packet_is_one_opportunity_and_a_small_one_shares(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("1\n2\n2\n5\n")
    trace = read(tmp_path / "t", "mahimahi", True, "here")
    full, small = 1500 + OVERHEAD, 500 + OVERHEAD
    packets = [(0, full), (0, full), (0, full), (0, full), (0, full)]
    assert ends(trace, packets) == [MS, 2 * MS, 2 * MS, 5 * MS, 6 * MS]
    assert ends(trace, [(0, small), (0, small), (0, full)]) == [MS, MS, 2 * MS]
    assert ends(trace, [(0, small), (MS, small)]) == [MS, MS]
    assert ends(trace, [(0, small), (MS + 1, small)]) == [MS, 2 * MS]
    assert ends(trace, [(2 * MS, full)]) == [
        5 * MS
    ]  # an opportunity is past when the packet comes at its instant
    assert trace.mean_bps == 4 * 1504 * 8 * 200
    assert trace.peak_bps == 2 * 1504 * 8 * 1000


def test_a_csv_with_units_or_in_si(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("time,rate\n# comment\n0 s, 10 Mbit/s\n1.5 ms, 0 bit/s\n2 s,1 GB/s\n")
    (tmp_path / "b").write_text("0,1e7\n0.0015,0\n2,8000000000\n")
    a, b = (read(tmp_path / name, "csv", False, "here") for name in "ab")
    assert a.points.tolist() == b.points.tolist() == [(0, 10**7), (15 * MS // 10, 0), (2 * S, 8 * 10**9)]
    assert (a.kind, a.loop, a.period_ps) == (RATES, False, 2 * S)
    assert a.peak_bps == 8 * 10**9
    assert a.mean_bps == 7500


def test_the_last_line_of_a_looping_csv_is_its_end(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("0,1000000\n1,0\n2,5\n")
    trace = read(tmp_path / "a", "csv", True, "here")
    assert ends(trace, [(2 * S, 1000)]) == [2 * S + 8 * MS]


def problems(tmp_path: Path, text: str, form: str, loop: bool = True) -> list[str]:
    (tmp_path / "trace").write_text(text)
    with pytest.raises(TrialInvalid) as raised:
        read(tmp_path / "trace", form, loop, "network.links[0].rate_trace.file")
    assert all(p.where == "network.links[0].rate_trace.file" for p in raised.value.problems)
    return [f"{p.line}: found {p.found}, expected {p.expected}" for p in raised.value.problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["0: found no times, expected one time a line, in milliseconds"]),
        ("8640000001\n", ["1: found 8640000001 ms, expected times of at most 100 days"]),
        ("0\n0\n", ["0: found only the time 0, expected a trace that lasts longer than 0 ms"]),
        (
            "1\n\nx\n5\n3\n",
            [
                "2: found an empty line, expected whole milliseconds",
                "3: found 'x', expected whole milliseconds",
                "5: found 3 after 5, expected times that do not go back",
            ],
        ),
    ],
)
def test_every_mistake_of_a_mahimahi_trace_has_its_line(
    tmp_path: Path, text: str, expected: list[str]
) -> None:
    assert problems(tmp_path, text, "mahimahi") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["0: found no rates, expected lines time,rate such as 1.5 s,20 Mbit/s"]),
        ("1,5\n2,5", ["0: found a trace that begins later than 0 s, expected a first line with time 0"]),
        ("0,5\n", ["0: found one line, expected a last line: the time of the end of the round"]),
        ("0,0\n1,5\n", ["0: found no rate above 0, expected a rate that lets packets through"]),
        (
            "0,5,6\n0,-5\n0,5\n0,6\n1 parsec,6\n",
            [
                "1: found 0,5,6, expected two columns: time,rate",
                "2: found '-5', expected a rate with its unit, such as \"10 Gbit/s\"",
                "4: found time 0, not after the line before, expected times that grow",
                "5: found '1 parsec', expected a time in ps, ns, us, ms, s, min, h, d",
            ],
        ),
        ("0,5\n101 d,6\n", ["2: found time 101 d, expected times of at most 100 days"]),
    ],
)
def test_every_mistake_of_a_csv_has_its_line(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert problems(tmp_path, text, "csv") == expected


def test_a_csv_taken_for_mahimahi_gets_a_hint(tmp_path: Path) -> None:
    (tmp_path / "trace").write_text("0,5\n")
    with pytest.raises(TrialInvalid, match="is it a CSV"):
        read(tmp_path / "trace", "mahimahi", True, "here")


def test_a_missing_trace_is_a_problem_of_the_trial(tmp_path: Path) -> None:
    with pytest.raises(TrialInvalid, match="no readable file"):
        read(tmp_path / "none", "csv", True, "here")
