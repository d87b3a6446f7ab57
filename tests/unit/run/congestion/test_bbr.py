"""BBR: its states one by one, and on a plain path: bandwidth, delay, queue, PROBE_RTT, losses."""

from collections import Counter

import numpy as np
import pytest
from control_driver import MS_PS, RECOVERY, SECOND_PS, Control
from naive_path import Path

from netarium.run.kernel.congestion import bbr
from netarium.run.kernel.congestion.codes import CODES

RTT_PS = 40 * MS_PS
RATE_BPS = 8_000_000
BDP_SEGMENTS = 40


def control_with(**options) -> Control:
    return Control(CODES["bbr"], **options)


def mode(control: Control) -> int:
    return int(control.conn.i[bbr.MODE])


def play_round(control: Control, rate_bps: float = RATE_BPS, rtt_ps: int = RTT_PS, **columns: int) -> None:
    """One ACK that ends a round, with that delivery rate; nothing else is in flight."""
    delivered = int(control.conn.delivered_bytes)
    line = {
        "acked_bytes": 1000,
        "rate_bytes": int(rate_bps / 8 * rtt_ps / SECOND_PS),
        "rate_interval_ps": rtt_ps,
        "prior_delivered_bytes": delivered,
        "rtt_ps": rtt_ps,
        "srtt_ps": rtt_ps,
        "in_flight_bytes": 30_000,
        "prior_in_flight_bytes": 31_000,
    }
    control.now_ps += rtt_ps
    control.do("on_ack", **(line | columns))


def pacing_bps(control: Control) -> float:
    """The pace as payload bits a second."""
    return 8e12 * 65536 / int(control.conn.pacing) * 1000 / 1040


def test_a_new_connection_is_paced_by_its_window_over_a_nominal_millisecond_then_over_its_rtt() -> None:
    control = control_with()
    assert pacing_bps(control) == pytest.approx(0.99 * 2.885 * 80_000 / 0.001, rel=1e-4)
    control.do("on_ack", acked_bytes=1000, rtt_ps=RTT_PS, srtt_ps=RTT_PS)
    assert pacing_bps(control) == pytest.approx(0.99 * 2.885 * 80_000 / 0.040, rel=1e-4)


def test_startup_lasts_while_the_bandwidth_grows_by_a_quarter() -> None:
    control = control_with()
    for k in range(12):
        play_round(control, 1e6 * 1.26**k)
        assert mode(control) == bbr.STARTUP
        assert control.conn.f[bbr.PACING_GAIN] == 2.885


def test_startup_ends_after_three_flat_rounds() -> None:
    control = control_with()
    play_round(control)
    for expected in (bbr.STARTUP, bbr.STARTUP, bbr.DRAIN):
        play_round(control, 1.2 * RATE_BPS, in_flight_bytes=200_000)
        assert mode(control) == expected
    assert control.conn.f[bbr.PACING_GAIN] == pytest.approx(1 / 2.885)
    play_round(control, in_flight_bytes=200_000)
    assert mode(control) == bbr.DRAIN
    play_round(control, in_flight_bytes=30_000)
    assert mode(control) == bbr.PROBE_BW


def test_rounds_limited_by_the_application_do_not_end_startup_nor_lower_the_bandwidth() -> None:
    control = control_with()
    play_round(control)
    for _ in range(30):
        play_round(control, RATE_BPS / 10, app_limited=1)
    assert mode(control) == bbr.STARTUP
    assert control.conn.f[bbr.BW_BPS] == pytest.approx(RATE_BPS)
    play_round(control, 2 * RATE_BPS, app_limited=1)
    assert control.conn.f[bbr.BW_BPS] == pytest.approx(2 * RATE_BPS)


def in_probe_bw() -> Control:
    control = control_with()
    for _ in range(6):
        play_round(control)
    assert mode(control) == bbr.PROBE_BW
    return control


def test_gain_cycle() -> None:
    """Each phase lasts a min_rtt: 1.25, 0.75, then six at 1; the first phase drained may end early."""
    control = in_probe_bw()
    gains = []
    for _ in range(40):
        play_round(control, rtt_ps=RTT_PS + MS_PS, prior_in_flight_bytes=200_000)
        gains.append(float(control.conn.f[bbr.PACING_GAIN]))
    begin = gains.index(1.25)
    assert gains[begin : begin + 24] == [1.25, 0.75, 1, 1, 1, 1, 1, 1] * 3


def test_the_probe_phase_waits_for_its_inflight_or_a_loss() -> None:
    control = in_probe_bw()
    while control.conn.f[bbr.PACING_GAIN] != 1.25:
        play_round(control, rtt_ps=RTT_PS + MS_PS)
    for _ in range(3):
        play_round(control, rtt_ps=RTT_PS + MS_PS, prior_in_flight_bytes=20_000)
        assert control.conn.f[bbr.PACING_GAIN] == 1.25
    play_round(control, rtt_ps=RTT_PS + MS_PS, prior_in_flight_bytes=20_000, lost_bytes=1000)
    assert control.conn.f[bbr.PACING_GAIN] == 0.75


def test_the_drain_phase_ends_as_soon_as_the_queue_is_gone() -> None:
    control = in_probe_bw()
    while control.conn.f[bbr.PACING_GAIN] != 0.75:
        play_round(control, rtt_ps=RTT_PS + MS_PS, prior_in_flight_bytes=200_000)
    play_round(control, rtt_ps=RTT_PS, prior_in_flight_bytes=20_000)
    control.now_ps -= RTT_PS - MS_PS
    assert control.conn.f[bbr.PACING_GAIN] == 1.0


def test_first_phase_is_any_but_the_draining_one() -> None:
    seen = Counter()
    for number in range(210):
        control = control_with()
        control.conn.hash = number * 7919
        for _ in range(4):
            play_round(control)
        assert mode(control) == bbr.PROBE_BW
        seen[int(control.conn.i[bbr.CYCLE_INDEX])] += 1
    assert sorted(seen) == [0, 2, 3, 4, 5, 6, 7]
    assert min(seen.values()) > 12


def test_bandwidth_is_forgotten_after_ten_rounds() -> None:
    control = in_probe_bw()
    play_round(control, 2 * RATE_BPS)
    for expected in [2 * RATE_BPS] * 10 + [RATE_BPS]:
        play_round(control)
        assert control.conn.f[bbr.BW_BPS] == pytest.approx(expected)


def test_packet_conservation_in_the_first_round_of_recovery_then_the_window_comes_back() -> None:
    control = in_probe_bw()
    for _ in range(200):
        play_round(control)
    before = int(control.conn.cwnd_bytes)
    control.do("on_loss")
    control.conn.state = RECOVERY
    mid_round = {"prior_delivered_bytes": 0, "state": RECOVERY, "in_recovery": 1}
    play_round(control, lost_bytes=1000, in_flight_bytes=20_000, **mid_round)
    assert control.conn.cwnd_bytes == 21_000
    play_round(control, lost_bytes=5000, in_flight_bytes=15_000, **mid_round)
    assert control.conn.cwnd_bytes == 16_000
    play_round(control, in_flight_bytes=15_000, state=RECOVERY, in_recovery=1)
    assert control.conn.cwnd_bytes == 17_000
    control.do("on_recovered")
    control.conn.state = 2
    play_round(control)
    assert control.conn.cwnd_bytes == pytest.approx(before, abs=2000)


def test_a_timeout_leaves_one_segment_and_keeps_the_model() -> None:
    control = in_probe_bw()
    control.do("on_rto")
    assert control.segments == 1
    assert control.conn.f[bbr.BW_BPS] == pytest.approx(RATE_BPS)
    play_round(control)
    assert control.segments == 4


def test_marks_change_nothing() -> None:
    control = in_probe_bw()
    conn = control.conn
    before = conn.cwnd_bytes, conn.ssthresh_bytes, conn.pacing, list(conn.i), list(conn.f)
    control.do("on_ecn", ece=1, ce_bytes=1000)
    assert before == (conn.cwnd_bytes, conn.ssthresh_bytes, conn.pacing, list(conn.i), list(conn.f))


def test_unpaced_where_the_trial_forbids_pacing() -> None:
    from netarium.run.kernel.transport.features import UNPACED

    control = control_with(features=UNPACED)
    play_round(control)
    assert control.conn.pacing == 0


@pytest.mark.parametrize("loss_every", [0, 100])
def test_converges_to_the_bandwidth_delay_product(loss_every: int) -> None:
    """Goodput near the bottleneck's rate and a short queue, even when one packet in a hundred is lost."""
    control = control_with()
    rng = np.random.default_rng(1)
    lost = set() if not loss_every else set(np.flatnonzero(rng.random(20_000) < 1 / loss_every))
    path = Path(control, rate_bps=RATE_BPS, rtt_ps=RTT_PS, loses=lost.__contains__)
    path.run(2 * SECOND_PS)
    delivered, waits = path.delivered, []
    path.on_sample = lambda path: waits.append(max(path.busy_ps - path.now_ps, 0))
    path.run(6 * SECOND_PS)
    goodput_bps = (path.delivered - delivered) * 8 / 4
    assert mode(control) == bbr.PROBE_BW
    assert goodput_bps == pytest.approx(RATE_BPS, rel=0.04)
    assert control.conn.f[bbr.BW_BPS] == pytest.approx(RATE_BPS, rel=0.03)
    assert control.conn.i[bbr.MIN_RTT_PS] == pytest.approx(RTT_PS, rel=0.03)
    assert np.mean(waits) < 0.3 * RTT_PS
    assert path.in_flight / 1000 == pytest.approx(BDP_SEGMENTS, rel=0.4)


@pytest.mark.slow
def test_probe_rtt_every_ten_seconds_for_two_hundred_milliseconds() -> None:
    control = control_with()
    path = Path(control, rate_bps=RATE_BPS / 4, rtt_ps=RTT_PS)
    modes: list[tuple[int, int, int]] = []
    path.on_sample = lambda path: modes.append((path.now_ps, mode(control), int(control.conn.cwnd_bytes)))
    path.run(12 * SECOND_PS)
    probing = [now_ps for now_ps, at, _ in modes if at == bbr.PROBE_RTT]
    windows = [window for _, at, window in modes if at == bbr.PROBE_RTT]
    assert probing[0] >= bbr.MIN_RTT_WINDOW_PS
    assert 200 * MS_PS <= probing[-1] - probing[0] < 400 * MS_PS
    assert set(windows) == {4000}
    assert modes[-1][1] == bbr.PROBE_BW
    assert modes[-1][2] > 8000
