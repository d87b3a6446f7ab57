"""Constants against the specifications they name."""

import pytest

from netarium.run.kernel.congestion import (
    bbr,
    codes,
    cubic,
    cubic_rfc9438,
    dctcp,
    hybrid_start,
    hystart,
    pacing,
    reno,
)

MS = 1_000_000_000

TABLE = [
    ("RFC 5681 equation (4)", reno.SSTHRESH_MIN_SEGMENTS, 2),
    ("RFC 9438 section 5.1 (C)", cubic_rfc9438.C, 0.4),
    ("RFC 9438 section 4.6 (beta_cubic)", cubic_rfc9438.BETA_CUBIC, 0.7),
    ("RFC 9438 section 4.3 (alpha_cubic = 3 (1 - b) / (1 + b))", cubic_rfc9438.ALPHA_CUBIC, 9 / 17),
    ("RFC 9438 section 4.7 ((1 + b) / 2)", cubic_rfc9438.FAST_CONVERGENCE, 0.85),
    ("RFC 9438 section 4.2", cubic_rfc9438.TARGET_MAX, 1.5),
    ("Linux tcp_cubic.c (beta / BICTCP_BETA_SCALE)", cubic.BETA / cubic.BETA_SCALE, 717 / 1024),
    ("the same (bic_scale * 10)", cubic.CUBE_RTT_SCALE, 41 * 10),
    ("the same (beta_scale)", cubic.FRIENDLY_SCALE, 8 * (1024 + 717) // 3 // (1024 - 717)),
    ("the same (1 << BICTCP_HZ)", cubic.EPOCH_HZ, 1 << 10),
    ("the same (HZ / 32)", cubic.STALE_JIFFIES, 250 // 32),
    ("the same (HZ)", cubic.QUIET_JIFFIES, 250),
    ("Debian's CONFIG_HZ", cubic.JIFFY_PS, 1000 * MS // 250),
    ("Linux tcp_cubic.c (hystart_low_window)", hybrid_start.LOW_WINDOW_SEGMENTS, 16),
    ("the same (hystart_ack_delta_us)", hybrid_start.ACK_DELTA_PS, 2 * MS),
    ("the same (HYSTART_MIN_SAMPLES)", hybrid_start.DELAY_SAMPLES, 8),
    ("the same (HYSTART_DELAY_MIN)", hybrid_start.DELAY_MIN_PS, 4 * MS),
    ("the same (HYSTART_DELAY_MAX)", hybrid_start.DELAY_MAX_PS, 16 * MS),
    ("the same (hystart_ack_delay)", hybrid_start.CUSHION_MAX_PS, 1 * MS),
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
    assert [codes.owns_recovery(kind) for kind in codes.CODES.values()] == [False, False, False, True, False]
