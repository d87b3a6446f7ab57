"""The one table of kinds: every word a trial can use for a kind, what it means, and its page in docs/.

Adding a kind adds one line here. Error messages, the command line and the documentation read this table; it
imports nothing.
"""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    """One word of one family."""

    family: str
    word: str
    meaning: str

    @property
    def page(self) -> str:
        """Its page, relative to docs/."""
        return _PAGES[self.family].format(word=self.word)


# Where the page of a kind is; families of short entries share one page.
_PAGES: dict[str, str] = {
    "queues": "kinds/queues/{word}.md",
    "services": "kinds/services/{word}.md",
    "transports": "kinds/transport/{word}.md",
    "congestions": "kinds/congestion/{word}.md",
    "topologies": "topologies.md",
    "events": "kinds/events.md",
    "losses": "kinds/impairments.md",
}


_TABLE: dict[str, dict[str, str]] = {
    "queues": {
        "pfifo": "first in, first out, limited in packets",
        "bfifo": "first in, first out, limited in bytes",
        "prio": "strict priority between bands",
        "drr": "deficit round robin: classes share by weight",
        "htb": "class shaping: a rate of its own for each class, borrowing up to a ceiling",
        "tbf": "token bucket: shaping to a rate, with bursts",
        "red": "random early detection, with ECN",
        "codel": "controlled delay (RFC 8289)",
        "fq_codel": "fair queues with controlled delay (RFC 8290)",
        "pie": "proportional integral controller (RFC 8033)",
        "user": "a queue from your own Python file",
        "mqprio": "strict priority between traffic classes, a queue of its own for each (IEEE 802.1Q)",
        "cbs": "credit-based shaper (IEEE 802.1Qav)",
        "taprio": "time-aware gates (IEEE 802.1Qbv)",
        "cqf": "cyclic queuing and forwarding, with a shift for long links (IEEE 802.1Qch)",
        "ats": "asynchronous traffic shaping: every stream held to rate and burst again (IEEE 802.1Qcr)",
        "psfp": "per-stream filtering and policing on arrival (IEEE 802.1Qci)",
    },
    "services": {
        "bulk": "a transfer as fast as the transport allows: a size, or until it stops",
        "stream": "packets at a rate: constant, Poisson or on-off",
        "request_response": "flows that arrive at random, with sizes from a distribution",
        "replay": "packets or flows from a CSV file",
        "demands": "a traffic matrix: gravity, uniform, SNDlib's or your own",
        "control_loop": "small messages at a fixed period, each with a deadline",
        "user": "a workload from your own Python file",
        "command": "a program on a real host, in emulated trials",
    },
    "transports": {
        "tcp": "reliable byte stream with congestion control",
        "udp": "datagrams, without recovery or congestion control",
    },
    "congestions": {
        "reno": "NewReno: additive increase, multiplicative decrease (RFC 5681, RFC 6582)",
        "cubic": "CUBIC with HyStart, as Linux computes it (RFC 9438, tcp_cubic.c)",
        "cubic_rfc9438": "CUBIC with HyStart++, to the letter (RFC 9438, RFC 9406)",
        "bbr": "bottleneck bandwidth and round-trip propagation time",
        "dctcp": "data centre TCP: reacts to the fraction of marks (RFC 8257)",
    },
    "topologies": {
        "line": "routers in a row",
        "ring": "routers in a circle",
        "star": "hosts around one switch",
        "dumbbell": "senders and receivers on the two sides of one bottleneck",
        "parking_lot": "a row of bottlenecks with cross traffic on each",
        "grid": "routers in rows and columns; a torus when wrapped",
        "tree": "switches level by level, hosts at the leaves",
        "leaf_spine": "every leaf switch joined to every spine switch",
        "fat_tree": "the three-tier fat tree of data centres, k pods",
        "random_geometric": "routers at random places, joined where they are near",
        "graphml": "a GraphML file, such as the Internet Topology Zoo's",
        "topohub": "a network of the topohub package by name, such as sndlib/germany50",
        "node_link": "node-link JSON, as networkx writes it",
        "repetita": "a REPETITA graph, with its demands",
        "reference_backbone": "40 Chinese cities, 55,000 km of fibre, 100 Gbit/s; synthetic",
    },
    "events": {
        "link_down": "a link fails",
        "link_up": "a link works again",
        "node_down": "a node fails, with all its links",
        "node_up": "a node works again",
        "rate_change": "a link gets another rate",
        "impairment": "a link gets other impairments",
    },
    "losses": {
        "bernoulli": "every packet with the same probability",
        "gilbert_elliott": "bursts: a good and a bad state",
        "periodic": "every n-th packet",
    },
}

KINDS: dict[str, dict[str, Kind]] = {
    family: {word: Kind(family, word, meaning) for word, meaning in words.items()}
    for family, words in _TABLE.items()
}

# Flow-size distributions that come with netarium.
DISTRIBUTIONS: dict[str, str] = {
    "websearch": "web search cluster (DCTCP, Alizadeh et al., SIGCOMM 2010)",
    "datamining": "data mining cluster (VL2, Greenberg et al., SIGCOMM 2009)",
    "hadoop": "Hadoop cluster at Facebook (Roy et al., SIGCOMM 2015)",
}


class Metric(NamedTuple):
    """A metric that an expectation can name: its dimension (None: a bare number), and what it means.

    `windowed` says whether it exists for a part of a run (`from`, `to`).
    """

    dimension: str | None
    windowed: bool
    meaning: str


_STATISTICS = ("min", "p50", "p90", "p95", "p99", "p999", "max", "mean")
_COMPLETION = ("min", "p50", "p90", "p95", "p99", "max", "mean")
_KEPT_IN_WINDOWS = ("min", "max", "mean")

SERVICE_METRICS: dict[str, Metric] = {
    "goodput": Metric("rate", True, "payload delivered per second"),
    "throughput": Metric("rate", True, "IP packets delivered per second, in bits"),
    "loss": Metric("ratio", True, "data packets lost, of those sent"),
    "delay_variation": Metric("time", False, "largest minus smallest one-way latency"),
    "delivered_bytes": Metric("size", True, "payload delivered"),
    "sent_bytes": Metric("size", True, "payload sent, each byte once"),
    "sent_packets": Metric(None, True, "data packets sent"),
    "delivered_packets": Metric(None, True, "data packets delivered, each once"),
    "received_packets": Metric(None, True, "data packets that arrived"),
    "lost_packets": Metric(None, True, "data packets that were lost"),
    "retransmissions": Metric(None, True, "data packets sent again"),
    "timeouts": Metric(None, False, "retransmission timeouts"),
    "exit_code": Metric(None, False, "exit code of a command"),
    "run_time": Metric("time", False, "from the start of a command to its end"),
    "flows": Metric(None, False, "flows"),
    "completed_flows": Metric(None, True, "flows that delivered all they had"),
    "jain": Metric("ratio", False, "Jain's fairness index over the flows"),
    "deadline.messages": Metric(None, False, "messages of a control loop whose deadline has passed"),
    "deadline.misses": Metric(None, False, "those of them that did not come in time"),
    "deadline.miss_ratio": Metric("ratio", False, "misses, of those judged"),
    "deadline.longest_run": Metric(None, False, "most misses of one flow in a row"),
    **{f"latency.{s}": Metric("time", s in _KEPT_IN_WINDOWS, f"one-way latency, {s}") for s in _STATISTICS},
    **{f"rtt.{s}": Metric("time", False, f"round-trip time, {s}") for s in _STATISTICS},
    **{f"completion.{s}": Metric("time", True, f"flow completion time, {s}") for s in _COMPLETION},
    **{
        f"slowdown.{s}": Metric(None, False, f"completion over the ideal, {s}") for s in ("p50", "p95", "p99")
    },
}
# Of services of kind command only.
COMMAND_METRICS = ("exit_code", "run_time")
PORT_METRICS: dict[str, Metric] = {
    "utilisation": Metric("ratio", True, "part of the time the port was sending"),
    "throughput": Metric("rate", True, "bits on the wire per second"),
    "queue_bytes_max": Metric("size", False, "longest queue"),
    "queue_bytes_mean": Metric("size", False, "mean queue"),
    "queue_packets_max": Metric(None, False, "longest queue, in packets"),
    "queue_packets_mean": Metric(None, False, "mean queue, in packets"),
    "queue_wait_mean": Metric("time", False, "mean time in the queue"),
    "sent_packets": Metric(None, True, "packets sent"),
    "drops": Metric(None, True, "packets dropped, for all reasons"),
    "marks": Metric(None, True, "packets marked (ECN)"),
}
# Words that open a metric path and so cannot name a service.
RESERVED_SERVICES = ("links", "slices", "engine", "conservation", "expect")


def words(family: str) -> list[str]:
    """The words of one family, in the order of the table."""
    return list(KINDS[family])


def kind(family: str, word: str) -> Kind:
    """The entry of one word. Raises KeyError when the family or the word is not known."""
    return KINDS[family][word]
