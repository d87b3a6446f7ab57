"""The one place that knows every congestion control: each verb goes to the connection's kind.

The core calls init for a new connection; on_ack after each ACK; on_loss when fast recovery begins; on_rto
when the retransmission timer fires; on_ecn at most once a window; on_recovered when recovery ends. In fast
recovery the core moves cwnd towards ssthresh (RFC 6937) and after a timeout sets it to one segment, unless
the control owns recovery.
"""

from __future__ import annotations

from ..jit import call_hook, kernel
from ..transport.features import PACED
from . import bbr, cubic, cubic_rfc9438, dctcp, reno
from .codes import (
    BBR,
    CUBIC,
    CUBIC_RFC9438,
    DCTCP,
    INIT,
    ON_ACK,
    ON_ECN,
    ON_LOSS,
    ON_RECOVERED,
    ON_RTO,
    RENO,
    USER,
)
from .codes import owns_recovery as owns_recovery
from .pacing import follow_window


@kernel
def init(hooks, conn, ack, now_ps):
    """A new connection; conn.cwnd_bytes holds the initial window."""
    kind = conn.congestion
    if kind == RENO:
        reno.init(conn, ack, now_ps)
    elif kind == CUBIC:
        cubic.init(conn, ack, now_ps)
    elif kind == CUBIC_RFC9438:
        cubic_rfc9438.init(conn, ack, now_ps)
    elif kind == BBR:
        bbr.init(conn, ack, now_ps)
    elif kind == DCTCP:
        dctcp.init(conn, ack, now_ps)
    elif hooks[conn.hook + INIT] != 0:
        call_hook(hooks[conn.hook + INIT], conn, ack, now_ps)


@kernel
def on_ack(hooks, conn, ack, now_ps):
    """An ACK has been handled, in any state."""
    kind = conn.congestion
    if kind == CUBIC:
        cubic.on_ack(conn, ack, now_ps)
    elif kind == RENO:
        reno.on_ack(conn, ack, now_ps)
    elif kind == CUBIC_RFC9438:
        cubic_rfc9438.on_ack(conn, ack, now_ps)
    elif kind == BBR:
        bbr.on_ack(conn, ack, now_ps)
    elif kind == DCTCP:
        dctcp.on_ack(conn, ack, now_ps)
    else:
        call_hook(hooks[conn.hook + ON_ACK], conn, ack, now_ps)
    if conn.features & PACED and kind != BBR:
        follow_window(conn)


@kernel
def on_loss(hooks, conn, ack, now_ps):
    """Fast recovery begins: set ssthresh."""
    kind = conn.congestion
    if kind == CUBIC:
        cubic.on_loss(conn, ack, now_ps)
    elif kind == CUBIC_RFC9438:
        cubic_rfc9438.on_loss(conn, ack, now_ps)
    elif kind == BBR:
        bbr.on_loss(conn, ack, now_ps)
    elif kind == DCTCP:
        dctcp.on_loss(conn, ack, now_ps)
    elif kind == USER and hooks[conn.hook + ON_LOSS] != 0:
        call_hook(hooks[conn.hook + ON_LOSS], conn, ack, now_ps)
    else:
        reno.on_loss(conn, ack, now_ps)


@kernel
def on_rto(hooks, conn, ack, now_ps):
    """The retransmission timer fired: set ssthresh."""
    kind = conn.congestion
    if kind == CUBIC:
        cubic.on_rto(conn, ack, now_ps)
    elif kind == CUBIC_RFC9438:
        cubic_rfc9438.on_rto(conn, ack, now_ps)
    elif kind == BBR:
        bbr.on_rto(conn, ack, now_ps)
    elif kind == DCTCP:
        dctcp.on_rto(conn, ack, now_ps)
    elif kind == USER and hooks[conn.hook + ON_RTO] != 0:
        call_hook(hooks[conn.hook + ON_RTO], conn, ack, now_ps)
    else:
        reno.on_rto(conn, ack, now_ps)


@kernel
def on_ecn(hooks, conn, ack, now_ps):
    """The receiver reports marks: reduce the window."""
    kind = conn.congestion
    if kind == CUBIC:
        cubic.on_ecn(conn, ack, now_ps)
    elif kind == CUBIC_RFC9438:
        cubic_rfc9438.on_ecn(conn, ack, now_ps)
    elif kind == BBR:
        bbr.on_ecn(conn, ack, now_ps)
    elif kind == DCTCP:
        dctcp.on_ecn(conn, ack, now_ps)
    elif kind == USER and hooks[conn.hook + ON_ECN] != 0:
        call_hook(hooks[conn.hook + ON_ECN], conn, ack, now_ps)
    else:
        reno.on_ecn(conn, ack, now_ps)


@kernel
def on_recovered(hooks, conn, ack, now_ps):
    """Recovery ended."""
    kind = conn.congestion
    if kind == RENO:
        reno.on_recovered(conn, ack, now_ps)
    elif kind == CUBIC:
        cubic.on_recovered(conn, ack, now_ps)
    elif kind == CUBIC_RFC9438:
        cubic_rfc9438.on_recovered(conn, ack, now_ps)
    elif kind == BBR:
        bbr.on_recovered(conn, ack, now_ps)
    elif kind == DCTCP:
        dctcp.on_recovered(conn, ack, now_ps)
    elif hooks[conn.hook + ON_RECOVERED] != 0:
        call_hook(hooks[conn.hook + ON_RECOVERED], conn, ack, now_ps)
