"""The metrics an expectation can name: their unit, and whether they exist for a window (`from`, `to`).

`SERVICE.METRIC` or `links.PORT.METRIC`, for example `guaranteed.goodput`, `x.latency.p99`,
`links.a->b.utilisation`. docs/metrics.md defines each.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from netarium.errors import did_you_mean, one_of

# unit of the value -> the dimension (units.DIMENSIONS) that a limit written with a unit must have
DIMENSION = {"bit/s": "rate", "s": "time", "B": "size", "ratio": "ratio", "": None}


@dataclass(frozen=True)
class Metric:
    """One metric: where it is in the metrics document (`path`), its unit, and whether it has windows."""

    path: tuple[str, ...]
    unit: str
    windowed: bool


def _statistics(name: str, key: str, words: Iterable[str], windowed: Iterable[str], unit: str = "s"):
    return {f"{name}.{word}": Metric((key, word), unit, word in set(windowed)) for word in words}


_DISTRIBUTION = ("min", "p50", "p90", "p99", "p999", "max", "mean")
_COMPLETION = ("min", "p50", "p90", "p95", "p99", "max", "mean")

SERVICE_METRICS: dict[str, Metric] = {
    "goodput": Metric(("goodput_bps",), "bit/s", True),
    "throughput": Metric(("throughput_bps",), "bit/s", True),
    **_statistics("latency", "latency_s", _DISTRIBUTION, ("min", "max", "mean")),
    **_statistics("rtt", "rtt_s", _DISTRIBUTION, ()),
    "delay_variation": Metric(("delay_variation_s",), "s", False),
    "loss": Metric(("loss",), "ratio", True),
    "delivered_bytes": Metric(("delivered_bytes",), "B", True),
    "sent_bytes": Metric(("sent_bytes",), "B", True),
    **{
        key: Metric((key,), "", True)
        for key in (
            "sent_packets",
            "delivered_packets",
            "received_packets",
            "lost_packets",
            "retransmissions",
        )
    },
    "timeouts": Metric(("timeouts",), "", False),
    "flows": Metric(("flows",), "", False),
    "completed_flows": Metric(("completed_flows",), "", True),
    **_statistics("completion", "completion_s", _COMPLETION, _COMPLETION),
    **_statistics("slowdown", "slowdown", ("p50", "p95", "p99"), (), ""),
    "jain": Metric(("jain",), "ratio", False),
}

LINK_METRICS: dict[str, Metric] = {
    "utilisation": Metric(("utilisation",), "ratio", True),
    "throughput": Metric(("throughput_bps",), "bit/s", True),
    "queue_bytes_max": Metric(("queue_bytes_max",), "B", False),
    "queue_bytes_mean": Metric(("queue_bytes_mean",), "B", False),
    "queue_packets_max": Metric(("queue_packets_max",), "", False),
    "queue_packets_mean": Metric(("queue_packets_mean",), "", False),
    "queue_wait_mean": Metric(("queue_wait_s_mean",), "s", False),
    "sent_packets": Metric(("sent_packets",), "", True),
    "drops": Metric(("drops",), "", True),
    "marks": Metric(("marks",), "", True),
}


class UnknownMetric(ValueError):
    """A metric name that names nothing; `found`, `expected` and `hint` make the sentence."""

    def __init__(self, found: str, expected: str, hint: str = "") -> None:
        self.found, self.expected, self.hint = found, expected, hint
        super().__init__(f"found {found!r}, expected {expected}" + (f"; {hint}" if hint else ""))


def resolve(name: str, services: Iterable[str], ports: Iterable[str]) -> tuple[str, str, Metric]:
    """(`services` or `links`, name of service or port, the metric). Raises UnknownMetric with the nearest."""
    services, ports = list(services), list(ports)
    if name.startswith("links."):
        owner, _, metric = name.removeprefix("links.").partition(".")
        family, owners, metrics, prefix = "links", ports, LINK_METRICS, "links."
        wanted = 'a port, such as "links.a->b.utilisation"'
    else:
        owner, _, metric = name.partition(".")
        family, owners, metrics, prefix = "services", services, SERVICE_METRICS, ""
        wanted = f"a service and a metric; services: {one_of(services) if services else 'none'}"
    if owner not in owners:
        near = did_you_mean(name, (f"{prefix}{o}.{metric}" for o in owners))
        raise UnknownMetric(name, wanted, near or (f"ports: {one_of(ports)}" if family == "links" else ""))
    if metric not in metrics:
        near = did_you_mean(metric, metrics) or _nearest_by_part(metric, metrics)
        raise UnknownMetric(name, f"a metric of {prefix}{owner}: {one_of(metrics, limit=60)}", near)
    return family, owner, metrics[metric]


def _nearest_by_part(metric: str, metrics: Iterable[str]) -> str:
    """`latency` alone, or `latency.p95`: the metrics that start with the same word."""
    word = metric.split(".")[0].split("_")[0]
    found = [m for m in metrics if m.split(".")[0].startswith(word)] if word else []
    return f"the nearest are {', '.join(found)}" if found else ""
