"""TCP's sender: what may leave now (RFC 5681, RFC 6675), and segments on their way.

Segments are numbered, not bytes: an application's bytes are cut into segments once, and a retransmission has the same limits.
"""

from __future__ import annotations

from ..events import NEVER
from ..jit import kernel
from .features import DONE, LIMITED, PROBE_TAIL, SPECIAL_PORT
from .scoreboard import (
    AGAIN,
    APP_LIMITED,
    EVER,
    LOST,
    double,
    next_unsacked,
    payload_bytes,
    remember_again,
)
from .state import BLOCKED, OPEN, RECOVERY, arm
from .wire import send_data

BURST = 64
"""Segments sent in one go; then other events of the same instant get their turn."""


@kernel
def next_lost(sim, conn):
    """The lowest segment marked lost (there is one)."""
    base, mask = int(conn.segments), (1 << int(conn.segments_log2)) - 1
    seq = max(conn.lost_next, conn.una)
    while seq < conn.nxt:
        seq = next_unsacked(sim, conn, seq)
        if seq >= conn.nxt or sim.segments[base + (seq & mask)].flags & LOST:
            break
        seq += 1
    conn.lost_next = seq
    return seq


@kernel
def transmit(sim, k, seq, again, now_ps):
    """Send segment `seq` and write it on the scoreboard."""
    conn = sim.conns[k]
    if not again and (seq - conn.una) >> int(conn.segments_log2):
        double(sim, conn)
    size_bytes = payload_bytes(conn, seq)
    segment = sim.segments[conn.segments + (seq & ((1 << int(conn.segments_log2)) - 1))]
    service = sim.services[conn.service]
    if conn.in_flight_bytes == 0:
        conn.first_sent_ps = now_ps
        conn.delivered_ps = now_ps
    flags = APP_LIMITED if conn.app_limited_bytes > 0 else 0
    if again:
        flags |= AGAIN | EVER
        if segment.flags & LOST:
            conn.lost -= 1
        else:
            conn.in_flight_bytes -= size_bytes
        conn.retransmissions += 1
        service.retransmissions += 1
        remember_again(sim, conn, seq)
    else:
        conn.nxt = seq + 1
        service.sent_bytes += size_bytes
    service.sent_packets += 1
    segment.sent_ps = now_ps
    segment.delivered_bytes = conn.delivered_bytes
    segment.delivered_ps = conn.delivered_ps
    segment.first_sent_ps = conn.first_sent_ps
    segment.flags = flags
    segment.skip = 1
    conn.in_flight_bytes += size_bytes
    if conn.state == RECOVERY:
        conn.prr_out_bytes += size_bytes
    if conn.pacing > 0:
        conn.pace_ps = max(conn.pace_ps, now_ps) + (((size_bytes + conn.header_bytes) * conn.pacing) >> 16)
    if conn.rto_at_ps == NEVER:
        conn.rto_at_ps = now_ps + conn.rto_ps
    send_data(sim, k, seq, size_bytes, again, now_ps)


@kernel
def wait_for_port(sim, conn, now_ps):
    """When the sender's own port has a millisecond of work (or two packets): wait. Returns True when it must."""
    if conn.features & SPECIAL_PORT:
        if conn.local_bytes <= conn.local_limit_bytes:
            return False
        conn.send_at_ps = BLOCKED
        return True
    first = sim.routes[conn.route]
    if first < 0:
        return False
    backlog_ps = sim.ports[first].busy_ps - now_ps
    if backlog_ps <= conn.local_limit_ps:
        return False
    conn.send_at_ps = now_ps + backlog_ps - (conn.local_limit_ps >> 1)
    return True


@kernel
def send(sim, k, now_ps):
    """Send what the windows, the pace and the host's own port let go: segments marked lost first, then new ones."""
    conn = sim.conns[k]
    if conn.state < OPEN:
        return
    conn.features &= ~LIMITED
    conn.send_at_ps = NEVER
    left = BURST
    fresh = False
    while True:
        again = conn.lost > 0
        seq = next_lost(sim, conn) if again else conn.nxt
        if not again:
            if seq >= conn.end:
                if conn.features & DONE == 0 or conn.in_flight_bytes < conn.cwnd_bytes:
                    conn.app_limited_bytes = max(conn.delivered_bytes + conn.in_flight_bytes, 1)
                break
            if (seq - conn.una + 1) * conn.mss_bytes > conn.window_bytes and seq > conn.una:
                break
        if conn.in_flight_bytes + payload_bytes(conn, seq) > conn.cwnd_bytes:
            conn.features |= LIMITED
            break
        if conn.pacing > 0 and conn.pace_ps > now_ps:
            conn.send_at_ps = conn.pace_ps
            break
        if wait_for_port(sim, conn, now_ps):
            break
        if left == 0:
            conn.send_at_ps = now_ps
            break
        left -= 1
        transmit(sim, k, seq, again, now_ps)
        fresh = fresh or not again
    if fresh and conn.features & PROBE_TAIL:
        schedule_probe(sim, conn, now_ps)
    arm(sim, k)


@kernel
def schedule_probe(sim, conn, now_ps):
    """Set the probe time-out (RFC 8985 section 7.2), where a tail loss probe may be needed."""
    if conn.state != OPEN or conn.sacked > 0 or conn.una == conn.nxt or conn.srtt_ps == 0:
        conn.pto_at_ps = NEVER
        return
    pto_ps = 2 * conn.srtt_ps
    if conn.nxt - conn.una == 1:
        pto_ps += conn.rcv_timeout_ps
    conn.pto_at_ps = now_ps + pto_ps
    if conn.pto_at_ps >= conn.rto_at_ps:
        conn.pto_at_ps = NEVER
