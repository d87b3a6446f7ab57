"""Rates become picoseconds a byte; a window gives a pace where the trial asks for one."""

import pytest
from control_driver import MS_PS, Control

from netarium.run.kernel.congestion.codes import CODES
from netarium.run.kernel.transport.features import PACED


def rate_bps(control: Control) -> float:
    """Payload bits a second of the pace, whose packets carry 40 bytes of headers."""
    return 8e12 * 65536 / int(control.conn.pacing) * 1000 / 1040


@pytest.mark.parametrize("kind", ["reno", "cubic", "dctcp"])
def test_window_controls_are_not_paced_unless_asked(kind: str) -> None:
    control = Control(CODES[kind])
    control.acks_of(5, MS_PS, rtt_ps=50 * MS_PS, srtt_ps=50 * MS_PS)
    assert control.conn.pacing == 0


@pytest.mark.parametrize("kind", ["reno", "cubic", "dctcp"])
def test_pace_follows_the_window(kind: str) -> None:
    control = Control(CODES[kind], features=PACED)
    control.acks_of(5, MS_PS, rtt_ps=50 * MS_PS, srtt_ps=50 * MS_PS)
    assert rate_bps(control) == pytest.approx(2.0 * 15_000 * 8 / 0.050, rel=1e-4)
    control.lose()
    control.acks_of(1, MS_PS, srtt_ps=50 * MS_PS)
    assert rate_bps(control) == pytest.approx(1.2 * int(control.conn.cwnd_bytes) * 8 / 0.050, rel=1e-4)


def test_no_pace_before_the_round_trip_time_is_known() -> None:
    control = Control(CODES["cubic"], features=PACED)
    control.acks_of(1, MS_PS)
    assert control.conn.pacing == 0
