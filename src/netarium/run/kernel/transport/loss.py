"""Loss detection and recovery: RACK-TLP (RFC 8985), proportional rate reduction (RFC 6937), retransmission timeout (RFC 6298).

RACK judges segments in the order they were sent. Originals are sent in the order of their numbers and retransmissions are
listed in `again`, so two positions that only move forward replace a scan of the whole window on every ACK.
Deviations: no F-RTO and no undo of a window reduction that proves spurious; the reordering window is adapted by D-SACK once
a round (RFC 8985 section 6.2 step 4) but not shrunk again before the connection ends.
"""

from __future__ import annotations

from ..congestion import dispatch as congestion
from ..events import NEVER
from ..jit import kernel
from .features import DUPLICATE_SEEN, OWNS_RECOVERY, PROBED, REORDERED
from .scoreboard import AGAIN, EVER, LOST, SACKED, next_unsacked, payload_bytes
from .sender import transmit
from .state import LOSS, OPEN, RECOVERY

DUP_THRESH = 3
"""RFC 5681 section 3.2 and RFC 8985 section 6.2: segments sacked that make a gap a loss at once."""
REO_WND_DIVISOR = 4
"""RFC 8985 section 6.2 step 4: the reordering window is a quarter of min_RTT, times RACK.reo_wnd_mult."""


@kernel
def mark_lost(sim, conn, ack, seq):
    """Segment `seq` is deemed lost: it leaves the flight and waits to be sent again."""
    segment = sim.segments[conn.segments + (seq & ((1 << int(conn.segments_log2)) - 1))]
    segment.flags = (segment.flags | LOST) & ~AGAIN
    size_bytes = payload_bytes(conn, seq)
    conn.lost += 1
    conn.in_flight_bytes -= size_bytes
    conn.lost_next = min(conn.lost_next, seq)
    ack.lost_bytes += size_bytes


@kernel
def reordering_window_ps(conn):
    """RACK_update_reo_wnd of RFC 8985 section 6.2 step 4."""
    if conn.features & REORDERED == 0 and (conn.state >= RECOVERY or conn.sacked >= DUP_THRESH):
        return 0
    return min((conn.min_rtt_ps // REO_WND_DIVISOR) * conn.reo_factor, conn.srtt_ps)


@kernel(inline=True)
def sent_before(conn, segment, seq):
    """RACK_sent_after(RACK.segment, segment)."""
    return segment.sent_ps < conn.rack_sent_ps or (
        segment.sent_ps == conn.rack_sent_ps and seq < conn.rack_seq
    )


@kernel
def detect(sim, conn, ack, now_ps):
    """RACK_detect_loss (RFC 8985 section 6.2 step 5): mark what was sent long enough before something delivered."""
    window_ps = reordering_window_ps(conn) + conn.rack_rtt_ps
    conn.reo_at_ps = NEVER
    base, mask = int(conn.segments), (1 << int(conn.segments_log2)) - 1
    seq = max(conn.rack_next, conn.una)
    while seq < conn.nxt:
        seq = next_unsacked(sim, conn, seq)
        if seq >= conn.nxt:
            break
        segment = sim.segments[base + (seq & mask)]
        if segment.flags & (LOST | EVER) == 0:
            if not sent_before(conn, segment, seq):
                break
            if segment.sent_ps + window_ps > now_ps:
                conn.reo_at_ps = segment.sent_ps + window_ps
                break
            mark_lost(sim, conn, ack, seq)
        seq += 1
    conn.rack_next = seq
    while conn.again_count > 0:
        seq = sim.again[base + (conn.again_first & mask)]
        if seq >= conn.una:
            segment = sim.segments[base + (seq & mask)]
            if segment.flags & AGAIN and segment.flags & SACKED == 0:
                if not sent_before(conn, segment, seq):
                    break
                if segment.sent_ps + window_ps > now_ps:
                    conn.reo_at_ps = min(conn.reo_at_ps, segment.sent_ps + window_ps)
                    break
                mark_lost(sim, conn, ack, seq)
        conn.again_first += 1
        conn.again_count -= 1


@kernel
def detect_without_sack(sim, conn, ack):
    """NewReno (RFC 6582): three duplicate ACKs, or a partial ACK in recovery, mean that the first segment is lost."""
    if conn.una >= conn.nxt:
        return
    segment = sim.segments[conn.segments + (conn.una & ((1 << int(conn.segments_log2)) - 1))]
    if segment.flags & (LOST | EVER):
        return
    partial = conn.state == RECOVERY and ack.una > ack.prior_una and ack.una < conn.recovery_end
    if partial or (conn.state == OPEN and conn.sacked >= DUP_THRESH):
        mark_lost(sim, conn, ack, conn.una)


@kernel
def enter_recovery(sim, conn, ack, now_ps):
    """The first loss of a window: let the congestion control react, and begin fast recovery."""
    conn.recovery_end = conn.nxt
    conn.prr_flight_bytes = max(ack.prior_in_flight_bytes, int(conn.mss_bytes))
    conn.prr_delivered_bytes = 0
    conn.prr_out_bytes = 0
    congestion.on_loss(sim.hooks, conn, ack, now_ps)
    conn.state = RECOVERY
    conn.pto_at_ps = NEVER


@kernel
def reduce_proportionally(conn, ack):
    """The window in fast recovery (RFC 6937 section 3, with the slow start reduction bound)."""
    mss_bytes = int(conn.mss_bytes)
    conn.prr_delivered_bytes += ack.acked_bytes
    pipe_bytes = conn.in_flight_bytes
    if pipe_bytes > conn.ssthresh_bytes:
        share = (
            conn.prr_delivered_bytes * conn.ssthresh_bytes + conn.prr_flight_bytes - 1
        ) // conn.prr_flight_bytes
        send_bytes = share - conn.prr_out_bytes
    else:
        limit_bytes = conn.prr_delivered_bytes - conn.prr_out_bytes
        if ack.una > ack.prior_una and ack.lost_bytes == 0:
            limit_bytes = max(limit_bytes, ack.acked_bytes) + mss_bytes
        send_bytes = min(conn.ssthresh_bytes - pipe_bytes, limit_bytes)
    if conn.prr_out_bytes == 0:
        send_bytes = max(send_bytes, mss_bytes)
    conn.cwnd_bytes = pipe_bytes + max(send_bytes, 0)


@kernel
def leave_recovery(sim, conn, ack, now_ps):
    """All that was outstanding when recovery began has been acknowledged."""
    if conn.state == RECOVERY and conn.features & OWNS_RECOVERY == 0:
        conn.cwnd_bytes = max(conn.ssthresh_bytes, int(conn.mss_bytes))
    conn.state = OPEN
    congestion.on_recovered(sim.hooks, conn, ack, now_ps)


@kernel
def timeout(sim, k, now_ps):
    """The retransmission timer fired (RFC 6298 section 5.4 to 5.7, RFC 5681 section 3.1): all outstanding is deemed lost."""
    conn = sim.conns[k]
    ack = sim.acks[0]
    conn.timeouts += 1
    ack.lost_bytes = 0
    ack.prior_in_flight_bytes = conn.in_flight_bytes
    if conn.state != LOSS:
        congestion.on_rto(sim.hooks, conn, ack, now_ps)
    base, mask = int(conn.segments), (1 << int(conn.segments_log2)) - 1
    if conn.features & 1 == 0:
        conn.sacked = 0
        conn.in_flight_bytes = 0
        for seq in range(conn.una, conn.nxt):
            if sim.segments[base + (seq & mask)].flags & LOST == 0:
                conn.in_flight_bytes += payload_bytes(conn, seq)
    seq = conn.una
    while seq < conn.nxt:
        segment = sim.segments[base + (seq & mask)]
        if segment.flags & SACKED:
            seq = next_unsacked(sim, conn, seq)
            continue
        if segment.flags & LOST == 0:
            mark_lost(sim, conn, ack, seq)
        seq += 1
    conn.rack_next = conn.nxt
    conn.again_count = 0
    if conn.features & OWNS_RECOVERY == 0:
        conn.cwnd_bytes = int(conn.mss_bytes)
    conn.state = LOSS
    conn.recovery_end = conn.nxt
    conn.backoff += 1
    conn.rto_ps = min(2 * conn.rto_ps, conn.max_rto_ps)
    conn.rto_at_ps = now_ps + conn.rto_ps
    conn.pto_at_ps = NEVER
    conn.reo_at_ps = NEVER
    conn.features &= ~PROBED


@kernel
def probe_tail(sim, k, now_ps):
    """The probe time-out fired (RFC 8985 section 7.3): send a new segment if there is one, else the last one again."""
    conn = sim.conns[k]
    conn.pto_at_ps = NEVER
    if conn.state != OPEN or conn.una == conn.nxt or conn.sacked > 0 or conn.features & PROBED:
        return
    conn.features = (conn.features | PROBED) & ~DUPLICATE_SEEN
    room = (conn.nxt - conn.una + 1) * conn.mss_bytes <= conn.window_bytes
    if conn.nxt < conn.end and room:
        conn.tlp_seq = -1
        transmit(sim, k, conn.nxt, False, now_ps)
    else:
        conn.tlp_seq = conn.nxt
        transmit(sim, k, conn.nxt - 1, True, now_ps)
    conn.rto_at_ps = now_ps + conn.rto_ps


@kernel
def judge_probe(sim, conn, ack, now_ps):
    """After an ACK that covers a tail loss probe (RFC 8985 section 7.4.2): a loss it repaired counts as one."""
    if conn.tlp_seq >= 0 and conn.una < conn.tlp_seq:
        return
    if (
        conn.tlp_seq < 0
        or conn.features & DUPLICATE_SEEN
        or (conn.una == conn.tlp_seq and ack.una == ack.prior_una and ack.acked_bytes == 0)
    ):
        conn.features &= ~PROBED
    elif conn.una > conn.tlp_seq:
        conn.features &= ~PROBED
        if conn.state == OPEN:
            ack.prior_in_flight_bytes = max(ack.prior_in_flight_bytes, conn.in_flight_bytes)
            congestion.on_loss(sim.hooks, conn, ack, now_ps)
            if conn.features & OWNS_RECOVERY == 0:
                conn.cwnd_bytes = min(conn.cwnd_bytes, conn.ssthresh_bytes)
            congestion.on_recovered(sim.hooks, conn, ack, now_ps)
