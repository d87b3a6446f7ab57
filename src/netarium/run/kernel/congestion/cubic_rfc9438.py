"""CUBIC: the window grows as a cubic function of the time since the last reduction (RFC 9438).

Deviations:
- The window grows in proportion to the bytes an ACK delivers where sections 4.4 and 4.5 count ACKs, so that
  delayed ACKs do not slow the growth (as Linux's tcp_cubic.c).
- A reduction starts from cwnd, not from flight_size (section 4.6 allows it where the window does not grow
  while the application limits the sender, which holds here).
- Section 4.9 (spurious reductions) is absent: the core undoes none.
Slow start is HyStart++ (hystart.py) while conn.features has HYSTART, else RFC 5681's.
"""

from __future__ import annotations

import math

from ..jit import kernel
from ..records import NONE
from ..transport.features import HYSTART
from . import hystart
from .reno import SSTHRESH_MIN_SEGMENTS, slow_start, window_bytes

C = 0.4
"""Section 5.1: segments a second cubed."""
BETA_CUBIC = 0.7
"""Section 4.6: multiplicative decrease."""
ALPHA_CUBIC = 3.0 * (1.0 - BETA_CUBIC) / (1.0 + BETA_CUBIC)
"""Section 4.3: additive increase that gives AIMD(1, 0.5)'s average window with BETA_CUBIC."""
FAST_CONVERGENCE = (1.0 + BETA_CUBIC) / 2.0
"""Section 4.7: what remains of W_max when a flow is still below its last one."""
TARGET_MAX = 1.5
"""Section 4.2: target is at most so many times cwnd."""

# conn.i
EPOCH_PS = 0
"""t_epoch of section 4.1.2, when congestion avoidance began, application-limited time left out; or NONE."""
LAST_PS = 1
"""Last ACK in congestion avoidance."""

# conn.f, bytes as float64
W_MAX_BYTES = 0
"""0: none yet, or void after a timeout (section 4.8)."""
K_S = 1
"""Seconds from t_epoch until the window is W_max again."""
W_EST_BYTES = 2
"""What Reno's window would be (section 4.3)."""
CWND_PRIOR_BYTES = 3
CREDIT_BYTES = 4
"""Growth earned that is less than a byte."""


@kernel
def init(conn, ack, now_ps):
    """A new connection: no W_max, first slow start."""
    conn.i[EPOCH_PS] = NONE
    conn.f[W_MAX_BYTES] = 0.0
    conn.f[CREDIT_BYTES] = 0.0
    conn.f[CWND_PRIOR_BYTES] = 0.0
    conn.i[hystart.PHASE] = hystart.OFF
    if conn.features & HYSTART:
        hystart.begin(conn)


@kernel
def begin_epoch(conn, now_ps):
    """Congestion avoidance begins: K of equation (2), or 0 with no W_max above the window (4.8, 4.10)."""
    cwnd_bytes = float(conn.cwnd_bytes)
    conn.i[EPOCH_PS] = now_ps
    conn.i[LAST_PS] = now_ps
    conn.f[W_EST_BYTES] = cwnd_bytes
    conn.f[CREDIT_BYTES] = 0.0
    if conn.f[CWND_PRIOR_BYTES] == 0.0:
        conn.f[CWND_PRIOR_BYTES] = cwnd_bytes
    if conn.f[W_MAX_BYTES] > cwnd_bytes:
        segments = (conn.f[W_MAX_BYTES] - cwnd_bytes) / float(conn.mss_bytes)
        conn.f[K_S] = math.pow(segments / C, 1.0 / 3.0)
    else:
        conn.f[W_MAX_BYTES] = cwnd_bytes
        conn.f[K_S] = 0.0


@kernel
def avoid_congestion(conn, ack, acked_bytes, now_ps):
    """Sections 4.2 to 4.5: the cubic function, or Reno's window where that is larger."""
    if conn.i[EPOCH_PS] == NONE:
        begin_epoch(conn, now_ps)
    conn.i[LAST_PS] = now_ps
    cwnd_bytes = float(conn.cwnd_bytes)
    share = float(acked_bytes) / cwnd_bytes
    mss_bytes = float(conn.mss_bytes)
    alpha = ALPHA_CUBIC if conn.f[W_EST_BYTES] < conn.f[CWND_PRIOR_BYTES] else 1.0
    estimate_bytes = conn.f[W_EST_BYTES] + alpha * share * mss_bytes
    conn.f[W_EST_BYTES] = estimate_bytes
    scale = C * mss_bytes
    after_s = float(now_ps - conn.i[EPOCH_PS]) * 1.0e-12 - conn.f[K_S]
    if scale * after_s * after_s * after_s + conn.f[W_MAX_BYTES] < estimate_bytes:
        conn.cwnd_bytes = max(conn.cwnd_bytes, int(estimate_bytes))
        return
    ahead_s = after_s + float(conn.srtt_ps) * 1.0e-12
    target_bytes = scale * ahead_s * ahead_s * ahead_s + conn.f[W_MAX_BYTES]
    target_bytes = min(max(target_bytes, cwnd_bytes), TARGET_MAX * cwnd_bytes)
    credit_bytes = conn.f[CREDIT_BYTES] + (target_bytes - cwnd_bytes) * share
    whole_bytes = int(credit_bytes)
    conn.cwnd_bytes += whole_bytes
    conn.f[CREDIT_BYTES] = credit_bytes - float(whole_bytes)


@kernel
def grow_in_slow_start(conn, ack):
    """Slow start, HyStart++'s while it lasts; returns the bytes left over for congestion avoidance."""
    left_bytes = ack.acked_bytes
    if conn.i[hystart.PHASE] == hystart.OFF:
        return slow_start(conn, left_bytes)
    if ack.cwnd_limited:
        slow_start(conn, hystart.growth_bytes(conn, left_bytes))
    hystart.observe(conn, ack)
    return 0


@kernel
def on_ack(conn, ack, now_ps):
    """Slow start below ssthresh, the cubic function above it."""
    if ack.in_recovery or ack.ece:
        return
    left_bytes = ack.acked_bytes
    in_slow_start = conn.cwnd_bytes < conn.ssthresh_bytes
    if ack.cwnd_limited == 0:
        if in_slow_start and conn.i[hystart.PHASE] != hystart.OFF:
            hystart.observe(conn, ack)
        elif conn.i[EPOCH_PS] != NONE:
            conn.i[EPOCH_PS] += now_ps - conn.i[LAST_PS]
            conn.i[LAST_PS] = now_ps
        return
    if in_slow_start:
        left_bytes = grow_in_slow_start(conn, ack)
    if left_bytes > 0:
        avoid_congestion(conn, ack, left_bytes, now_ps)


@kernel
def on_loss(conn, ack, now_ps):
    """Fast recovery begins: ssthresh, cwnd_prior, and W_max with fast convergence (sections 4.6 and 4.7)."""
    before_bytes = float(window_bytes(conn))
    conn.f[CWND_PRIOR_BYTES] = before_bytes
    conn.f[W_MAX_BYTES] = before_bytes * (FAST_CONVERGENCE if before_bytes < conn.f[W_MAX_BYTES] else 1.0)
    conn.ssthresh_bytes = max(int(before_bytes * BETA_CUBIC), SSTHRESH_MIN_SEGMENTS * int(conn.mss_bytes))
    conn.i[EPOCH_PS] = NONE
    conn.i[hystart.PHASE] = hystart.OFF


@kernel
def on_rto(conn, ack, now_ps):
    """The retransmission timer fired: ssthresh by BETA_CUBIC; the next epoch has K = 0 (section 4.8)."""
    on_loss(conn, ack, now_ps)
    conn.f[W_MAX_BYTES] = 0.0


@kernel
def on_ecn(conn, ack, now_ps):
    """A mark: the same reduction, at once, and down to one segment (section 4.6)."""
    on_loss(conn, ack, now_ps)
    conn.cwnd_bytes = max(int(float(conn.cwnd_bytes) * BETA_CUBIC), int(conn.mss_bytes))


@kernel
def on_recovered(conn, ack, now_ps):
    """Recovery ended; no epoch has begun in it, so the next ACK begins one."""
