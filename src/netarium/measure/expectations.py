"""Expectations: each entry of `expect:` evaluated to met or not met, with the value that decided it.

A window runs from `from` (default: when the service becomes active) to `to` (default: when it stops being
active, or the end of the run where `from` is later than that). Cumulative counts are interpolated at its
ends.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from netarium.measure.measure import completion_summary, link_throughput_bps
from netarium.measure.names import Metric, resolve
from netarium.measure.series import Curve, flows_of, layer3_curve, port_curve, service_curve
from netarium.units import SECOND_PS, Value, format_rate, format_size, format_time

if TYPE_CHECKING:
    from netarium.run.samples import Samples

_LIMITS = {"at_least": "at least", "at_most": "at most", "equals": "equal to"}
EXACT = 1e-9  # relative slack of a comparison, for the rounding of floating point


def evaluate_expectations(
    expect: Iterable[Any], samples: Samples, metrics: Mapping[str, Any], slices: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """One entry per expectation: text, met, value, limit, unit, metric (and reason where there is no value).

    metrics: a document with `services` and `links`; slices: the certificates by slice name.
    Raises UnknownMetric (with the nearest name), and ValueError for a window of a metric that has none; a
    checked trial has neither.
    """
    return [_evaluate(entry, samples, metrics, slices) for entry in expect]


def _evaluate(
    entry: Any, samples: Samples, metrics: Mapping[str, Any], slices: Mapping[str, Any]
) -> dict[str, Any]:
    if getattr(entry, "slice", None) is not None:
        return _evaluate_slice(entry.slice, bool(entry.certified), slices)
    metric = resolve(entry.metric, metrics["services"], metrics["links"])
    value, reason = value_of(metric, _stated_window(entry), samples, metrics[metric.family][metric.owner])
    limits = {key: float(getattr(entry, key)) for key in _LIMITS if getattr(entry, key, None) is not None}
    result = {
        "text": _text(entry, metric),
        "met": value is not None and _holds(value, limits, getattr(entry, "within", None)),
        "value": value,
        "limit": next(iter(limits.values())) if len(limits) == 1 else list(limits.values()),
        "unit": metric.unit,
        "metric": entry.metric,
    }
    return result if value is not None else {**result, "reason": reason}


def value_of(
    metric: Metric, stated: tuple[int | None, int | None], samples: Samples, entry: Mapping[str, Any]
) -> tuple[float | None, str]:
    """(the value in SI units or None, the reason why there is none).

    stated: the window in ps, None for an end that is not stated; entry: the metric's owner in the document.
    Raises ValueError for a window of a metric that has none.
    """
    nothing = "nothing was measured"
    if stated == (None, None):
        return _from_document(entry, metric), nothing
    if not metric.windowed:
        raise ValueError(f"{metric.owner}.{metric.word} is kept for the whole run only, not for a window")
    window = _window(metric, entry, samples, stated)
    if window[1] <= window[0]:
        return None, "the window is empty: the run ended before it"
    return _over_window(samples, metric, window), nothing


def _evaluate_slice(name: str, wanted: bool, slices: Mapping[str, Any]) -> dict[str, Any]:
    certificate = slices[name]
    certified = certificate.get("certified")
    result = {
        "text": f"slice {name} {'certified' if wanted else 'not certified'}",
        "met": (certified is True) == wanted,
        "value": certified,
        "limit": wanted,
        "unit": "",
        "metric": f"slices.{name}.certified",
    }
    if not result["met"]:
        result["reason"] = "; ".join(certificate.get("reasons", []))
    return result


def _stated_window(entry: Any) -> tuple[int | None, int | None]:
    return getattr(entry, "from_", None), getattr(entry, "to", None)


def _holds(value: float, limits: Mapping[str, float], within: Any) -> bool:
    slack = EXACT * max(abs(value), *(abs(limit) for limit in limits.values())) if limits else 0.0
    if "at_least" in limits and value < limits["at_least"] - slack:
        return False
    if "at_most" in limits and value > limits["at_most"] + slack:
        return False
    return (
        "equals" not in limits
        or abs(value - limits["equals"]) <= _allowance(limits["equals"], within) + slack
    )


def _allowance(equals: float, within: Any) -> float:
    """`within: 5 %` is relative to the value expected; a quantity or a bare number is absolute."""
    if within is None:
        return 0.0
    width = Value(within)
    return abs(equals) * float(width) if width.dimension == "ratio" else float(width)


def _text(entry: Any, metric: Metric) -> str:
    from_ps, to_ps = _stated_window(entry)
    words = [entry.metric]
    words += [f"from {format_time(from_ps)}"] if from_ps is not None else []
    words += [f"to {format_time(to_ps)}"] if to_ps is not None else []
    for key, phrase in (*_LIMITS.items(), ("within", "within")):
        limit = getattr(entry, key, None)
        if limit is not None:
            written = Value(limit)
            words.append(f"{phrase} {written.text if written.dimension else in_words(written, metric.unit)}")
    return " ".join(words)


def in_words(value: float, unit: str) -> str:
    """A value in SI units as short text: "48 Gbit/s", "10 ms", "0.1 %"."""
    if unit == "bit/s":
        return format_rate(value)
    if unit == "s":
        return format_time(value * SECOND_PS)
    if unit == "B":
        return format_size(value)
    if unit == "ratio":
        return f"{value * 100:.4g} %"
    return f"{value:g}"


def _from_document(entry: Mapping[str, Any], metric: Metric) -> float | None:
    value: Any = entry
    for key in metric.path:
        value = value.get(key) if isinstance(value, Mapping) else None
    if isinstance(value, Mapping):  # drops by reason
        value = sum(value.values())
    return None if value is None or math.isnan(value) else value


def _window(
    metric: Metric, entry: Mapping[str, Any], samples: Samples, stated: tuple[int | None, int | None]
) -> tuple[int, int]:
    """(from, to) in ps, with what was not stated filled in; empty when the run ended before it."""
    from_ps, to_ps = stated
    end = int(samples.times_ps[-1])
    start, stop = 0, end
    if metric.family == "services":
        start, stop = (round(second * SECOND_PS) for second in entry["active_s"])
    low = start if from_ps is None else from_ps
    if to_ps is not None:
        return low, min(to_ps, end)
    return low, stop if stop > low else end


def _over_window(samples: Samples, metric: Metric, window: tuple[int, int]) -> float | None:
    """The value of a windowed metric, SI; None when nothing happened that it could be taken from."""
    if metric.family == "links":
        return _link_over_window(samples, samples.ports.index(metric.owner), metric.word, window)
    index, word = samples.services.index(metric.owner), metric.word
    seconds = (window[1] - window[0]) / SECOND_PS
    if word == "goodput":
        return _rise(service_curve(samples, index, "delivered_bytes"), window) * 8 / seconds
    if word == "throughput":
        return _rise(layer3_curve(samples, index), window) * 8 / seconds
    if word in ("loss", "lost_packets"):
        return _loss_over_window(samples, index, window, as_ratio=word == "loss")
    if word.startswith("latency."):
        return _latency_over_window(samples, index, word.removeprefix("latency."), window)
    if word == "completed_flows" or word.startswith("completion."):
        return _completions_over_window(samples, index, word, window)
    return _rise(service_curve(samples, index, word), window)


def _rise(curve: Curve, window: tuple[int, int]) -> float:
    return float(curve.rise(*window))


def _link_over_window(samples: Samples, port: int, metric: str, window: tuple[int, int]) -> float | None:
    if metric in ("utilisation", "throughput"):
        throughput = link_throughput_bps(samples, port, *window)
        rate = int(samples.port_totals["rate_bps"][port])
        if metric == "throughput":
            return throughput
        return throughput / rate if rate else None
    return _rise(port_curve(samples, port, metric), window)


def _loss_over_window(samples: Samples, index: int, window: tuple[int, int], as_ratio: bool) -> float | None:
    """Packets whose fate was decided in the window, and the share of them that was lost."""
    series = samples.service_series[:, index]
    times = np.concatenate([[0], samples.times_ps])
    decided = np.concatenate([[0], series["sent_packets"] - series["in_flight_packets"]]).astype(np.float64)
    received = np.concatenate([[0], series["received_packets"]]).astype(np.float64)
    total = float(Curve(times, decided).rise(*window))
    lost = max(0.0, total - float(Curve(times, received).rise(*window)))
    if not as_ratio:
        return lost
    return lost / total if total > 0 else None


def _latency_over_window(samples: Samples, index: int, word: str, window: tuple[int, int]) -> float | None:
    """min, max or mean of the packets that arrived in the sample intervals that the window touches."""
    touched = (samples.starts_ps() < window[1]) & (samples.times_ps > window[0])
    rows = samples.window_latency[touched, index]
    rows = rows[rows["count"] > 0]
    if not len(rows):
        return None
    if word == "mean":
        return float(rows["sum_ps"].sum() / rows["count"].sum()) / SECOND_PS
    return float(rows["min_ps"].min() if word == "min" else rows["max_ps"].max()) / SECOND_PS


def _completions_over_window(
    samples: Samples, index: int, metric: str, window: tuple[int, int]
) -> float | None:
    """Flows that finished in the window (after its start, not after its end)."""
    flows = flows_of(samples, index)
    done = flows[(flows["end_ps"] > window[0]) & (flows["end_ps"] <= window[1])]
    if metric == "completed_flows":
        return len(done)
    seconds = np.sort((done["end_ps"] - done["start_ps"]) / SECOND_PS)
    return completion_summary(seconds).get(metric.removeprefix("completion."))
