"""Take samples of a run at its sample instants, and make the Samples of it in the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from netarium.run.captured import capture_tables
from netarium.run.deadlines import messages
from netarium.run.fill import Run, reset_windows
from netarium.run.kernel import records as r
from netarium.run.kernel.digest import kernel_digest
from netarium.run.kernel.sampling import sample
from netarium.run.kernel.transport.features import TCP
from netarium.run.samples import (
    FLOW_SERIES,
    FLOWS,
    PORT_SERIES,
    PORT_TOTALS,
    SERVICE_SERIES,
    UNLIMITED,
    WINDOW_LATENCY,
    Samples,
    log_linear_edges_ps,
)

CUMULATIVE = (
    "delivered_bytes",
    "sent_bytes",
    "sent_packets",
    "delivered_packets",
    "received_packets",
    "retransmissions",
)
RAW_BYTES = 2 << 20
"""Copied rows that wait to be worked out, at most; they stay in the processor's cache."""

_FLOW_BYTES, _CONN_BYTES = np.dtype((np.void, r.FLOW.itemsize)), np.dtype((np.void, r.CONN.itemsize))
"""Records as nothing but bytes, which NumPy copies forty times faster than field by field."""


class Recorder:
    """Collects one row of every series an instant.

    An instant costs a few copies of whole rows as the kernel has them; what they mean is worked out for many rows at once.
    """

    def __init__(self, plan: Any, run: Run) -> None:
        self.plan, self.run, self.memory = plan, run, run.memory
        count, services, ports = len(plan.sample_times_ps), len(plan.service_names), plan.graph.port_count
        self.services = services
        self.taken = 0
        self.end_ps = 0
        self.times = np.zeros(count, np.int64)
        self.service_series = np.zeros((count, services), SERVICE_SERIES)
        self.window = np.zeros((count, services), WINDOW_LATENCY)
        self.port_rows = np.zeros((count, len(plan.watched_ports), len(PORT_SERIES.names)), np.int64)
        self.last_row = np.zeros((ports, len(PORT_SERIES.names)), np.int64)
        self.tracked = np.zeros(0, np.int32)
        self.tracked_of = np.zeros(services, np.int64)
        self.seen = 0
        self.flow_rows: list[np.ndarray] = []
        self.sums = {what: np.zeros(services) for what in ("latency", "rtt")}
        self.least = {what: np.full(services, np.iinfo(np.int64).max) for what in ("latency", "rtt")}
        self.largest = {what: np.full(services, -1, np.int64) for what in ("latency", "rtt")}
        self._raw: list[tuple[bytes, bytes, bytes]] = []
        self._raw_bytes = 0

    def take(self, now_ps: int) -> None:
        """One row of everything at `now_ps`."""
        sample(self.memory.handle, now_ps, len(r.REASONS))
        self.put(now_ps, self.memory.services, self.memory.port_row)
        reset_windows(self.memory)

    def put(self, now_ps: int, services: np.ndarray, port_row: np.ndarray) -> None:
        """One row of what was read at `now_ps`: the services' totals and the ports' (sampling.py)."""
        row = self.taken
        self.taken += 1
        self.times[row] = self.end_ps = now_ps
        np.copyto(self.last_row, port_row[: len(self.last_row)])
        np.take(self.last_row, self.plan.watched_ports, axis=0, out=self.port_rows[row])
        self._track()
        flows = self.memory.flows.view(_FLOW_BYTES)[self.tracked].tobytes()
        holders = np.frombuffer(flows, r.FLOW)[
            "conn"
        ]  # of the copy: in real time the engine goes on meanwhile
        conns = self.memory.conns.view(_CONN_BYTES)[holders[holders != r.NONE]].tobytes()
        raw = (services[: self.services].tobytes(), flows, conns)
        self._raw.append(raw)
        self._raw_bytes += sum(map(len, raw))
        if self._raw_bytes > RAW_BYTES:
            self._work_out()

    def _work_out(self) -> None:
        """Make rows of the series from what was copied since the last time."""
        raw, self._raw, self._raw_bytes = self._raw, [], 0
        if raw:
            services, flows, conns = zip(*raw, strict=True)
            rows = slice(self.taken - len(raw), self.taken)
            self._services(rows, _joined(services, r.SERVICE).reshape(len(raw), self.services))
            lengths = [len(each) // r.FLOW.itemsize for each in flows]
            self._flows(_joined(flows, r.FLOW), _joined(conns, r.CONN), lengths)

    def _services(self, rows: slice, services: np.ndarray) -> None:
        """services: SERVICE[rows, services]."""
        series, window = self.service_series[rows], self.window[rows]
        for name in (*CUMULATIVE, "active_flows", "in_flight_packets"):
            series[name] = services[name]
        for name in ("min_ps", "max_ps", "sum_ps", "count"):
            window[name] = services[f"latency_{name}"]
        empty = services["latency_count"] == 0
        window["min_ps"][empty] = window["max_ps"][empty] = 0
        for what in ("latency", "rtt"):
            for sums in services[f"{what}_sum_ps"]:  # in their order: sums of floats depend on it
                self.sums[what] += sums
            np.minimum(self.least[what], services[f"{what}_min_ps"].min(axis=0), out=self.least[what])
            np.maximum(self.largest[what], services[f"{what}_max_ps"].max(axis=0), out=self.largest[what])

    def _track(self) -> None:
        """Of the flows that began since the last sample, add the first of each service to those tracked."""
        begun = int(self.memory.counters[0].flows)
        if begun == self.seen:
            return
        new = self.memory.flows["service"][self.seen : begun]
        found = [np.zeros(0, np.int64)]
        for service in np.flatnonzero(self.tracked_of < self.plan.tracked_flows).tolist():
            room = self.plan.tracked_flows[service] - self.tracked_of[service]
            found.append(np.flatnonzero(new == service)[:room])
            self.tracked_of[service] += len(found[-1])
        added = np.sort(np.concatenate(found)) + self.seen
        self.tracked = np.concatenate([self.tracked, added.astype(np.int32)])
        self.seen = begun

    def _flows(self, flows: np.ndarray, conns: np.ndarray, lengths: list[int]) -> None:
        """State of the tracked flows at some instants, so many at each; conns: of those that are alive, in their order."""
        rows = np.zeros(len(flows), FLOW_SERIES)
        alive = flows["conn"] != r.NONE
        tcp = conns["transport"] == TCP
        for name, source in (("delivered_bytes", "rcv_bytes"), ("retransmissions", "retransmissions")):
            rows[name] = flows[name]
            rows[name][alive] = conns[source]
        for name in ("cwnd_bytes", "ssthresh_bytes", "srtt_ps", "rtt_ps", "in_flight_bytes"):
            rows[name][alive] = np.where(tcp, conns[name], 0)
        pacing = conns["pacing"]
        rows["pacing_bps"][alive] = np.where(pacing > 0, 8e12 * 65536 // np.maximum(pacing, 1), 0)
        self.flow_rows += np.split(rows, np.cumsum(lengths)[:-1])

    def samples(self, engine: dict[str, float]) -> Samples:
        """Everything recorded, checked. Raises SamplesInvalid when the sums do not hold."""
        self._work_out()
        plan, memory, n = self.plan, self.memory, self.services
        flows = self._flow_table()
        counters = memory.counters[0]
        dropped = memory.drops.sum(axis=0)
        in_flight = int((memory.packets["kind"] != r.FREE).sum())
        counts = {"latency": memory.latency[:n], "rtt": memory.rtt[:n]}
        totals = {what: counts[what].sum(axis=1) for what in counts}
        samples = Samples(
            times_ps=self.times[: self.taken],
            nodes=list(plan.graph.node_names),
            ports=list(plan.graph.port_names),
            services=list(plan.service_names),
            service_kind=list(plan.service_kinds),
            service_header_bytes=plan.service_header_bytes,
            service_series=self.service_series[: self.taken],
            window_latency=self.window[: self.taken],
            flows=flows,
            tracked=self.tracked,
            flow_series=self._flow_series(),
            watched=self.plan.watched_ports,
            port_series=self.port_rows[: self.taken].view(PORT_SERIES)[..., 0],
            port_totals=self._port_totals(),
            drops=memory.drops[: plan.graph.port_count].copy(),
            reasons=list(r.REASONS),
            latency_edges_ps=log_linear_edges_ps(),
            latency_counts=counts["latency"].copy(),
            latency_min_ps=np.where(totals["latency"] > 0, self.least["latency"], 0),
            latency_max_ps=np.maximum(self.largest["latency"], 0),
            latency_sum_ps=self.sums["latency"],
            latency_count=totals["latency"],
            rtt_counts=counts["rtt"].copy(),
            rtt_min_ps=np.where(totals["rtt"] > 0, self.least["rtt"], 0),
            rtt_max_ps=np.maximum(self.largest["rtt"], 0),
            rtt_sum_ps=self.sums["rtt"],
            rtt_count=totals["rtt"],
            delay_variation_max_ps=self._variation(),
            conservation={
                "sent": int(counters.sent + counters.duplicated),
                "delivered": int(counters.delivered),
                "in_flight": in_flight,
                "dropped": {
                    reason: int(count) for reason, count in zip(r.REASONS, dropped, strict=True) if count
                },
            },
            engine=engine,
            captures=capture_tables(plan, memory),
            kernel_digest=kernel_digest(),
            messages=messages(plan, memory, self.end_ps),
        )
        samples.check()
        return samples

    def _flow_table(self) -> np.ndarray:
        memory = self.memory
        flows = memory.flows[: int(memory.counters[0].flows)].copy()
        alive = flows["conn"] != r.NONE
        conns = memory.conns[flows["conn"][alive]]
        for name, source in (
            ("delivered_bytes", "rcv_bytes"),
            ("retransmissions", "retransmissions"),
            ("timeouts", "timeouts"),
            ("sent_packets", "sent_packets"),
            ("delivered_packets", "rcv_packets"),
        ):
            flows[name][alive] = conns[source]
        table = np.zeros(len(flows), FLOWS)
        for name in FLOWS.names:
            table[name] = flows[name]
        table["size_bytes"][flows["size_bytes"] == 0] = (
            UNLIMITED  # a stream: its application writes as it goes
        )
        return table

    def _flow_series(self) -> np.ndarray:
        tracked = len(self.flow_rows[-1]) if self.flow_rows else 0
        series = np.zeros((self.taken, tracked), FLOW_SERIES)
        for row, values in enumerate(self.flow_rows):
            series[row, : len(values)] = values
        return series

    def _port_totals(self) -> np.ndarray:
        plan, count = self.plan, self.plan.graph.port_count
        ports, totals = self.memory.ports[:count], np.zeros(count, PORT_TOTALS)
        last = self.last_row.view(PORT_SERIES)[..., 0]
        totals["rate_bps"] = plan.graph.rate_bps
        totals["sent_packets"], totals["sent_bytes"] = last["sent_packets"], last["sent_bytes"]
        for name in ("queue_bytes_max", "queue_packets_max", "queue_time_ps", "marks"):
            totals[name] = ports[name]
        return totals

    def _variation(self) -> np.ndarray:
        """Largest difference of one-way latencies within a flow of each service, ended or not."""
        memory, n = self.memory, self.services
        variation = memory.services["variation_max_ps"][:n].copy()
        conns = memory.conns[(memory.conns["flow"] != r.NONE) & (memory.conns["latency_max_ps"] >= 0)]
        np.maximum.at(variation, conns["service"], conns["latency_max_ps"] - conns["latency_min_ps"])
        return variation


def _joined(parts: Sequence[bytes], dtype: np.dtype) -> np.ndarray:
    """Records copied at several instants as one array; NumPy's own way compares their fields one by one."""
    return np.frombuffer(b"".join(parts), dtype)
