"""What a run will take, before it runs: packets from offered load and capacity, memory from windows."""

from __future__ import annotations

from typing import Any

import numpy as np

from netarium.compile.graph import Graph
from netarium.compile.pairs import TCP_IP_HEADERS
from netarium.compile.plan import Estimate
from netarium.run.kernel import records as r
from netarium.run.kernel.transport.features import TCP
from netarium.run.kernel.workloads.codes import BULK, BULK_SIZE, CONTROL_LOOP, LOOP_PERIOD, STREAM, STREAM_GAP

HOPS_PER_SECOND = 15_000_000
"""Packet-hops a second assumed for the estimate (measured: docs/performance.md)."""
BYTES_PER_PACKET = r.PACKET.itemsize + r.SEGMENT.itemsize + 8
BYTES_PER_FLOW = r.CONN.itemsize + r.FLOW.itemsize + (r.SEGMENT.itemsize + 8) * 64 + r.RANGE.itemsize * 8
FIXED_BYTES = 200 * 2**20
"""The interpreter with its libraries."""
BYTES_PER_SERVICE_SAMPLE, BYTES_PER_PORT_SAMPLE = 96, 48
HISTOGRAM_BYTES = 2 * 8 * 2048
"""One-way and round-trip histograms of a service."""


def estimate(
    trial: Any, graph: Graph, arrays: dict[str, np.ndarray], shares: np.ndarray, samples: int, watched: int
) -> Estimate:
    """A rough forecast; sound within a factor of a few, and said to be one.

    shares float64[pairs], bit/s: what one greedy flow of a pair may hope for. samples: how many; watched: ports with a series
    of their own.
    """
    packets, waiting = _packets(arrays, shares, trial.duration / 1e12)
    hops = int(packets * _mean_hops(graph))
    plain = sum(array.nbytes for array in arrays.values())
    series = samples * (len(trial.services) * BYTES_PER_SERVICE_SAMPLE + watched * BYTES_PER_PORT_SAMPLE)
    memory = (
        FIXED_BYTES
        + plain
        + series
        + waiting * BYTES_PER_PACKET
        + len(arrays["sources"]) * BYTES_PER_FLOW
        + len(trial.services) * HISTOGRAM_BYTES
        + sum(capture.packets for capture in trial.probes.capture) * r.CAPTURED.itemsize
    )
    return Estimate(2 * hops, hops, int(memory), hops / HOPS_PER_SECOND)


def _packets(arrays: dict[str, np.ndarray], shares: np.ndarray, seconds: float) -> tuple[float, int]:
    """(packets sent in the run, ACKs counted; packets on their way or in a window at once)."""
    if not len(shares):
        return 0.0, 16384
    sources, pairs = arrays["sources"], arrays["pairs"]
    first = sources["pair_first"]
    is_tcp = arrays["transports"]["kind"][sources["transport"]] == TCP
    active_s = np.clip((sources["stop_ps"] - sources["start_ps"]) / 1e12, 0.0, seconds)
    rtt_s = pairs["base_rtt_ps"][first] / 1e12
    payload = np.maximum(pairs["mtu_bytes"][first] - TCP_IP_HEADERS, 1)
    per_second = np.zeros(len(sources))
    stream = sources["kind"] == STREAM
    per_second[stream] = 65536e12 / np.maximum(sources["i"][stream, STREAM_GAP], 1)
    loop = sources["kind"] == CONTROL_LOOP
    per_second[loop] = 1e12 / np.maximum(sources["i"][loop, LOOP_PERIOD], 1)
    bulk = sources["kind"] == BULK
    per_second[bulk] = (shares[first] / 8.0 / payload)[bulk]
    other = ~stream & ~bulk & ~loop
    per_second[other] = (0.5 * pairs["rate_bps"][first] / 8.0 / payload)[other]
    packets = per_second * active_s
    size = sources["i"][:, BULK_SIZE]
    finite = bulk & (size >= 0)
    packets[finite] = np.minimum(packets[finite], size[finite] / payload[finite])
    waiting = float(np.sum(2.0 * per_second * rtt_s))
    return float(np.sum(packets * np.where(is_tcp, 1.5, 1.0))), int(waiting) + 16384


def _mean_hops(graph: Graph) -> float:
    """Ports on a way, roughly: a guess from the size of the network."""
    return max(2.0, min(float(graph.node_count - 1), 3.0 + np.log2(max(graph.node_count, 2)) / 2.0))
