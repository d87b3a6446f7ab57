"""Kept metrics: the figures of a run that become columns of a campaign's results, in SI units."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from netarium.catalog import PORT_METRICS, SERVICE_METRICS
from netarium.measure.expectations import value_of
from netarium.measure.names import LINKS, UNITS, Metric, resolve

if TYPE_CHECKING:
    from netarium.run.samples import Samples


WHOLE = (None, None)
"""The window of a metric over the whole run."""


@dataclass(frozen=True)
class Kept:
    """One column: its name, the metric, and the window (from, to) in ps."""

    column: str
    metric: Metric
    window: tuple[int | None, int | None]


def kept(windows: Iterable[Any], services: Sequence[str], ports: Sequence[str]) -> tuple[Kept, ...]:
    """The columns that `windows` (describe.campaign.Window) ask for in a trial with these services and ports.

    A pattern means what it matches, of links only when it begins with `links.`. What a trial does not have is
    left out: campaigns over several trials keep of each what there is.
    """
    columns: dict[str, Kept] = {}
    for window in windows:
        stated = (window.from_, window.to)
        names = _matching(window.metric, services, ports)
        for name in names:
            column = window.column if stated != WHOLE or window.name else name
            columns.setdefault(column, Kept(column, resolve(name, services, ports), stated))
    return tuple(columns.values())


def _matching(pattern: str, services: Sequence[str], ports: Sequence[str]) -> list[str]:
    of_links = pattern.startswith(LINKS)
    owners, table, prefix = (ports, PORT_METRICS, LINKS) if of_links else (services, SERVICE_METRICS, "")
    names = (f"{prefix}{owner}.{word}" for owner in owners for word in table)
    return [name for name in names if fnmatchcase(name, pattern)]


def values(columns: Iterable[Kept], document: Mapping[str, Any], samples: Samples | None) -> list[float]:
    """The value of each column in a metrics document, NaN where nothing was measured.

    samples: needed for columns with a window.
    """
    found = []
    for column in columns:
        metric = column.metric
        entry = document[metric.family][metric.owner]
        value: Any
        if column.window == WHOLE:
            value = entry
            for key in metric.path:
                value = value.get(key) if type(value) is dict else None
            if type(value) is dict:  # drops by reason
                value = sum(value.values())
        else:
            value, _ = value_of(metric, column.window, samples, entry)  # type: ignore[arg-type]
        found.append(math.nan if value is None else float(value))
    return found


def unit(column: str) -> str:
    """Unit of a column by the name of its metric; empty for a bare number or a name of the user's own."""
    name = column.split("@")[0]
    table = PORT_METRICS if name.startswith(LINKS) else SERVICE_METRICS
    word = name.rpartition(".")[2] if name.startswith(LINKS) else name.partition(".")[2]
    return UNITS[table[word].dimension] if word in table else ""


def meaning(column: str) -> str:
    """What a column means, by the name of its metric."""
    name = column.split("@")[0]
    table = PORT_METRICS if name.startswith(LINKS) else SERVICE_METRICS
    word = name.rpartition(".")[2] if name.startswith(LINKS) else name.partition(".")[2]
    return table[word].meaning if word in table else ""
