"""CUBIC as in Linux: against a naive version, and what of it is felt: granularity, Reno's region, reductions, HyStart."""

from __future__ import annotations

import numpy as np
import pytest
from control_driver import COLUMN, MS_PS, RECOVERY, SECOND_PS, Control
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_cubic import Naive
from test_interpreted import random_script

from netarium.run.kernel.congestion import cubic, hybrid_start
from netarium.run.kernel.congestion.codes import CODES, VERBS
from netarium.run.kernel.transport.features import HYSTART, PACED

RTT_PS = 20 * MS_PS


def after_a_loss(segments: int, **options) -> Control:
    """A control that has just lost a packet at that window, long ago enough that delays count again."""
    control = Control(CODES["cubic"], segments=segments, **options)
    control.lose()
    return control


def rounds(control: Control, seconds: float, rtt_ps: int = RTT_PS) -> list[tuple[float, float]]:
    """Whole rounds of ACKs for that time: (seconds, segments) after each."""
    begin_ps, seen = control.now_ps, []
    while control.now_ps - begin_ps < seconds * SECOND_PS:
        count = max(int(control.segments), 1)
        control.acks_of(count, rtt_ps // count, rtt_ps=rtt_ps, srtt_ps=rtt_ps, in_flight_bytes=1000)
        seen.append(((control.now_ps - begin_ps) / SECOND_PS, control.segments))
    return seen


def steady_script(seed: int, length: int) -> np.ndarray:
    """As random_script, but such that windows grow and epochs last: ACKs at most milliseconds apart, few losses."""
    rng = np.random.default_rng(seed)
    script = random_script(seed, length)
    verbs, times = script[:, COLUMN["verb"]], script[:, COLUMN["now_ps"]]
    calm = rng.random(length) < 0.95
    verbs[calm] = VERBS.index("on_ack")
    gaps = rng.integers(0, 3 * MS_PS, length) * np.where(rng.random(length) < 0.01, 400, 1)
    times[:] = np.cumsum(gaps)
    for name, value in (("ece", 0), ("in_recovery", 0), ("cwnd_limited", 1)):
        script[calm, COLUMN[name]] = value
    script[:, COLUMN["in_flight_bytes"]] *= rng.random(length) < 0.99
    return script


def naive_windows(script: np.ndarray, features: int, paced: np.ndarray) -> np.ndarray:
    """cwnd and ssthresh of the naive version after each line."""
    naive = Naive(mss=1000, cwnd=10_000, hystart=bool(features & HYSTART))
    windows = np.zeros((len(script), 2), np.int64)
    for k, values in enumerate(script.tolist()):
        line = dict(zip(COLUMN, values, strict=True)) | {"paced": bool(paced[k - 1]) if k else False}
        if line["window_bytes"]:
            naive.cwnd = line["window_bytes"]
        verb, now = VERBS[line["verb"]], line["now_ps"]
        if verb == "on_ack":
            naive.on_ack(now, line)
        elif verb == "on_loss":
            naive.on_loss()
        elif verb == "on_rto":
            naive.on_rto(now, line["nxt"], line["state"] == RECOVERY)
        elif verb == "on_ecn":
            naive.on_ecn()
        naive.una = line["una"]
        windows[k] = naive.cwnd, naive.ssthresh
    return windows


@pytest.mark.parametrize("make", [random_script, steady_script])
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), features=st.sampled_from([0, HYSTART, HYSTART | PACED]))
def test_against_the_naive_version(make, seed: int, features: int) -> None:
    script = make(seed, 2000)
    windows = Control(CODES["cubic"], features=features).play(script)
    expected = naive_windows(script, features, windows[:, 2] > 0)
    differing = np.flatnonzero((windows[:, :2] != expected).any(axis=1))
    assert differing.size == 0, (differing[0], windows[differing[0]], expected[differing[0]])


def test_window_follows_the_cubic_function() -> None:
    """C (t - K)^3 + W_max, concave and convex, within the step of two rounds and a segment."""
    control = after_a_loss(400)
    k_s = (120 / 0.4) ** (1 / 3)
    for time_s, window in rounds(control, k_s + 3, 100 * MS_PS):
        expected = max(0.4 * (time_s - k_s) ** 3 + 400, 280 + 8 / 15 * time_s / 0.1)
        step = 0.4 * 3 * (time_s - k_s) ** 2 * 0.1
        assert window == pytest.approx(expected, abs=2 * step + 3)


def test_reno_region_never_grows_faster() -> None:
    """8 / 15 of a segment a round, also above the window of the last reduction."""
    control = after_a_loss(30)
    seen = [window for _, window in rounds(control, 1.2, 10 * MS_PS)]
    assert seen[-1] > 60
    assert (seen[-1] - 21) / len(seen) == pytest.approx(8 / 15, rel=0.06)


def test_the_count_is_kept_for_32_ms_while_the_window_stands_still() -> None:
    control = after_a_loss(1000)
    looked_up = []
    for _ in range(40):
        control.acks_of(1, MS_PS, rtt_ps=RTT_PS, srtt_ps=RTT_PS, in_flight_bytes=1000)
        looked_up.append(int(control.conn.i[cubic.LAST_JIFFIES]))
    assert control.segments == 700
    assert sorted(set(looked_up)) == [0, 8]


@pytest.mark.parametrize("verb", ["on_loss", "on_rto", "on_ecn"])
@pytest.mark.parametrize(("segments", "expected"), [(100, 70), (9, 6), (5, 3), (2, 2), (1, 2)])
def test_reductions_leave_whole_segments(verb: str, segments: int, expected: int) -> None:
    control = Control(CODES["cubic"], segments=segments)
    control.do(verb)
    assert control.conn.ssthresh_bytes == expected * 1000


def test_fast_convergence() -> None:
    control = after_a_loss(1000)
    control.lose()
    assert control.conn.i[cubic.W_MAX] == 700 * 1741 // 2048
    assert control.segments == 490


def test_a_timeout_in_fast_recovery_reduces_no_further_and_forgets() -> None:
    control = Control(CODES["cubic"], segments=100)
    control.do("on_loss")
    control.do("on_rto", state=RECOVERY)
    assert control.conn.ssthresh_bytes == 70_000
    assert control.conn.i[cubic.W_MAX] == 0
    assert control.conn.i[cubic.EPOCH_JIFFIES] == -1


def test_idle_time_does_not_count() -> None:
    busy, idle = after_a_loss(1000), after_a_loss(1000)
    for control in (busy, idle):
        rounds(control, 5, 100 * MS_PS)
    at_rest = idle.segments
    idle.acks_of(1, 0, in_flight_bytes=0, rtt_ps=100 * MS_PS, srtt_ps=100 * MS_PS)
    idle.now_ps += 100 * SECOND_PS
    idle.acks_of(1, 0, rtt_ps=100 * MS_PS, srtt_ps=100 * MS_PS)
    assert idle.segments - at_rest <= 1
    for control in (busy, idle):
        rounds(control, 2, 100 * MS_PS)
    assert idle.segments == pytest.approx(busy.segments, abs=3)


@pytest.mark.parametrize("columns", [{"cwnd_limited": 0}, {"in_recovery": 1}, {"ece": 1}])
def test_the_window_does_not_grow(columns) -> None:
    for control in (after_a_loss(100), Control(CODES["cubic"])):
        before = control.segments
        control.acks_of(100, MS_PS, **columns)
        assert control.segments == before


def test_a_long_time_without_loss() -> None:
    """Half an hour after a loss: the window grows by a half a round at most, and nothing overflows."""
    control = after_a_loss(100)
    control.acks_of(1, 0, rtt_ps=RTT_PS, srtt_ps=RTT_PS, in_flight_bytes=1000)
    control.now_ps += 1800 * SECOND_PS
    before = control.segments
    rounds(control, 0.01)
    assert control.segments / before == pytest.approx(1.5, abs=0.03)


def slow_start(rtt_ps: int, every_ps: int, count: int, segments: int = 60, **options) -> Control:
    """`count` ACKs of a round of slow start."""
    control = Control(CODES["cubic"], segments=segments, features=HYSTART, **options)
    control.acks_of(count, every_ps, rtt_ps=rtt_ps, srtt_ps=rtt_ps)
    return control


def found(control: Control) -> bool:
    return bool(control.conn.i[hybrid_start.FOUND])


def test_a_train_of_half_a_round_trip_ends_slow_start() -> None:
    """40 ms, and 1 ms for the four largest trains: 20.5 ms."""
    assert not found(slow_start(40 * MS_PS, MS_PS // 2, 41))
    assert found(slow_start(40 * MS_PS, MS_PS // 2, 42))
    control = slow_start(40 * MS_PS, MS_PS // 2, 100)
    assert control.conn.ssthresh_bytes == 101_000
    assert control.segments < 110


def test_acks_far_apart_are_no_train() -> None:
    assert not found(slow_start(40 * MS_PS, 2 * MS_PS + 1, 39))


def test_windows_below_16_segments_are_left_alone() -> None:
    assert not found(slow_start(4 * MS_PS, MS_PS, 10, segments=10))
    assert not found(slow_start(4 * MS_PS, MS_PS, 2, segments=15))
    assert found(slow_start(4 * MS_PS, MS_PS, 3, segments=15))


@pytest.mark.parametrize(
    ("base_ms", "rise_ms", "ends"),
    [
        (40, 4.9, False),
        (40, 5.1, True),
        (8, 3.9, False),
        (8, 4.1, True),
        (400, 15.9, False),
        (400, 16.1, True),
    ],
)
def test_a_delay_that_rises_by_an_eighth_ends_slow_start(base_ms: float, rise_ms: float, ends: bool) -> None:
    control = Control(CODES["cubic"], segments=20, features=HYSTART)
    control.acks_of(30, 3 * MS_PS, rtt_ps=int(base_ms * MS_PS))
    control.acks_of(40, 3 * MS_PS, rtt_ps=int((base_ms + rise_ms) * MS_PS))
    assert found(control) == ends
