"""Reno: slow start, additive increase, halving, and its average window under periodic loss."""

import math

import pytest
from control_driver import MS_PS, RECOVERY, UNLIMITED, Control

from netarium.run.kernel.congestion.codes import CODES

RTT_PS = 100 * MS_PS


def reno(**options) -> Control:
    return Control(CODES["reno"], **options)


def test_slow_start_doubles_the_window_every_round() -> None:
    control = reno(segments=10)
    for expected in (20, 40, 80):
        control.acks_of(int(control.segments), MS_PS)
        assert control.segments == expected


def test_delayed_acks_do_not_slow_slow_start() -> None:
    control = reno(segments=10)
    control.acks_of(5, MS_PS, segments=2)
    assert control.segments == 20


def test_slow_start_ends_at_ssthresh_and_the_rest_counts_for_avoidance() -> None:
    control = reno(segments=10)
    control.conn.ssthresh_bytes = 12_000
    control.acks_of(1, MS_PS, segments=10)
    assert control.conn.cwnd_bytes == 12_000
    control.acks_of(4, MS_PS)
    assert control.conn.cwnd_bytes == 13_000


def test_congestion_avoidance_adds_a_segment_a_window() -> None:
    control = reno(segments=20)
    control.conn.ssthresh_bytes = 10_000
    windows = control.acks_of(20 + 21 + 22, MS_PS)[:, 0]
    assert list(windows[[18, 19, 39, 40, 61, 62]]) == [20_000, 21_000, 21_000, 22_000, 22_000, 23_000]


@pytest.mark.parametrize("columns", [{"cwnd_limited": 0}, {"in_recovery": 1}, {"ece": 1}])
def test_the_window_does_not_grow(columns) -> None:
    control = reno()
    control.acks_of(50, MS_PS, **columns)
    assert control.segments == 10


@pytest.mark.parametrize("verb", ["on_loss", "on_rto", "on_ecn"])
@pytest.mark.parametrize(("segments", "expected"), [(40, 20), (5, 2.5), (3, 2), (1, 2)])
def test_halving_and_its_floor(verb: str, segments: int, expected: float) -> None:
    control = reno(segments=segments)
    control.do(verb)
    assert control.conn.ssthresh_bytes == expected * 1000
    assert control.segments == (max(segments / 2, 1) if verb == "on_ecn" else segments)


def test_a_timeout_in_recovery_halves_the_window_recovery_was_heading_for() -> None:
    control = reno(segments=40)
    control.do("on_loss")
    control.conn.state = RECOVERY
    control.conn.cwnd_bytes = 3_000
    control.do("on_rto")
    assert control.conn.ssthresh_bytes == 10_000


def test_growth_begins_anew_after_a_reduction() -> None:
    control = reno(segments=20)
    control.conn.ssthresh_bytes = 10_000
    control.acks_of(19, MS_PS)
    control.lose()
    control.acks_of(9, MS_PS)
    assert control.segments == 10
    control.acks_of(1, MS_PS)
    assert control.segments == 11


@pytest.mark.parametrize("loss_every", [300, 3000])
def test_average_window_under_periodic_loss(loss_every: int) -> None:
    """Mathis, Semke, Mahdavi and Ott 1997: sqrt(3 / (2 p)), one acknowledgement a segment."""
    control = reno(segments=10)
    control.conn.ssthresh_bytes = 5_000
    packets, rounds = 0, 0.0
    for cycle in range(12):
        windows = control.acks_of(loss_every, MS_PS)[:, 0] / 1000
        if cycle >= 4:
            packets += loss_every
            rounds += (1.0 / windows).sum()
        control.lose()
    assert packets / rounds == pytest.approx(math.sqrt(1.5 * loss_every), rel=0.04)


def test_a_fresh_connection_has_no_threshold() -> None:
    assert reno().conn.ssthresh_bytes == UNLIMITED
