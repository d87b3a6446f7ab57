"""From the name of a metric (netarium.catalog) to its place and unit in the metrics document.

`SERVICE.METRIC` or `links.PORT.METRIC`, for example `guaranteed.goodput`, `x.latency.p99`,
`links.a->b.utilisation`. docs/metrics.md defines each.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from netarium.catalog import PORT_METRICS, SERVICE_METRICS
from netarium.catalog import Metric as Entry
from netarium.errors import did_you_mean, one_of, sentence

LINKS = "links."
UNITS = {"rate": "bit/s", "time": "s", "size": "B", "ratio": "ratio", None: ""}
# where the key in the document is not the word itself: it carries the unit
KEYS = {
    "goodput": "goodput_bps",
    "throughput": "throughput_bps",
    "latency": "latency_s",
    "rtt": "rtt_s",
    "delay_variation": "delay_variation_s",
    "completion": "completion_s",
    "run_time": "run_time_s",
    "queue_wait_mean": "queue_wait_s_mean",
}


@dataclass(frozen=True)
class Metric:
    """A named metric: family (`services` or `links`), the service or port, the word, and its unit (SI)."""

    family: str
    owner: str
    word: str
    unit: str
    windowed: bool

    @functools.cached_property
    def path(self) -> tuple[str, ...]:
        """Keys that lead from the entry of the service or port to the value."""
        head, *rest = self.word.split(".")
        return (KEYS.get(head, head), *rest)


class UnknownMetric(ValueError):
    """A metric name that names nothing; the message has the nearest that does."""

    def __init__(self, name: str, expected: str, hint: str = "") -> None:
        self.name, self.expected, self.hint = name, expected, hint
        super().__init__(f"metric {sentence(repr(name), expected, hint)}")

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.name, self.expected, self.hint))


def resolve(name: str, services: Iterable[str], ports: Iterable[str]) -> Metric:
    """The metric that `name` names. Raises UnknownMetric with the nearest valid name."""
    if name.startswith(LINKS):
        owner, _, word = name.removeprefix(LINKS).rpartition(".")  # a port's name may hold points
        return _resolve(name, "links", owner, word, list(ports), PORT_METRICS, LINKS)
    owner, _, word = name.partition(".")
    return _resolve(name, "services", owner, word, list(services), SERVICE_METRICS, "")


def _resolve(
    name: str, family: str, owner: str, word: str, owners: list[str], table: Mapping[str, Entry], prefix: str
) -> Metric:
    if owner not in owners:
        known = one_of(owners) if owners else "none"
        near = did_you_mean(name, (f"{prefix}{candidate}.{word}" for candidate in owners))
        raise UnknownMetric(name, f"SERVICE.METRIC or links.PORT.METRIC; {family}: {known}", near)
    if word not in table:
        near = _statistics_of(word, table) or did_you_mean(word, table)
        raise UnknownMetric(name, f"a metric of {prefix}{owner}: {one_of(table, limit=len(table))}", near)
    entry = table[word]
    return Metric(family, owner, word, UNITS[entry.dimension], entry.windowed)


def _statistics_of(word: str, table: Iterable[str]) -> str:
    """`latency` alone, or `latency.p95`: the statistics that there are of it."""
    near = [name for name in table if name.startswith(f"{word.split('.')[0]}.")]
    return f"there are {', '.join(near)}" if near else ""
