"""The pace of a sender: how a rate becomes conn.pacing, and the pace that goes with a window.

Linux tcp_input.c (tcp_update_pacing_rate) gives the window's pace: twice cwnd / SRTT while the window is
below half of ssthresh, 1.2 times cwnd / SRTT after that. Deviation: Linux takes the larger of cwnd and what
is in flight; here it is cwnd.
"""

from __future__ import annotations

from ..jit import kernel
from ..transport.features import UNPACED

FRACTION_BITS = 16
"""Fraction bits of conn.pacing, picoseconds a byte."""
SECOND_PS = 1.0e12
RATE_MIN_BPS = 10_000.0
"""Slowest pace: a packet of 64 KiB times conn.pacing still fits 63 bits."""
SLOW_START_RATIO = 2.0
"""net.ipv4.tcp_pacing_ss_ratio = 200 %."""
AVOIDANCE_RATIO = 1.2
"""net.ipv4.tcp_pacing_ca_ratio = 120 %."""


@kernel
def set_pacing(conn, bps):
    """Let conn send `bps` bits of payload a second (float) and its headers; no-op if the trial is UNPACED."""
    if conn.features & UNPACED:
        return
    header_share = float(conn.mss_bytes) / (float(conn.mss_bytes) + float(conn.header_bytes))
    byte_ps = 8.0 * SECOND_PS / max(bps, RATE_MIN_BPS) * header_share
    conn.pacing = max(int(byte_ps * float(1 << FRACTION_BITS)), 1)


@kernel
def follow_window(conn):
    """Set the pace that goes with the window, once the round-trip time is known."""
    if conn.srtt_ps <= 0:
        return
    ratio = SLOW_START_RATIO if conn.cwnd_bytes < conn.ssthresh_bytes >> 1 else AVOIDANCE_RATIO
    set_pacing(conn, ratio * 8.0 * SECOND_PS * float(conn.cwnd_bytes) / float(conn.srtt_ps))
