"""Metrics: what the samples of a run mean, by service and by link, in SI units with the unit in the name.

Every metric is defined in docs/metrics.md. What was not measured is None or left out, never 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from netarium.measure import histogram, intervals
from netarium.measure.series import (
    active_interval_ps,
    flows_by_service,
    layer3_curve,
    port_curve,
    service_curve,
)
from netarium.units import SECOND_PS

if TYPE_CHECKING:
    from netarium.describe.trial import Trial
    from netarium.run.samples import Samples

COMPLETION_PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
SLOWDOWN_PERCENTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
SIZE_BINS = 10


def measure_services(samples: Samples, trial: Trial) -> dict[str, dict[str, Any]]:
    """The metrics of every service, by name."""
    return {
        name: _service_metrics(samples, trial.services[name], index, flows)
        for index, (name, flows) in enumerate(zip(samples.services, flows_by_service(samples), strict=True))
    }


def _service_metrics(samples: Samples, service_model: Any, index: int, flows: np.ndarray) -> dict[str, Any]:
    start_ps, stop_ps = active_interval_ps(samples, service_model, index, flows)
    last = samples.service_series[-1, index]
    return {
        "kind": samples.service_kind[index],
        "flows": len(flows),
        "active_s": [start_ps / SECOND_PS, stop_ps / SECOND_PS],
        **_rates(samples, index, flows, start_ps, stop_ps),
        "delivered_bytes": int(last["delivered_bytes"]),
        "sent_bytes": int(last["sent_bytes"]),
        "latency_s": histogram.summary_s(samples, "latency", index),
        "latency_s_mean_ci95": _latency_interval(samples, index),
        "rtt_s": histogram.summary_s(samples, "rtt", index),
        "delay_variation_s": _delay_variation(samples, index),
        **_losses(last, samples.messages[index]),
        **_deadlines(samples.messages[index], service_model),
        "timeouts": int(flows["timeouts"].sum()),
        **_completions(flows),
        "jain": _jain(flows, stop_ps),
    }


def _rates(samples: Samples, index: int, flows: np.ndarray, start_ps: int, stop_ps: int) -> dict[str, Any]:
    if stop_ps <= start_ps:
        return {"goodput_bps": 0.0, "goodput_bps_ci95": None, "throughput_bps": 0.0}
    curve = service_curve(samples, index, "delivered_bytes", flows)
    seconds = (stop_ps - start_ps) / SECOND_PS
    inside = samples.times_ps[(samples.times_ps > start_ps) & (samples.times_ps < stop_ps)]
    edges = np.concatenate([[start_ps], inside, [stop_ps]])
    rates = np.diff(curve.at(edges)) * 8 * SECOND_PS / np.diff(edges)
    return {
        "goodput_bps": float(curve.rise(start_ps, stop_ps)) * 8 / seconds,
        "goodput_bps_ci95": _as_list(intervals.batch_means(rates.tolist())),
        "throughput_bps": float(layer3_curve(samples, index, flows).rise(start_ps, stop_ps)) * 8 / seconds,
    }


def _as_list(interval: tuple[float, float] | None) -> list[float] | None:
    return None if interval is None else list(interval)


def _latency_interval(samples: Samples, index: int) -> list[float] | None:
    """95 % interval of the mean latency, from the means of the intervals in which packets arrived."""
    windows = samples.window_latency[:, index]
    windows = windows[windows["count"] > 0]
    return _as_list(intervals.batch_means((windows["sum_ps"] / windows["count"] / SECOND_PS).tolist()))


def _delay_variation(samples: Samples, index: int) -> float | None:
    return float(samples.delay_variation_max_ps[index]) / SECOND_PS if samples.latency_count[index] else None


def _deadlines(messages: np.void, service_model: Any) -> dict[str, Any]:
    """Of a control loop: messages judged, misses with their exact interval, most in a row. Else empty."""
    judged, misses = int(messages["judged"]), int(messages["misses"])
    if not judged:
        return {"deadline": {}}
    return {
        "deadline": {
            "deadline_s": service_model.deadline_ps / SECOND_PS,
            "messages": judged,
            "misses": misses,
            "miss_ratio": misses / judged,
            "miss_ratio_ci95": list(intervals.clopper_pearson(misses, judged)),
            "longest_run": int(messages["longest_run"]),
        }
    }


def _losses(last: np.void, messages: np.void) -> dict[str, Any]:
    """Packet counts; loss = 1 - received / sent over packets whose fate is known: not those in flight.

    Where every packet goes by several paths, it is lost when none of its copies comes.
    """
    sent, in_flight = int(last["sent_packets"]), int(last["in_flight_packets"])
    decided = sent - in_flight
    lost = decided - int(last["received_packets"])
    extra: dict[str, Any] = {}
    if messages["paths"]:
        decided = int(messages["sent"]) - int(messages["undecided"])
        extra["replication"] = {
            "paths": int(messages["paths"]),
            "sent": int(messages["sent"]),
            "copies_lost": lost,
            "eliminated": int(last["received_packets"]) - int(last["delivered_packets"]),
        }
        lost = max(0, decided - int(last["delivered_packets"]))
    return extra | {
        "loss": lost / decided if decided else None,
        "loss_ci95": list(intervals.clopper_pearson(lost, decided)) if decided else None,
        "sent_packets": sent,
        "delivered_packets": int(last["delivered_packets"]),
        "received_packets": int(last["received_packets"]),
        "in_flight_packets": in_flight,
        "lost_packets": lost,
        "retransmissions": int(last["retransmissions"]),
    }


def nearest_rank(values: np.ndarray, quantile: float) -> float:
    """The smallest of `values` (sorted) that at least quantile·n of them do not exceed."""
    return float(values[max(0, int(np.ceil(quantile * len(values) - 1e-9)) - 1)])


def _completions(flows: np.ndarray) -> dict[str, Any]:
    done = flows[flows["end_ps"] >= 0]
    seconds = np.sort((done["end_ps"] - done["start_ps"]) / SECOND_PS)
    return {
        "completed_flows": len(done),
        "completion_s": completion_summary(seconds),
        "slowdown": _slowdown(done),
        "slowdown_by_size": slowdown_by_size(done),
    }


def completion_summary(seconds: np.ndarray) -> dict[str, float]:
    """min, p50, p90, p95, p99, max and mean of sorted completion times (s); empty without one."""
    if not len(seconds):
        return {}
    figures = {name: nearest_rank(seconds, q) for name, q in COMPLETION_PERCENTILES.items()}
    return {"min": float(seconds[0]), **figures, "max": float(seconds[-1]), "mean": float(seconds.mean())}


def slowdowns(flows: np.ndarray) -> np.ndarray:
    """float64[n]: completion time over the time alone on the empty path; NaN where either is not known."""
    known = (flows["end_ps"] >= 0) & (flows["ideal_ps"] > 0)
    ratios = np.full(len(flows), np.nan)
    ratios[known] = (flows["end_ps"] - flows["start_ps"])[known] / flows["ideal_ps"][known]
    return ratios


def _slowdown(done: np.ndarray) -> dict[str, float]:
    ratios = slowdowns(done)
    ratios = np.sort(ratios[~np.isnan(ratios)])
    return {name: nearest_rank(ratios, q) for name, q in SLOWDOWN_PERCENTILES.items()} if len(ratios) else {}


def slowdown_by_size(flows: np.ndarray, bins: int = SIZE_BINS) -> list[dict[str, Any]]:
    """Slowdown percentiles by flow size, in bins of equally many flows (within one).

    Empty with fewer than two flows a bin, or when all sizes are equal. Each row: size_bytes_min,
    size_bytes_max, flows, p50, p95, p99. Unfinished flows have no slowdown and do not count.
    """
    ratios = slowdowns(flows)
    known = ~np.isnan(ratios)
    sizes, ratios = flows["delivered_bytes"][known], ratios[known]
    if len(sizes) < 2 * bins or sizes.min() == sizes.max():
        return []
    order = np.argsort(sizes, kind="stable")
    rows = []
    for chosen in np.array_split(order, bins):
        ranked = np.sort(ratios[chosen])
        row: dict[str, Any] = {
            "size_bytes_min": int(sizes[chosen[0]]),
            "size_bytes_max": int(sizes[chosen[-1]]),
            "flows": len(chosen),
        }
        rows.append(row | {name: nearest_rank(ranked, q) for name, q in SLOWDOWN_PERCENTILES.items()})
    return rows


def _jain(flows: np.ndarray, stop_ps: int) -> float | None:
    """Fairness over the goodputs of the flows, each over its own life. Jain, Chiu, Hawe 1984, equation 1."""
    ends = np.where(flows["end_ps"] >= 0, flows["end_ps"], stop_ps)
    lives = ends - flows["start_ps"]
    goodputs = flows["delivered_bytes"][lives > 0] / lives[lives > 0]
    squares = float((goodputs**2).sum())
    return float(goodputs.sum()) ** 2 / (len(goodputs) * squares) if squares > 0 else None


def measure_links(samples: Samples) -> dict[str, dict[str, Any]]:
    """The metrics of every port, by name "a->b"."""
    widths_ps = np.diff(np.concatenate([[0], samples.times_ps])).astype(np.float64)
    return {name: _port_metrics(samples, index, widths_ps) for index, name in enumerate(samples.ports)}


def _port_metrics(samples: Samples, index: int, widths_ps: np.ndarray) -> dict[str, Any]:
    end_ps = int(samples.times_ps[-1])
    total = samples.port_totals[index]
    sent_packets, rate = int(total["sent_packets"]), int(total["rate_bps"])
    throughput = int(total["sent_bytes"]) * 8 * SECOND_PS / end_ps
    drops = {reason: int(n) for reason, n in zip(samples.reasons, samples.drops[index], strict=True) if n}
    return {
        "rate_bps": rate,
        "utilisation": throughput / rate if rate else None,
        "throughput_bps": throughput,
        "sent_packets": sent_packets,
        "sent_bytes": int(total["sent_bytes"]),
        "queue_bytes_max": int(total["queue_bytes_max"]),
        "queue_bytes_mean": _time_mean(samples, index, "queue_bytes", widths_ps),
        "queue_packets_max": int(total["queue_packets_max"]),
        "queue_packets_mean": int(total["queue_time_ps"]) / end_ps,
        "queue_wait_s_mean": int(total["queue_time_ps"]) / sent_packets / SECOND_PS if sent_packets else None,
        "drops": drops,
        "marks": int(total["marks"]),
    }


def _time_mean(samples: Samples, port: int, key: str, widths_ps: np.ndarray) -> float | None:
    """Mean over the sample instants, each weighed by its interval; None for a port without a series."""
    column = samples.watched_column(port)
    if column is None:
        return None
    return float((samples.port_series[key][:, column] * widths_ps).sum() / widths_ps.sum())


def link_throughput_bps(samples: Samples, port: int, from_ps: int, to_ps: int) -> float:
    """Bits on the wire of one port per second of a window, frame overhead included."""
    return (
        float(port_curve(samples, port, "sent_bytes").rise(from_ps, to_ps))
        * 8
        * SECOND_PS
        / (to_ps - from_ps)
    )
