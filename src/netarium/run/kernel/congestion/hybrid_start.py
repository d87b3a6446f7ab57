"""HyStart: leave slow start when ACKs have come in a row for half a round trip, or when the delay rises (Ha and Rhee 2011).

As in Linux (tcp_cubic.c, hystart_update); cubic uses it. Deviation: where a receiver's card merges a train of segments, Linux
acknowledges it once; here segments arrive one by one.
"""

from __future__ import annotations

from ..jit import kernel

LOW_WINDOW_SEGMENTS = 16
"""hystart_low_window: smaller windows are left alone."""
ACK_DELTA_PS = 2_000_000_000
"""hystart_ack_delta_us: ACKs no further apart are of one train."""
DELAY_SAMPLES = 8
"""HYSTART_MIN_SAMPLES: round-trip times of a round before its least one is judged."""
DELAY_MIN_PS, DELAY_MAX_PS = 4_000_000_000, 16_000_000_000
"""HYSTART_DELAY_MIN, HYSTART_DELAY_MAX: a rise of an eighth counts, at least and at most of so much."""
CUSHION_MAX_PS = 1_000_000_000
CUSHION_BYTES = 4 * 65_536
"""hystart_ack_delay: what four largest trains take at the sender's pace is allowed for, up to a millisecond."""
SLOW_START_PACE = 2
"""That pace is twice the window a round trip (net.ipv4.tcp_pacing_ss_ratio)."""
INFINITY_PS = 1 << 62

# conn.i
FOUND = 16
"""1: the end of slow start was found."""
SAMPLES = 17
ROUND_PS = 18
"""When the round began."""
ROUND_END = 19
"""Segment whose acknowledgement ends the round."""
LAST_PS = 20
"""Last ACK of the train."""
LEAST_RTT_PS = 21
"""Least round-trip time of the round."""


@kernel
def begin_round(conn, now_ps):
    """A new round: all counts anew."""
    conn.i[ROUND_PS] = now_ps
    conn.i[LAST_PS] = now_ps
    conn.i[ROUND_END] = conn.nxt
    conn.i[LEAST_RTT_PS] = INFINITY_PS
    conn.i[SAMPLES] = 0


@kernel
def train_limit_ps(conn, delay_min_ps):
    """How long ACKs may come in a row: half the least round trip, all of it for a paced sender, which spreads them itself."""
    cushion_ps = CUSHION_BYTES * int(conn.srtt_ps) // (SLOW_START_PACE * conn.cwnd_bytes)
    limit_ps = delay_min_ps + min(cushion_ps, CUSHION_MAX_PS)
    return limit_ps if conn.pacing > 0 else limit_ps >> 1


@kernel
def observe(conn, ack, rtt_ps, delay_min_ps, now_ps):
    """At every ACK of slow start, before the growth: set ssthresh to the window where slow start should end."""
    if ack.una > conn.i[ROUND_END]:
        begin_round(conn, now_ps)
    if conn.cwnd_bytes < LOW_WINDOW_SEGMENTS * int(conn.mss_bytes):
        return
    if now_ps - conn.i[LAST_PS] <= ACK_DELTA_PS:
        conn.i[LAST_PS] = now_ps
        if now_ps - conn.i[ROUND_PS] > train_limit_ps(conn, delay_min_ps):
            conn.i[FOUND] = 1
    conn.i[LEAST_RTT_PS] = min(conn.i[LEAST_RTT_PS], rtt_ps)
    if conn.i[SAMPLES] < DELAY_SAMPLES:
        conn.i[SAMPLES] += 1
    elif conn.i[LEAST_RTT_PS] > delay_min_ps + max(DELAY_MIN_PS, min(delay_min_ps >> 3, DELAY_MAX_PS)):
        conn.i[FOUND] = 1
    if conn.i[FOUND]:
        conn.ssthresh_bytes = conn.cwnd_bytes
