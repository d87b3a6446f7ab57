"""Take samples of a run at its sample instants, and make the Samples of it in the end."""

from __future__ import annotations

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


class Recorder:
    """Collects one row of every series an instant."""

    def __init__(self, plan: Any, run: Run) -> None:
        self.plan, self.run, self.memory = plan, run, run.memory
        count, services = len(plan.sample_times_ps), len(plan.service_names)
        self.services = services
        self.taken = 0
        self.end_ps = 0
        self.times = np.zeros(count, np.int64)
        self.service_series = np.zeros((count, services), SERVICE_SERIES)
        self.window = np.zeros((count, services), WINDOW_LATENCY)
        self.port_series = np.zeros((count, len(plan.watched_ports)), PORT_SERIES)
        self.ports_last = np.zeros(plan.graph.port_count, PORT_SERIES)
        self.tracked = np.zeros(0, np.int32)
        self.tracked_of = np.zeros(services, np.int64)
        self.seen = 0
        self.flow_rows: list[np.ndarray] = []
        self.sums = {what: np.zeros(services) for what in ("latency", "rtt")}
        self.least = {what: np.full(services, np.iinfo(np.int64).max) for what in ("latency", "rtt")}
        self.largest = {what: np.full(services, -1, np.int64) for what in ("latency", "rtt")}

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
        self._services(row, services[: self.services])
        self._ports(row, port_row)
        self._flows()

    def _services(self, row: int, services: np.ndarray) -> None:
        series, window = self.service_series[row], self.window[row]
        for name in (*CUMULATIVE, "active_flows", "in_flight_packets"):
            series[name] = services[name]
        for name in ("min_ps", "max_ps", "sum_ps", "count"):
            window[name] = services[f"latency_{name}"]
        empty = services["latency_count"] == 0
        window["min_ps"][empty] = window["max_ps"][empty] = 0
        for what in ("latency", "rtt"):
            self.sums[what] += services[f"{what}_sum_ps"]
            np.minimum(self.least[what], services[f"{what}_min_ps"], out=self.least[what])
            np.maximum(self.largest[what], services[f"{what}_max_ps"], out=self.largest[what])

    def _ports(self, row: int, port_row: np.ndarray) -> None:
        columns = self.ports_last.view(np.int64).reshape(-1, len(PORT_SERIES.names))
        columns[...] = port_row[: len(columns)]
        self.port_series[row] = self.ports_last[self.plan.watched_ports]

    def _track(self) -> None:
        """Of the flows that began since the last sample, add the first of each service to those tracked."""
        begun = int(self.memory.counters[0].flows)
        new = self.memory.flows["service"][self.seen : begun]
        found = [np.zeros(0, np.int64)]
        for service in np.flatnonzero(self.tracked_of < self.plan.tracked_flows).tolist():
            room = self.plan.tracked_flows[service] - self.tracked_of[service]
            found.append(np.flatnonzero(new == service)[:room])
            self.tracked_of[service] += len(found[-1])
        added = np.sort(np.concatenate(found)) + self.seen
        self.tracked = np.concatenate([self.tracked, added.astype(np.int32)])
        self.seen = begun

    def _flows(self) -> None:
        """State of the tracked flows that have begun."""
        memory = self.memory
        self._track()
        flows = memory.flows[self.tracked]
        rows = np.zeros(len(flows), FLOW_SERIES)
        alive = flows["conn"] != r.NONE
        rows["delivered_bytes"][~alive] = flows["delivered_bytes"][~alive]
        rows["retransmissions"][~alive] = flows["retransmissions"][~alive]
        conns = memory.conns[flows["conn"][alive]]
        tcp = conns["transport"] == TCP
        rows["delivered_bytes"][alive] = conns["rcv_bytes"]
        rows["retransmissions"][alive] = conns["retransmissions"]
        for name, source in (
            ("cwnd_bytes", "cwnd_bytes"),
            ("ssthresh_bytes", "ssthresh_bytes"),
            ("srtt_ps", "srtt_ps"),
            ("rtt_ps", "rtt_ps"),
            ("in_flight_bytes", "in_flight_bytes"),
        ):
            rows[name][alive] = np.where(tcp, conns[source], 0)
        pacing = conns["pacing"]
        rows["pacing_bps"][alive] = np.where(pacing > 0, 8e12 * 65536 // np.maximum(pacing, 1), 0)
        self.flow_rows.append(rows)

    def samples(self, engine: dict[str, float]) -> Samples:
        """Everything recorded, checked. Raises SamplesInvalid when the sums do not hold."""
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
            port_series=self.port_series[: self.taken],
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
        last = self.ports_last
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
