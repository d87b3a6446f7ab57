"""Constants against the specifications they name."""

import pytest

from netarium.run.kernel.congestion import bbr, codes, cubic, dctcp, hystart, pacing, reno

MS = 1_000_000_000

TABLE = [
    ("RFC 5681 equation (4)", reno.SSTHRESH_MIN_SEGMENTS, 2),
    ("RFC 9438 section 5.1 (C)", cubic.C, 0.4),
    ("RFC 9438 section 4.6 (beta_cubic)", cubic.BETA_CUBIC, 0.7),
    ("RFC 9438 section 4.3 (alpha_cubic = 3 (1 - b) / (1 + b))", cubic.ALPHA_CUBIC, 9 / 17),
    ("RFC 9438 section 4.7 ((1 + b) / 2)", cubic.FAST_CONVERGENCE, 0.85),
    ("RFC 9438 section 4.2", cubic.TARGET_MAX, 1.5),
    ("RFC 9406 section 4.3 (MIN_RTT_THRESH)", hystart.MIN_RTT_THRESH_PS, 4 * MS),
    ("RFC 9406 section 4.3 (MAX_RTT_THRESH)", hystart.MAX_RTT_THRESH_PS, 16 * MS),
    ("RFC 9406 section 4.3 (MIN_RTT_DIVISOR)", hystart.MIN_RTT_DIVISOR, 8),
    ("RFC 9406 section 4.3 (N_RTT_SAMPLE)", hystart.N_RTT_SAMPLE, 8),
    ("RFC 9406 section 4.3 (CSS_GROWTH_DIVISOR)", hystart.CSS_GROWTH_DIVISOR, 4),
    ("RFC 9406 section 4.3 (CSS_ROUNDS)", hystart.CSS_ROUNDS, 5),
    ("RFC 9406 section 4.3 (L)", hystart.L, 8),
    ("RFC 8257 section 4.2 (g)", dctcp.G, 1 / 16),
    ("RFC 8257 section 3.3 (DCTCP.Alpha at first)", dctcp.ALPHA_INITIAL, 1.0),
    ("draft-cardwell-iccrg-bbr-congestion-control-00 (BBRHighGain)", bbr.HIGH_GAIN, 2.885),
    ("the same, Drain", bbr.DRAIN_GAIN, 1 / 2.885),
    ("the same, ProbeBW cwnd_gain", bbr.CWND_GAIN, 2.0),
    ("the same, ProbeBW pacing_gain", bbr.CYCLE_GAINS, (1.25, 0.75, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)),
    ("the same, BtlBwFilterLen", bbr.BANDWIDTH_ROUNDS, 10),
    ("the same, RTpropFilterLen", bbr.MIN_RTT_WINDOW_PS, 10_000 * MS),
    ("the same, ProbeRTTDuration", bbr.PROBE_RTT_PS, 200 * MS),
    ("the same, BBRMinPipeCwnd", bbr.MIN_SEGMENTS, 4),
    ("Linux tcp_bbr.c (pacing margin)", bbr.PACING_SHARE, 0.99),
    ("Linux tcp_bbr.c (full_bw_thresh)", bbr.FULL_GROWTH, 1.25),
    ("Linux tcp_bbr.c (full_bw_cnt)", bbr.FULL_ROUNDS, 3),
    ("Linux net.ipv4.tcp_pacing_ss_ratio", pacing.SLOW_START_RATIO, 2.0),
    ("Linux net.ipv4.tcp_pacing_ca_ratio", pacing.AVOIDANCE_RATIO, 1.2),
]


@pytest.mark.parametrize(("source", "value", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_constants(source: str, value: object, expected: object) -> None:
    assert value == pytest.approx(expected, rel=1e-12), source


def test_codes_of_the_catalogue() -> None:
    from netarium.catalog import KINDS

    assert list(codes.CODES) == list(KINDS["congestions"])
    assert len(codes.CODES) == codes.USER
    assert [codes.owns_recovery(kind) for kind in codes.CODES.values()] == [False, False, True, False]
