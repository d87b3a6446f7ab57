"""CUBIC of RFC 9438: the cubic function, Reno's region, reductions, timeouts, idle applications, average window."""

import math

import pytest
from control_driver import MS_PS, SECOND_PS, Control

from netarium.run.kernel.congestion import cubic_rfc9438 as cubic
from netarium.run.kernel.congestion.codes import CODES

C, BETA, ALPHA = 0.4, 0.7, 9 / 17


def after_a_loss(segments: int, **options) -> Control:
    """A control that has just lost a packet at that window."""
    control = Control(CODES["cubic_rfc9438"], segments=segments, **options)
    control.lose()
    return control


def rounds(control: Control, seconds: float, rtt_ps: int, segments: int = 1) -> list[tuple[float, float]]:
    """Whole rounds of ACKs for that time: (seconds, segments) after each."""
    begin_ps = control.now_ps
    seen = []
    while control.now_ps - begin_ps < seconds * SECOND_PS:
        count = max(int(control.segments) // segments, 1)
        control.acks_of(count, rtt_ps // count, segments, rtt_ps=rtt_ps, srtt_ps=rtt_ps)
        seen.append(((control.now_ps - begin_ps) / SECOND_PS, control.segments))
    return seen


@pytest.mark.parametrize("segments", [1, 2])
def test_window_follows_the_cubic_function(segments: int) -> None:
    """Section 4.2, concave and convex; the window lags the function by at most the step of one round."""
    control = after_a_loss(200)
    assert control.segments == 140
    k_s = (60 / C) ** (1 / 3)
    slope = 0.0
    for time_s, window in rounds(control, 10, 100 * MS_PS, segments):
        expected = max(C * (time_s - k_s) ** 3 + 200, 140 + ALPHA * time_s / 0.1)
        slope = C * 3 * (time_s - k_s) ** 2 * 0.1
        assert window == pytest.approx(expected, abs=1.5 * slope + 2)
    assert time_s > k_s + 4


def test_plateau_is_reached_after_k() -> None:
    control = after_a_loss(1000)
    (_, window) = rounds(control, (300 / C) ** (1 / 3), 50 * MS_PS, segments=20)[-1]
    assert window == pytest.approx(1000, abs=2)


def test_reno_friendly_region() -> None:
    """Section 4.3: alpha_cubic segments a round, and one segment a round from cwnd_prior on."""
    control = after_a_loss(100)
    windows = [window for _, window in rounds(control, 0.1, MS_PS)]
    below = [b - a for a, b in zip(windows, windows[1:], strict=False) if b < 99]
    above = [b - a for a, b in zip(windows, windows[1:], strict=False) if a > 101]
    assert len(below) > 40
    assert len(above) > 20
    assert sum(below) / len(below) == pytest.approx(ALPHA, rel=0.03)
    assert sum(above) / len(above) == pytest.approx(1.0, rel=0.03)


@pytest.mark.parametrize("verb", ["on_loss", "on_rto", "on_ecn"])
@pytest.mark.parametrize(("segments", "expected"), [(100, 70), (2, 2), (1, 2)])
def test_reductions(verb: str, segments: int, expected: int) -> None:
    control = Control(CODES["cubic_rfc9438"], segments=segments)
    control.do(verb)
    assert control.conn.ssthresh_bytes == expected * 1000
    assert control.segments == (max(segments * BETA, 1) if verb == "on_ecn" else segments)


def test_fast_convergence() -> None:
    """Section 4.7: a second loss below the last W_max gives way."""
    control = after_a_loss(1000)
    assert control.conn.f[cubic.W_MAX_BYTES] == 1_000_000
    control.lose()
    assert control.conn.f[cubic.W_MAX_BYTES] == pytest.approx(700_000 * 0.85)
    assert control.segments == pytest.approx(490, abs=0.01)


def test_first_epoch_after_a_timeout_has_no_plateau() -> None:
    """Section 4.8: K = 0 and W_max is the window at which congestion avoidance begins."""
    control = Control(CODES["cubic_rfc9438"], segments=1000)
    control.do("on_rto")
    control.conn.cwnd_bytes = 1000
    control.acks_of(699, MS_PS)
    assert control.conn.cwnd_bytes == control.conn.ssthresh_bytes == 700_000
    for time_s, window in rounds(control, 6, 100 * MS_PS, segments=10):
        estimate = 700 + ALPHA * time_s / 0.1
        assert window == pytest.approx(max(700 + C * time_s**3, estimate), abs=C * 3 * time_s**2 * 0.15 + 2)


def test_target_is_at_most_half_as_much_again() -> None:
    """Section 4.2: a window far below the function grows by half a round at most."""
    control = after_a_loss(10_000)
    control.acks_of(1, MS_PS, srtt_ps=100 * MS_PS)
    control.now_ps += 60 * SECOND_PS
    control.acks_of(1, 0, cwnd_limited=1, srtt_ps=100 * MS_PS)
    before = control.segments
    control.acks_of(1000, MS_PS // 100, srtt_ps=100 * MS_PS)
    assert control.segments - before == pytest.approx(500, rel=0.04)


def test_time_limited_by_the_application_does_not_count() -> None:
    busy, idle = after_a_loss(1000), after_a_loss(1000)
    for control in (busy, idle):
        rounds(control, 5, 100 * MS_PS, segments=10)
    at_rest = idle.segments
    idle.acks_of(1, 100 * SECOND_PS, cwnd_limited=0, srtt_ps=100 * MS_PS)
    assert idle.segments == at_rest
    for control in (busy, idle):
        rounds(control, 2, 100 * MS_PS, segments=10)
    assert idle.segments == pytest.approx(busy.segments, abs=2)


@pytest.mark.parametrize("columns", [{"cwnd_limited": 0}, {"in_recovery": 1}, {"ece": 1}])
def test_the_window_does_not_grow(columns) -> None:
    for control in (after_a_loss(100), Control(CODES["cubic_rfc9438"])):
        before = control.segments
        control.acks_of(100, MS_PS, **columns)
        assert control.segments == before


def test_average_window_under_periodic_loss() -> None:
    """RFC 9438 section 5, AVG_W_cubic of its deterministic loss model, well outside Reno's region."""
    control = Control(CODES["cubic_rfc9438"], segments=200)
    control.conn.ssthresh_bytes = 100_000
    loss_every, rtt_s, packets, seconds = 20_000, 0.4, 0, 0.0
    for cycle in range(9):
        left = loss_every
        while left > 0:
            count = min(int(control.segments) // 20 * 20, left)
            every_ps = int(20 * rtt_s * SECOND_PS / control.segments)
            control.acks_of(count // 20, every_ps, segments=20, srtt_ps=int(rtt_s * SECOND_PS))
            left -= count
            if cycle >= 4:
                packets += count
                seconds += rtt_s * count / control.segments
        control.lose()
    expected = (C * (3 + BETA) / (4 * (1 - BETA))) ** 0.25 * rtt_s**0.75 * loss_every**0.75
    assert expected > 2 * math.sqrt(1.5 * loss_every)
    assert packets * rtt_s / seconds == pytest.approx(expected, rel=0.05)
