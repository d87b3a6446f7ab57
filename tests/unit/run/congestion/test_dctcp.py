"""DCTCP: alpha follows the marked fraction, the window shrinks by half of it, losses halve."""

import pytest
from control_driver import MS_PS, Control

from netarium.run.kernel.congestion import dctcp
from netarium.run.kernel.congestion.codes import CODES


def control_with(segments: int = 100) -> Control:
    control = Control(CODES["dctcp"], segments=segments)
    control.conn.ssthresh_bytes = 1000
    return control


def alpha(control: Control) -> float:
    return float(control.conn.f[dctcp.ALPHA])


def play_window(control: Control, marked: int, of: int = 100) -> None:
    """One window of ACKs of which the first `marked` carry marks; the window itself is held."""
    for count, columns in ((marked, {"ce_bytes": 1000, "ece": 1}), (of - marked, {})):
        control.acks_of(count, MS_PS, nxt=control.una + of - 1, cwnd_limited=0, **columns)


def test_alpha_starts_at_one_and_the_first_window_is_one_ack() -> None:
    control = control_with()
    assert alpha(control) == 1.0
    control.acks_of(1, MS_PS)
    assert alpha(control) == 1 - 1 / 16


@pytest.mark.parametrize("marked", [0, 10, 50, 100])
def test_alpha_converges_to_the_marked_fraction(marked: int) -> None:
    control = control_with()
    for _ in range(120):
        play_window(control, marked)
    assert alpha(control) == pytest.approx(marked / 100, abs=0.015)


def test_alpha_is_the_recursion_of_the_specification() -> None:
    """Section 3.3 (6): alpha = alpha (1 - g) + g M, once a window."""
    control = Control(CODES["dctcp"])
    expected, end, acked, marked = 1.0, 0, 0, 0
    for una in range(1, 400):
        mark = una % 7 in (2, 3) or una > 350
        acked += 1000
        marked += 1000 * mark
        control.una = una - 1
        control.acks_of(1, MS_PS, nxt=una + 12, ce_bytes=1000 * mark, ece=int(mark), cwnd_limited=0)
        if una > end:
            expected += (marked / acked - expected) / 16
            end, acked, marked = una + 13, 0, 0
        assert alpha(control) == pytest.approx(expected, rel=1e-12)


def test_reduction_by_half_of_alpha() -> None:
    control = control_with()
    for _ in range(200):
        play_window(control, 20)
    fraction = alpha(control)
    control.do("on_ecn", una=control.una)
    assert control.segments == pytest.approx(100 * (1 - fraction / 2), abs=0.01)
    assert control.conn.ssthresh_bytes == control.conn.cwnd_bytes


def test_the_ack_that_reduces_is_counted_once() -> None:
    control, other = control_with(), control_with()
    for one in (control, other):
        one.acks_of(1, MS_PS)
    line = {"acked_bytes": 1000, "ce_bytes": 1000, "ece": 1, "una": control.una + 1}
    control.do("on_ecn", **line)
    for one in (control, other):
        one.do("on_ack", **line)
    assert list(control.conn.i[1:5]) == list(other.conn.i[1:5])


def test_an_ack_that_ends_the_window_counts_before_the_reduction() -> None:
    control = control_with()
    for _ in range(200):
        play_window(control, 0)
    before = alpha(control)
    control.do("on_ecn", acked_bytes=1000, ce_bytes=1000, ece=1, una=control.una + 200)
    assert before < 1e-4
    assert alpha(control) > before
    assert control.segments < 100


@pytest.mark.parametrize("verb", ["on_loss", "on_rto"])
def test_a_loss_halves_whatever_alpha_is(verb: str) -> None:
    control = control_with()
    for _ in range(50):
        play_window(control, 0)
    control.do(verb)
    assert control.conn.ssthresh_bytes == 50_000


def test_without_marks_it_grows_as_reno() -> None:
    ours, reno = (Control(kind, segments=20) for kind in (CODES["dctcp"], CODES["reno"]))
    for control in (ours, reno):
        control.conn.ssthresh_bytes = 30_000
        control.acks_of(300, MS_PS)
    assert ours.conn.cwnd_bytes == reno.conn.cwnd_bytes
