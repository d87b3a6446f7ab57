"""HyStart++: leave the first slow start when the round-trip time rises, before packets are lost (RFC 9406).

No deviations. cubic_rfc9438 uses it; RFC 9406 section 4.3 confines it to the first slow start.
"""

from __future__ import annotations

from ..jit import kernel

# RFC 9406 section 4.3
MIN_RTT_THRESH_PS = 4_000_000_000
MAX_RTT_THRESH_PS = 16_000_000_000
MIN_RTT_DIVISOR = 8
N_RTT_SAMPLE = 8
CSS_GROWTH_DIVISOR = 4
CSS_ROUNDS = 5
L = 8
"""Segments a slow start step counts at most when the sender is not paced; a paced one has no limit."""
INFINITY_PS = 1 << 62

OFF, SLOW_START, CSS = 0, 1, 2
"""PHASE. CSS: conservative slow start."""

# conn.i; section 4.2 names them
PHASE = 16
WINDOW_END = 17
"""Segment whose acknowledgement ends the round."""
LAST_ROUND_MIN_RTT_PS = 18
CURRENT_ROUND_MIN_RTT_PS = 19
RTT_SAMPLE_COUNT = 20
CSS_BASELINE_MIN_RTT_PS = 21
CSS_ROUNDS_LEFT = 22


@kernel
def begin(conn):
    """A new connection in slow start."""
    conn.i[PHASE] = SLOW_START
    conn.i[WINDOW_END] = conn.nxt
    conn.i[LAST_ROUND_MIN_RTT_PS] = INFINITY_PS
    conn.i[CURRENT_ROUND_MIN_RTT_PS] = INFINITY_PS
    conn.i[RTT_SAMPLE_COUNT] = 0
    conn.i[CSS_BASELINE_MIN_RTT_PS] = INFINITY_PS


@kernel
def end_round(conn):
    """The round is over; the CSS_ROUNDS-th one in CSS leads to congestion avoidance."""
    conn.i[LAST_ROUND_MIN_RTT_PS] = conn.i[CURRENT_ROUND_MIN_RTT_PS]
    conn.i[CURRENT_ROUND_MIN_RTT_PS] = INFINITY_PS
    conn.i[RTT_SAMPLE_COUNT] = 0
    conn.i[WINDOW_END] = conn.nxt
    if conn.i[PHASE] == CSS:
        conn.i[CSS_ROUNDS_LEFT] -= 1
        if conn.i[CSS_ROUNDS_LEFT] == 0:
            conn.ssthresh_bytes = conn.cwnd_bytes
            conn.i[PHASE] = OFF


@kernel
def judge(conn):
    """Enough samples of this round: has the round-trip time risen, or fallen again?"""
    current_ps = conn.i[CURRENT_ROUND_MIN_RTT_PS]
    if conn.i[PHASE] == CSS:
        if current_ps < conn.i[CSS_BASELINE_MIN_RTT_PS]:
            conn.i[CSS_BASELINE_MIN_RTT_PS] = INFINITY_PS
            conn.i[PHASE] = SLOW_START
        return
    last_ps = conn.i[LAST_ROUND_MIN_RTT_PS]
    if last_ps == INFINITY_PS:
        return
    threshold_ps = max(MIN_RTT_THRESH_PS, min(last_ps // MIN_RTT_DIVISOR, MAX_RTT_THRESH_PS))
    if current_ps >= last_ps + threshold_ps:
        conn.i[CSS_BASELINE_MIN_RTT_PS] = current_ps
        conn.i[PHASE] = CSS
        conn.i[CSS_ROUNDS_LEFT] = CSS_ROUNDS


@kernel
def growth_bytes(conn, acked_bytes):
    """By how much an ACK may widen the window: what it delivers, up to L segments; a quarter of it in CSS."""
    if conn.pacing == 0:
        acked_bytes = min(acked_bytes, L * int(conn.mss_bytes))
    return acked_bytes // CSS_GROWTH_DIVISOR if conn.i[PHASE] == CSS else acked_bytes


@kernel
def observe(conn, ack):
    """Follow rounds and round-trip times; called at every ACK of the first slow start, after the growth."""
    if ack.rtt_ps > 0:
        conn.i[CURRENT_ROUND_MIN_RTT_PS] = min(conn.i[CURRENT_ROUND_MIN_RTT_PS], ack.rtt_ps)
        conn.i[RTT_SAMPLE_COUNT] += 1
        if conn.i[RTT_SAMPLE_COUNT] >= N_RTT_SAMPLE:
            judge(conn)
    if ack.una > conn.i[WINDOW_END]:
        end_round(conn)
