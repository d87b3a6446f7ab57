"""States of a connection, and its one entry in the event queue."""

from __future__ import annotations

from ..events import NEVER, TIMER, push
from ..jit import kernel

CLOSED, OPENING, OPEN, RECOVERY, LOSS = range(5)
"""OPENING: handshake under way. RECOVERY: fast recovery. LOSS: after a retransmission timeout."""

BLOCKED = NEVER - 1
"""send_at_ps of a sender that waits for its own host's port (pool.left_host wakes it)."""


@kernel
def arm(sim, k):
    """See that connection `k` has an event no later than its earliest deadline. Deadlines that move back cost nothing:
    the event fires early, finds nothing due, and is set again. An earlier deadline leaves the entry there was as the second
    one, so that short waits, which come and go, do not enter the distant timeout anew each time."""
    conn = sim.conns[k]
    earliest = min(conn.rto_at_ps, conn.pto_at_ps)
    earliest = min(earliest, conn.reo_at_ps)
    earliest = min(earliest, conn.delack_at_ps)
    earliest = min(earliest, conn.send_at_ps)
    if earliest < conn.timer_ps and earliest < BLOCKED:
        if conn.timer_ps < NEVER:
            conn.later_ps = conn.timer_ps
        conn.timer_ps = earliest
        push(sim, earliest, TIMER, k)
