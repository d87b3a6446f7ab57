"""What a run will take, before it runs: packets from offered load and capacity, memory from windows."""

from __future__ import annotations

from typing import Any

import numpy as np

from netarium.compile.graph import Graph
from netarium.compile.plan import Estimate
from netarium.run.kernel import records as r
from netarium.run.kernel.transport.features import TCP
from netarium.run.kernel.workloads.codes import BULK, STREAM, STREAM_GAP

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
    trial: Any, graph: Graph, arrays: dict[str, np.ndarray], samples: int, watched: int
) -> Estimate:
    """A rough forecast; sound within a factor of a few, and said to be one.

    samples: how many; watched: ports with a series of their own.
    """
    seconds = trial.duration / 1e12
    packets, window_packets = _packets(trial, arrays, seconds)
    hops = int(packets * _mean_hops(graph))
    plain = sum(array.nbytes for array in arrays.values())
    series = samples * (len(trial.services) * BYTES_PER_SERVICE_SAMPLE + watched * BYTES_PER_PORT_SAMPLE)
    memory = (
        FIXED_BYTES
        + plain
        + series
        + window_packets * BYTES_PER_PACKET
        + len(arrays["sources"]) * BYTES_PER_FLOW
        + len(trial.services) * HISTOGRAM_BYTES
        + sum(capture.packets for capture in trial.probes.capture) * r.CAPTURED.itemsize
    )
    return Estimate(2 * hops, hops, int(memory), hops / HOPS_PER_SECOND)


def _packets(trial: Any, arrays: dict[str, np.ndarray], seconds: float) -> tuple[float, int]:
    """(packets sent in the run, ACKs counted; packets on their way or in a window at once)."""
    sources, pairs = arrays["sources"], arrays["pairs"]
    packets, windows = 0.0, 0.0
    shares: dict[tuple[int, int], int] = {}
    for source in sources:
        if source.kind == BULK:
            pair = pairs[source.pair_first]
            shares[(pair.src, pair.dst)] = shares.get((pair.src, pair.dst), 0) + 1
    for source in sources:
        pair = pairs[source.pair_first]
        is_tcp = arrays["transports"][source.transport].kind == TCP
        if source.kind == STREAM:
            gap_s = max(source.i[STREAM_GAP], 1) / 65536e12
            active = max(0.0, (source.stop_ps - source.start_ps) / 1e12)
            packets += active / gap_s * (1.5 if is_tcp else 1.0)
            windows += pair.base_rtt_ps / 1e12 / gap_s
        elif source.kind == BULK and pair.rate_bps > 0:
            payload = max(int(pair.mss_bytes), 1)
            share = pair.rate_bps / shares[(pair.src, pair.dst)]
            active = max(0.0, (source.stop_ps - source.start_ps) / 1e12)
            most = share / 8.0 / payload * active
            size = int(source.i[0])
            packets += 1.5 * (most if size < 0 else min(most, size / payload))
            windows += 2.0 * share / 8.0 / payload * pair.base_rtt_ps / 1e12
        else:
            packets += 1.5 * pair.rate_bps / 8.0 / 1000.0 * seconds * 0.3
    return packets, int(windows) + 16384


def _mean_hops(graph: Graph) -> float:
    """Ports on a way, roughly: a guess from the size of the network."""
    return max(2.0, min(float(graph.node_count - 1), 3.0 + np.log2(max(graph.node_count, 2)) / 2.0))
