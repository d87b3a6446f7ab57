"""DCTCP: reduce by the fraction of bytes that were marked (RFC 8257); Reno for everything else.

Deviations:
- Bytes are counted when they are delivered, by SACK too, where section 3.3 counts cumulative ACKs only.
- The reduction takes effect at once (section 3.3 (9)), without Linux's gradual reduction over a round trip;
  as in Linux it leaves two segments at least.
"""

from __future__ import annotations

from ..jit import kernel
from . import reno

G = 0.0625
"""Section 4.2: estimation gain, 1/16."""
ALPHA_INITIAL = 1.0
"""Section 3.3: DCTCP.Alpha is initialised to 1, so that the first marks halve the window."""

# conn.i (reno has 0); section 3.3 names them
WINDOW_END = 1
BYTES_ACKED = 2
BYTES_MARKED = 3
COUNTED = 4
"""1 when on_ecn has already counted the ACK that on_ack gets next."""

# conn.f
ALPHA = 0


@kernel
def init(conn, ack, now_ps):
    """A new connection: its first window of data begins."""
    reno.init(conn, ack, now_ps)
    conn.i[WINDOW_END] = conn.una
    conn.i[BYTES_ACKED] = 0
    conn.i[BYTES_MARKED] = 0
    conn.i[COUNTED] = 0
    conn.f[ALPHA] = ALPHA_INITIAL


@kernel
def count(conn, ack):
    """Section 3.3 (1) to (8): add up what was acked and marked; once a window, move alpha to the fraction."""
    conn.i[BYTES_ACKED] += ack.acked_bytes
    conn.i[BYTES_MARKED] += ack.ce_bytes
    if ack.una <= conn.i[WINDOW_END]:
        return
    if conn.i[BYTES_ACKED] > 0:
        marked = float(conn.i[BYTES_MARKED]) / float(conn.i[BYTES_ACKED])
        conn.f[ALPHA] = conn.f[ALPHA] * (1.0 - G) + G * marked
    conn.i[WINDOW_END] = conn.nxt
    conn.i[BYTES_ACKED] = 0
    conn.i[BYTES_MARKED] = 0


@kernel
def on_ack(conn, ack, now_ps):
    """Follow the marks, then grow as Reno does."""
    if conn.i[COUNTED] == 0:
        count(conn, ack)
    conn.i[COUNTED] = 0
    reno.on_ack(conn, ack, now_ps)


@kernel
def on_ecn(conn, ack, now_ps):
    """Marks: cwnd = cwnd * (1 - alpha / 2), section 3.3 (9), with an alpha that knows this ACK."""
    count(conn, ack)
    conn.i[COUNTED] = 1
    reduced_bytes = int(float(conn.cwnd_bytes) * (1.0 - conn.f[ALPHA] * 0.5))
    conn.ssthresh_bytes = max(reduced_bytes, reno.SSTHRESH_MIN_SEGMENTS * int(conn.mss_bytes))
    conn.cwnd_bytes = min(conn.cwnd_bytes, conn.ssthresh_bytes)
    conn.i[reno.BYTES_ACKED] = 0


on_loss = reno.on_loss
"""A loss is a loss (section 3.5): halve."""
on_rto = reno.on_rto
on_recovered = reno.on_recovered
