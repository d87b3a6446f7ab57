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

from netarium.errors import Problem
from netarium.measure.measure import completion_summary, link_throughput_bps
from netarium.measure.names import DIMENSION, Metric, UnknownMetric, resolve
from netarium.measure.series import Curve, flows_of, layer3_curve, port_curve, service_curve
from netarium.units import SECOND_PS, Value, format_rate, format_size, format_time

if TYPE_CHECKING:
    from netarium.run.samples import Samples

_LIMITS = {"at_least": "at least", "at_most": "at most", "equals": "equal to"}
EXACT = 1e-9  # relative slack of a comparison, for the rounding of floating point


def expectation_problems(
    expect: Iterable[Any], services: Iterable[str], ports: Iterable[str], slices: Iterable[str]
) -> list[Problem]:
    """What is wrong with the names, units and windows of expectations; to be asked before the run."""
    services, ports, slices = list(services), list(ports), list(slices)
    problems = []
    for index, entry in enumerate(expect):
        where = f"expect[{index}]"
        if _slice_name(entry) is not None:
            if _slice_name(entry) not in slices:
                problems.append(Problem(f"{where}.slice", repr(_slice_name(entry)), _one_of_slices(slices)))
            continue
        try:
            _, _, metric = resolve(entry.metric, services, ports)
        except UnknownMetric as unknown:
            problems.append(Problem(f"{where}.metric", repr(unknown.found), unknown.expected, unknown.hint))
            continue
        problems += _unit_problems(where, entry, metric)
        problems += _window_problems(where, entry, metric)
    return problems


def _one_of_slices(slices: list[str]) -> str:
    return f"one of the slices {', '.join(slices)}" if slices else "a slice, but the trial has none"


def _unit_problems(where: str, entry: Any, metric: Metric) -> list[Problem]:
    problems = []
    for key in (*_LIMITS, "within"):
        limit = getattr(entry, key, None)
        dimension = None if limit is None else Value(limit).dimension
        if dimension in (None, DIMENSION[metric.unit]) or (key == "within" and dimension == "ratio"):
            continue
        expected = (
            f"a limit in {metric.unit}, as {entry.metric} is" if metric.unit else "a number without a unit"
        )
        problems.append(Problem(f"{where}.{key}", repr(Value(limit).text), expected))
    return problems


def _window_problems(where: str, entry: Any, metric: Metric) -> list[Problem]:
    from_ps, to_ps = _stated_window(entry)
    if from_ps is None and to_ps is None:
        return []
    if not metric.windowed:
        hint = (
            "use .min, .mean or .max with a window"
            if entry.metric.count(".latency.")
            else "leave out from and to"
        )
        return [
            Problem(where, f"a window for {entry.metric}", "the whole run: it is kept only as a total", hint)
        ]
    if from_ps is not None and to_ps is not None and to_ps <= from_ps:
        return [Problem(f"{where}.to", format_time(to_ps), f"a time after from ({format_time(from_ps)})")]
    return []


def evaluate_expectations(
    expect: Iterable[Any], samples: Samples, metrics: Mapping[str, Any], slices: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """One entry per expectation: text, met, value, limit, unit, metric (and reason where there is no value).

    metrics: a document with `services` and `links`; slices: the certificates by slice name.
    Raises UnknownMetric for a name that `expectation_problems` would have refused.
    """
    return [_evaluate(entry, samples, metrics, slices) for entry in expect]


def _evaluate(
    entry: Any, samples: Samples, metrics: Mapping[str, Any], slices: Mapping[str, Any]
) -> dict[str, Any]:
    name = _slice_name(entry)
    if name is not None:
        return _evaluate_slice(name, bool(entry.certified), slices)
    family, owner, metric = resolve(entry.metric, metrics["services"], metrics["links"])
    from_ps, to_ps = _stated_window(entry)
    text = _text(entry, metric)
    reason = ""
    if from_ps is None and to_ps is None:
        value = _from_document(metrics[family][owner], metric)
    else:
        window = _window(family, metrics[family][owner], samples, from_ps, to_ps)
        if window[1] <= window[0]:
            value, reason = None, "the window is empty: the run ended before it"
        else:
            value = _over_window(samples, family, owner, entry.metric, window)
    limits = {
        key: float(Value(getattr(entry, key))) for key in _LIMITS if getattr(entry, key, None) is not None
    }
    result = {
        "text": text,
        "met": value is not None and _holds(value, limits, getattr(entry, "within", None)),
        "value": value,
        "limit": next(iter(limits.values())) if len(limits) == 1 else list(limits.values()),
        "unit": metric.unit,
        "metric": entry.metric,
    }
    if value is None:
        result["reason"] = reason or "nothing was measured"
    return result


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


def _slice_name(entry: Any) -> str | None:
    return getattr(entry, "slice", None)


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
    family: str, entry: Mapping[str, Any], samples: Samples, from_ps: int | None, to_ps: int | None
) -> tuple[int, int]:
    end = int(samples.times_ps[-1])
    start, stop = 0, end
    if family == "services":
        start, stop = (round(second * SECOND_PS) for second in entry["active_s"])
    low = start if from_ps is None else from_ps
    if to_ps is not None:
        return low, min(to_ps, end)
    return low, stop if stop > low else end


def _over_window(
    samples: Samples, family: str, owner: str, name: str, window: tuple[int, int]
) -> float | None:
    """The value of a windowed metric, SI; None when nothing happened that it could be taken from."""
    if family == "links":
        return _link_over_window(samples, samples.ports.index(owner), name.rsplit(".", 1)[1], window)
    index, metric = samples.services.index(owner), name.split(".", 1)[1]
    seconds = (window[1] - window[0]) / SECOND_PS
    if metric == "goodput":
        return _rise(service_curve(samples, index, "delivered_bytes"), window) * 8 / seconds
    if metric == "throughput":
        return _rise(layer3_curve(samples, index), window) * 8 / seconds
    if metric in ("loss", "lost_packets"):
        return _loss_over_window(samples, index, window, as_ratio=metric == "loss")
    if metric.startswith("latency."):
        return _latency_over_window(samples, index, metric.removeprefix("latency."), window)
    if metric == "completed_flows" or metric.startswith("completion."):
        return _completions_over_window(samples, index, metric, window)
    return _rise(service_curve(samples, index, metric), window)


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
