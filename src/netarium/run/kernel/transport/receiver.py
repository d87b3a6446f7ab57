"""TCP's receiver: order, delayed acknowledgements (RFC 5681 section 4.2, RFC 1122), SACK and D-SACK (RFC 2883), ECN echo.

Deviations: the time stamp of an ACK for a segment out of order echoes that segment's (RFC 7323 would repeat an older one), so
a sender can tell a retransmission's ACK from the original's; the application reads at once.
"""

from __future__ import annotations

from ..events import NEVER
from ..jit import kernel
from ..observe import observe_latency
from ..records import CE, CWR, NONE
from . import ranges
from .features import CE_ECHO, DONE, ECN
from .state import arm
from .wire import send_ack


@kernel
def hand_over(sim, k, first, end, now_ps):
    """Segments first..end-1 are now in order: the application has them; note the end of the flow."""
    conn = sim.conns[k]
    service = sim.services[conn.service]
    if end == conn.end:
        size_bytes = (end - first - 1) * conn.mss_bytes + conn.last_bytes
    else:
        size_bytes = (end - first) * conn.mss_bytes
    conn.rcv_bytes += size_bytes
    service.delivered_bytes += size_bytes
    if end == conn.end and conn.features & DONE:
        flow = sim.flows[conn.flow]
        if flow.end_ps == NONE:
            flow.end_ps = now_ps
            service.active_flows -= 1


@kernel
def note_congestion(sim, k, packet, now_ps):
    """ECN echo: until CWR (RFC 3168 section 6.1.3), or exactly, with an ACK at each change (RFC 8257 section 3.2)."""
    conn = sim.conns[k]
    marked = 1 if packet.ecn == CE else 0
    if conn.features & CE_ECHO:
        if marked != conn.rcv_ce:
            if conn.rcv_waiting > 0:
                send_ack(sim, k, conn.rcv_echo_ps, NONE, False, now_ps)
                conn.delack_at_ps = NEVER
            conn.rcv_ce = marked
        return
    if packet.flags & CWR:
        conn.rcv_ce = 0
    if marked:
        conn.rcv_ce = 1


@kernel
def receive_data(sim, k, p, now_ps):
    """A data packet reached the receiver of connection `k`."""
    conn = sim.conns[k]
    packet = sim.packets[p]
    seq = packet.seq
    sent_ps = packet.sent_ps
    if conn.features & ECN:
        note_congestion(sim, k, packet, now_ps)
    if seq == conn.rcv_next:
        accept(sim, conn, sent_ps, now_ps)
        conn.rcv_next = seq + 1
        if conn.rcv_waiting == 0:
            conn.rcv_echo_ps = sent_ps
        conn.rcv_waiting += 1
        if conn.gap_count > 0:
            if ranges.at(sim, conn, 0).start == seq + 1:
                ranges.pop_reached(sim, conn)
            hand_over(sim, k, seq, conn.rcv_next, now_ps)
            send_ack(sim, k, sent_ps, NONE, False, now_ps)
            conn.delack_at_ps = NEVER
            return
        hand_over(sim, k, seq, seq + 1, now_ps)
        if conn.rcv_waiting >= conn.rcv_every:
            send_ack(sim, k, conn.rcv_echo_ps, NONE, False, now_ps)
            conn.delack_at_ps = NEVER
        elif conn.rcv_waiting == 1:
            conn.delack_at_ps = now_ps + conn.rcv_timeout_ps
            arm(sim, k)
        return
    newest = NONE
    duplicate = True
    if seq > conn.rcv_next:
        newest = ranges.add(sim, conn, seq)
        duplicate = newest < 0
        if not duplicate:
            accept(sim, conn, sent_ps, now_ps)
    send_ack(sim, k, sent_ps, newest, duplicate, now_ps)
    conn.delack_at_ps = NEVER


@kernel(inline=True)
def accept(sim, conn, sent_ps, now_ps):
    """A data packet that was not there before: count it and take its latency."""
    conn.rcv_packets += 1
    sim.services[conn.service].delivered_packets += 1
    observe_latency(sim, conn, now_ps - sent_ps)


@kernel
def delayed_ack(sim, k, now_ps):
    """The delayed ACK timer fired."""
    conn = sim.conns[k]
    conn.delack_at_ps = NEVER
    if conn.rcv_waiting > 0:
        send_ack(sim, k, conn.rcv_echo_ps, NONE, False, now_ps)
