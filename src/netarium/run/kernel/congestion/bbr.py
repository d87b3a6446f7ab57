"""BBR, version 1: send at the bottleneck's bandwidth, keep a bandwidth-delay product in flight.

draft-cardwell-iccrg-bbr-congestion-control-00, whose names and sections are used here, and Cardwell et al.,
"BBR: Congestion-Based Congestion Control", ACM Queue 14(5), 2016; where they leave a choice, as Linux's
tcp_bbr.c. Windows are bytes, rates bits a second.

A model of the path (largest delivery rate of ten rounds, least RTT of ten seconds) gives the pace and the
window: STARTUP doubles the rate every round until it stops growing, DRAIN empties the queue that made,
PROBE_BW cycles the pace around the estimate, PROBE_RTT drains the path every ten seconds to see its RTT.

Deviations:
- No detection of policers (Linux's long-term sampling; the draft has none).
- What is in flight is not corrected for packets the pacer holds (as Linux does): the core's holds none.
- A restart from idle is noticed at the ACK that leaves nothing in flight, not at the next transmission.
- A sample of min_rtt is taken after ten seconds even if the ACK may have been delayed.
- Marks (ECN) are ignored, as in Linux.
"""

from __future__ import annotations

from ..jit import kernel
from ..records import SECOND_PS
from ..rng import advance, mix64
from ..transport.state import RECOVERY
from . import maxfilter
from .pacing import set_pacing

STARTUP, DRAIN, PROBE_BW, PROBE_RTT = range(4)
"""MODE: BBR.state of the draft."""

HIGH_GAIN = 2.885
"""BBRHighGain, 2 / ln 2 (section 4.3.2.1)."""
DRAIN_GAIN = 1.0 / HIGH_GAIN
CWND_GAIN = 2.0
CYCLE_GAINS = (1.25, 0.75, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
"""pacing_gain in PROBE_BW (section 4.3.4)."""
CYCLE_LENGTH = 8
CYCLE_RANDOM = 7
BANDWIDTH_ROUNDS = 10
"""BtlBwFilterLen (section 4.1.1.2)."""
MIN_RTT_WINDOW_PS = 10 * SECOND_PS
"""RTpropFilterLen (section 4.1.2)."""
PROBE_RTT_PS = SECOND_PS // 5
"""ProbeRTTDuration (section 4.3.5)."""
MIN_SEGMENTS = 4
"""BBRMinPipeCwnd (section 4.2.3.2)."""
FULL_GROWTH = 1.25
FULL_ROUNDS = 3
"""Section 4.3.2.2: the pipe is full after three rounds without a quarter more bandwidth."""
PACING_SHARE = 0.99
"""Linux: bbr_pacing_margin_percent = 1."""
NOMINAL_RTT_PS = SECOND_PS // 1000
"""Section 4.2.1: the RTT assumed before there is one."""
INITIAL_SEGMENTS = 10
"""RFC 6928."""
QUANTUM_RATE_BPS = 1.2e6
QUANTUM_MAX_BYTES = 65536
QUANTUM_S = 0.001
"""BBR.send_quantum (section 4.2.2): a segment at low rates, else a millisecond's, 2 segments to 64 KiB."""
EXTRA_ROUNDS = 5
EXTRA_MAX_S = 0.1
"""Linux: bbr_extra_acked_win_rtts, bbr_extra_acked_max_us."""
EPOCH_SEGMENTS_MAX = 1 << 20
"""Linux: bbr_ack_epoch_acked_reset_thresh."""

NEVER_PS = 1 << 62

STEADY, ENTERED, LEFT = range(3)
"""RECOVERY_STEP: what the next ACK has to do."""

# conn.i
MODE = 0
ROUND = 1
ROUND_END = 2
"""conn.delivered_bytes that ends the round (BBR.next_round_delivered)."""
ROUND_START = 3
"""1 while the ACK that began a round is handled."""
BW_ROUND = 4
"""... and 5, 6: rounds of the three bandwidth samples."""
MIN_RTT_PS = 7
MIN_RTT_STAMP_PS = 8
PROBE_RTT_DONE_PS = 9
"""When PROBE_RTT may end; 0: not known yet."""
PROBE_RTT_ROUND_DONE = 10
FULL_COUNT = 11
"""Rounds without growth; FULL_ROUNDS and more: the pipe is full."""
CYCLE_INDEX = 12
CYCLE_STAMP_PS = 13
PRIOR_CWND_BYTES = 14
"""Window to go back to after recovery or PROBE_RTT."""
CONSERVATION = 15
"""1 in the first round of recovery: send what was delivered, no more."""
RECOVERY_STEP = 16
IDLE_RESTART = 17
SEEN_RTT = 18
EXTRA_BYTES = 19
"""... and 20: most bytes acked beyond the expected, in this and the previous span of EXTRA_ROUNDS rounds."""
EXTRA_ROUND = 21
"""Rounds counted modulo 2 EXTRA_ROUNDS: which of the two spans is filled."""
EPOCH_PS = 22
EPOCH_BYTES = 23

# conn.f, bits a second
BW_BPS = 0
"""... and 1, 2: the largest bandwidth samples; the first is BBR.BtlBw."""
FULL_BW_BPS = 3
PACING_BPS = 4
PACING_GAIN = 5
WINDOW_GAIN = 6


# --- what the model says


@kernel
def pipe_is_full(conn):
    """BBR.filled_pipe."""
    return conn.i[FULL_COUNT] >= FULL_ROUNDS


@kernel
def bdp_bytes(conn, gain):
    """gain times the bandwidth-delay product, rounded up; the initial window before there is an RTT."""
    if conn.i[MIN_RTT_PS] == NEVER_PS:
        return INITIAL_SEGMENTS * int(conn.mss_bytes)
    return int(gain * conn.f[BW_BPS] * float(conn.i[MIN_RTT_PS]) * 1.25e-13) + 1


@kernel
def with_quantum(conn, wanted_bytes):
    """Room for what end systems hold back: three quanta, whole pairs of segments, one more in a probe."""
    mss_bytes = int(conn.mss_bytes)
    quantum_bytes = mss_bytes
    if conn.f[PACING_BPS] >= QUANTUM_RATE_BPS:
        quantum_bytes = min(int(conn.f[PACING_BPS] * QUANTUM_S * 0.125), QUANTUM_MAX_BYTES)
        quantum_bytes = max(quantum_bytes // mss_bytes, 2) * mss_bytes
    pairs = (wanted_bytes + 3 * quantum_bytes + 2 * mss_bytes - 1) // (2 * mss_bytes)
    if conn.i[MODE] == PROBE_BW and conn.i[CYCLE_INDEX] == 0:
        pairs += 1
    return pairs * 2 * mss_bytes


@kernel
def inflight_bytes(conn, gain):
    """BBRInflight(gain) of section 4.2.3.2."""
    return with_quantum(conn, bdp_bytes(conn, gain))


# --- pace


@kernel
def pace_from_rtt(conn):
    """BBRInitPacingRate (section 4.2.1): high gain times the window over the RTT, or over a nominal RTT."""
    rtt_ps = NOMINAL_RTT_PS
    if conn.srtt_ps > 0:
        rtt_ps = conn.srtt_ps
        conn.i[SEEN_RTT] = 1
    conn.f[PACING_BPS] = PACING_SHARE * HIGH_GAIN * 8.0e12 * float(conn.cwnd_bytes) / float(rtt_ps)
    set_pacing(conn, conn.f[PACING_BPS])


@kernel
def set_pace(conn, gain):
    """BBRSetPacingRateWithGain (section 4.2.1): before the pipe is full the pace only rises."""
    if conn.i[SEEN_RTT] == 0 and conn.srtt_ps > 0:
        pace_from_rtt(conn)
    rate_bps = PACING_SHARE * gain * conn.f[BW_BPS]
    if rate_bps > conn.f[PACING_BPS] or (pipe_is_full(conn) and rate_bps != conn.f[PACING_BPS]):
        conn.f[PACING_BPS] = rate_bps
        set_pacing(conn, rate_bps)


# --- model


@kernel
def update_bandwidth(conn, ack):
    """BBRUpdateRound and BBRUpdateBtlBw (section 4.1.1)."""
    conn.i[ROUND_START] = 0
    if ack.rate_interval_ps <= 0:
        return
    if ack.prior_delivered_bytes >= conn.i[ROUND_END]:
        conn.i[ROUND_END] = conn.delivered_bytes
        conn.i[ROUND] += 1
        conn.i[ROUND_START] = 1
        conn.i[CONSERVATION] = 0
    rate_bps = 8.0e12 * float(ack.rate_bytes) / float(ack.rate_interval_ps)
    if ack.app_limited == 0 or rate_bps >= conn.f[BW_BPS]:
        maxfilter.add(conn, BW_BPS, BW_ROUND, BANDWIDTH_ROUNDS, rate_bps, conn.i[ROUND])


@kernel
def update_aggregation(conn, ack, now_ps):
    """By how much ACKs come in bursts: most bytes acked beyond bandwidth times time (Linux)."""
    if ack.acked_bytes <= 0 or ack.rate_interval_ps <= 0:
        return
    if conn.i[ROUND_START]:
        conn.i[EXTRA_ROUND] = (conn.i[EXTRA_ROUND] + 1) % (2 * EXTRA_ROUNDS)
        if conn.i[EXTRA_ROUND] % EXTRA_ROUNDS == 0:
            conn.i[EXTRA_BYTES + conn.i[EXTRA_ROUND] // EXTRA_ROUNDS] = 0
    expected_bytes = int(conn.f[BW_BPS] * float(now_ps - conn.i[EPOCH_PS]) * 1.25e-13)
    most_bytes = EPOCH_SEGMENTS_MAX * int(conn.mss_bytes)
    if conn.i[EPOCH_BYTES] <= expected_bytes or conn.i[EPOCH_BYTES] + ack.acked_bytes >= most_bytes:
        conn.i[EPOCH_BYTES] = 0
        conn.i[EPOCH_PS] = now_ps
        expected_bytes = 0
    conn.i[EPOCH_BYTES] += ack.acked_bytes
    extra_bytes = min(conn.i[EPOCH_BYTES] - expected_bytes, conn.cwnd_bytes)
    span = EXTRA_BYTES + conn.i[EXTRA_ROUND] // EXTRA_ROUNDS
    conn.i[span] = max(conn.i[span], extra_bytes)


@kernel
def phase_is_over(conn, ack, now_ps):
    """BBRIsNextCyclePhase (section 4.3.4.4)."""
    lasted = now_ps - conn.i[CYCLE_STAMP_PS] > conn.i[MIN_RTT_PS]
    gain = conn.f[PACING_GAIN]
    if gain > 1.0:
        return lasted and (ack.lost_bytes > 0 or ack.prior_in_flight_bytes >= inflight_bytes(conn, gain))
    if gain < 1.0:
        return lasted or ack.prior_in_flight_bytes <= inflight_bytes(conn, 1.0)
    return lasted


@kernel
def next_phase(conn, now_ps):
    """BBRAdvanceCyclePhase (section 4.3.4.4)."""
    conn.i[CYCLE_INDEX] = (conn.i[CYCLE_INDEX] + 1) % CYCLE_LENGTH
    conn.i[CYCLE_STAMP_PS] = now_ps


@kernel
def enter_probe_bw(conn, now_ps):
    """BBREnterProbeBW (section 4.3.4.4): begin at any phase but the 0.75 one, drawn from the flow's hash."""
    conn.i[MODE] = PROBE_BW
    draw = (mix64(advance(conn.hash, conn.i[ROUND])) & 0x7FFFFFFFFFFFFFFF) % CYCLE_RANDOM
    conn.i[CYCLE_INDEX] = CYCLE_LENGTH - 1 - draw
    next_phase(conn, now_ps)


@kernel
def check_full_pipe(conn, ack):
    """BBRCheckFullPipe (section 4.3.2.2)."""
    if pipe_is_full(conn) or conn.i[ROUND_START] == 0 or ack.app_limited:
        return
    if conn.f[BW_BPS] >= FULL_GROWTH * conn.f[FULL_BW_BPS]:
        conn.f[FULL_BW_BPS] = conn.f[BW_BPS]
        conn.i[FULL_COUNT] = 0
    else:
        conn.i[FULL_COUNT] += 1


@kernel
def check_drain(conn, now_ps):
    """BBRCheckDrain (section 4.3.3)."""
    if conn.i[MODE] == STARTUP and pipe_is_full(conn):
        conn.i[MODE] = DRAIN
        conn.ssthresh_bytes = inflight_bytes(conn, 1.0)
    if conn.i[MODE] == DRAIN and conn.in_flight_bytes <= inflight_bytes(conn, 1.0):
        enter_probe_bw(conn, now_ps)


@kernel
def save_window(conn):
    """BBRSaveCwnd (section 4.2.3.4)."""
    if conn.state < RECOVERY and conn.i[MODE] != PROBE_RTT:
        conn.i[PRIOR_CWND_BYTES] = conn.cwnd_bytes
    else:
        conn.i[PRIOR_CWND_BYTES] = max(conn.i[PRIOR_CWND_BYTES], conn.cwnd_bytes)


@kernel
def update_min_rtt(conn, ack, now_ps):
    """BBRUpdateRTprop and BBRCheckProbeRTT (sections 4.1.2 and 4.3.5)."""
    expired = now_ps > conn.i[MIN_RTT_STAMP_PS] + MIN_RTT_WINDOW_PS
    if ack.rtt_ps > 0 and (ack.rtt_ps <= conn.i[MIN_RTT_PS] or expired):
        conn.i[MIN_RTT_PS] = ack.rtt_ps
        conn.i[MIN_RTT_STAMP_PS] = now_ps
    if expired and conn.i[IDLE_RESTART] == 0 and conn.i[MODE] != PROBE_RTT:
        save_window(conn)
        conn.i[MODE] = PROBE_RTT
        conn.i[PROBE_RTT_DONE_PS] = 0
    if conn.i[MODE] == PROBE_RTT:
        stay_in_probe_rtt(conn, now_ps)
    if ack.rate_interval_ps > 0 and ack.rate_bytes > 0:
        conn.i[IDLE_RESTART] = 0


@kernel
def stay_in_probe_rtt(conn, now_ps):
    """BBRHandleProbeRTT (section 4.3.5): at least 200 ms and a round with a minimal window, then go on."""
    conn.app_limited_bytes = max(conn.delivered_bytes + conn.in_flight_bytes, 1)
    if conn.i[PROBE_RTT_DONE_PS] == 0:
        if conn.in_flight_bytes <= MIN_SEGMENTS * int(conn.mss_bytes):
            conn.i[PROBE_RTT_DONE_PS] = now_ps + PROBE_RTT_PS
            conn.i[PROBE_RTT_ROUND_DONE] = 0
            conn.i[ROUND_END] = conn.delivered_bytes
        return
    if conn.i[ROUND_START]:
        conn.i[PROBE_RTT_ROUND_DONE] = 1
    if conn.i[PROBE_RTT_ROUND_DONE] and now_ps > conn.i[PROBE_RTT_DONE_PS]:
        conn.i[MIN_RTT_STAMP_PS] = now_ps
        conn.cwnd_bytes = max(conn.cwnd_bytes, conn.i[PRIOR_CWND_BYTES])
        if pipe_is_full(conn):
            enter_probe_bw(conn, now_ps)
        else:
            conn.i[MODE] = STARTUP


@kernel
def set_gains(conn):
    """The gains of the mode."""
    mode = conn.i[MODE]
    if mode == PROBE_BW:
        conn.f[PACING_GAIN] = CYCLE_GAINS[conn.i[CYCLE_INDEX]]
        conn.f[WINDOW_GAIN] = CWND_GAIN
    elif mode == PROBE_RTT:
        conn.f[PACING_GAIN] = 1.0
        conn.f[WINDOW_GAIN] = 1.0
    else:
        conn.f[PACING_GAIN] = HIGH_GAIN if mode == STARTUP else DRAIN_GAIN
        conn.f[WINDOW_GAIN] = HIGH_GAIN


# --- window


@kernel
def modulate_for_recovery(conn, ack):
    """BBRModulateCwndForRecovery (section 4.2.3.4); returns True while packets are conserved."""
    if ack.lost_bytes > 0:
        conn.cwnd_bytes = max(conn.cwnd_bytes - ack.lost_bytes, int(conn.mss_bytes))
    step = conn.i[RECOVERY_STEP]
    conn.i[RECOVERY_STEP] = STEADY
    if step == ENTERED:
        conn.i[CONSERVATION] = 1
        conn.i[ROUND_END] = conn.delivered_bytes
        conn.cwnd_bytes = conn.in_flight_bytes + ack.acked_bytes
    elif step == LEFT:
        conn.i[CONSERVATION] = 0
        conn.cwnd_bytes = max(conn.cwnd_bytes, conn.i[PRIOR_CWND_BYTES])
    if conn.i[CONSERVATION]:
        conn.cwnd_bytes = max(conn.cwnd_bytes, conn.in_flight_bytes + ack.acked_bytes)
        return True
    return False


@kernel
def target_bytes(conn):
    """The window aimed at: gain times BDP, room for bursts of ACKs once the pipe is full, quanta."""
    window_bytes = bdp_bytes(conn, conn.f[WINDOW_GAIN])
    if pipe_is_full(conn):
        extra_bytes = max(conn.i[EXTRA_BYTES], conn.i[EXTRA_BYTES + 1])
        window_bytes += min(extra_bytes, int(conn.f[BW_BPS] * EXTRA_MAX_S * 0.125))
    return with_quantum(conn, window_bytes)


@kernel
def set_window(conn, ack):
    """BBRSetCwnd (section 4.2.3)."""
    mss_bytes = int(conn.mss_bytes)
    if ack.acked_bytes > 0 and not modulate_for_recovery(conn, ack):
        window_bytes = target_bytes(conn)
        grown_bytes = conn.cwnd_bytes + ack.acked_bytes
        if pipe_is_full(conn):
            conn.cwnd_bytes = min(grown_bytes, window_bytes)
        elif conn.cwnd_bytes < window_bytes or conn.delivered_bytes < INITIAL_SEGMENTS * mss_bytes:
            conn.cwnd_bytes = grown_bytes
        conn.cwnd_bytes = max(conn.cwnd_bytes, MIN_SEGMENTS * mss_bytes)
    if conn.i[MODE] == PROBE_RTT:
        conn.cwnd_bytes = min(conn.cwnd_bytes, MIN_SEGMENTS * mss_bytes)


# --- verbs


@kernel
def init(conn, ack, now_ps):
    """A new connection: STARTUP, paced from the start."""
    for slot in range(24):
        conn.i[slot] = 0
    for slot in range(8):
        conn.f[slot] = 0.0
    conn.i[MIN_RTT_PS] = NEVER_PS
    conn.i[MIN_RTT_STAMP_PS] = now_ps
    conn.i[EPOCH_PS] = now_ps
    set_gains(conn)
    pace_from_rtt(conn)


@kernel
def on_ack(conn, ack, now_ps):
    """BBRUpdateModelAndState and BBRUpdateControlParameters (section 3.2.2)."""
    update_bandwidth(conn, ack)
    update_aggregation(conn, ack, now_ps)
    if conn.i[MODE] == PROBE_BW and phase_is_over(conn, ack, now_ps):
        next_phase(conn, now_ps)
    check_full_pipe(conn, ack)
    check_drain(conn, now_ps)
    update_min_rtt(conn, ack, now_ps)
    set_gains(conn)
    set_pace(conn, conn.f[PACING_GAIN])
    set_window(conn, ack)
    if conn.in_flight_bytes == 0 and conn.app_limited_bytes > 0:
        rest(conn, now_ps)


@kernel
def rest(conn, now_ps):
    """The application has nothing more to send for now: restart at the estimated rate, without a probe."""
    conn.i[IDLE_RESTART] = 1
    conn.i[EPOCH_PS] = now_ps
    conn.i[EPOCH_BYTES] = 0
    if conn.i[MODE] == PROBE_BW:
        set_pace(conn, 1.0)


@kernel
def on_loss(conn, ack, now_ps):
    """Fast recovery begins: the model stays, the window follows what is delivered for a round. Where it begins on the very
    ACK that ended the last one, that one goes on (Linux: prev_ca_state), so the window to go back to is not forgotten."""
    if conn.i[RECOVERY_STEP] == LEFT:
        conn.i[PRIOR_CWND_BYTES] = max(conn.i[PRIOR_CWND_BYTES], conn.cwnd_bytes)
        conn.i[RECOVERY_STEP] = STEADY
        return
    save_window(conn)
    conn.i[RECOVERY_STEP] = ENTERED


@kernel
def on_rto(conn, ack, now_ps):
    """The retransmission timer fired: begin again with one segment; STARTUP's judgement begins again too."""
    save_window(conn)
    conn.i[RECOVERY_STEP] = STEADY
    conn.i[CONSERVATION] = 0
    conn.f[FULL_BW_BPS] = 0.0
    conn.cwnd_bytes = int(conn.mss_bytes)


@kernel
def on_ecn(conn, ack, now_ps):
    """Marks say nothing to BBR."""


@kernel
def on_recovered(conn, ack, now_ps):
    """Recovery ended: the next ACK restores the window."""
    conn.i[RECOVERY_STEP] = LEFT
