"""TCP's sender: what an acknowledgement says (RFC 5681, 2018, 6298, 3168, 8985) and what follows from it."""

from __future__ import annotations

from ..congestion import dispatch as congestion
from ..events import NEVER
from ..jit import kernel
from ..observe import observe_rtt
from ..records import DUPLICATE, ECE, NONE
from .close import close
from .features import (
    CE_ECHO,
    DONE,
    DUPLICATE_SEEN,
    LIMITED,
    OWNS_RECOVERY,
    PROBE_TAIL,
    PROBED,
    REORDERED,
    SACK,
    SEND_CWR,
)
from .loss import (
    detect,
    detect_without_sack,
    enter_recovery,
    judge_probe,
    leave_recovery,
    reduce_proportionally,
)
from .scoreboard import APP_LIMITED, EVER, LOST, SACKED, next_unsacked, payload_bytes
from .sender import schedule_probe, send
from .state import OPEN, RECOVERY, arm

GRANULARITY_PS = 1_000_000_000
"""G of RFC 6298 section 2: one millisecond, as the time stamp clock of RFC 7323."""


@kernel
def measure_rtt(sim, conn, rtt_ps):
    """SRTT, RTTVAR and RTO (RFC 6298 section 2.2 and 2.3). As in Linux (tcp_rtt_estimator, tcp_rto_min) the least RTO bounds
    the term of the variance: bounding the sum, as section 2.4 does with a whole second, would at 200 ms make the timer fire
    before the ACK of a second retransmission wherever the RTT is above 100 ms."""
    if conn.srtt_ps == 0:
        conn.srtt_ps = rtt_ps
        conn.rttvar_ps = rtt_ps >> 1
        conn.min_rtt_ps = rtt_ps
    else:
        error_ps = rtt_ps - conn.srtt_ps
        conn.rttvar_ps += (abs(error_ps) - conn.rttvar_ps) >> 2
        conn.srtt_ps += error_ps >> 3
        if rtt_ps < conn.min_rtt_ps:
            conn.min_rtt_ps = rtt_ps
    conn.rtt_ps = rtt_ps
    spread_ps = max(max(GRANULARITY_PS, conn.min_rto_ps), 4 * conn.rttvar_ps)
    conn.rto_ps = min(conn.srtt_ps + spread_ps, conn.max_rto_ps)
    conn.backoff = 0
    observe_rtt(sim, conn.service, rtt_ps)


@kernel
def delivered(conn, ack, segment, seq, echo_ps):
    """Segment `seq` is now known to have arrived: count it, and keep the newest for the RTT, RACK and rate samples."""
    size_bytes = payload_bytes(conn, seq)
    flags = segment.flags
    ack.acked_bytes += size_bytes
    ack.acked_segments += 1
    if flags & LOST:
        conn.lost -= 1
    else:
        conn.in_flight_bytes -= size_bytes
    if flags & EVER:
        if echo_ps < segment.sent_ps:
            return
    elif seq < conn.fack:
        conn.features |= REORDERED
    if segment.sent_ps >= ack.newest_sent_ps:
        ack.newest_sent_ps = segment.sent_ps
        ack.newest_seq = seq
        ack.prior_delivered_bytes = segment.delivered_bytes
        ack.app_limited = 1 if flags & APP_LIMITED else 0
        ack.rate_interval_ps = segment.sent_ps - segment.first_sent_ps
        ack.rate_bytes = segment.delivered_ps


@kernel
def advance(sim, conn, ack, to_seq, echo_ps):
    """The cumulative part of an ACK."""
    base, mask = int(conn.segments), (1 << int(conn.segments_log2)) - 1
    for seq in range(conn.una, to_seq):
        segment = sim.segments[base + (seq & mask)]
        if segment.flags & SACKED:
            conn.sacked -= 1
        else:
            delivered(conn, ack, segment, seq, echo_ps)
        segment.flags = 0
    conn.una = to_seq
    conn.fack = max(conn.fack, to_seq)


@kernel
def take_blocks(sim, conn, ack, ext, echo_ps):
    """The selective part of an ACK."""
    blocks = sim.sacks[ext]
    base, mask = int(conn.segments), (1 << int(conn.segments_log2)) - 1
    highest = conn.fack
    for block in range(blocks.count):
        end = min(blocks.end[block], conn.nxt)
        seq = next_unsacked(sim, conn, max(blocks.start[block], conn.una))
        while seq < end:
            segment = sim.segments[base + (seq & mask)]
            delivered(conn, ack, segment, seq, echo_ps)
            segment.flags = SACKED
            segment.skip = 1
            conn.sacked += 1
            seq = next_unsacked(sim, conn, seq + 1)
        highest = max(highest, end)
    conn.fack = highest


@kernel
def count_duplicate(conn, ack):
    """Without SACK: a duplicate ACK means that one more segment has left the network (RFC 5681 section 3.2)."""
    if (
        conn.una < conn.nxt
        and conn.in_flight_bytes >= conn.mss_bytes
        and conn.sacked < conn.nxt - conn.una - 1
    ):
        conn.sacked += 1
        conn.in_flight_bytes -= int(conn.mss_bytes)


@kernel
def settle_duplicates(conn, ack, to_seq):
    """Without SACK: segments counted by duplicate ACKs are among those now acknowledged."""
    known = min(int(conn.sacked), max(to_seq - conn.una - 1, 0))
    conn.sacked -= known
    conn.in_flight_bytes += known * int(conn.mss_bytes)


@kernel
def sample_rate(conn, ack, now_ps):
    """Delivery rate (draft-cheng-iccrg-delivery-rate-estimation section 3.3) and RACK's newest segment."""
    conn.delivered_bytes += ack.acked_bytes
    if ack.acked_bytes > 0:
        conn.delivered_ps = now_ps
        if conn.app_limited_bytes > 0 and conn.delivered_bytes > conn.app_limited_bytes:
            conn.app_limited_bytes = 0
    if ack.newest_sent_ps < 0:
        ack.rate_interval_ps = NONE
        return
    conn.first_sent_ps = ack.newest_sent_ps
    ack_elapsed_ps = now_ps - ack.rate_bytes
    ack.rate_bytes = conn.delivered_bytes - ack.prior_delivered_bytes
    ack.rate_interval_ps = max(ack.rate_interval_ps, ack_elapsed_ps)
    if ack.rate_interval_ps < conn.min_rtt_ps:
        ack.rate_interval_ps = NONE
    newer = ack.newest_sent_ps > conn.rack_sent_ps or (
        ack.newest_sent_ps == conn.rack_sent_ps and ack.newest_seq > conn.rack_seq
    )
    if newer:
        conn.rack_sent_ps = ack.newest_sent_ps
        conn.rack_seq = ack.newest_seq
        conn.rack_rtt_ps = now_ps - ack.newest_sent_ps


@kernel
def heed_ecn(sim, conn, ack, now_ps):
    """An ACK with ECE: at most one reduction a window (RFC 3168 section 6.1.2)."""
    if conn.una > conn.cwr_seq or conn.cwr_seq == 0:
        conn.cwr_seq = conn.nxt
        conn.features |= SEND_CWR
        if conn.state == OPEN:
            congestion.on_ecn(sim.hooks, conn, ack, now_ps)


@kernel
def begin_sample(conn, ack, packet):
    """What the congestion control will be told about this ACK, empty."""
    ack.acked_bytes = 0
    ack.acked_segments = 0
    ack.lost_bytes = 0
    ack.rtt_ps = NONE
    ack.newest_sent_ps = NONE
    ack.newest_seq = NONE
    ack.rate_bytes = 0
    ack.app_limited = 0
    ack.rate_interval_ps = NONE
    ack.prior_in_flight_bytes = conn.in_flight_bytes
    ack.prior_delivered_bytes = conn.delivered_bytes
    ack.prior_una = conn.una
    ack.ece = 1 if packet.flags & ECE else 0
    limited = conn.features & LIMITED != 0
    slow_start = conn.cwnd_bytes < conn.ssthresh_bytes
    ack.cwnd_limited = 1 if limited or (slow_start and conn.cwnd_bytes < 2 * conn.in_flight_bytes) else 0


@kernel
def receive_ack(sim, k, p, now_ps):
    """An acknowledgement reached the sender of connection `k`."""
    conn = sim.conns[k]
    packet = sim.packets[p]
    ack = sim.acks[0]
    to_seq = min(packet.seq, conn.nxt)
    if to_seq < conn.una:
        return
    begin_sample(conn, ack, packet)
    echo_ps = packet.sent_ps
    advanced = to_seq > conn.una
    if conn.features & SACK:
        if advanced:
            advance(sim, conn, ack, to_seq, echo_ps)
        if packet.ext != NONE:
            take_blocks(sim, conn, ack, packet.ext, echo_ps)
    elif advanced:
        settle_duplicates(conn, ack, to_seq)
        advance(sim, conn, ack, to_seq, echo_ps)
    elif packet.flags & DUPLICATE == 0:
        count_duplicate(conn, ack)
    ack.una = conn.una
    ack.ce_bytes = ack.acked_bytes if packet.flags & ECE and conn.features & CE_ECHO else 0
    if ack.acked_bytes > 0:
        ack.rtt_ps = now_ps - echo_ps
        measure_rtt(sim, conn, ack.rtt_ps)
    sample_rate(conn, ack, now_ps)
    if packet.flags & DUPLICATE:
        conn.features |= DUPLICATE_SEEN
        if conn.features & REORDERED and conn.reo_factor < 16:
            conn.reo_factor += 1
    if conn.features & SACK:
        if conn.sacked > 0 or conn.again_count > 0 or conn.lost > 0:
            detect(sim, conn, ack, now_ps)
    else:
        detect_without_sack(sim, conn, ack)
    if conn.features & PROBED:
        judge_probe(sim, conn, ack, now_ps)
    react(sim, conn, ack, now_ps)
    if advanced:
        conn.rto_at_ps = NEVER if conn.una == conn.nxt else now_ps + conn.rto_ps
    if conn.features & PROBE_TAIL:
        schedule_probe(sim, conn, now_ps)
    if conn.una == conn.end and conn.features & DONE:
        close(sim, k)
    else:
        send(sim, k, now_ps)


@kernel
def react(sim, conn, ack, now_ps):
    """State changes and the congestion control's turn."""
    if conn.state >= RECOVERY and conn.una >= conn.recovery_end:
        leave_recovery(sim, conn, ack, now_ps)
    if conn.state == OPEN and conn.lost > 0:
        enter_recovery(sim, conn, ack, now_ps)
    if ack.ece:
        heed_ecn(sim, conn, ack, now_ps)
    ack.in_recovery = 1 if conn.state == RECOVERY else 0
    congestion.on_ack(sim.hooks, conn, ack, now_ps)
    if conn.state == RECOVERY and conn.features & OWNS_RECOVERY == 0:
        reduce_proportionally(conn, ack)


@kernel
def reordering_timeout(sim, k, now_ps):
    """RACK's reordering timer fired (RFC 8985 section 6.3): judge again."""
    conn = sim.conns[k]
    ack = sim.acks[0]
    ack.acked_bytes = 0
    ack.acked_segments = 0
    ack.lost_bytes = 0
    ack.rtt_ps = NONE
    ack.rate_interval_ps = NONE
    ack.prior_in_flight_bytes = conn.in_flight_bytes
    ack.prior_una = conn.una
    ack.una = conn.una
    ack.ece = 0
    ack.ce_bytes = 0
    ack.cwnd_limited = 0
    detect(sim, conn, ack, now_ps)
    if ack.lost_bytes > 0:
        react(sim, conn, ack, now_ps)
    send(sim, k, now_ps)
    arm(sim, k)
