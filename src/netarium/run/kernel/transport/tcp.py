"""TCP as the loop sees it: a packet arrives, a timer fires."""

from __future__ import annotations

from ..events import NEVER
from ..jit import kernel
from . import handshake
from .acknowledge import reordering_timeout
from .loss import probe_tail, timeout
from .receiver import delayed_ack
from .sender import send
from .state import CLOSED, OPENING, arm


@kernel
def on_timer(sim, k, now_ps):
    """The event of connection `k` fired: serve every deadline that has come, then set the next."""
    conn = sim.conns[k]
    if conn.timer_ps != now_ps:
        return
    conn.timer_ps = conn.later_ps
    conn.later_ps = NEVER
    if conn.delack_at_ps <= now_ps:
        delayed_ack(sim, k, now_ps)
    if conn.state == OPENING:
        if conn.rto_at_ps <= now_ps:
            handshake.again(sim, k, now_ps)
    elif conn.state != CLOSED:
        if conn.reo_at_ps <= now_ps:
            conn.reo_at_ps = NEVER
            reordering_timeout(sim, k, now_ps)
        if conn.rto_at_ps <= now_ps:
            conn.rto_at_ps = NEVER
            if conn.una < conn.nxt:
                timeout(sim, k, now_ps)
                send(sim, k, now_ps)
        if conn.pto_at_ps <= now_ps:
            probe_tail(sim, k, now_ps)
        if conn.send_at_ps <= now_ps:
            send(sim, k, now_ps)
    arm(sim, k)
