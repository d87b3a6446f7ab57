"""CUBIC as Linux computes it (net/ipv4/tcp_cubic.c of Linux 6): in whole segments, by a clock of jiffies.

RFC 9438's functions, of which cubic_rfc9438.py has the exact ones; the differences are felt where windows are small:
- Windows are whole segments, rounded down at a reduction: 5 becomes 3, not 3.5.
- How many ACKs a segment of growth costs (COUNT) is computed again when the window has changed or 32 ms have passed, not at
  every ACK. While the window stands still, Reno's window (W_EST) is looked at no sooner.
- W_EST grows by alpha = 8 / 15 for ever, where section 4.3 lets alpha be 1 from cwnd_prior on.
- The epoch goes on through application-limited time; only idle time is left out.
- A timeout forgets W_max and the least delay; during fast recovery it reduces no further.
Deviations from Linux: the cube root is exact, where Linux is 0.2 % off; the cubic function stops to grow after OFFSET_MAX,
where Linux overflows; a mark reduces at once, not over a round trip; no undo of a reduction that proves spurious. Slow start
is HyStart (hybrid_start.py) while conn.features has HYSTART.
"""

from __future__ import annotations

import math

from ..jit import kernel
from ..records import NONE
from ..transport.features import HYSTART, REORDERED
from ..transport.state import RECOVERY
from . import hybrid_start
from .reno import SSTHRESH_MIN_SEGMENTS, slow_start

JIFFY_PS = 4_000_000_000
"""HZ = 250, as Debian builds it."""
STALE_JIFFIES = 7
"""HZ / 32: COUNT holds so long while the window stands still."""
QUIET_JIFFIES = 250
"""HZ: no round-trip times are taken in the first second of an epoch."""
BETA, BETA_SCALE = 717, 1024
"""beta: 0.7 in 1/1024."""
EPOCH_HZ = 1024
"""BICTCP_HZ: the cubic function counts 1/1024 s."""
CUBE_RTT_SCALE = 410
"""bic_scale * 10: C = 0.4 in 1/1024."""
FRIENDLY_SCALE = 15
"""beta_scale: Reno's window grows by a segment for so many eighths of a window acknowledged, 8 (1 + b) / (3 (1 - b))."""
COUNT_MIN, COUNT_FIRST, COUNT_STILL = 2, 20, 100
"""ACKs a segment: at least; at most before the first loss; in windows, where the function is not above the window."""
OFFSET_MAX = 1 << 18
"""256 s in 1/1024 s: 6.7 million segments above W_max."""

# conn.i
COUNT = 0
"""cnt: ACKs for a segment of growth."""
W_MAX = 1
"""last_max_cwnd, segments; 0: none yet, or void after a timeout."""
LAST_CWND = 2
LAST_JIFFIES = 3
"""Window and time when COUNT was computed."""
ORIGIN = 4
"""bic_origin_point, segments."""
K = 5
"""Time from the epoch's begin to the origin, 1/1024 s."""
DELAY_MIN_PS = 6
"""Least round-trip time, or 0."""
EPOCH_JIFFIES = 7
"""epoch_start, or NONE."""
ACKS = 8
"""ack_cnt: segments acknowledged that W_EST has not used."""
W_EST = 9
"""tcp_cwnd: what Reno's window would be, segments."""
CREDIT = 10
"""snd_cwnd_cnt: segments acknowledged since the window grew."""
LAST_SENT_PS = 11
"""When the newest segment was sent that is known to have arrived."""
IDLE = 12
"""1: nothing was in flight after the last ACK."""


@kernel
def forget(conn, now_ps):
    """Nothing is known of the path (bictcp_reset): at the begin, and after a timeout."""
    for slot in range(CREDIT):
        conn.i[slot] = 0
    conn.i[EPOCH_JIFFIES] = NONE
    conn.i[hybrid_start.FOUND] = 0
    hybrid_start.begin_round(conn, now_ps)


@kernel
def init(conn, ack, now_ps):
    """A new connection: first slow start."""
    conn.i[CREDIT] = 0
    conn.i[LAST_SENT_PS] = now_ps
    conn.i[IDLE] = 0
    forget(conn, now_ps)


@kernel(inline=True)
def window_segments(conn):
    """cwnd in whole segments."""
    return max(conn.cwnd_bytes // int(conn.mss_bytes), 1)


@kernel
def cube_root(value):
    """Largest integer whose cube is not above `value`."""
    root = int(math.pow(float(value), 1.0 / 3.0))
    while root * root * root > value:
        root -= 1
    while (root + 1) * (root + 1) * (root + 1) <= value:
        root += 1
    return root


@kernel
def begin_epoch(conn, cwnd, acked, now):
    """Congestion avoidance begins after a reduction: K and the origin of the cubic function."""
    conn.i[EPOCH_JIFFIES] = now
    conn.i[ACKS] = acked
    conn.i[W_EST] = cwnd
    if conn.i[W_MAX] <= cwnd:
        conn.i[K] = 0
        conn.i[ORIGIN] = cwnd
    else:
        conn.i[K] = cube_root((1 << 40) // CUBE_RTT_SCALE * (conn.i[W_MAX] - cwnd))
        conn.i[ORIGIN] = conn.i[W_MAX]


@kernel
def count_by_time(conn, cwnd, now):
    """ACKs for a segment of growth, so that the window is a round trip from now what the cubic function says."""
    jiffies = now - conn.i[EPOCH_JIFFIES] + (conn.i[DELAY_MIN_PS] + JIFFY_PS - 1) // JIFFY_PS
    offset = jiffies * EPOCH_HZ // QUIET_JIFFIES - conn.i[K]
    size = min(abs(offset), OFFSET_MAX)
    step = CUBE_RTT_SCALE * size * size * size >> 40
    target = conn.i[ORIGIN] + (step if offset >= 0 else -step)
    count = cwnd // (target - cwnd) if target > cwnd else COUNT_STILL * cwnd
    return min(count, COUNT_FIRST) if conn.i[W_MAX] == 0 else count


@kernel
def befriend(conn, cwnd):
    """Reno's window grows; where it is above cwnd, cwnd follows within a round trip."""
    step = cwnd * FRIENDLY_SCALE >> 3
    if conn.i[ACKS] > step:
        grown = (conn.i[ACKS] - 1) // step
        conn.i[ACKS] -= grown * step
        conn.i[W_EST] += grown
    if conn.i[W_EST] > cwnd:
        conn.i[COUNT] = min(conn.i[COUNT], cwnd // (conn.i[W_EST] - cwnd))


@kernel
def update(conn, cwnd, acked, now):
    """Compute COUNT, unless what it was computed from still holds (bictcp_update)."""
    conn.i[ACKS] += acked
    if conn.i[LAST_CWND] == cwnd and now - conn.i[LAST_JIFFIES] <= STALE_JIFFIES:
        return
    if conn.i[EPOCH_JIFFIES] == NONE or now != conn.i[LAST_JIFFIES]:
        conn.i[LAST_CWND] = cwnd
        conn.i[LAST_JIFFIES] = now
        if conn.i[EPOCH_JIFFIES] == NONE:
            begin_epoch(conn, cwnd, acked, now)
        conn.i[COUNT] = count_by_time(conn, cwnd, now)
    befriend(conn, cwnd)
    conn.i[COUNT] = max(conn.i[COUNT], COUNT_MIN)


@kernel
def grow(conn, acked):
    """A segment for COUNT acknowledged ones; credit of a time when it cost more is worth one (tcp_cong_avoid_ai)."""
    count = conn.i[COUNT]
    grown = 0
    if conn.i[CREDIT] >= count:
        conn.i[CREDIT] = 0
        grown = 1
    conn.i[CREDIT] += acked
    whole = conn.i[CREDIT] // count
    conn.i[CREDIT] -= whole * count
    conn.cwnd_bytes += (grown + whole) * int(conn.mss_bytes)


@kernel
def leave_out_idle_time(conn, ack, now):
    """Time in which nothing was in flight does not count (cubictcp_cwnd_event_tx_start)."""
    if ack.newest_sent_ps != NONE:
        if conn.i[IDLE] and conn.i[EPOCH_JIFFIES] != NONE:
            idle = (ack.newest_sent_ps - conn.i[LAST_SENT_PS]) // JIFFY_PS
            conn.i[EPOCH_JIFFIES] = min(conn.i[EPOCH_JIFFIES] + max(idle, 0), now)
        conn.i[LAST_SENT_PS] = ack.newest_sent_ps
    conn.i[IDLE] = 1 if conn.in_flight_bytes == 0 else 0


@kernel
def observe_delay(conn, ack, now_ps):
    """The least round-trip time, and HyStart's turn (cubictcp_acked)."""
    quiet = conn.i[EPOCH_JIFFIES] != NONE and now_ps // JIFFY_PS - conn.i[EPOCH_JIFFIES] < QUIET_JIFFIES
    if quiet or ack.rtt_ps <= 0 or ack.newest_sent_ps == NONE:
        return
    rtt_ps = max(now_ps - ack.newest_sent_ps, 1)
    if conn.i[DELAY_MIN_PS] == 0 or rtt_ps < conn.i[DELAY_MIN_PS]:
        conn.i[DELAY_MIN_PS] = rtt_ps
    if conn.features & HYSTART and conn.i[hybrid_start.FOUND] == 0 and conn.cwnd_bytes < conn.ssthresh_bytes:
        hybrid_start.observe(conn, ack, rtt_ps, conn.i[DELAY_MIN_PS], now_ps)


@kernel
def on_ack(conn, ack, now_ps):
    """Slow start below ssthresh, the cubic function or Reno's window above it."""
    now = now_ps // JIFFY_PS
    leave_out_idle_time(conn, ack, now)
    observe_delay(conn, ack, now_ps)
    if ack.cwnd_limited == 0 or ack.in_recovery or ack.ece:
        return
    if ack.una == ack.prior_una and conn.features & REORDERED == 0:
        return
    acked = ack.acked_segments
    if conn.cwnd_bytes < conn.ssthresh_bytes:
        acked = slow_start(conn, acked * int(conn.mss_bytes)) // int(conn.mss_bytes)
    if acked > 0:
        update(conn, window_segments(conn), acked, now)
        grow(conn, acked)


@kernel
def on_loss(conn, ack, now_ps):
    """Fast recovery begins: ssthresh, and W_max with fast convergence (cubictcp_recalc_ssthresh)."""
    cwnd = window_segments(conn)
    conn.i[W_MAX] = cwnd * (BETA_SCALE + BETA) // (2 * BETA_SCALE) if cwnd < conn.i[W_MAX] else cwnd
    conn.i[EPOCH_JIFFIES] = NONE
    conn.i[CREDIT] = 0
    conn.ssthresh_bytes = max(cwnd * BETA // BETA_SCALE, SSTHRESH_MIN_SEGMENTS) * int(conn.mss_bytes)


@kernel
def on_rto(conn, ack, now_ps):
    """The retransmission timer fired: the same reduction, unless fast recovery has made it; then all is forgotten."""
    if conn.state != RECOVERY:
        on_loss(conn, ack, now_ps)
    conn.i[CREDIT] = 0
    forget(conn, now_ps)


@kernel
def on_ecn(conn, ack, now_ps):
    """A mark: the same reduction, at once."""
    on_loss(conn, ack, now_ps)
    conn.cwnd_bytes = conn.ssthresh_bytes


@kernel
def on_recovered(conn, ack, now_ps):
    """Recovery ended; no epoch has begun in it, so the next ACK begins one."""
