"""Reno: additive increase, multiplicative decrease (RFC 5681, section 3), counting bytes (RFC 3465).

Deviations:
- Slow start adds all bytes an ACK delivers, without RFC 3465's limit L of two segments, as Linux does
  (tcp_cong.c, tcp_slow_start): with selective acknowledgements these bytes have just left the network.
- ssthresh is half of cwnd where RFC 5681 equation (4) says half of FlightSize, as Linux does
  (tcp_reno_ssthresh). The two agree while the window limits the sender, and the window grows only then.
- A timeout during fast recovery halves ssthresh (the window of that recovery), not the window PRR stands
  at: the loss of a retransmission is a second sign of congestion (RFC 5681 section 4.3).
"""

from __future__ import annotations

from ..jit import kernel
from ..transport.state import RECOVERY

BYTES_ACKED = 0
"""conn.i: bytes_acked of RFC 3465 section 2.1, in congestion avoidance since the window last grew."""
SSTHRESH_MIN_SEGMENTS = 2
"""RFC 5681 equation (4)."""


@kernel(inline=True)
def window_bytes(conn):
    """The window a reduction starts from: cwnd, or in fast recovery the window recovery is heading for."""
    return conn.ssthresh_bytes if conn.state == RECOVERY else conn.cwnd_bytes


@kernel
def slow_start(conn, acked_bytes):
    """Grow by what was acked, up to ssthresh (RFC 5681 equation (2)); returns the bytes not used for that."""
    grown_bytes = min(conn.cwnd_bytes + acked_bytes, max(conn.ssthresh_bytes, conn.cwnd_bytes))
    left_bytes = acked_bytes - (grown_bytes - conn.cwnd_bytes)
    conn.cwnd_bytes = grown_bytes
    return left_bytes


@kernel
def init(conn, ack, now_ps):
    """A new connection: nothing beside the initial window."""
    conn.i[BYTES_ACKED] = 0


@kernel
def on_ack(conn, ack, now_ps):
    """Slow start below ssthresh, one segment a window above it (RFC 3465 section 2.1)."""
    if ack.cwnd_limited == 0 or ack.in_recovery or ack.ece:
        return
    left_bytes = ack.acked_bytes
    if conn.cwnd_bytes < conn.ssthresh_bytes:
        left_bytes = slow_start(conn, left_bytes)
    if left_bytes > 0:
        counted_bytes = conn.i[BYTES_ACKED] + left_bytes
        if counted_bytes >= conn.cwnd_bytes:
            counted_bytes -= conn.cwnd_bytes
            conn.cwnd_bytes += int(conn.mss_bytes)
        conn.i[BYTES_ACKED] = counted_bytes


@kernel
def on_loss(conn, ack, now_ps):
    """Fast recovery begins: ssthresh = max(window / 2, 2 SMSS), equation (4)."""
    conn.ssthresh_bytes = max(window_bytes(conn) >> 1, SSTHRESH_MIN_SEGMENTS * int(conn.mss_bytes))
    conn.i[BYTES_ACKED] = 0


@kernel
def on_ecn(conn, ack, now_ps):
    """A mark: halve at once, as there is nothing to recover; down to one segment (RFC 3168 section 6.1.2)."""
    on_loss(conn, ack, now_ps)
    conn.cwnd_bytes = max(conn.cwnd_bytes >> 1, int(conn.mss_bytes))


on_rto = on_loss
"""The retransmission timer fired: the same ssthresh; the core sets cwnd to one segment."""
on_recovered = init
"""Recovery ended; the core has set cwnd to ssthresh."""
