"""Services become sources: every flow instance with its endpoints, transport, workload parameters and random stream."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from netarium.compile import cdf, replay
from netarium.compile.admission import Admission
from netarium.compile.disjoint import member_paths
from netarium.compile.graph import Graph
from netarium.compile.mechanisms.classes import PRIORITY
from netarium.compile.pairs import TCP_IP_HEADERS, TIMESTAMP_OPTION, Pairs
from netarium.compile.programs import Programs
from netarium.compile.routing import explicit_path
from netarium.describe.real import is_real_service
from netarium.errors import Problem, TrialInvalid
from netarium.run.kernel import records as r
from netarium.run.kernel.congestion import codes as congestion
from netarium.run.kernel.congestion import user as user_congestion
from netarium.run.kernel.events import NEVER
from netarium.run.kernel.transport import features as feature
from netarium.run.kernel.transport.replication import LENGTH_MAX
from netarium.run.kernel.workloads import codes as workload
from netarium.units import format_rate

UDP_IP_HEADERS = 28
"""IPv4 and UDP (RFC 768) headers."""
FUNCTIONS_OF = {"congestion": len(congestion.VERBS), "queue": 3, "workload": 1}
"""Family of a user's file -> places it takes in the kernel's table of hooks."""
WINDOW_WITHOUT_SCALING = 65_535
"""RFC 9293 section 3.1: the largest window that 16 bits can tell."""
WINDOW_MAX = 1 << 30
"""RFC 7323 section 2.3: the largest window, one gibibyte."""


@dataclass(frozen=True)
class UserFunction:
    """A function of the user's own file that the engine shall call: which family, file, name and parameters."""

    family: str
    file: str
    name: str
    parameters: tuple[tuple[str, float], ...]
    source: str
    where: str


GAP_PS_MAX = 100e12
"""Longest time between two packets of a stream, which the engine counts in parts of a picosecond."""


@dataclass
class Traffic:
    """Collects sources, transports, streams and pairs while walking through the services of a trial."""

    trial: Any
    graph: Graph
    admission: Admission
    pairs: Pairs
    sources: list[np.ndarray] = field(default_factory=list)
    transports: list[np.ndarray] = field(default_factory=list)
    keys: list[tuple[str | int, ...]] = field(default_factory=list)
    cdf_rows: list[np.ndarray] = field(default_factory=list)
    replay_rows: list[tuple[int, int, int]] = field(default_factory=list)
    functions: list[UserFunction] = field(default_factory=list)
    header_bytes: list[int] = field(default_factory=list)
    programs: Programs = field(init=False)
    _transport_at: dict[Any, int] = field(default_factory=dict)
    _transport_of: dict[Any, tuple[int, Any]] = field(default_factory=dict)
    _cdf_at: dict[Any, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.programs = Programs(self.trial, self.graph)

    def add_all(self) -> Traffic:
        """Walk through the services in the order of the file. Raises TrialInvalid."""
        problems: list[Problem] = []
        for index, (name, service) in enumerate(self.trial.services.items()):
            if is_real_service(self.trial, service):
                self._real(index, name, service)
                continue
            transport = self.trial.transport_of(name)
            problems += _transport_problems(name, service, transport)
            problems += self._class_problems(name, service, transport)
            problems += self._protection_problems(name, service, transport)
            if problems:
                continue
            self.header_bytes.append(
                int(self._transport(transport, service, f"services.{name}")["header_bytes"])
            )
            try:
                getattr(self, f"_{service.kind}")(index, name, service, transport)
            except TrialInvalid as invalid:
                problems += invalid.problems
        if problems:
            raise TrialInvalid(problems)
        return self

    def _real(self, index: int, name: str, service: Any) -> None:
        """A service that programs play: no source, only rules that tell its frames, and what runs where."""
        udp = service.kind == "command" or self.trial.transport_of(name).kind == "udp"
        self.header_bytes.append(UDP_IP_HEADERS if udp else TCP_IP_HEADERS + TIMESTAMP_OPTION)
        band = 0 if service.slice is None else 1 + list(self.trial.slices).index(service.slice)

        def pair_of(src: str, dst: str) -> int:
            return self._pair(name, service, src, dst)

        def table() -> tuple[np.ndarray, float]:
            (first, count), mean = self._sizes(name, service.sizes)
            points = np.vstack(self.cdf_rows)[first : first + count]
            ends = self.trial.endpoints(name)
            return points, self._per_second(service, ends, mean) / len(ends)

        self.programs.add(index, name, service, band, pair_of, table)

    # -- parts shared by all kinds

    def stream(self, *names: str | int) -> int:
        """A new random stream for the entity of these names."""
        self.keys.append(names)
        return len(self.keys) - 1

    def function(self, family: str, spec: Any, where: str) -> int:
        """Note a user's file; returns where its functions will stand in the kernel's table of hooks."""
        path = self.trial.locate(spec.file)
        entry = UserFunction(
            family, str(path), spec.name, tuple(sorted(spec.parameters.items())), path.read_text(), where
        )
        if entry not in self.functions:
            self.functions.append(entry)
        before = self.functions[: self.functions.index(entry)]
        return sum(FUNCTIONS_OF[other.family] for other in before)

    def queue_function(self, spec: Any, where: str) -> tuple[int, int]:
        """(place of a user's queue among the hooks, packets it may hold). Raises TrialInvalid."""
        from netarium.run.kernel.queues import user as user_queue

        file = user_queue.read(self.trial.locate(spec.file), spec.name, spec.parameters, where)
        return self.function("queue", spec, where), user_queue.limit_packets(file)

    def _transport(self, transport: Any, service: Any, where: str) -> np.ndarray:
        return self.transports[self._transport_row(transport, service, where)]

    def _transport_row(self, transport: Any, service: Any, where: str) -> int:
        pull = service.kind == "request_response"
        request = service.request if pull else 0
        same = (id(transport), pull, request)
        if same in self._transport_of:
            return self._transport_of[same][0]
        key = (transport.model_dump_json(), pull, request)
        if key not in self._transport_at:
            self._transport_at[key] = len(self.transports)
            self.transports.append(self._encode_transport(transport, pull, request, where))
        self._transport_of[same] = (self._transport_at[key], transport)
        return self._transport_at[key]

    def _encode_transport(self, transport: Any, pull: bool, request: int, where: str) -> np.ndarray:
        row = np.zeros(1, r.TRANSPORT)[0]
        row.hook = r.NONE
        if transport.kind == "udp":
            row.kind, row.header_bytes, row.initial_window = feature.UDP, UDP_IP_HEADERS, 1
            return row
        options = TIMESTAMP_OPTION if transport.timestamps else 0
        row.kind, row.header_bytes, row.ack_bytes = (
            feature.TCP,
            TCP_IP_HEADERS + options,
            TCP_IP_HEADERS + options,
        )
        row.mss_bytes = transport.mss or 0
        user = not isinstance(transport.congestion, str)
        if user:
            row.congestion = congestion.USER
            where = f"{where}.transport.congestion"
            row.hook = self.function("congestion", transport.congestion, where)
            spec = transport.congestion
            file = user_congestion.read(self.trial.locate(spec.file), spec.name, spec.parameters, where)
            owns_recovery = user_congestion.owns_recovery(file)
        else:
            row.congestion = congestion.CODES[transport.congestion]
            owns_recovery = congestion.owns_recovery(int(row.congestion))
        row.features = feature.encode(
            sack=transport.sack,
            ecn=transport.ecn or transport.congestion == "dctcp",
            owns_recovery=owns_recovery,
            ce_echo=transport.congestion == "dctcp",
            pull=pull,
            hystart=transport.hystart,
            pacing=transport.pacing,
        )
        row.request_bytes = request
        acks = transport.delayed_ack
        row.ack_every = acks.every if acks else 1
        row.ack_timeout_ps = acks.timeout if acks else 0
        window = WINDOW_MAX if transport.window_scaling else WINDOW_WITHOUT_SCALING
        for buffer in (transport.send_buffer, transport.receive_buffer):
            window = window if buffer == "auto" else min(window, buffer)
        row.window_bytes, row.initial_window = window, transport.initial_window
        row.min_rto_ps, row.max_rto_ps = transport.min_rto, transport.max_rto
        return row

    def _source(
        self, kind: int, service_index: int, name: str, number: int, service: Any, transport: Any
    ) -> Any:
        row = np.zeros(1, r.SOURCE)[0]
        row.kind, row.service, row.conn, row.hook, row.number = kind, service_index, r.NONE, r.NONE, number
        row.transport = self._transport_row(transport, service, f"services.{name}")
        row.priority = self._priority(service)
        row.start_ps = service.start
        row.stop_ps = min(service.stop or self.trial.duration, self.trial.duration)
        row.stream = self.stream("service", name, number)
        self.sources.append(row)
        return row

    def _priority(self, service: Any) -> int:
        """As stated; in a slice whose ports tell classes by priority, that of the slices."""
        if service.slice is not None and self.admission[service.slice].mechanism != "strict":
            return PRIORITY
        return service.priority

    def _class_problems(self, name: str, service: Any, transport: Any) -> list[Problem]:
        """Where ports tell slices by their priority, nothing else may have it."""
        words = {each.name: each.mechanism for each in self.admission.reservations}
        if service.slice is None or words[service.slice] == "strict":
            classes = sorted({word for word in words.values() if word != "strict"})
            if service.priority != PRIORITY or not classes:
                return []
            expected = f"another: it is that of slices by {', '.join(classes)}"
            return [Problem(f"services.{name}.priority", str(PRIORITY), expected)]
        returning = self.trial.slices[service.slice].return_
        if transport.kind != "tcp" or (returning and words[returning] == words[service.slice]):
            return []
        word = words[service.slice]
        found = f"tcp in a slice by {word} without a return slice by {word}"
        hint = f"give slice {service.slice} a return with mechanism: {word}, or the service udp"
        return [Problem(f"services.{name}", found, "a slice for the acknowledgements", hint)]

    def _protection_problems(self, name: str, service: Any, transport: Any) -> list[Problem]:
        """What can be sent twice: datagrams of a known pace, not too many between the fast and the slow copy."""
        if service.slice is None or not self.trial.slices[service.slice].protection:
            return []
        if service.kind not in ("stream", "control_loop") or transport.kind != "udp":
            found = f"{service.kind} over {transport.kind} in slice {service.slice}, which has protection"
            return [Problem(f"services.{name}.slice", found, "stream or control_loop, over udp")]
        if getattr(service, "replication", None) is not None:
            return []  # _replication_problems says so
        reservation = self.admission[service.slice]
        spread = reservation.variation_bound_ps
        apart = None if spread is None else 2 + spread // self._gap_ps(service, reservation)
        if apart is not None and apart <= LENGTH_MAX:
            return []
        found = (
            "copies without a bound of how far they come apart"
            if apart is None
            else f"copies {apart} packets apart"
        )
        hint = "a lower rate of each flow, or a smaller delay_variation"
        return [Problem(f"services.{name}.slice", found, f"at most {LENGTH_MAX} packets", hint)]

    def _gap_ps(self, service: Any, reservation: Any) -> int:
        """Time between two packets of a flow, on average."""
        if service.kind == "control_loop":
            return service.period
        return max(1, round((service.packet_size or reservation.mtu_bytes) * 8e12 / service.rate))

    def _pair(self, name: str, service: Any, src: str, dst: str) -> int:
        """The pair of two node names for a service: in its slice, on its explicit path, or as routed."""
        where = f"services.{name}"
        graph = self.graph
        a, b = graph.node_index[src], graph.node_index[dst]
        replication = getattr(service, "replication", None)
        if replication is not None:
            metric = self.trial.network.routing.metric or "delay"
            members = member_paths(graph, replication, a, b, metric, where)
            return self.pairs.add_replicated(a, b, members, where)
        if service.slice is not None:
            reservation = self.admission[service.slice]
            if reservation.second is not None:
                members = (reservation.ports, reservation.second.ports)
                bands = tuple(self.admission.bands[each.name] for each in (reservation, reservation.second))
                return self.pairs.add_replicated(a, b, members, where, bands)
            order = list(self.trial.slices)
            band, returning = 1 + order.index(service.slice), self.trial.slices[service.slice].return_
            if returning is None:
                return self.pairs.add(a, b, reservation.ports, (), band, where)
            back = self.admission[returning].ports
            return self.pairs.add(a, b, reservation.ports, back, band, where, 1 + order.index(returning))
        if service.path is not None:
            ports = tuple(explicit_path(graph, service.path, f"{where}.path"))
            back = tuple(port ^ 1 for port in reversed(ports))
            return self.pairs.add(a, b, ports, back, 0, where)
        return self.pairs.add(a, b, (), (), 0, where)

    def _spread(self, name: str, service: Any) -> Iterable[tuple[int, str, str]]:
        return ((i, a, b) for i, (a, b) in enumerate(self.trial.endpoints(name)))

    def _least_mtu(self) -> int:
        return int(self.graph.mtu_bytes.min())

    def flow_counts(self) -> dict[str, tuple[int, int]]:
        """Name of each service -> (its index, its sources: each has one flow where it has a fixed number)."""
        sources = np.bincount(
            [int(row.service) for row in self.sources] or [0], minlength=len(self.trial.services)
        )
        return {name: (i, max(1, int(sources[i]))) for i, name in enumerate(self.trial.services)}

    # -- one method per kind of service

    def _bulk(self, index: int, name: str, service: Any, transport: Any) -> None:
        number = 0
        for _, src, dst in self._spread(name, service):
            pair = self._pair(name, service, src, dst)
            for size in _split(service.size, service.streams):
                row = self._source(workload.BULK, index, name, number, service, transport)
                row.pair_first, row.pair_count = pair, 1
                row.i[workload.BULK_SIZE] = size
                number += 1

    def _stream(self, index: int, name: str, service: Any, transport: Any) -> None:
        for number, src, dst in self._spread(name, service):
            pair = self._pair(name, service, src, dst)
            size = r.NONE if service.size is None else service.size
            row = self._packets(
                index, name, number, service, transport, pair, service.rate, service.packet_size, size
            )
            self._write_replication(row, service)

    def _control_loop(self, index: int, name: str, service: Any, transport: Any) -> None:
        ends = self.trial.endpoints(name)
        for number, src, dst in self._spread(name, service):
            row = self._source(workload.CONTROL_LOOP, index, name, number, service, transport)
            row.pair_first, row.pair_count = self._pair(name, service, src, dst), 1
            row.i[workload.LOOP_PAYLOAD] = service.size
            row.i[workload.LOOP_PERIOD], row.i[workload.LOOP_DEADLINE] = service.period, service.deadline_ps
            if service.stagger:
                row.start_ps += number * service.period // len(ends)
            row.start_ps = self._as_planned(row.start_ps, service)
            self._write_replication(row, service)

    def _as_planned(self, start_ps: int, service: Any) -> int:
        """The first instant from `start_ps` on that its slice's windows are planned for, if their period goes into its own:
        what a talker of IEEE 802.1Qcc is told as its offset."""
        slot = None if service.slice is None else self.admission[service.slice]
        if slot is None or slot.planned is None or service.period % slot.planned.period_ps:
            return start_ps
        wanted_ps = slot.release_ps - slot.planned.early_ps
        return start_ps + (wanted_ps - start_ps) % slot.planned.period_ps

    def _write_replication(self, row: Any, service: Any) -> None:
        """The sequence recovery of a flow on several paths."""
        if service.replication is not None:
            row.i[workload.COPIES_HISTORY] = service.replication.history_length
            row.i[workload.COPIES_RESET] = service.replication.reset
        elif service.slice is not None and self.trial.slices[service.slice].protection:
            row.i[workload.COPIES_HISTORY], row.i[workload.COPIES_RESET] = LENGTH_MAX, NEVER

    def _packets(
        self, index: int, name: str, number: int, service: Any, transport: Any, pair: int, rate: float,
        packet_bytes: int | None, size_bytes: int,
    ) -> Any:  # fmt: skip
        """A source of packets at a rate; packet_bytes None: the MTU of the network. Returns its record."""
        header = self._transport(transport, service, f"services.{name}")["header_bytes"]
        if packet_bytes is not None and transport.kind == "tcp":
            transport = transport.model_copy(update={"mss": packet_bytes - int(header)})
        packet_bytes = packet_bytes or self._path_mtu(pair)
        row = self._source(workload.STREAM, index, name, number, service, transport)
        row.pair_first, row.pair_count = pair, 1
        row.i[workload.STREAM_PAYLOAD] = packet_bytes - int(header)
        gap_ps = packet_bytes * 8.0e12 / rate
        if gap_ps > GAP_PS_MAX:
            slowest = format_rate(packet_bytes * 8.0e12 / GAP_PS_MAX)
            expected = f"a rate of {slowest} or more for packets of {packet_bytes} bytes, or smaller packets"
            raise TrialInvalid([Problem(f"services.{name}.rate", format_rate(rate), expected)])
        row.i[workload.STREAM_GAP] = round(gap_ps * 65536.0)
        pattern = getattr(service, "pattern", "constant")
        row.i[workload.STREAM_PATTERN] = workload.PATTERNS[pattern]
        if pattern == "on_off":
            row.i[workload.STREAM_ON], row.i[workload.STREAM_OFF] = service.on, service.off
        row.i[workload.STREAM_LEFT] = size_bytes
        return row

    def _path_mtu(self, pair: int) -> int:
        path = self.pairs.ends[pair][2]
        if path == r.NONE or pair in self.pairs.copies:
            return self._least_mtu()
        ports = next(ports for ports in self.pairs.path_ports if self.pairs._path_at[ports] == path)
        return int(self.graph.mtu_bytes[list(ports)].min())

    def _request_response(self, index: int, name: str, service: Any, transport: Any) -> None:
        ends = self.trial.endpoints(name)
        first = len(self.pairs.ends)
        for src, dst in ends:
            self._pair(name, service, src, dst)
        row = self._source(workload.REQUESTS, index, name, 0, service, transport)
        row.pair_first, row.pair_count = first, len(ends)
        rows, mean = self._sizes(name, service.sizes)
        row.i[workload.CDF_FIRST], row.i[workload.CDF_COUNT] = rows
        row.f[workload.MEAN_GAP] = 1.0e12 / self._per_second(service, ends, mean)

    def _per_second(self, service: Any, ends: list[tuple[str, str]], mean_bytes: float) -> float:
        """Arrivals of all pairs of a request_response service together."""
        if service.arrivals is not None:
            return float(service.arrivals * len(ends))
        senders = {self.graph.node_index[src] for src, _ in ends}
        access = sum(int(self.graph.rate_bps[list(self.graph.out_ports[node])].sum()) for node in senders)
        return float(service.load * access / (8.0 * mean_bytes))

    def _sizes(self, name: str, sizes: Any) -> tuple[tuple[int, int], float]:
        """((first row, rows) in the table of distributions, mean size in bytes)."""
        if sizes.fixed is not None:
            points = cdf.fixed(sizes.fixed)
        elif sizes.file is not None:
            points = cdf.read(self.trial.locate(sizes.file), f"services.{name}.sizes.file")
        else:
            points = cdf.built_in(sizes.distribution)
        key = points.tobytes()
        if key not in self._cdf_at:
            self._cdf_at[key] = (sum(map(len, self.cdf_rows)), len(points))
            self.cdf_rows.append(points)
        return self._cdf_at[key], cdf.mean_bytes(points)

    def _replay(self, index: int, name: str, service: Any, transport: Any) -> None:
        packets = service.unit == "packets"
        header = UDP_IP_HEADERS if packets else 0
        largest = int(self.graph.mtu_bytes.max()) if packets else replay.LARGEST_BYTES
        path, where = self.trial.locate(service.file), f"services.{name}.file"
        lines = replay.read(path, where, header + 1, largest)
        first = len(self.replay_rows)
        self.replay_rows.extend((time, 0, size - header) for time, size in lines)
        for number, src, dst in self._spread(name, service):
            pair = self._pair(name, service, src, dst)
            flow = number if packets else number * len(lines)
            row = self._source(workload.REPLAY, index, name, flow, service, transport)
            row.pair_first, row.pair_count = pair, 1
            row.i[workload.REPLAY_POSITION], row.i[workload.REPLAY_END] = first, len(self.replay_rows)
            row.i[workload.REPLAY_PACKETS] = packets
            row.start_ps += lines[0][0]

    def _demands(self, index: int, name: str, service: Any, transport: Any) -> None:
        duration_s = ((service.stop or self.trial.duration) - service.start) / 1e12
        for number, (src, dst, rate) in enumerate(self.trial.demands(name) * service.count):
            pair = self._pair(name, service, src, dst)
            if service.using == "stream":
                self._packets(index, name, number, service, transport, pair, rate, None, r.NONE)
            else:
                row = self._source(workload.BULK, index, name, number, service, transport)
                row.pair_first, row.pair_count = pair, 1
                row.i[workload.BULK_SIZE] = max(1, round(rate * duration_s / 8.0))

    def _user(self, index: int, name: str, service: Any, transport: Any) -> None:
        ends = self.trial.endpoints(name)
        first = len(self.pairs.ends)
        for src, dst in ends:
            self._pair(name, service, src, dst)
        row = self._source(workload.USER, index, name, 0, service, transport)
        row.pair_first, row.pair_count = first, len(ends)
        row.hook = self.function("workload", service, f"services.{name}")


def _split(size: int | None, streams: int) -> list[int]:
    """Bytes of each of `streams` connections; NONE for no limit."""
    if size is None:
        return [r.NONE] * streams
    share, rest = divmod(size, streams)
    return [share + (1 if i < rest else 0) for i in range(streams) if share + (1 if i < rest else 0) > 0]


def _transport_problems(name: str, service: Any, transport: Any) -> list[Problem]:
    """A workload of flows needs tcp, one of packets with instants of their own udp."""
    packets = service.kind == "replay" and service.unit == "packets"
    flows = service.kind in ("bulk", "request_response")
    flows |= service.kind == "replay" and service.unit == "flows"
    flows |= service.kind == "demands" and service.using == "bulk"
    wanted = "udp" if packets else "tcp" if flows else transport.kind
    replicated = getattr(service, "replication", None) is not None
    wanted = "udp" if replicated or service.kind == "control_loop" else wanted
    if transport.kind == wanted:
        return _replication_problems(name, service) if replicated else []
    what = {
        "stream": "a stream on several paths", "control_loop": "a control loop",
        "replay": f"replay of {getattr(service, 'unit', '')}", "demands": "demands using bulk",
    }  # fmt: skip
    found = f"{transport.kind} for {what.get(service.kind, service.kind)}"
    where = "transport" if service.transport is None else f"services.{name}.transport"
    return [Problem(where, found, wanted, "udp carries streams and replays of packets" if flows else "")]


def _replication_problems(name: str, service: Any) -> list[Problem]:
    """Several paths and one way of another kind do not go together."""
    for key in ("slice", "path"):
        if getattr(service, key) is not None:
            found = f"replication of a service with a {key}"
            return [Problem(f"services.{name}.replication", found, f"one of replication and {key}")]
    return []
