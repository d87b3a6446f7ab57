"""Connections open and close: a slot of state for as long as a flow lasts, a line in `flows` for ever."""

from __future__ import annotations

from ..events import NEVER
from ..flags import HOST
from ..jit import kernel
from ..records import BYTE_TIME_BITS, NONE, SECOND_PS
from ..rng import advance, mix64
from ..routes import resolve
from . import handshake, ranges, scoreboard
from .features import DONE, HANDSHAKE, PULL, SPECIAL_PORT, TCP
from .sender import send
from .state import OPEN

LOCAL_LIMIT_PS = SECOND_PS // 1000
LOCAL_LIMIT_BYTES = 1 << 20
"""How far a sender fills its own host's port: one millisecond and one mebibyte, at least two packets (Linux:
tcp_small_queue_check in tcp_output.c, and the sysctl tcp_limit_output_bytes, which was 1 MiB for long)."""
UNLIMITED = 1 << 60
"""Segments of a flow without a size."""


@kernel
def clear(conn):
    """Everything that changes during a connection, at its beginning."""
    conn.una = 0
    conn.nxt = 0
    conn.end = 0
    conn.in_flight_bytes = 0
    conn.ssthresh_bytes = UNLIMITED
    conn.delivered_bytes = 0
    conn.delivered_ps = 0
    conn.first_sent_ps = 0
    conn.app_limited_bytes = 0
    conn.sacked = 0
    conn.lost = 0
    conn.srtt_ps = 0
    conn.rttvar_ps = 0
    conn.rto_ps = SECOND_PS
    conn.min_rtt_ps = NEVER
    conn.rtt_ps = 0
    conn.pacing = 0
    conn.pace_ps = 0
    conn.timer_ps = NEVER
    conn.later_ps = NEVER
    conn.rto_at_ps = NEVER
    conn.pto_at_ps = NEVER
    conn.reo_at_ps = NEVER
    conn.delack_at_ps = NEVER
    conn.send_at_ps = NEVER
    conn.recovery_end = 0
    conn.rack_sent_ps = NONE
    conn.rack_seq = NONE
    conn.rack_rtt_ps = 0
    conn.rack_next = 0
    conn.fack = 0
    conn.lost_next = 0
    conn.again_first = 0
    conn.again_count = 0
    conn.prr_delivered_bytes = 0
    conn.prr_out_bytes = 0
    conn.prr_flight_bytes = 1
    conn.reo_factor = 1
    conn.backoff = 0
    conn.tlp_seq = NONE
    conn.cwr_seq = 0
    conn.rcv_next = 0
    conn.rcv_waiting = 0
    conn.rcv_echo_ps = 0
    conn.rcv_ce = 0
    conn.gap_first = 0
    conn.gap_count = 0
    conn.local_bytes = 0
    conn.stage = 0
    conn.rcv_bytes = 0
    conn.retransmissions = 0
    conn.timeouts = 0
    conn.sent_packets = 0
    conn.rcv_packets = 0
    conn.latency_min_ps = NEVER
    conn.latency_max_ps = NONE
    for slot in range(24):
        conn.i[slot] = 0
    for slot in range(8):
        conn.f[slot] = 0.0


@kernel
def open_flow(sim, source_index, pair_index, number, size_bytes, now_ps):
    """Begin flow `number` of a source between the ends of a pair. Returns its connection's slot.

    size_bytes: what a TCP flow carries; 0: the application writes later; NONE: without end.
    """
    counters = sim.counters[0]
    source = sim.sources[source_index]
    transport = sim.transports[source.transport]
    pair = sim.pairs[pair_index]
    k = counters.conn_free
    conn = sim.conns[k]
    counters.conn_free = conn.una
    counters.conn_free_count -= 1
    clear(conn)
    f = counters.flows
    counters.flows = f + 1
    flow = sim.flows[f]
    flow.service = source.service
    flow.src = pair.src
    flow.dst = pair.dst
    flow.number = number
    flow.start_ps = now_ps
    flow.end_ps = NONE
    flow.size_bytes = size_bytes
    flow.conn = k
    flow.pair = pair_index
    sim.services[source.service].active_flows += 1
    conn.flow = f
    conn.service = source.service
    conn.transport = transport.kind
    conn.pair = pair_index
    conn.band = pair.band
    conn.band_back = pair.band_back
    conn.priority = source.priority
    conn.hash = mix64(advance(sim.streams[source.stream].key, number))
    conn.header_bytes = transport.header_bytes
    conn.ack_bytes = transport.ack_bytes
    conn.mss_bytes = transport.mss_bytes
    if conn.mss_bytes <= 0:
        conn.mss_bytes = pair.mtu_bytes - transport.header_bytes
    conn.last_bytes = conn.mss_bytes
    conn.window_bytes = transport.window_bytes
    conn.request_bytes = transport.request_bytes
    conn.rcv_every = transport.ack_every
    conn.rcv_timeout_ps = transport.ack_timeout_ps
    conn.min_rto_ps = transport.min_rto_ps
    conn.max_rto_ps = transport.max_rto_ps
    conn.congestion = transport.congestion
    conn.hook = transport.hook
    conn.stream = source.stream
    conn.features = transport.features
    conn.cwnd_bytes = transport.initial_window * int(conn.mss_bytes)
    resolve(sim, k)
    limit_own_port(sim, conn)
    conn.state = OPEN
    if transport.kind == TCP:
        flow.ideal_ps = ideal_ps(conn, pair, size_bytes)
        start_tcp(sim, k, size_bytes, now_ps)
    return k


@kernel
def limit_own_port(sim, conn):
    """How much of this flow may wait at its own host's port: a millisecond's worth, at least two packets."""
    first = sim.routes[conn.route]
    if first < 0:
        return
    port = sim.ports[first]
    packet_bytes = int(conn.mss_bytes) + conn.header_bytes
    two_ps = (2 * (packet_bytes + port.overhead_bytes) * port.byte_time) >> BYTE_TIME_BITS
    mebibyte_ps = (LOCAL_LIMIT_BYTES // (2 * packet_bytes)) * two_ps
    conn.local_limit_ps = max(min(LOCAL_LIMIT_PS, mebibyte_ps), two_ps)
    conn.local_limit_bytes = (conn.local_limit_ps // max(two_ps, 1)) * 2 * packet_bytes
    if port.features & HOST:
        conn.features |= SPECIAL_PORT


@kernel
def ideal_ps(conn, pair, size_bytes):
    """Completion time alone on the empty path with a window that never limits: to open (and to ask), all segments but the
    last over the narrowest port, then the last one's way. No flow alone on its path is faster; nearly all are slower."""
    if size_bytes < 0:
        return 0
    full_bytes = int(conn.mss_bytes) + conn.header_bytes
    segments = max((size_bytes + conn.mss_bytes - 1) // conn.mss_bytes, 1)
    last_bytes = size_bytes - (segments - 1) * conn.mss_bytes + conn.header_bytes
    ideal = float((segments - 1) * full_bytes) * 8.0e12 / float(pair.rate_bps)
    ideal += pair.there_ps + float(last_bytes) * pair.there_byte_ps
    if conn.features & HANDSHAKE:
        syn_bytes = float(handshake.SYN_BYTES)
        ideal += pair.there_ps + syn_bytes * pair.there_byte_ps + pair.back_ps + syn_bytes * pair.back_byte_ps
        if conn.features & PULL:
            ideal += pair.back_ps + float(conn.request_bytes + conn.header_bytes) * pair.back_byte_ps
    return int(ideal)


@kernel
def start_tcp(sim, k, size_bytes, now_ps):
    """Scoreboard, congestion control and handshake of a new TCP connection."""
    conn = sim.conns[k]
    conn.segments_log2 = scoreboard.FIRST_LOG2
    conn.segments = scoreboard.allocate(sim, scoreboard.FIRST_LOG2)
    conn.gaps_log2 = ranges.FIRST_LOG2
    conn.gaps = ranges.allocate(sim, ranges.FIRST_LOG2)
    mss_bytes = int(conn.mss_bytes)
    if size_bytes < 0:
        conn.end = UNLIMITED
    elif size_bytes > 0:
        conn.end = (size_bytes + mss_bytes - 1) // mss_bytes
        conn.last_bytes = size_bytes - (conn.end - 1) * mss_bytes
        conn.features |= DONE
    if conn.features & HANDSHAKE:
        handshake.begin(sim, k, now_ps)
    else:
        handshake.start_sending(sim, k, now_ps)


@kernel
def write(sim, k, now_ps):
    """The application writes one more segment."""
    sim.conns[k].end += 1
    send(sim, k, now_ps)


@kernel
def stop_writing(sim, k, now_ps):
    """The application writes no more: what was never sent is not sent; what was is still delivered."""
    conn = sim.conns[k]
    if conn.flow == NONE:
        return
    if conn.transport == TCP:
        if conn.features & DONE:
            return
        conn.end = conn.nxt
        conn.features |= DONE
        finished = conn.rcv_next == conn.end
    else:
        finished = True
    flow = sim.flows[conn.flow]
    if finished and flow.end_ps == NONE:
        flow.end_ps = now_ps
        sim.services[conn.service].active_flows -= 1
