"""Makes Samples by hand, without an engine: rates, losses and latencies as a test wants, books balanced."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from netarium.describe.loader import loads
from netarium.describe.trial import Trial
from netarium.run import samples as layout
from netarium.run.samples import Samples, latency_bin, log_linear_edges_ps

MS, SECOND = 10**9, 10**12

INTERFERENCE = """\
trial: interference
title: A slice and best effort, before and after interference
duration: 20 s
network:
  nodes:
    telescope: {kind: host, location: [25.65, 106.86]}
    guiyang: {kind: router, location: [26.65, 106.63]}
    campus: {kind: host}
  links:
    - {endpoints: [telescope, guiyang], rate: 100 Gbit/s, length: 160 km}
    - {endpoints: [guiyang, campus], rate: 100 Gbit/s, delay: 50 us}
slices:
  express:
    {from: telescope, to: campus, bandwidth: 50 Gbit/s, latency: 10 ms, delay_variation: 20 us, loss: 0}
services:
  guaranteed: {kind: bulk, from: telescope, to: campus, slice: express}
  best_effort: {kind: bulk, from: telescope, to: campus}
  interferer: {kind: stream, from: telescope, to: campus, rate: 50 Gbit/s, start: 10 s}
"""


@dataclass
class Made:
    """What one service does: goodput (bit/s), packets lost (one number, or one per interval), latency."""

    goodput: object = 0.0
    lost: object = 0
    latency_ps: tuple[int, int] = (7 * MS, 7 * MS + 10_000_000)  # smallest, largest
    late: dict[int, int] = field(default_factory=dict)  # interval -> latency of one packet in it
    in_flight: int = 0
    flows: list[tuple[int, int, int, int]] | None = None  # start, end, size, ideal
    header: int = 0  # 0: 52 for tcp, 28 for udp


def interference_trial(extra: str = "", **replaced: str) -> Trial:
    """The trial above, with lines added at the end and words of the text replaced."""
    text = INTERFERENCE
    for old, new in replaced.items():
        assert old in text
        text = text.replace(old, new)
    return loads(text + extra)


def make(trial: Trial, services: dict[str, Made], instants: int = 200) -> Samples:
    """Samples of `trial` in which each service does what `services` says; the others do nothing."""
    names = list(trial.services)
    count, length = len(names), trial.duration
    times = (np.arange(1, instants + 1) * length) // instants
    edges = log_linear_edges_ps()
    bins = len(edges) - 1
    one = {key: np.zeros(count, np.int64) for key in ("min", "max", "count")}
    made = Samples(
        times_ps=times,
        nodes=list(trial.network.nodes),
        ports=[port.name for port in trial.network.ports()],
        services=names,
        service_kind=[service.kind for service in trial.services.values()],
        service_header_bytes=np.zeros(count, np.int64),
        service_series=np.zeros((instants, count), layout.SERVICE_SERIES),
        window_latency=np.zeros((instants, count), layout.WINDOW_LATENCY),
        flows=np.zeros(0, layout.FLOWS),
        tracked=np.zeros(0, np.int32),
        flow_series=np.zeros((instants, 0), layout.FLOW_SERIES),
        watched=np.zeros(0, np.int32),
        port_series=np.zeros((instants, 0), layout.PORT_SERIES),
        port_totals=np.zeros(0, layout.PORT_TOTALS),
        drops=np.zeros((0, 0), np.int64),
        reasons=list(layout.DROP_REASONS),
        latency_edges_ps=edges,
        latency_counts=np.zeros((count, bins), np.int64),
        latency_min_ps=one["min"],
        latency_max_ps=one["max"],
        latency_sum_ps=np.zeros(count),
        latency_count=one["count"],
        rtt_counts=np.zeros((count, bins), np.int64),
        rtt_min_ps=np.zeros(count, np.int64),
        rtt_max_ps=np.zeros(count, np.int64),
        rtt_sum_ps=np.zeros(count),
        rtt_count=np.zeros(count, np.int64),
        delay_variation_max_ps=np.zeros(count, np.int64),
        conservation={"sent": 0, "delivered": 0, "in_flight": 0, "dropped": {}},
        engine={"virtual_s": length / SECOND, "wall_s": 1.5, "packet_hops": 10, "packet_hops_per_s": 7.0},
        kernel_digest="k" * 64,
    )
    flows = [_fill(made, trial, index, services.get(name, Made())) for index, name in enumerate(names)]
    made.flows = np.concatenate(flows)
    _track(made)
    _ports(made)
    _balance(made)
    return made


def _fill(made: Samples, trial: Trial, index: int, wanted: Made) -> np.ndarray:
    service = list(trial.services.values())[index]
    udp = trial.transport_of(service).kind == "udp"
    payload, header = (1472, 28) if udp else (1448, 52)
    made.service_header_bytes[index] = wanted.header or header
    widths = np.diff(made.times_ps, prepend=0) / SECOND
    goodput = np.broadcast_to(np.asarray(wanted.goodput, float), widths.shape)
    packets = np.cumsum(np.rint(goodput * widths / 8 / payload).astype(np.int64))
    lost = np.cumsum(np.broadcast_to(np.asarray(wanted.lost, np.int64), widths.shape))
    series = made.service_series[:, index]
    series["delivered_bytes"] = packets * payload
    series["delivered_packets"] = series["received_packets"] = packets
    series["in_flight_packets"] = np.where(packets > 0, wanted.in_flight, 0)
    series["retransmissions"] = 0 if udp else lost
    series["sent_packets"] = packets + lost + series["in_flight_packets"]
    series["sent_bytes"] = (series["sent_packets"] - series["retransmissions"]) * payload
    _latencies(made, index, wanted)
    return _flows(made, trial, service, index, wanted)


def _latencies(made: Samples, index: int, wanted: Made) -> None:
    low, high = wanted.latency_ps
    arrived = np.diff(made.service_series["received_packets"][:, index], prepend=0)
    window = made.window_latency[:, index]
    for interval, count in enumerate(arrived):
        if count == 0:
            continue
        slowest = wanted.late.get(interval, high)
        others = int(count) - 1
        window[interval] = (low if others else slowest, slowest, low * others + slowest, count)
        made.latency_counts[index, latency_bin(low)] += others
        made.latency_counts[index, latency_bin(slowest)] += 1
    seen = window[window["count"] > 0]
    if not len(seen):
        return
    made.latency_min_ps[index], made.latency_max_ps[index] = seen["min_ps"].min(), seen["max_ps"].max()
    made.latency_sum_ps[index], made.latency_count[index] = float(seen["sum_ps"].sum()), seen["count"].sum()
    made.delay_variation_max_ps[index] = made.latency_max_ps[index] - made.latency_min_ps[index]
    if made.service_header_bytes[index] != 28:
        made.rtt_counts[index, latency_bin(2 * low)] = 100
        made.rtt_min_ps[index] = made.rtt_max_ps[index] = 2 * low
        made.rtt_sum_ps[index], made.rtt_count[index] = 200.0 * low, 100


def _flows(made: Samples, trial: Trial, service: object, index: int, wanted: Made) -> np.ndarray:
    total = int(made.service_series["delivered_bytes"][-1, index])
    size = getattr(service, "size", None)
    stated = wanted.flows or [(service.start, -1, -1 if size is None else size, 0)]
    flows = np.zeros(len(stated), layout.FLOWS)
    flows["service"], flows["dst"] = index, len(made.nodes) - 1
    flows["number"] = np.arange(len(stated))
    for row, (start, end, bytes_wanted, ideal) in zip(flows, stated, strict=True):
        row.start_ps, row.end_ps, row.size_bytes, row.ideal_ps = start, end, bytes_wanted, ideal
        row.delivered_bytes = bytes_wanted if end >= 0 else 0
    still_open = flows["end_ps"] < 0
    rest = total - int(flows["delivered_bytes"].sum())
    if still_open.any():
        flows["delivered_bytes"][np.flatnonzero(still_open)] = rest // int(still_open.sum())
    flows["delivered_bytes"][-1] += total - int(flows["delivered_bytes"].sum())
    begun = flows["start_ps"][None, :] <= made.times_ps[:, None]
    over = (flows["end_ps"] >= 0)[None, :] & (flows["end_ps"][None, :] <= made.times_ps[:, None])
    made.service_series["active_flows"][:, index] = (begun & ~over).sum(axis=1)
    return flows


def _track(made: Samples) -> None:
    """Follow the first flow of each service."""
    first = np.unique(made.flows["service"], return_index=True)[1]
    made.tracked = first.astype(np.int32)
    made.flow_series = np.zeros((len(made.times_ps), len(first)), layout.FLOW_SERIES)
    for column, flow in enumerate(first):
        made.flow_series["delivered_bytes"][:, column] = made.service_series["delivered_bytes"][
            :, made.flows["service"][flow]
        ]
        made.flow_series["cwnd_bytes"][:, column] = 1448 * 10


def _ports(made: Samples) -> None:
    """The first port carries all; the second marks and holds a queue of 3 packets throughout."""
    instants, ports = len(made.times_ps), len(made.ports)
    made.watched = np.arange(ports, dtype=np.int32)
    made.port_series = np.zeros((instants, ports), layout.PORT_SERIES)
    made.port_totals = np.zeros(ports, layout.PORT_TOTALS)
    made.drops = np.zeros((ports, len(made.reasons)), np.int64)
    made.port_totals["rate_bps"] = 100 * 10**9
    sent = made.service_series["sent_packets"].sum(axis=1)
    lost = sent - (made.service_series["received_packets"] + made.service_series["in_flight_packets"]).sum(
        axis=1
    )
    made.port_series["sent_packets"][:, 0] = sent - lost
    made.port_series["sent_bytes"][:, 0] = (sent - lost) * 1538
    made.port_series["drops"][:, 0] = lost
    made.port_series["queue_packets"][:, 1], made.port_series["queue_bytes"][:, 1] = 3, 4500
    made.port_series["marks"][:, 1] = np.arange(instants)
    made.port_totals["sent_packets"][0], made.port_totals["sent_bytes"][0] = (
        sent[-1] - lost[-1],
        (sent[-1] - lost[-1]) * 1538,
    )
    made.port_totals["queue_time_ps"][1] = 3 * int(made.times_ps[-1])
    made.port_totals["queue_bytes_max"][1], made.port_totals["queue_packets_max"][1] = 6000, 4
    made.port_totals["marks"][1] = instants - 1
    made.drops[0, 0] = lost[-1]


def _balance(made: Samples) -> None:
    last = made.service_series[-1]
    made.conservation = {
        "sent": int(last["sent_packets"].sum()),
        "delivered": int(last["received_packets"].sum()),
        "in_flight": int(last["in_flight_packets"].sum()),
        "dropped": {"DROP_TAIL": int(made.drops[0, 0])},
    }
