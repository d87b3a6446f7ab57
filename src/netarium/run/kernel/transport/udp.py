"""UDP (RFC 768): datagrams of a stream, numbered so that what is lost can be counted."""

from __future__ import annotations

from ..jit import kernel
from ..observe import observe_latency
from ..records import DUPLICATE
from . import deadlines, replication
from .features import REPLICATED, TIMED
from .wire import send_datagram


@kernel
def write(sim, k, payload_bytes, now_ps):
    """The application sends one datagram."""
    conn = sim.conns[k]
    service = sim.services[conn.service]
    seq = conn.nxt
    conn.nxt = seq + 1
    service.sent_bytes += payload_bytes
    service.sent_packets += 1
    send_datagram(sim, k, seq, payload_bytes, now_ps)
    if conn.features & REPLICATED:
        replication.send_copies(sim, k, seq, payload_bytes, now_ps)


@kernel
def receive_datagram(sim, k, p, now_ps):
    """A datagram reached its receiver; the copy of one that was duplicated on a link does not count."""
    conn = sim.conns[k]
    packet = sim.packets[p]
    if packet.flags & DUPLICATE:
        return
    if conn.features & REPLICATED and not replication.passes(conn, int(packet.seq), now_ps):
        return
    if conn.features & TIMED:
        deadlines.mark(conn, int(packet.seq), now_ps)
    payload_bytes = packet.size_bytes - conn.header_bytes
    conn.rcv_bytes += payload_bytes
    conn.rcv_packets += 1
    conn.rcv_next = max(conn.rcv_next, packet.seq + 1)
    service = sim.services[conn.service]
    service.delivered_bytes += payload_bytes
    service.delivered_packets += 1
    observe_latency(sim, conn, now_ps - packet.sent_ps)
