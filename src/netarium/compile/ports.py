"""Links become ports: rate, propagation, queue, impairments, rate trace and capture of each direction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from netarium.compile.admission import Admission
from netarium.compile.graph import Graph
from netarium.compile.slicequeues import planned_window, slice_queue
from netarium.errors import Mistake, Problem, TrialInvalid
from netarium.run.kernel import records as r
from netarium.run.kernel.flags import CAPTURED, HOST, IMPAIRED, POLICED, SCHEDULED, SLICED, TRACED
from netarium.run.kernel.impairments import IMPAIRMENT
from netarium.run.kernel.impairments import encode as encode_impairment
from netarium.run.kernel.queues.build import QueueTable, build
from netarium.run.kernel.queues.shaper import ShapedSlice, Shaper
from netarium.run.kernel.queues.site import Ingress, Site

NO_LIMIT_PACKETS, NO_LIMIT_BYTES = 2**31 - 1, 2**62
SHAPER_BUFFER_BYTES = 64 * 10**6
"""A sender's own buffer for a slice: far more than TCP small queues let it fill."""


@dataclass
class Ports:
    """Collects the kernel's records of all ports. senders: nodes that flows start from."""

    trial: Any
    graph: Graph
    admission: Admission
    user_queue: Callable[[Any, str], tuple[int, int]]
    keys: list[tuple[str | int, ...]]
    senders: frozenset[int]
    flow_counts: dict[str, tuple[int, int]] = field(default_factory=dict)
    ports: np.ndarray = field(init=False)
    queues: QueueTable = field(default_factory=QueueTable)
    impairments: list[np.ndarray] = field(default_factory=list)
    traces: list[Any] = field(default_factory=list)
    by_port: dict[int, list[Any]] = field(default_factory=dict)

    def add_all(self) -> Ports:
        """Walk through the ports in the order of the links. Raises TrialInvalid with every problem."""
        described = self.trial.network.expand().ports()
        self.ports = np.zeros(max(1, len(described)), r.PORT)
        for name in ("head", "tail", "waiting", "queue", "sending", "impairment", "trace", "capture"):
            self.ports[name] = r.NONE
        self.by_port = self._slices_by_port()
        rates = self._rate_changes(described)
        problems: list[Problem] = []
        for index in range(len(described)):
            try:
                self._add(index, described, self.by_port.get(index, []), rates.get(index, []))
            except Mistake as mistake:
                where = ".".join(map(str, (self._where(index, "queue"), *mistake.at)))
                problems.append(Problem(where, mistake.found, mistake.expected, mistake.hint))
            except TrialInvalid as invalid:
                problems.extend(invalid.problems)
        if problems:
            raise TrialInvalid(list(dict.fromkeys(problems)))
        return self

    def impair(self, spec: Any, name: str, index: int) -> int:
        """A new impairment record; the random stream is the port's own."""
        row = np.zeros(1, IMPAIRMENT)[0]
        self.keys.append(("impairment", name, index))
        encode_impairment(row, spec, len(self.keys) - 1)
        self.impairments.append(row)
        return len(self.impairments) - 1

    def _slices_by_port(self) -> dict[int, list[Any]]:
        found: dict[int, list[Any]] = {}
        for reservation in self.admission.paths:
            for port in reservation.ports:
                found.setdefault(port, []).append(reservation)
        return found

    def _rate_changes(self, described: list[Any]) -> dict[int, list[tuple[int, int]]]:
        """Port -> [(time_ps, rate_bps)] of the trial's rate_change events, by time."""
        changes: dict[int, list[tuple[int, int]]] = {}
        links = {name: number for number, name in enumerate(self.graph.link_names)}
        for event in sorted(self.trial.events, key=lambda each: each.at):
            if event.kind == "rate_change":
                link = links[self.trial.network.link(event.link).name]
                for port in (2 * link, 2 * link + 1):
                    changes.setdefault(port, []).append((event.at, event.rate))
        return changes

    def _add(
        self, index: int, described: list[Any], slices: list[Any], changes: list[tuple[int, int]]
    ) -> None:
        record, port = self.ports[index], described[index]
        record.from_node, record.node = self.graph.tail[index], self.graph.head[index]
        record.byte_time = byte_time(port.rate)
        record.delay_ps, record.overhead_bytes = port.delay, port.overhead
        record.limit_packets, record.limit_bytes = NO_LIMIT_PACKETS, NO_LIMIT_BYTES
        features = 0
        if port.impairments is not None and _impairs(port.impairments):
            record.impairment = self.impair(port.impairments, port.name, 0)
            features |= IMPAIRED
        if port.rate_trace is not None or changes:
            record.trace = self._trace(index, port, changes)
            features |= TRACED
        if any(capture.port == port.name for capture in self.trial.probes.capture):
            features |= CAPTURED
        if self._changes_impairments(index):
            features |= SCHEDULED
        queue: Any = port.queue
        at_source = not self.graph.node_forwards[record.from_node]
        if slices:
            inner = queue.queue if _filters(queue) else queue
            guarded = self._guarded(index, slices, inner, at_source)
            queue = queue.model_copy(update={"queue": guarded}) if _filters(queue) else guarded
            features |= SLICED | SCHEDULED if at_source else POLICED | SCHEDULED
        plain = queue.kind in ("pfifo", "bfifo")
        if not plain or features:
            features |= SCHEDULED
            self.keys.append(("queue", port.name))
            stream = len(self.keys) - 1
            where = self._where(index, "queue")
            record.queue = build(
                queue,
                index,
                port.rate,
                port.mtu,
                self.queues,
                stream,
                lambda spec: self.user_queue(spec, where),
                self._site(index, described),
            )
            if record.from_node in self.senders:
                features |= HOST
        elif queue.kind == "pfifo":
            record.limit_packets = queue.limit
        else:
            record.limit_bytes = queue.limit
        record.features = features

    def _guarded(self, index: int, slices: list[Any], queue: Any, at_source: bool) -> Any:
        """The trial's queue behind a class for slices: shaped at their source, strictly first after it."""
        if at_source:
            bands = self.admission.bands
            shaped = tuple(
                ShapedSlice(
                    bands[each.name],
                    each.wire_bps,
                    each.wire_burst_bytes,
                    SHAPER_BUFFER_BYTES,
                    each.overhead_bytes,
                    *self._source_window(each, index),
                )
                for each in slices
            )
            return Shaper(shaped, queue)
        backlog = float(self.admission.backlog_bytes[index])
        return slice_queue(self.graph, index, slices, backlog, queue, self.trial.duration)

    @staticmethod
    def _source_window(each: Any, index: int) -> tuple[int, int, int, int]:
        """(period, begin, length, largest packet) of the window that a slice has at its source, or zeros."""
        if each.planned is None:
            return 0, 0, 0, 0
        window = planned_window(each, index)
        return (
            window.period_ps,
            window.begin_ps % window.period_ps,
            window.end_ps - window.begin_ps,
            each.packet_bytes,
        )

    def _site(self, index: int, described: list[Any]) -> Site:
        """What the discipline of a port has to know of the node and the network around it."""
        graph, port = self.graph, described[index]
        nodes = self.trial.network.expand().nodes
        ingresses = []
        for number in graph.in_ports[graph.tail[index]]:
            other = described[number]
            inner = other.queue.queue if _filters(other.queue) else other.queue
            cycles = (inner.cycle_time, inner.base_time) if inner.kind == "cqf" else self._cycles_of(number)
            ingresses.append(Ingress(number, other.delay, cycles, nodes[other.source].clock))
        return Site(
            overhead_bytes=port.overhead,
            clock=nodes[port.source].clock,
            ingresses=tuple(ingresses),
            services=self.flow_counts,
            slices={name: band for band, name in enumerate(self.trial.slices, 1)},
            duration_ps=self.trial.duration,
        )

    def _cycles_of(self, port: int) -> tuple[int, int] | None:
        """(cycle, base) of a port that forwards slices in cycles."""
        if not self.graph.node_forwards[self.graph.tail[port]]:
            return None
        return next(((each.cycle_ps, 0) for each in self.by_port.get(port, ()) if each.cycle_ps), None)

    def _changes_impairments(self, index: int) -> bool:
        """Whether an event changes this port's impairments: its transmitter must then be served by events."""
        for event in self.trial.events:
            if event.kind == "impairment":
                name = self.trial.network.link(event.link).name
                if self.graph.link_index[name] == index // 2:
                    return True
        return False

    def _trace(self, index: int, port: Any, changes: list[tuple[int, int]]) -> int:
        """Where the port's trace stands. Raises TrialInvalid: a faulty file, or a file and rate_change events."""
        from netarium.compile.ratetraces import follow_changes, follow_file

        if port.rate_trace is None:
            self.traces.append(follow_changes(port.rate, changes))
            return len(self.traces) - 1
        where = self._where(index, "rate_trace")
        if changes:
            found = f"a rate that follows {port.rate_trace.file!r}, and rate_change events of the same link"
            raise TrialInvalid([Problem(where, found, "one of them")])
        path = self.trial.locate(port.rate_trace.file)
        self.traces.append(follow_file(path, port.rate_trace, port.overhead, f"{where}.file"))
        return len(self.traces) - 1

    def _where(self, index: int, key: str) -> str:
        """The place in the trial of what a port has; links count where there is no topology, else are named."""
        network = self.trial.network
        link = network.expand().links[index // 2]
        side = ("forward", "backward")[index % 2]
        own = getattr(link, side)
        key = f"{side}.{key}" if own is not None and getattr(own, key) is not None else key
        return f"network.links[{index // 2 if network.topology is None else link.name}].{key}"


def _filters(queue: Any) -> bool:
    """Whether a discipline stands before another one (psfp)."""
    return bool(queue.kind == "psfp")


def byte_time(rate_bps: int) -> int:
    """Picoseconds a byte in fixed point, rounded up so that a rate is never exceeded."""
    return -(-((8 * 10**12) << r.BYTE_TIME_BITS) // rate_bps)


def _impairs(spec: Any) -> bool:
    """Whether any impairment is set."""
    return bool(
        spec.loss is not None
        or spec.jitter is not None
        or spec.reorder is not None
        or spec.duplicate
        or spec.corrupt
    )
