"""Opening a TCP connection (RFC 9293 section 3.5), and the request that starts a server's answer.

Push (bulk): the data's sender opens: SYN there, SYN-ACK back, then data. Pull (request_response): the data's receiver opens:
SYN, SYN-ACK, then the request, one packet that also completes the handshake; its arrival starts the answer. Whoever opened
sends its last step again when nothing is heard for an RTO, 1 s at first (RFC 6298 section 2.1), doubled each time.
"""

from __future__ import annotations

from ..congestion import dispatch as congestion
from ..events import NEVER
from ..jit import kernel
from ..records import SECOND_PS
from .acknowledge import measure_rtt
from .features import PULL
from .sender import send
from .state import OPEN, OPENING, arm
from .wire import send_control

SYN, SYN_ACK, REQUEST = 0, 1, 2
SYN_BYTES = 60
"""IPv4 and TCP headers with MSS, SACK-permitted, time stamp and window scale options."""
INITIAL_RTO_PS = SECOND_PS
"""RFC 6298 section 2.1."""


@kernel
def repeat(sim, k, now_ps):
    """The opener sends its last step, first or again."""
    conn = sim.conns[k]
    pull = conn.features & PULL != 0
    if conn.stage == REQUEST:
        send_control(sim, k, REQUEST, conn.request_bytes + conn.header_bytes, False, now_ps, now_ps)
    else:
        send_control(sim, k, SYN, SYN_BYTES, not pull, now_ps, now_ps)
    conn.rto_at_ps = now_ps + conn.rto_ps
    arm(sim, k)


@kernel
def begin(sim, k, now_ps):
    """Open connection `k`."""
    conn = sim.conns[k]
    conn.state = OPENING
    conn.stage = SYN
    conn.rto_ps = INITIAL_RTO_PS
    repeat(sim, k, now_ps)


@kernel
def again(sim, k, now_ps):
    """The opener heard nothing for an RTO."""
    conn = sim.conns[k]
    conn.timeouts += 1
    conn.rto_ps = min(2 * conn.rto_ps, conn.max_rto_ps)
    repeat(sim, k, now_ps)


@kernel
def start_sending(sim, k, now_ps):
    """The data's sender may begin."""
    conn = sim.conns[k]
    conn.state = OPEN
    conn.rto_at_ps = NEVER
    congestion.init(sim.hooks, conn, sim.acks[0], now_ps)
    send(sim, k, now_ps)


@kernel
def receive_control(sim, k, p, now_ps):
    """A handshake packet reached its end of connection `k`."""
    conn = sim.conns[k]
    packet = sim.packets[p]
    pull = conn.features & PULL != 0
    step = packet.seq
    if step == SYN:
        if conn.state == OPENING:
            if pull:
                conn.first_sent_ps = now_ps
            send_control(sim, k, SYN_ACK, SYN_BYTES, pull, packet.sent_ps, now_ps)
    elif step == SYN_ACK:
        if conn.state != OPENING or conn.stage != SYN:
            return
        if pull:
            conn.stage = REQUEST
            conn.rto_ps = INITIAL_RTO_PS
            repeat(sim, k, now_ps)
        else:
            measure_rtt(sim, conn, now_ps - packet.sent_ps)
            start_sending(sim, k, now_ps)
    elif conn.state == OPENING:
        measure_rtt(sim, conn, now_ps - conn.first_sent_ps)
        start_sending(sim, k, now_ps)
