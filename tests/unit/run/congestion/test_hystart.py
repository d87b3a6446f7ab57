"""HyStart++: rounds, the rise of the round-trip time, conservative slow start, and the ways out of it."""

import pytest
from control_driver import MS_PS, Control

from netarium.run.kernel.congestion import hystart
from netarium.run.kernel.congestion.codes import CODES
from netarium.run.kernel.transport.features import HYSTART

BASE_MS = 40


def control_with(features: int = HYSTART) -> Control:
    control = Control(CODES["cubic_rfc9438"], features=features)
    control.acks_of(1, MS_PS, rtt_ps=BASE_MS * MS_PS)
    return control


def play_round(control: Control, rtt_ms: float) -> None:
    """One window of ACKs with that round-trip time."""
    control.acks_of(int(control.segments), MS_PS // 10, rtt_ps=int(rtt_ms * MS_PS))


def phase(control: Control) -> int:
    return int(control.conn.i[hystart.PHASE])


def test_constant_round_trip_time_is_plain_slow_start() -> None:
    control = control_with()
    plain = control_with(0)
    for _ in range(4):
        play_round(control, BASE_MS)
        play_round(plain, BASE_MS)
    assert phase(control) == hystart.SLOW_START
    assert phase(plain) == hystart.OFF
    assert control.segments == plain.segments > 150


@pytest.mark.parametrize(
    ("base_ms", "rise_ms", "leaves"),
    [
        (40, 4.9, False),
        (40, 5.1, True),
        (8, 3.9, False),
        (8, 4.1, True),
        (400, 15.9, False),
        (400, 16.1, True),
    ],
)
def test_threshold_is_an_eighth_within_bounds(base_ms: float, rise_ms: float, leaves: bool) -> None:
    control = Control(CODES["cubic_rfc9438"], features=HYSTART)
    control.acks_of(1, MS_PS, rtt_ps=int(base_ms * MS_PS))
    play_round(control, base_ms)
    play_round(control, base_ms + rise_ms)
    assert (phase(control) == hystart.CSS) == leaves


def test_fewer_than_eight_samples_decide_nothing() -> None:
    control = control_with()
    play_round(control, BASE_MS)
    control.una = int(control.conn.i[hystart.WINDOW_END])
    control.acks_of(1, MS_PS, rtt_ps=BASE_MS * MS_PS)
    for count, expected in ((7, hystart.SLOW_START), (1, hystart.CSS)):
        control.acks_of(count, MS_PS, rtt_ps=2 * BASE_MS * MS_PS)
        assert phase(control) == expected


def in_css() -> Control:
    control = control_with()
    play_round(control, BASE_MS)
    play_round(control, BASE_MS + 10)
    assert phase(control) == hystart.CSS
    return control


def test_css_grows_by_a_quarter() -> None:
    control = in_css()
    before = control.segments
    play_round(control, BASE_MS + 10)
    assert control.segments - before == int(before) / 4


def test_css_ends_in_congestion_avoidance_after_five_rounds() -> None:
    control = in_css()
    counted = 0
    while phase(control) == hystart.CSS:
        end = int(control.conn.i[hystart.WINDOW_END])
        while int(control.conn.i[hystart.WINDOW_END]) == end and phase(control) == hystart.CSS:
            control.acks_of(1, MS_PS // 10, rtt_ps=(BASE_MS + 10) * MS_PS)
        counted += 1
    assert counted == hystart.CSS_ROUNDS
    assert phase(control) == hystart.OFF
    assert control.conn.ssthresh_bytes == pytest.approx(control.conn.cwnd_bytes, abs=1000)


def test_css_resumes_slow_start_when_the_delay_was_spurious() -> None:
    control = in_css()
    play_round(control, BASE_MS + 10)
    play_round(control, BASE_MS + 9)
    assert phase(control) == hystart.SLOW_START
    before = control.segments
    play_round(control, BASE_MS + 9)
    assert control.segments == before + int(before)


@pytest.mark.parametrize("verb", ["on_loss", "on_rto", "on_ecn"])
def test_congestion_ends_hystart_for_good(verb: str) -> None:
    control = in_css()
    control.do(verb)
    assert phase(control) == hystart.OFF
    control.conn.cwnd_bytes = 1000
    control.acks_of(5, MS_PS, rtt_ps=BASE_MS * MS_PS)
    control.acks_of(5, MS_PS, rtt_ps=3 * BASE_MS * MS_PS)
    assert phase(control) == hystart.OFF
    assert control.segments == 11


@pytest.mark.parametrize(("pacing", "grown"), [(0, 8), (1000, 20)])
def test_a_stretched_ack_counts_for_eight_segments_unless_paced(pacing: int, grown: int) -> None:
    control = Control(CODES["cubic_rfc9438"], features=HYSTART)
    control.conn.pacing = pacing
    control.acks_of(1, MS_PS, segments=20, rtt_ps=BASE_MS * MS_PS)
    assert control.segments == 10 + grown
