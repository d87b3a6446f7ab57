"""One service of a record as iperf3's JSON (iperf3 --json), so that what reads that can read this.

Byte counts, rates, retransmissions and losses are the record's. What a run does not know (sockets, processor shares,
windows) is left out, not filled with zeros.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from netarium.errors import RecordError, did_you_mean, one_of

if TYPE_CHECKING:
    from netarium.show.record import Record

INTERVAL_S = 1.0
"""iperf3's own interval."""


def document(record: Record, service: str) -> dict[str, Any]:
    """The service's run from its start to its stop in intervals of a second. Raises RecordError when there is none."""
    if service not in record.services:
        hint = did_you_mean(service, record.services)
        raise RecordError(
            f"found service {service!r}, expected {one_of(record.services)}{'; ' + hint if hint else ''}"
        )
    grid = record.series_services
    if grid is None or service not in grid.names:
        raise RecordError(f"{record.run} has no series of {service}")
    metrics = record.services[service]
    start, stop = metrics["active_s"]
    udp = _is_udp(record, service)
    return {
        "start": _start(record, service, metrics, udp),
        "intervals": [
            {"sum": _row(grid, service, low, high, start, udp)} for low, high in _intervals(start, stop)
        ],
        "end": _end(grid, service, metrics, start, stop, udp),
    }


def _is_udp(record: Record, service: str) -> bool:
    described = (record.expanded.get("services") or {}).get(service) or {}
    transport = described.get("transport") or {}
    if isinstance(transport, dict) and transport.get("kind"):
        return bool(transport["kind"] == "udp")
    return described.get("kind") == "stream" or described.get("protocol") == "udp"


def _start(record: Record, service: str, metrics: dict[str, Any], udp: bool) -> dict[str, Any]:
    start, stop = metrics["active_s"]
    return {
        "version": f"netarium {record.start.get('versions', {}).get('netarium', '')}".strip(),
        "timestamp": {"time": str(record.start.get("started", ""))},
        "test_start": {
            "protocol": "UDP" if udp else "TCP",
            "num_streams": metrics["flows"],
            "duration": stop - start,
            "omit": 0,
            "reverse": 0,
        },
        "title": f"{record.trial}/{record.run}/{service}",
    }


def _intervals(start: float, stop: float) -> list[tuple[float, float]]:
    count = max(1, int(np.ceil((stop - start) / INTERVAL_S - 1e-9)))
    edges = [start + INTERVAL_S * index for index in range(count)] + [stop]
    return list(zip(edges, edges[1:], strict=False))


def _rise(grid: Any, service: str, column: str, low: float, high: float) -> float:
    """How much a cumulative column rose between two instants; linear between samples, 0 before the first."""
    values = grid[column][:, grid.index(service)]
    times, values = np.concatenate([[0.0], grid.times]), np.concatenate([[0.0], values])
    return float(np.interp(high, times, values) - np.interp(low, times, values))


def _span(low: float, high: float, start: float, bytes_: float) -> dict[str, Any]:
    seconds = high - low
    return {
        "start": low - start,
        "end": high - start,
        "seconds": seconds,
        "bytes": round(bytes_),
        "bits_per_second": 8 * bytes_ / seconds if seconds else 0.0,
    }


def _row(grid: Any, service: str, low: float, high: float, start: float, udp: bool) -> dict[str, Any]:
    row = _span(low, high, start, _rise(grid, service, "delivered_bytes", low, high))
    if not udp:
        row["retransmits"] = round(_rise(grid, service, "retransmissions", low, high))
    return {**row, "omitted": False, "sender": False}


def _end(
    grid: Any, service: str, metrics: dict[str, Any], start: float, stop: float, udp: bool
) -> dict[str, Any]:
    sent = _span(start, stop, start, float(metrics["sent_bytes"]))
    received = _span(start, stop, start, _rise(grid, service, "delivered_bytes", start, stop))
    if udp:
        lost = {
            "packets": metrics["sent_packets"],
            "lost_packets": metrics["lost_packets"],
            "lost_percent": 100 * (metrics["loss"] or 0.0),
        }
        sent, received = {**sent, **lost}, {**received, **lost}
    else:
        sent["retransmits"] = metrics["retransmissions"]
    end: dict[str, Any] = {
        "sum_sent": {**sent, "sender": True},
        "sum_received": {**received, "sender": False},
    }
    if udp:
        end["sum"] = {**received, "sender": False}
    rtt = metrics.get("rtt_s") or {}
    if rtt.get("mean"):
        times = {f"{word}_rtt": round(1e6 * rtt[word]) for word in ("min", "mean", "max") if rtt.get(word)}
        end["streams"] = [{"sender": {**end["sum_sent"], **times}, "receiver": end["sum_received"]}]
    return end
