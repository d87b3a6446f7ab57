"""The records of the kernel: what the engine's arrays hold. Every field carries its meaning and unit as its NumPy title.

Below `compile` there are no names, only indices: `*_ps` picoseconds, `*_bytes` bytes, `NONE` (-1) for "no such thing".
An algorithm's own parameters and state (a queue discipline's, a congestion control's, a workload's) live in the numbered
slots `i` (int64) and `f` (float64) of its record; the algorithm's file names the slots. So a new one needs no new field here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

NONE = -1
SECOND_PS = 1_000_000_000_000


class Fields(np.record):
    """A row whose fields come before NumPy's own attributes (`flags`, `trace`), as plain Python numbers.

    Compiled code knows nothing else; without this an interpreted run would read `packet.flags` as NumPy's array flags, and
    would compute in 32 bits with the narrow fields that compiled code widens.
    """

    def __getattribute__(self, name: str) -> Any:
        fields = np.void.__getattribute__(self, "dtype").fields
        if fields is None or name not in fields:
            return np.record.__getattribute__(self, name)
        value = np.void.__getitem__(self, name)
        return value.item() if isinstance(value, np.generic) else value


def record(*fields: tuple) -> np.dtype:
    """An aligned record dtype from (name, format, meaning[, shape])."""
    return np.dtype(
        (Fields, np.dtype([((f"{f[0]}: {f[2]}", f[0]), f[1], *f[3:]) for f in fields], align=True)),
        align=True,
    )


# Packet kinds
DATA, ACK, DATAGRAM, CONTROL, FREE, FRAME = 0, 1, 2, 3, 4, 5
# ECN field of the packet (RFC 3168 section 5)
NOT_ECT, ECT_1, ECT_0, CE = 0, 1, 2, 3
# Packet flags
RETRANSMITTED, ECE, CWR, LOST_ON_LINK, CORRUPTED, DUPLICATE, LAST, LEFT_HOST = 1, 2, 4, 8, 16, 32, 64, 128

# Why a packet was dropped; the index is the column of `drops`
(
    DROP_TAIL, DROP_AQM, DROP_IMPAIRMENT, DROP_LINK_DOWN, DROP_NO_ROUTE, DROP_POLICER, DROP_CORRUPTED, DROP_NODE_DOWN,
    DROP_OVERSIZE, DROP_GATE, DROP_LATE,
) = range(11)  # fmt: skip
REASONS = (
    "DROP_TAIL", "DROP_AQM", "DROP_IMPAIRMENT", "DROP_LINK_DOWN", "DROP_NO_ROUTE", "DROP_POLICER", "DROP_CORRUPTED",
    "DROP_NODE_DOWN", "DROP_OVERSIZE", "DROP_GATE", "DROP_LATE",
)  # fmt: skip
"""OVERSIZE: larger than its class or stream may send; GATE: a stream gate was closed; LATE: its cycle had begun, or it would
have had to wait too long to be eligible."""

PACKET = record(
    ("time_ps", "i8", "waiting: when it was enqueued; in flight: when it arrives"),
    ("sent_ps", "i8", "data: when the transport handed it down; ACK: the echo of that time"),
    ("seq", "i8", "data: segment number; ACK: next segment expected; datagram: number"),
    ("next", "i4", "the packet behind it in the same list"),
    ("conn", "i4", "slot of its connection"),
    ("flow", "i4", "number of its flow; differs from the slot's flow once that has ended"),
    ("size_bytes", "i4", "IP packet, bytes"),
    ("route", "i4", "index into routes of the port it goes to next"),
    ("ext", "i4", "slot of its SACK blocks, or NONE"),
    ("kind", "u1", "DATA, ACK, DATAGRAM, CONTROL, FRAME (see real/records.py) or FREE"),
    ("ecn", "u1", "ECN field of the IP header"),
    ("priority", "u1", "SO_PRIORITY, 0..15"),
    ("flags", "u1", "RETRANSMITTED | ECE | CWR | ..."),
    ("band", "i4", "class at a port that serves slices: 0 = none, else slice number + 1"),
    ("hash", "i8", "flow hash: chooses among equal paths and among the queues of fq_codel"),
)
"""64 bytes: one cache line."""

PORT = record(
    # first cache line: all that an empty plain port needs
    ("head", "i4", "first packet in flight (or, at a plain FIFO port, in flight or waiting)"),
    ("tail", "i4", "last packet of that list"),
    ("waiting", "i4", "plain FIFO: first packet of that list whose transmission may not have begun"),
    ("waiting_packets", "i4", "plain FIFO: packets from `waiting` on (an upper bound of the queue)"),
    ("features", "u2", "bit set of what makes this port more than a plain FIFO (see flags.py)"),
    ("overhead_bytes", "u2", "preamble, header, FCS and gap on the wire, a frame"),
    ("waiting_bytes", "u4", "plain FIFO: IP bytes from `waiting` on"),
    ("busy_ps", "i8", "when the transmitter becomes free"),
    ("byte_time", "i8", "picoseconds a byte with BYTE_TIME_BITS fraction bits"),
    ("delay_ps", "i8", "propagation"),
    ("sent_packets", "i8", "packets put on the wire"),
    ("sent_bytes", "i8", "bytes put on the wire, overhead counted"),
    # second: a queue
    ("limit_packets", "i4", "plain FIFO: most packets that may wait"),
    ("queue", "i4", "root queue discipline, or NONE for a plain FIFO"),
    ("limit_bytes", "i8", "plain FIFO: most IP bytes that may wait"),
    ("queue_time_ps", "i8", "sum of the waiting times of packets put on the wire"),
    (
        "backlog_ps_max",
        "i8",
        "plain FIFO: longest backlog of the transmitter seen at an enqueue; as bytes, the longest queue",
    ),
    ("queue_bytes_max", "i8", "most IP bytes waiting"),
    ("queue_packets_max", "i4", "most packets waiting"),
    ("node", "i4", "node at the far end"),
    ("sending", "i4", "packet being transmitted (scheduled port), or NONE"),
    ("down", "i4", "1 while the link or a node at its end is down"),
    # third: what few ports have
    ("impairment", "i4", "its impairment record, or NONE"),
    ("trace", "i4", "its rate trace, or NONE"),
    ("capture", "i4", "its capture, or NONE"),
    ("from_node", "i4", "node at the near end"),
    ("marks", "i8", "packets marked CE"),
    ("reserved", "i8", "fills the third cache line", (6,)),
)
"""Three cache lines."""
BYTE_TIME_BITS = 14
"""Fraction bits of PORT.byte_time: exact for all usual rates, within 3 ppm for any up to 400 Gbit/s; 65,535 bytes at 1 kbit/s
still fit in 63 bits."""

QUEUE = record(
    ("kind", "i4", "queue discipline (see queues/dispatch.py)"),
    ("port", "i4", "the port it stands at"),
    ("head", "i4", "first packet, where the discipline itself holds packets"),
    ("tail", "i4", "last packet"),
    ("packets", "i4", "packets held, children included"),
    ("limit_packets", "i4", "most packets that may wait"),
    ("bytes", "i8", "IP bytes held, children included"),
    ("limit_bytes", "i8", "most IP bytes that may wait"),
    ("child_first", "i4", "first child queue (children are neighbours), or NONE"),
    ("child_count", "i4", "number of children"),
    ("next_ps", "i8", "after a dequeue that gave nothing though packets wait: when to ask again"),
    ("stream", "i4", "its random stream"),
    ("hook", "i4", "first of its user functions in hooks, or NONE"),
    ("i", "i8", "integer parameters and state, named in the discipline's file", (16,)),
    ("f", "f8", "real parameters and state, named in the discipline's file", (6,)),
)

POOL = record(
    ("free", "i4", "first free packet; free packets are linked by `next`"),
    ("free_count", "i4", "free packets"),
    ("ext_free", "i4", "first free slot of SACK blocks, linked by its first number"),
    ("ext_free_count", "i4", "free slots of SACK blocks"),
)

STREAM = record(
    ("key", "i8", "where the stream starts"),
    ("count", "i8", "draws taken"),
)

ACK_SAMPLE = record(
    ("acked_bytes", "i8", "bytes newly delivered by this ACK (cumulative or selective)"),
    ("acked_segments", "i8", "segments newly delivered"),
    ("lost_bytes", "i8", "bytes newly marked lost while handling this ACK"),
    ("rtt_ps", "i8", "round-trip time of this ACK, or NONE"),
    ("prior_in_flight_bytes", "i8", "bytes in flight before this ACK"),
    ("prior_delivered_bytes", "i8", "conn.delivered_bytes when the newest acked segment was sent"),
    ("rate_bytes", "i8", "delivered bytes over which the rate sample was taken"),
    ("rate_interval_ps", "i8", "length of the rate sample, or NONE when there is none"),
    ("app_limited", "i8", "1 when the sampled segment was sent while the application limited the flow"),
    (
        "ce_bytes",
        "i8",
        "bytes of acked_bytes whose receipt the receiver says were marked CE (accurate, for dctcp)",
    ),
    ("ece", "i8", "1 when the ACK carries ECE"),
    ("una", "i8", "first unacknowledged segment after this ACK"),
    ("prior_una", "i8", "the same before this ACK"),
    ("in_recovery", "i8", "1 while in fast recovery or after an RTO"),
    (
        "newest_sent_ps",
        "i8",
        "send time of the newest segment this ACK delivers, or NONE (used by the transport)",
    ),
    ("newest_seq", "i8", "that segment"),
    ("cwnd_limited", "i8", "1 when the window (not the application) held the sender back since the last ACK"),
)
"""What a congestion control is told about an ACK (rate sample: draft-cheng-iccrg-delivery-rate-estimation)."""

CONN = record(
    # who it is, and what both ends need: one cache line
    ("flow", "i4", "flow it carries, or NONE when the slot is free"),
    ("service", "i4", "its service"),
    ("transport", "i4", "UDP or TCP (see transport/)"),
    ("state", "i4", "CLOSED, OPENING, OPEN, RECOVERY or LOSS"),
    ("route", "i4", "start of its forward route in routes"),
    ("route_back", "i4", "start of its reverse route"),
    ("congestion", "i4", "congestion control (see congestion/dispatch.py)"),
    ("mss_bytes", "i4", "payload of a full segment"),
    ("header_bytes", "i4", "IP and TCP (or UDP) header of a data packet"),
    ("ack_bytes", "i4", "size of a pure ACK as an IP packet, without SACK blocks"),
    ("last_bytes", "i4", "payload of the last segment"),
    ("priority", "i4", "SO_PRIORITY of its packets"),
    ("features", "i4", "SACK, ECN, paced, ... (see transport/tcp.py)"),
    ("gap_count", "i4", "ranges held"),
    ("rcv_ce", "i4", "receiver: ECE state (RFC 3168), or DCTCP.CE (RFC 8257)"),
    ("band", "u2", "band of its data packets, and of the handshake towards their receiver"),
    ("band_back", "u2", "band of its acknowledgements, and of the handshake towards its sender"),
    # timers, and what a packet carries: one cache line
    ("timer_ps", "i8", "when its first entry in the event queue fires, or NEVER"),
    ("rto_at_ps", "i8", "RTO deadline, or NEVER"),
    ("pto_at_ps", "i8", "tail loss probe deadline (RFC 8985 section 7), or NEVER"),
    ("reo_at_ps", "i8", "RACK reordering deadline, or NEVER"),
    ("delack_at_ps", "i8", "receiver: delayed ACK deadline, or NEVER"),
    ("send_at_ps", "i8", "when the sender wants to go on (pacing, local queue, next burst), or NEVER"),
    ("hash", "i8", "flow hash"),
    ("end", "i8", "segments written by the application so far"),
    # receiver: one cache line
    ("rcv_next", "i8", "next segment expected"),
    ("rcv_echo_ps", "i8", "time stamp to echo (RFC 7323)"),
    ("rcv_timeout_ps", "i8", "acknowledge at the latest after this time"),
    ("rcv_bytes", "i8", "receiver: payload bytes handed to the application"),
    ("rcv_packets", "i8", "receiver: different data packets received"),
    ("latency_min_ps", "i8", "receiver: least one-way latency, or NEVER"),
    ("latency_max_ps", "i8", "receiver: largest one-way latency"),
    ("rcv_waiting", "i4", "segments received in order and not yet acknowledged"),
    ("rcv_every", "i4", "acknowledge at the latest after so many segments"),
    # sender, at every ACK: four cache lines
    ("una", "i8", "first unacknowledged segment"),
    ("nxt", "i8", "next segment to send for the first time"),
    ("in_flight_bytes", "i8", "sent, not acknowledged, not sacked, not marked lost"),
    ("cwnd_bytes", "i8", "congestion window"),
    ("ssthresh_bytes", "i8", "slow start threshold"),
    ("window_bytes", "i8", "least of the send buffer and the receive window"),
    ("delivered_bytes", "i8", "bytes delivered so far, as the sender knows it"),
    ("delivered_ps", "i8", "when that last grew"),
    ("first_sent_ps", "i8", "send time of the segment that began the current rate sample"),
    ("app_limited_bytes", "i8", "delivered_bytes at which the application-limited phase ends, or 0"),
    ("srtt_ps", "i8", "smoothed RTT (RFC 6298), 0 before the first sample"),
    ("rttvar_ps", "i8", "RTT variation (RFC 6298)"),
    ("rto_ps", "i8", "retransmission timeout with back-off"),
    ("min_rtt_ps", "i8", "least RTT seen"),
    ("rtt_ps", "i8", "latest RTT"),
    ("min_rto_ps", "i8", "least RTO"),
    ("max_rto_ps", "i8", "largest RTO"),
    ("fack", "i8", "one past the highest segment known delivered"),
    ("rack_sent_ps", "i8", "RACK.xmit_ts: send time of the most recently sent delivered segment"),
    ("rack_seq", "i8", "RACK.end_seq: that segment"),
    ("rack_rtt_ps", "i8", "RACK.rtt"),
    ("pacing", "i8", "picoseconds a byte, fixed point with 16 fraction bits; 0 = not paced"),
    ("pace_ps", "i8", "not before this may the next segment leave"),
    ("local_limit_ps", "i8", "the same limit as a backlog of a plain port"),
    ("segments", "i4", "start of its scoreboard in segments"),
    ("segments_log2", "i4", "log2 of the scoreboard's capacity"),
    ("sacked", "i4", "segments sacked above una"),
    ("lost", "i4", "segments marked lost and not yet sent again"),
    ("again_count", "i8", "retransmissions outstanding, stale ones included"),
    ("backoff", "i4", "RTO back-off exponent"),
    ("hook", "i4", "first of its user functions in hooks, or NONE"),
    ("sent_packets", "i8", "data packets sent, retransmissions counted"),
    ("local_bytes", "i8", "IP bytes of it that wait at its own host's special port"),
    (
        "local_limit_bytes",
        "i8",
        "most of those before the sender waits (one millisecond of the port, two packets)",
    ),
    ("cwr_seq", "i8", "one window reduction at most until una reaches this (ECN)"),
    # congestion control
    ("f", "f8", "real state of the congestion control, named in its file", (8,)),
    ("i", "i8", "integer state of the congestion control, named in its file", (24,)),
    # loss recovery
    ("recovery_end", "i8", "recovery ends when una reaches this segment"),
    ("rack_next", "i8", "originals below this segment have been judged by RACK"),
    ("lost_next", "i8", "no segment marked lost lies below this"),
    ("again_first", "i8", "retransmissions outstanding: position of the oldest in its ring"),
    ("prr_delivered_bytes", "i8", "PRR (RFC 6937): delivered since recovery began"),
    ("prr_out_bytes", "i8", "PRR: sent since recovery began"),
    ("prr_flight_bytes", "i8", "PRR: RecoverFS, in flight when recovery began"),
    ("tlp_seq", "i8", "segment sent as the tail loss probe, or NONE"),
    ("reo_factor", "u2", "RACK.reo_wnd_mult"),
    ("stage", "u2", "handshake: last step taken (see transport/handshake.py)"),
    # receiver, out of order
    ("gaps", "i4", "start of its out-of-order ranges in ranges"),
    ("gaps_log2", "i4", "log2 of their capacity"),
    ("gap_first", "i4", "ring position of the lowest range"),
    ("rcv_ce_bytes", "i8", "receiver: payload bytes that arrived marked CE (accurate ECN feedback)"),
    # the rest
    ("snd_ce_bytes", "i8", "sender: the receiver's count as last heard"),
    ("retransmissions", "i8", "segments sent again"),
    ("later_ps", "i8", "when a second entry of it in the event queue fires, not before timer_ps, or NEVER"),
    ("timeouts", "i4", "retransmission timeouts"),
    ("stream", "i4", "its random stream"),
    ("request_bytes", "i4", "handshake: payload of the request that starts the sender, or 0"),
    ("pair", "i4", "its endpoints"),
)

EVENT = record(
    ("time_ps", "i8", "when"),
    (
        "key",
        "i8",
        "sequence number, kind and index packed: orders events of one instant by when they were scheduled",
    ),
)

NEAR_EVENT = record(
    ("time_ps", "i8", "when"),
    ("key", "i8", "as in EVENT"),
    ("next", "i4", "the entry behind it in the list of its day, or of free entries"),
    ("reserved", "i4", "", (3,)),
)
"""One entry of the calendar, half a cache line."""

SEGMENT = record(
    ("sent_ps", "i8", "when it was last sent"),
    ("delivered_bytes", "i8", "conn.delivered_bytes at that time"),
    ("delivered_ps", "i8", "conn.delivered_ps at that time"),
    ("first_sent_ps", "i8", "conn.first_sent_ps at that time"),
    ("flags", "i4", "SACKED | LOST | AGAIN | EVER | APP_LIMITED"),
    ("skip", "i4", "sacked: distance to a segment at or before the next one not sacked"),
)
"""One entry of a sender's scoreboard."""

RANGE = record(
    ("start", "i8", "first segment of a run received out of order"),
    ("end", "i8", "one past its last"),
)

SACKS = record(
    ("start", "i8", "first segment of each block", (4,)),
    ("end", "i8", "one past the last of each block", (4,)),
    ("count", "i4", "blocks used"),
    ("link", "i4", "next free slot"),
)
"""SACK blocks of one ACK (RFC 2018), in segment numbers."""

FLOW = record(
    ("service", "i4", "its service"),
    ("src", "i4", "node that sends the data"),
    ("dst", "i4", "node that receives it"),
    ("number", "i4", "which flow of its service"),
    ("start_ps", "i8", "when the application began"),
    ("end_ps", "i8", "when the last byte arrived, or NONE"),
    ("size_bytes", "i8", "bytes to carry, or NONE for no limit"),
    ("delivered_bytes", "i8", "bytes that reached the application, in order"),
    ("retransmissions", "i8", "segments sent again"),
    ("timeouts", "i8", "retransmission timeouts"),
    ("sent_packets", "i8", "data packets sent, retransmissions counted"),
    ("delivered_packets", "i8", "different data packets received"),
    ("ideal_ps", "i8", "completion time alone on an empty path"),
    ("conn", "i4", "its connection while it lasts, or NONE"),
    ("pair", "i4", "its endpoints in pairs"),
)

SERVICE = record(
    ("delivered_bytes", "i8", "application bytes received, in order"),
    ("sent_bytes", "i8", "payload sent for the first time"),
    ("sent_packets", "i8", "data packets sent, retransmissions and copies made on a link counted"),
    ("received_packets", "i8", "data packets received, repeated ones counted"),
    ("delivered_packets", "i8", "different data packets received"),
    ("retransmissions", "i8", "segments sent again"),
    ("variation_max_ps", "i8", "largest difference of one-way latencies within a flow that has ended"),
    ("active_flows", "i8", "flows begun and not ended"),
    ("in_flight_packets", "i8", "data packets on their way, at the last sample"),
    ("latency_count", "i8", "since the last sample: data packets whose one-way latency was taken"),
    ("latency_sum_ps", "i8", "since the last sample: sum of their latencies"),
    ("latency_min_ps", "i8", "since the last sample: least latency"),
    ("latency_max_ps", "i8", "since the last sample: largest latency"),
    ("rtt_count", "i8", "since the last sample: round-trip times taken"),
    ("rtt_sum_ps", "i8", "since the last sample: their sum"),
    ("rtt_min_ps", "i8", "since the last sample: least round-trip time"),
    ("rtt_max_ps", "i8", "since the last sample: largest round-trip time"),
)

PAIR = record(
    ("src", "i4", "node of the data's sender"),
    ("dst", "i4", "node of its receiver"),
    ("path", "i4", "explicit forward path in routes, or NONE: walk the tables"),
    ("path_back", "i4", "explicit path back, or NONE"),
    ("mtu_bytes", "i4", "largest IP packet on the way there"),
    (
        "copies",
        "i4",
        "further explicit paths, one behind the other from path on, that carry every packet too",
    ),
    ("band", "i4", "slice number + 1, or 0"),
    ("band_back", "i4", "the same of the slice that carries the acknowledgements, or of the copies' path"),
    ("base_rtt_ps", "i8", "propagation and one full segment's transmission there, one ACK's back"),
    ("rate_bps", "i8", "least port rate of the way there"),
    ("there_ps", "f8", "of an empty packet from src to dst: propagation, and the overheads' transmissions"),
    ("back_ps", "f8", "the same from dst to src"),
    ("there_byte_ps", "f8", "what each byte of a packet adds to that: its transmission at every port"),
    ("back_byte_ps", "f8", "the same from dst to src"),
)

SOURCE = record(
    ("kind", "i4", "BULK, STREAM, REQUESTS, REPLAY or USER_WORKLOAD (see workloads/)"),
    ("service", "i4", "its service"),
    ("conn", "i4", "its connection (streams), or NONE"),
    ("transport", "i4", "its row in transports"),
    ("pair_first", "i4", "its endpoints: pairs from here"),
    ("pair_count", "i4", "how many"),
    ("stream", "i4", "its random stream"),
    ("hook", "i4", "user function in hooks, or NONE"),
    ("start_ps", "i8", "first event"),
    ("stop_ps", "i8", "nothing new from here on"),
    ("number", "i4", "flow number within the service (streams), or of the next flow"),
    ("priority", "i4", "SO_PRIORITY"),
    ("i", "i8", "parameters and state, named in the workload's file", (12,)),
    ("f", "f8", "parameters and state, named in the workload's file", (4,)),
)

TRANSPORT = record(
    ("kind", "i4", "UDP or TCP"),
    ("congestion", "i4", "congestion control"),
    ("hook", "i4", "first of its user functions, or NONE"),
    ("features", "i4", "SACK, ECN, ... (see transport/connection.py)"),
    ("ack_every", "i4", "delayed ACKs: at least every so many segments"),
    ("initial_window", "i4", "segments"),
    ("ack_timeout_ps", "i8", "delayed ACKs: at the latest after"),
    ("window_bytes", "i8", "least of send buffer and receive window"),
    ("min_rto_ps", "i8", ""),
    ("max_rto_ps", "i8", ""),
    ("header_bytes", "i4", "IP and transport header of a data packet"),
    ("ack_bytes", "i4", "a pure ACK without SACK blocks"),
    ("mss_bytes", "i4", "payload a segment when stated, or 0: from the pair"),
    ("request_bytes", "i4", "payload of the request that starts the sender (PULL)"),
)

ACTION = record(
    ("time_ps", "i8", "when"),
    ("kind", "i4", "PORT_DOWN, PORT_UP, ROUTES or IMPAIR (see actions.py)"),
    ("target", "i4", "port, or routing epoch"),
    ("value", "i4", "impairment record"),
    ("reserved", "i4", ""),
)

CAPTURE = record(
    ("limit", "i8", "packets to keep"),
    ("count", "i8", "packets kept"),
    ("snap_bytes", "i8", "bytes of a real frame to keep"),
    ("from_ps", "i8", "from when on"),
    ("to_ps", "i8", "until when"),
)

CAPTURED = record(
    ("time_ps", "i8", "when its transmission ended"),
    ("seq", "i8", "PACKET.seq"),
    ("sent_ps", "i8", "PACKET.sent_ps"),
    ("flow", "i4", "flow"),
    ("port", "i4", "port"),
    ("size_bytes", "i4", "IP packet"),
    ("kind", "u1", "packet kind"),
    ("ecn", "u1", "ECN field"),
    ("flags", "u1", "packet flags"),
    ("blocks", "u1", "SACK blocks kept"),
    ("start", "i8", "SACK blocks", (3,)),
    ("end", "i8", "", (3,)),
)

COUNTERS = record(
    ("now_ps", "i8", "virtual time"),
    ("sequence", "i8", "sequence number of the next event"),
    ("day_log2", "i8", "calendar: log2 of the picoseconds of a day"),
    ("weeks", "i8", "calendar: weeks that have a mark"),
    ("near_free", "i8", "calendar: first free entry, or NONE"),
    ("heap_size", "i8", "events in the heap"),
    ("sent", "i8", "packets given to the network"),
    ("delivered", "i8", "packets that reached their host"),
    ("events", "i8", "events handled"),
    (
        "looks_ahead",
        "i8",
        "1: the run's memory is larger than a processor's cache, so it pays to ask for it early",
    ),
    ("tuned_ps", "i8", "calendar: when the density of events was last looked at"),
    ("tuned_events", "i8", "calendar: events handled by then"),
    ("epoch", "i8", "routing tables in force"),
    ("flows", "i8", "flows begun"),
    ("captured", "i8", "entries of captured in use"),
    ("duplicated", "i8", "packets made by duplication on a link"),
    ("route_span", "i8", "length of a connection's room in routes, one direction"),
    ("conn_route", "i8", "where those rooms begin in routes"),
    ("conn_free", "i8", "first free connection, linked by conn.flow"),
    ("conn_free_count", "i8", "free connections"),
    ("segments_used", "i8", "arena of segments: first unused"),
    ("segments_free", "i8", "arena of segments: freed blocks by log2 of size, or NONE", (32,)),
    ("segments_reserve", "i8", "room that must stay free so that any scoreboard can double"),
    ("ranges_used", "i8", "arena of ranges: first unused"),
    ("ranges_free", "i8", "", (32,)),
    ("ranges_reserve", "i8", ""),
    ("table_nodes", "i8", "rows of a forwarding table"),
    ("ecmp", "i8", "1: choose among equal paths by flow hash; 0: the first"),
    ("status", "i8", "why the loop came back (see loop.py)"),
)
