"""The records of real time: interfaces, frames in memory, ways, who owns which address, and the engine's own books.

A real frame on its way is a packet of the common pool of kind FRAME. Its bytes lie in a *slot* of the arena, which several
packets share when the host handed down a train of segments at once. Fields of PACKET have these meanings for a frame: `ext`
its slot, `seq` which segment of the train, `conn` its way, `flow` the flow it counts for or NONE, `sent_ps` when it was read.
"""

from __future__ import annotations

import numpy as np

from ..records import SERVICE, record

BACKWARD, OTHER = 2, 1
"""Flags of a frame: it is an answer of its flow; no rule names it. (Bits of ECE and RETRANSMITTED, unused by frames.)"""

PROBE_PORT = 8621
"""Datagrams to this port are linktest's probes between hosts (run/emulate/linktest/): nobody's traffic, whatever rules say."""

PASS, SINK, EXPIRED, TOO_BIG, ECHO = range(5)
"""What happens to a frame at the end of its way: it goes to an interface; ends in silence at a model; is answered by a router's
ICMP time exceeded or packet too big, or by an echo reply."""

INTERFACE = record(
    ("port", "i4", "port that carries what the host sends"),
    ("port_in", "i4", "port whose packets arrive here"),
    ("node", "i4", "its host"),
    ("fd", "i4", "file descriptor of the engine's side, or NONE once it is gone"),
    ("ahead", "i4", "the real interface at the far end of its link, or NONE: a model is there"),
    ("vnet_bytes", "i4", "length of the virtio-net header of its frames, 0 or 10"),
    ("in_head", "i4", "frames read and not yet in the network: first"),
    ("in_tail", "i4", "last"),
    ("out_head", "i4", "frames that have arrived and are not yet written: first"),
    ("out_tail", "i4", "last"),
    ("out_next", "i4", "next interface with frames to write"),
    ("reserved", "i4", ""),
    ("mac", "i8", "its address, 48 bits"),
    ("gateway_mac", "i8", "address of the model at the far end of its link"),
    ("read_frames", "i8", "packets read, segments counted one by one"),
    ("read_bytes", "i8", "their IP bytes"),
    ("read_calls", "i8", "reads that brought a frame or a train"),
    ("written_frames", "i8", "packets written"),
    ("written_bytes", "i8", "their IP bytes"),
    ("write_calls", "i8", "writes"),
    ("refused_frames", "i8", "packets that the host's kernel did not take: its interface is down"),
)

SLOT = record(
    ("refs", "i4", "packets whose bytes these are"),
    ("next", "i4", "next free slot"),
    ("frame", "i8", "where the Ethernet header begins in the arena"),
    ("bytes", "i4", "length of the frame or train"),
    ("head_bytes", "i4", "Ethernet, IP and transport header: what each segment repeats"),
    ("l3", "i4", "offset of the network header in the frame"),
    ("l4", "i4", "offset of the transport header, or NONE"),
    ("version", "i4", "4, 6, or 0: not IP"),
    ("protocol", "i4", "of the transport, or 0"),
    ("segment_bytes", "i4", "payload of a full segment; of a frame alone its whole payload"),
    ("payload_bytes", "i4", "payload in all"),
    ("tcp_flags", "i4", "TCP's flags, or 0"),
    (
        "partial",
        "i4",
        "1: the transport checksum holds the pseudo header only, the rest is left to the receiver",
    ),
    ("check", "i4", "offset of the transport checksum in the transport header"),
    ("train", "i4", "1: several segments"),
    ("tcp_seq", "i8", "TCP's sequence number of the first byte"),
)
"""A frame or a train of segments in memory."""

WAY = record(
    ("route", "i4", "start of its ports in routes"),
    ("interface", "i4", "where it arrives, or NONE: at the engine"),
    ("hops", "i4", "routers passed: what is taken off the time to live"),
    ("ending", "i4", "PASS, SINK, EXPIRED, TOO_BIG or ECHO"),
    ("source", "i4", "interface at its start"),
    ("target", "i4", "row of owners it was looked up for, or NONE"),
    ("bucket", "i4", "share of the flow hash that chose among equal paths"),
    ("epoch", "i4", "routing tables it was found in"),
    ("cut", "i4", "routers after which it ends before the target, or 0"),
    ("node", "i4", "node at its end"),
    ("mtu_bytes", "i4", "least MTU on it; if it is cut, that of the port behind its end"),
    ("narrow", "i4", "routers passed before the first port narrower than the first of all, or 0"),
)

MET = record(
    ("source_high", "i8", "source address, upper half (0 for IPv4)"),
    ("source_low", "i8", "lower half"),
    ("target_high", "i8", "destination address, upper half"),
    ("target_low", "i8", "lower half"),
    ("ports", "i8", "protocol, source port, destination port packed"),
    ("interface", "i4", "where it was read, plus 1; 0: empty"),
    ("epoch", "i4", "routing tables when it was met"),
    ("way", "i4", "its way"),
    ("flow", "i4", "its flow, or NONE"),
    ("band", "i4", "its slice number + 1, or 0"),
    ("backward", "i4", "1: an answer"),
    ("counts", "i4", "1: its payload counts for its service"),
    ("bucket", "i4", "share of the flow hash"),
    ("owner", "i4", "row of owners of its destination, or NONE"),
    ("reserved", "i4", ""),
    ("hash", "i8", "flow hash"),
    ("seq_high", "i8", "TCP: first byte not yet seen, or NONE"),
)
"""What was found out about frames of one connection (a cache: a later connection may take the place)."""

OWNER = record(
    ("high", "i8", "address, upper half (0 for IPv4)"),
    ("low", "i8", "lower half"),
    ("used", "i4", "1: there is an address in this place of the table"),
    ("interface", "i4", "whose address it is, or NONE: a model's"),
    ("node", "i4", "its node"),
    ("bits", "i4", "prefix length (of 32 or 128), in the list of prefixes"),
    ("version", "i4", "4 or 6"),
    ("reserved", "i4", ""),
)

RULE = record(
    ("service", "i4", "service its frames count for"),
    ("src", "i4", "node that sends them"),
    ("dst", "i4", "node that they are for"),
    ("protocol", "i4", "transport protocol, or 0: any"),
    ("port", "i4", "transport port of the far end (of this end for answers), or 0: any"),
    ("band", "i4", "slice number + 1, or 0"),
    ("counts", "i4", "1: its payload counts for the service"),
    ("path", "i4", "explicit path in routes that they take, or NONE"),
    ("latency_min_ps", "i8", "least one-way latency, or NEVER"),
    ("latency_max_ps", "i8", "largest, or NONE"),
)
"""Two a flow: there (even rows) and back (odd rows)."""

REAL = record(
    ("start_ns", "i8", "CLOCK_MONOTONIC at virtual time 0"),
    ("stop", "i8", "1: come back at once"),
    ("interfaces", "i8", "their number"),
    ("dirty", "i8", "first interface with frames to write, or NONE"),
    ("answers", "i8", "first packet that the engine answers, or NONE"),
    ("answers_tail", "i8", "last"),
    ("small_bytes", "i8", "room of a small slot"),
    ("small_count", "i8", "small slots; the large ones come after them"),
    ("small_fresh", "i8", "first small slot never used"),
    ("small_free", "i8", "first free small slot, or NONE"),
    ("large_fresh", "i8", "first large slot never used"),
    ("large_free", "i8", "first free large slot, or NONE"),
    ("reading", "i8", "large slot that the next frame is read into"),
    ("ways", "i8", "ways found"),
    ("route_next", "i8", "first unused place of routes for them"),
    ("routes_end", "i8", "end of those places"),
    ("rules", "i8", "flows that have rules"),
    ("owner_mask", "i8", "size of the table of owners - 1"),
    ("prefixes", "i8", "prefixes beyond single addresses, longest first, behind the table of owners"),
    ("next_sample", "i8", "rank of the next sample instant"),
    ("samples", "i8", "sample instants"),
    ("collected", "i8", "samples that have been fetched"),
    ("shots", "i8", "samples that can wait to be fetched"),
    ("passes", "i8", "turns of this run"),
    ("read_ns", "i8", "time spent reading"),
    ("engine_ns", "i8", "time spent in the network"),
    ("write_ns", "i8", "time spent writing"),
    ("other_sent", "i8", "packets that no rule names: read"),
    ("other_bytes", "i8", "their IP bytes"),
    ("other_delivered", "i8", "written"),
    ("kept_bytes", "i8", "bytes of captured frames in use"),
    (
        "call_ns_max",
        "i8",
        "longest write of one frame or train: its receiver's kernel works in it",
    ),
    ("written_ps", "i8", "when the last one had been written, or writing began"),
    ("read_ns_max", "i8", "longest time spent reading in one turn"),
    ("engine_ns_max", "i8", "longest time spent in the network in one turn"),
    ("write_ns_max", "i8", "longest time spent writing in one turn"),
    ("loss_of_slots", "i8", "1: no room was left for a frame"),
    ("now_ps", "i8", "the instant up to which everything has been handled"),
    ("corrupted", "i8", "frames written with a bit flipped"),
)

PACER = record(
    ("stop", "i8", "1: come back at once"),
    ("epoll_fd", "i8", "epoll instance of all interfaces of all runs"),
    ("event_bytes", "i8", "size of struct epoll_event"),
    ("data_offset", "i8", "offset of its data"),
    ("spin_ns", "i8", "how long before something is due the engine stops sleeping"),
    (
        "ahead_ns",
        "i8",
        "how long before an event it is handled, so that what it brings is written when it is due",
    ),
    ("quantum_ns", "i8", "least time from one turn to the next: many runs share the cost of waking"),
    ("members", "i8", "runs, those that have ended among them"),
    ("under_way", "i8", "runs that have not ended"),
    ("news_fd", "i8", "eventfd that a run rings when it has ended"),
    ("turns", "i8", "turns of the engine"),
    ("idle_ns", "i8", "time spent asleep"),
    ("spun_ns", "i8", "time spent waiting awake"),
    ("woken_ns_max", "i8", "most that a sleep took too long"),
)
"""The thread that paces runs by the wall clock."""

MEMBER = record(
    ("address", "i8", "its run's memory"),
    ("until_ps", "i8", "its end"),
    ("due_ns", "i8", "CLOCK_MONOTONIC when it has something to do"),
    ("status", "i8", "UNDER_WAY, or how it ended, or what it needs"),
)
"""A run that is paced."""

LATE_FRAMES, LATE_EVENTS, LATE_WINDOW = range(3)
"""Rows of `late`: frames written after they were due; turns begun after their first event was due; frames since the last
sample."""
LATE_UNREAD = 0
"""The row of the pacer's `late`: how long nobody looked at the interfaces, once a turn."""

I4, I8, U1 = np.dtype("i4"), np.dtype("i8"), np.dtype("u1")
REAL_FIELDS: dict[str, tuple[np.dtype, int]] = {
    "real": (REAL, 1),
    "interfaces": (INTERFACE, 1),
    "interface_at": (I4, 1),
    "port_mtu": (I4, 1),
    "routes_at": (I4, 1),
    "slots": (SLOT, 1),
    "arena": (U1, 1),
    "ways": (WAY, 1),
    "way_table": (I4, 1),
    "met": (MET, 1),
    "owners": (OWNER, 1),
    "rules": (RULE, 1),
    "late": (I8, 2),
    "sample_at": (I8, 1),
    "shot_services": (SERVICE, 1),
    "shot_ports": (I8, 2),
    "shot_late": (I8, 2),
    "scratch": (I8, 1),
    "iovec": (I8, 1),
    "captured_bytes": (U1, 1),
    "pacer": (PACER, 1),
    "members": (MEMBER, 1),
    "by_fd": (I8, 1),
    "ready": (U1, 1),
}
"""Arrays of real time, beside those of every run (memory.py). interface_at[port]: the interface at a port's far end, or NONE.
routes_at[node]: 1 when it takes one off the time to live. shot_*: samples that wait to be
fetched, one under the other. The last four are the pacer's own, not a run's; by_fd[descriptor]: rank of the run << 32 | its
interface."""
