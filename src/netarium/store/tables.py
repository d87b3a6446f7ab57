"""The Parquet tables of a run folder: columns with unit and meaning as metadata (docs/run-folder.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from netarium.measure.measure import slowdowns
from netarium.units import SECOND_PS

if TYPE_CHECKING:
    from netarium.run.samples import Samples


@dataclass(frozen=True)
class Column:
    """One column: its values (with NaN or a mask for missing ones), its unit and what it means."""

    values: Any
    unit: str
    meaning: str
    mask: np.ndarray | None = None

    def array(self) -> pa.Array:
        if isinstance(self.values, pa.Array):
            return self.values
        mask = self.mask
        if mask is None and self.values.dtype.kind == "f":
            mask = np.isnan(self.values)
        return pa.array(self.values, mask=mask if mask is not None and mask.any() else None)


def table(columns: Mapping[str, Column], description: str) -> pa.Table:
    """An Arrow table whose fields carry `unit` and `meaning`, and whose schema carries `description`."""
    fields, arrays = [], []
    for name, column in columns.items():
        array = column.array()
        metadata = {"unit": column.unit, "meaning": column.meaning}
        fields.append(pa.field(name, array.type, metadata=metadata))
        arrays.append(array)
    schema = pa.schema(fields, metadata={"netarium.format": "1", "netarium.description": description})
    return pa.Table.from_arrays(arrays, schema=schema)


def _named(indices: np.ndarray, names: list[str]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(
        pa.array(indices.astype(np.int32)), pa.array(names, type=pa.string())
    )


def _seconds(ps: np.ndarray) -> np.ndarray:
    return ps / SECOND_PS


def _per_interval(cumulative: np.ndarray) -> np.ndarray:
    """Rise of each column in each interval, [S, N] -> [S, N]."""
    return np.diff(cumulative, axis=0, prepend=np.zeros((1, cumulative.shape[1]), cumulative.dtype))


def _rows(samples: Samples, names: list[str]) -> tuple[np.ndarray, pa.Array]:
    """time_s and the name column of a table with one row per instant and name, instants outermost."""
    times = np.repeat(_seconds(samples.times_ps), len(names))
    return times, _named(np.tile(np.arange(len(names)), len(samples.times_ps)), names)


def _widths_s(samples: Samples) -> np.ndarray:
    return _seconds(np.diff(samples.times_ps, prepend=0))[:, None]


def services_table(samples: Samples) -> pa.Table:
    """series_services: one row per sample instant and service."""
    series, window = samples.service_series, samples.window_latency
    times, names = _rows(samples, samples.services)
    none = (window["count"] == 0).ravel()
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (window["sum_ps"] / window["count"]).ravel()
        decided = _per_interval(series["sent_packets"] - series["in_flight_packets"])
        loss = ((decided - _per_interval(series["received_packets"])) / decided).ravel()
    loss[decided.ravel() <= 0] = np.nan
    goodput = _per_interval(series["delivered_bytes"]) * 8 / _widths_s(samples)
    counted = "from the start of the run"
    return table(
        {
            "time_s": Column(times, "s", "sample instant, the end of its interval"),
            "service": Column(names, "", "name of the service"),
            "delivered_bytes": Column(series["delivered_bytes"].ravel(), "B", f"payload received, {counted}"),
            "goodput_bps": Column(goodput.ravel(), "bit/s", "payload received in the interval"),
            "sent_bytes": Column(series["sent_bytes"].ravel(), "B", f"payload sent first, {counted}"),
            "retransmissions": Column(
                series["retransmissions"].ravel(), "", f"packets sent again, {counted}"
            ),
            "active_flows": Column(series["active_flows"].ravel(), "", "flows under way at the instant"),
            "latency_min_s": Column(
                _seconds(window["min_ps"].ravel()), "s", "one way, in the interval", none
            ),
            "latency_mean_s": Column(_seconds(mean), "s", "one way, in the interval", none),
            "latency_max_s": Column(
                _seconds(window["max_ps"].ravel()), "s", "one way, in the interval", none
            ),
            "loss": Column(loss, "ratio", "lost share of the packets decided in the interval"),
        },
        "services over time",
    )


def tracked_flows_table(samples: Samples) -> pa.Table:
    """series_flows: one row per sample instant and tracked flow."""
    series = samples.flow_series
    count = len(samples.tracked)
    times = np.repeat(_seconds(samples.times_ps), count)
    flows = np.tile(samples.tracked, len(samples.times_ps))
    goodput = _per_interval(series["delivered_bytes"]) * 8 / _widths_s(samples)
    return table(
        {
            "time_s": Column(times, "s", "sample instant"),
            "flow": Column(flows, "", "number of the flow in flows.parquet"),
            "service": Column(_named(samples.flows["service"][flows], samples.services), "", "its service"),
            "goodput_bps": Column(goodput.ravel(), "bit/s", "payload received in the interval"),
            "cwnd_bytes": Column(series["cwnd_bytes"].ravel(), "B", "congestion window at the instant"),
            "ssthresh_bytes": Column(
                series["ssthresh_bytes"].ravel(), "B", "slow-start threshold at the instant"
            ),
            "srtt_s": Column(
                _seconds(series["srtt_ps"].ravel()), "s", "smoothed round-trip time at the instant"
            ),
            "rtt_s": Column(_seconds(series["rtt_ps"].ravel()), "s", "last round-trip time measured"),
            "in_flight_bytes": Column(series["in_flight_bytes"].ravel(), "B", "sent and not acknowledged"),
            "retransmissions": Column(series["retransmissions"].ravel(), "", "from the start of the run"),
            "pacing_bps": Column(series["pacing_bps"].ravel(), "bit/s", "pacing rate; 0: not paced"),
        },
        "tracked flows over time",
    )


def ports_table(samples: Samples) -> pa.Table:
    """series_ports: one row per sample instant and port that has a series."""
    series = samples.port_series
    times, names = _rows(samples, [samples.ports[port] for port in samples.watched])
    throughput = _per_interval(series["sent_bytes"]) * 8 / _widths_s(samples)
    rates = samples.port_totals["rate_bps"][samples.watched].astype(np.float64)
    rates[rates <= 0] = np.nan
    return table(
        {
            "time_s": Column(times, "s", "sample instant, the end of its interval"),
            "port": Column(names, "", "name of the port, from->to"),
            "utilisation": Column((throughput / rates).ravel(), "ratio", "throughput over the port's rate"),
            "throughput_bps": Column(throughput.ravel(), "bit/s", "on the wire, frame overhead included"),
            "queue_bytes": Column(series["queue_bytes"].ravel(), "B", "waiting at the instant"),
            "queue_packets": Column(series["queue_packets"].ravel(), "", "waiting at the instant"),
            "drops": Column(_per_interval(series["drops"]).ravel(), "", "packets dropped in the interval"),
            "marks": Column(_per_interval(series["marks"]).ravel(), "", "packets marked CE in the interval"),
        },
        "ports over time",
    )


def flows_table(samples: Samples) -> pa.Table:
    """flows: one row per flow; what is not known (an end, a size) is null."""
    flows = samples.flows
    open_ended = flows["end_ps"] < 0
    endless = flows["size_bytes"] < 0
    completion = _seconds(flows["end_ps"] - flows["start_ps"])
    return table(
        {
            "flow": Column(np.arange(len(flows), dtype=np.int64), "", "number of the flow"),
            "service": Column(_named(flows["service"], samples.services), "", "its service"),
            "number": Column(flows["number"], "", "number within the service"),
            "from": Column(_named(flows["src"], samples.nodes), "", "sending node"),
            "to": Column(_named(flows["dst"], samples.nodes), "", "receiving node"),
            "start_s": Column(_seconds(flows["start_ps"]), "s", "when the application started it"),
            "end_s": Column(_seconds(flows["end_ps"]), "s", "when its last byte arrived", open_ended),
            "size_bytes": Column(flows["size_bytes"], "B", "payload to carry; null: until stopped", endless),
            "delivered_bytes": Column(flows["delivered_bytes"], "B", "payload received in order"),
            "completion_s": Column(completion, "s", "end - start", open_ended),
            "slowdown": Column(slowdowns(flows), "ratio", "completion over that alone on the empty path"),
            "retransmissions": Column(flows["retransmissions"], "", "data packets sent again"),
            "timeouts": Column(flows["timeouts"], "", "retransmission timeouts"),
            "sent_packets": Column(flows["sent_packets"], "", "data packets sent, again or not"),
            "delivered_packets": Column(flows["delivered_packets"], "", "data packets with new payload"),
        },
        "flows",
    )


def latency_table(samples: Samples) -> pa.Table:
    """latency: the non-empty bins of the latency histograms, per service and kind of latency."""
    parts: dict[str, list[np.ndarray]] = {"service": [], "what": [], "low": [], "high": [], "count": []}
    edges = samples.latency_edges_ps
    for what, name in enumerate(("latency", "rtt")):
        counts = getattr(samples, f"{name}_counts")
        service, index = np.nonzero(counts)
        largest = getattr(samples, f"{name}_max_ps")[service]
        last = index == len(edges) - 2
        parts["service"].append(service)
        parts["what"].append(np.full(len(service), what))
        parts["low"].append(edges[index])
        parts["high"].append(np.where(last, largest, edges[index + 1]))
        parts["count"].append(counts[service, index])
    joined = {key: np.concatenate(values) for key, values in parts.items()}
    return table(
        {
            "service": Column(_named(joined["service"], samples.services), "", "name of the service"),
            "what": Column(_named(joined["what"], ["one_way", "rtt"]), "", "one way, or round trip of tcp"),
            "low_s": Column(_seconds(joined["low"]), "s", "lower edge of the bin, inside"),
            "high_s": Column(_seconds(joined["high"]), "s", "upper edge of the bin, outside"),
            "count": Column(joined["count"], "", "packets in the bin"),
        },
        "latency histograms",
    )


TABLES = {
    "series_services": services_table,
    "series_flows": tracked_flows_table,
    "series_ports": ports_table,
    "flows": flows_table,
    "latency": latency_table,
}
