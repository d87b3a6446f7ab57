"""Samples: all that one run recorded, as NumPy arrays; what the engine hands to measure and certify.

Conventions
-----------
- Below `compile` there are only integers: times are int64 picoseconds, sizes bytes, rates bit/s.
- *Cumulative* fields count from the start of the run; row `s` holds the value at `times_ps[s]`.
- An *interval* `s` is `(times_ps[s-1], times_ps[s]]`; the first starts at 0. The last instant ends the run.
- A data packet carries payload of a service; an ACK does not. A copy made by the `duplicate` impairment
  counts as one more packet sent, at the instant it is made. With that, per service and at every instant

      sent_packets = received_packets + in_flight_packets + packets lost

  so that what is young enough to be still on its way is never called lost (RFC 7680, section 2.5: a packet is
  lost when it has not arrived within the waiting time).
"""

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from netarium.run.captured import CaptureTable

BINS_PER_OCTAVE = 64
LOW_BITS = 16  # below 2**16 ps (66 ns) bins are linear, 1.024 ns wide
HIGH_BITS = 47  # above 2**47 ps (141 s) everything is in the last bin; min and max stay exact
NOT_FINISHED = -1  # in flows.end_ps
UNLIMITED = -1  # in flows.size_bytes

DROP_REASONS = ("DROP_TAIL", "DROP_AQM", "DROP_IMPAIRMENT", "DROP_LINK_DOWN", "DROP_NO_ROUTE", "DROP_POLICER")


def _record(*fields: tuple[str, str]) -> np.dtype:
    """A record of int64 fields, given as (name, meaning and unit); the meaning becomes the NumPy title."""
    titled = [((f"{name}: {meaning}", name), np.int64) for name, meaning in fields]
    return np.dtype((np.record, np.dtype(titled, align=True)))


SERVICE_SERIES = _record(
    ("delivered_bytes", "application bytes received in order, or UDP payload received; cumulative, bytes"),
    ("sent_bytes", "payload sent for the first time; cumulative, bytes"),
    ("sent_packets", "data packets sent, retransmissions and network copies included; cumulative"),
    ("delivered_packets", "data packets received that brought new payload; cumulative"),
    ("received_packets", "data packets that arrived, repeated ones included; cumulative"),
    ("in_flight_packets", "data packets on their way: neither arrived nor dropped; at the instant"),
    ("retransmissions", "data packets sent again; cumulative"),
    ("active_flows", "flows started and not finished; at the instant"),
)

FLOW_SERIES = _record(
    ("delivered_bytes", "application bytes received; cumulative, bytes"),
    ("cwnd_bytes", "congestion window; at the instant, bytes (0 for udp)"),
    ("ssthresh_bytes", "slow-start threshold; at the instant, bytes"),
    ("srtt_ps", "smoothed round-trip time (RFC 6298); at the instant, ps (0 before the first measurement)"),
    ("rtt_ps", "last round-trip time measured; at the instant, ps"),
    ("in_flight_bytes", "bytes sent and not acknowledged (pipe); at the instant, bytes"),
    ("retransmissions", "data packets sent again; cumulative"),
    ("pacing_bps", "pacing rate; at the instant, bit/s (0: not paced)"),
)

PORT_SERIES = _record(
    ("sent_bytes", "bytes on the wire, frame overhead included; cumulative, bytes"),
    ("sent_packets", "packets sent, data and ACK; cumulative"),
    ("queue_bytes", "bytes waiting, at the instant"),
    ("queue_packets", "packets waiting, at the instant"),
    ("drops", "packets dropped at this port for any reason; cumulative"),
    ("marks", "packets marked CE at this port; cumulative"),
)

FLOWS = _record(
    ("service", "index into services"),
    ("src", "index into nodes"),
    ("dst", "index into nodes"),
    ("number", "number of the flow within its service, from 0"),
    ("start_ps", "when the application started the flow, ps"),
    ("end_ps", "when the last byte was received in order, ps (-1: not finished)"),
    ("size_bytes", "application bytes to carry, bytes (-1: until the service stops)"),
    ("delivered_bytes", "application bytes received in order, bytes"),
    ("retransmissions", "data packets sent again"),
    ("timeouts", "retransmission timeouts that expired"),
    ("sent_packets", "data packets sent, retransmissions included"),
    ("delivered_packets", "data packets received that brought new payload"),
    ("ideal_ps", "completion time alone on the empty path, ps (0: not known)"),
)

MESSAGES = _record(
    ("judged", "control loops: messages whose deadline has passed"),
    ("misses", "control loops: those of them that did not come in time"),
    ("longest_run", "control loops: most misses of one flow in a row"),
    ("paths", "replicated services: paths that every packet goes by (0: not replicated)"),
    ("sent", "replicated services: packets sent, each counted once"),
    ("undecided", "replicated services: packets not delivered of which a copy is on its way, at the end"),
)

WINDOW_LATENCY = _record(
    ("min_ps", "smallest one-way latency of the packets that arrived in the interval, ps"),
    ("max_ps", "largest one-way latency of the packets that arrived in the interval, ps"),
    ("sum_ps", "sum of their one-way latencies, ps"),
    ("count", "packets that arrived in the interval (0: the other fields mean nothing)"),
)

PORT_TOTALS = _record(
    ("rate_bps", "rate of the port at the start of the run, bit/s"),
    ("sent_packets", "packets sent, data and ACK"),
    ("sent_bytes", "bytes on the wire, frame overhead included"),
    ("queue_bytes_max", "most bytes that waited at one instant"),
    ("queue_packets_max", "most packets that waited at one instant"),
    ("queue_time_ps", "sum of the waiting times of all packets, ps; mean queue = queue_time / run (Little)"),
    ("marks", "packets marked CE"),
)


def log_linear_edges_ps(low_bits: int = LOW_BITS, high_bits: int = HIGH_BITS) -> np.ndarray:
    """Edges of the latency bins, int64[(high_bits - low_bits + 1) * 64 + 1], ps.

    Bins 0..63 divide [0, 2**low_bits) evenly; each octave [2**k, 2**(k+1)) after it has 64 equal bins, so a
    bin is at most 1/64 of its lower edge wide. The last edge is the largest int64: every latency has a bin.
    `latency_bin` is the inverse.
    """
    first = np.arange(BINS_PER_OCTAVE, dtype=np.int64) << (low_bits - 6)
    steps = np.arange(BINS_PER_OCTAVE, 2 * BINS_PER_OCTAVE, dtype=np.int64)
    octaves = [steps << (bits - 6) for bits in range(low_bits, high_bits)]
    return np.concatenate([first, *octaves, np.array([np.iinfo(np.int64).max])])


def latency_bin(latency_ps: int, low_bits: int = LOW_BITS, high_bits: int = HIGH_BITS) -> int:
    """Index of the bin of `log_linear_edges_ps` that holds a latency (ps, not negative)."""
    if latency_ps < 1 << low_bits:
        return latency_ps >> (low_bits - 6)
    if latency_ps >= 1 << high_bits:
        return (high_bits - low_bits + 1) * BINS_PER_OCTAVE - 1
    octave = low_bits
    while latency_ps >> (octave + 1):
        octave += 1
    return (octave - low_bits + 1) * BINS_PER_OCTAVE + ((latency_ps >> (octave - 6)) - BINS_PER_OCTAVE)


class SamplesInvalid(AssertionError):
    """The engine broke its contract (shapes, order, conservation): a defect of netarium, never of a trial."""


@dataclass(slots=True)
class Samples:
    """What one run recorded: S instants, V services, F flows, T of them tracked, P ports, W of them watched,
    R drop reasons, B bins.
    """

    times_ps: np.ndarray  # int64[S], strictly increasing, the last is the end of the run
    nodes: list[str]
    ports: list[str]  # "a->b"
    services: list[str]
    service_kind: list[str]
    service_header_bytes: np.ndarray  # int64[V]: IP + transport header of a data packet (28, 52, ...)
    service_series: np.ndarray  # SERVICE_SERIES[S, V]
    window_latency: np.ndarray  # WINDOW_LATENCY[S, V]
    flows: np.ndarray  # FLOWS[F]
    tracked: np.ndarray  # int32[T] -> index into flows
    flow_series: np.ndarray  # FLOW_SERIES[S, T]
    watched: np.ndarray  # int32[W] -> index into ports, increasing
    port_series: np.ndarray  # PORT_SERIES[S, W]
    port_totals: np.ndarray  # PORT_TOTALS[P]
    drops: np.ndarray  # int64[P, R]
    reasons: list[str]  # names of the R columns of drops
    latency_edges_ps: np.ndarray  # int64[B+1], shared by both histograms
    latency_counts: np.ndarray  # int64[V, B] one way: sending host's stack to receiving host's
    latency_min_ps: np.ndarray  # int64[V]; min, max and sum mean nothing where count is 0
    latency_max_ps: np.ndarray
    latency_sum_ps: np.ndarray  # float64[V]: 8e9 packets of 7 ms would not fit in int64
    latency_count: np.ndarray
    rtt_counts: np.ndarray  # int64[V, B] round-trip times measured by tcp senders
    rtt_min_ps: np.ndarray
    rtt_max_ps: np.ndarray
    rtt_sum_ps: np.ndarray  # float64[V]
    rtt_count: np.ndarray
    delay_variation_max_ps: np.ndarray  # int64[V]: largest over flows of (max - min) one-way latency
    conservation: dict[str, Any]  # sent, delivered, in_flight, dropped {reason: n}; data and ACKs
    engine: dict[str, float] = field(default_factory=dict)  # virtual_s, wall_s, packet_hops, ...
    captures: list["CaptureTable"] = field(default_factory=list)  # what the captured ports sent
    kernel_digest: str = ""
    messages: np.ndarray = field(default_factory=lambda: np.zeros(0, MESSAGES))  # MESSAGES[V]

    def __post_init__(self) -> None:
        """A run that says nothing of messages has none."""
        if not len(self.messages):
            self.messages = np.zeros(len(self.services), MESSAGES)

    def digest(self) -> str:
        """SHA-256 (hex) over names and arrays; not over wall-clock figures, captures or the kernel's digest.

        Equal digests mean equal samples, bit for bit. Fields are hashed one by one, so padding never counts.
        """
        sha = hashlib.sha256()
        for name in (*_NAME_LISTS, *_ARRAYS):
            value = getattr(self, name)
            sha.update(f"{name}\n".encode())
            if isinstance(value, list):
                sha.update(repr([str(item) for item in value]).encode())
            else:
                _hash_array(sha, value)
        dropped = sorted((str(reason), int(n)) for reason, n in self.conservation["dropped"].items())
        totals = [int(self.conservation[key]) for key in ("sent", "delivered", "in_flight")]
        sha.update(repr((totals, dropped)).encode())
        return sha.hexdigest()

    def check(self) -> None:
        """Assert shapes, order and conservation; raises SamplesInvalid naming every fault found."""
        faults = _shape_faults(self)
        if not faults:
            faults = [*_order_faults(self), *_conservation_faults(self), *_histogram_faults(self)]
        if faults:
            raise SamplesInvalid("the engine's samples break their contract:\n  " + "\n  ".join(faults))

    def watched_column(self, port: int) -> int | None:
        """Column of a port in port_series; None when it has no series."""
        column = int(np.searchsorted(self.watched, port))
        return column if column < len(self.watched) and self.watched[column] == port else None

    def starts_ps(self) -> np.ndarray:
        """int64[S]: where each sample interval begins, ps."""
        return np.concatenate([[0], self.times_ps[:-1]]).astype(np.int64)


_NAME_LISTS = ("nodes", "ports", "services", "service_kind", "reasons")
_SHAPES = {
    "times_ps": (np.dtype(np.int64), "S"),
    "service_header_bytes": (np.dtype(np.int64), "V"),
    "service_series": (SERVICE_SERIES, "SV"),
    "window_latency": (WINDOW_LATENCY, "SV"),
    "flows": (FLOWS, "F"),
    "tracked": (np.dtype(np.int32), "T"),
    "flow_series": (FLOW_SERIES, "ST"),
    "watched": (np.dtype(np.int32), "W"),
    "port_series": (PORT_SERIES, "SW"),
    "port_totals": (PORT_TOTALS, "P"),
    "drops": (np.dtype(np.int64), "PR"),
    "latency_edges_ps": (np.dtype(np.int64), "E"),
    "latency_counts": (np.dtype(np.int64), "VB"),
    "rtt_counts": (np.dtype(np.int64), "VB"),
    **{f"latency_{key}": (np.dtype(np.int64), "V") for key in ("min_ps", "max_ps", "count")},
    **{f"rtt_{key}": (np.dtype(np.int64), "V") for key in ("min_ps", "max_ps", "count")},
    "latency_sum_ps": (np.dtype(np.float64), "V"),
    "rtt_sum_ps": (np.dtype(np.float64), "V"),
    "delay_variation_max_ps": (np.dtype(np.int64), "V"),
    "messages": (MESSAGES, "V"),
}
_ARRAYS = tuple(_SHAPES)


def _hash_array(sha: "hashlib._Hash", array: np.ndarray) -> None:
    sha.update(repr(array.shape).encode())
    for name in array.dtype.names or (None,):
        column = array if name is None else array[name]
        sha.update(f"{name} {column.dtype.str}\n".encode())
        sha.update(np.ascontiguousarray(column).data)


def _shape_faults(samples: Samples) -> list[str]:
    sizes = {"S": len(samples.times_ps), "V": len(samples.services), "F": len(samples.flows)}
    sizes |= {"T": len(samples.tracked), "W": len(samples.watched)}
    sizes |= {"P": len(samples.ports), "R": len(samples.reasons)}
    sizes |= {"E": len(samples.latency_edges_ps), "B": len(samples.latency_edges_ps) - 1}
    faults = []
    for name, (dtype, axes) in _SHAPES.items():
        array = getattr(samples, name)
        shape = tuple(sizes[axis] for axis in axes)
        if array.shape != shape:
            faults.append(f"{name} has shape {array.shape}, expected {shape} ({', '.join(axes)})")
        if array.dtype.names != dtype.names or (dtype.names is None and array.dtype != dtype):
            faults.append(f"{name} has dtype {array.dtype}, expected {dtype}")
    if len(samples.service_kind) != sizes["V"]:
        faults.append(f"service_kind has {len(samples.service_kind)} names for {sizes['V']} services")
    if sizes["S"] == 0:
        faults.append("times_ps is empty: at least the end of the run is a sample instant")
    return faults


def _order_faults(samples: Samples) -> list[str]:
    faults = []
    times = samples.times_ps
    if times[0] <= 0 or (np.diff(times) <= 0).any():
        faults.append("times_ps is not strictly increasing from above 0")
    if (np.diff(samples.latency_edges_ps) <= 0).any():
        faults.append("latency_edges_ps is not strictly increasing")
    instants = {"in_flight_packets", "active_flows", "queue_bytes", "queue_packets"}
    for name in ("service_series", "port_series"):
        series = getattr(samples, name)
        for key in series.dtype.names:
            if (series[key] < 0).any():
                faults.append(f"{name}.{key} is negative somewhere")
            if key not in instants and (np.diff(series[key], axis=0) < 0).any():
                faults.append(f"{name}.{key} is cumulative but decreases")
    if not _all_within(samples.flows["service"], len(samples.services)):
        faults.append("flows.service points outside services")
    if not _all_within(samples.watched, len(samples.ports)) or (np.diff(samples.watched) <= 0).any():
        faults.append("watched is not increasing within ports")
    if not _all_within(samples.tracked, len(samples.flows)):
        faults.append("tracked points outside flows")
    return faults


def _all_within(indices: np.ndarray, length: int) -> bool:
    return bool(((indices >= 0) & (indices < length)).all())


def _conservation_faults(samples: Samples) -> list[str]:
    """Every packet is delivered, in flight or dropped with a reason; so is every data packet of a service."""
    faults = []
    books = samples.conservation
    accounted = books["delivered"] + books["in_flight"] + sum(books["dropped"].values())
    if books["sent"] != accounted:
        faults.append(f"conservation: {books['sent']} packets sent, {accounted} accounted for")
    for column, reason in enumerate(samples.reasons):
        at_ports = int(samples.drops[:, column].sum())
        in_total = books["dropped"].get(reason, 0)
        if at_ports > in_total:
            faults.append(f"conservation: {at_ports} {reason} at ports, {in_total} in total")
    series = samples.service_series
    gone = series["sent_packets"] - series["received_packets"] - series["in_flight_packets"]
    for index in np.flatnonzero((gone < 0).any(axis=0)):
        faults.append(f"{samples.services[index]}: more packets received and in flight than were sent")
    for index in np.flatnonzero((series["received_packets"] < series["delivered_packets"]).any(axis=0)):
        faults.append(f"{samples.services[index]}: more packets delivered than received")
    by_service = np.zeros(len(samples.services), dtype=np.int64)
    np.add.at(by_service, samples.flows["service"], samples.flows["delivered_bytes"])
    for index in np.flatnonzero(by_service != series["delivered_bytes"][-1]):
        total, flows = series["delivered_bytes"][-1, index], by_service[index]
        faults.append(f"{samples.services[index]}: {total} bytes delivered, its flows sum to {flows}")
    return faults


def _histogram_faults(samples: Samples) -> list[str]:
    faults = []
    for what in ("latency", "rtt"):
        counts, count = getattr(samples, f"{what}_counts"), getattr(samples, f"{what}_count")
        low, high = getattr(samples, f"{what}_min_ps"), getattr(samples, f"{what}_max_ps")
        for index in np.flatnonzero(counts.sum(axis=1) != count):
            held = counts[index].sum()
            faults.append(f"{samples.services[index]}: {what} bins hold {held}, count is {count[index]}")
        for index in np.flatnonzero((count > 0) & (low > high)):
            faults.append(f"{samples.services[index]}: {what} minimum is above its maximum")
    window = samples.window_latency["count"].sum(axis=0)
    for index in np.flatnonzero(window != samples.latency_count):
        count = samples.latency_count[index]
        faults.append(f"{samples.services[index]}: window_latency counts {window[index]}, not {count}")
    return faults
