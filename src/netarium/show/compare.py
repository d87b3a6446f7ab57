"""Compare runs: only what differs, in parameters and in metrics, with the figures laid over each other."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from netarium.errors import RecordError
from netarium.show import pages, quantity
from netarium.show.columns import Columns
from netarium.show.pages import Grid, Picture, columns, marked
from netarium.show.record import Record
from netarium.show.verdict import MARKS, judge, slice_verdict

SAME = 0.001  # relative difference up to which two metrics count as the same
ROWS = 30  # of a terminal table
PAGE_ROWS = 400
ABSENT = quantity.MISSING
FIRST = (
    "goodput_bps",
    "latency_s.p50",
    "latency_s.p99",
    "latency_s.p999",
    "loss",
    "retransmissions",
    "delay_variation_s",
    "rtt_s.p50",
    "completion_s.p50",
    "completion_s.p99",
    "slowdown.p50",
    "slowdown.p99",
    "jain",
    "utilisation",
    "queue_bytes_mean",
    "queue_bytes_max",
)
SKIPPED = ("_ci95", ".bound.", "active_s", "slowdown_by_size")


@dataclass(frozen=True)
class Difference:
    """One path whose value is not the same in all runs; `values` in the order of the runs, None if absent."""

    path: str
    values: tuple[Any, ...]

    @property
    def texts(self) -> list[str]:
        unit = quantity.unit_of(self.path)
        return [quantity.in_unit(value, unit) if value is not None else ABSENT for value in self.values]

    @property
    def change(self) -> str:
        """Of the last run against the first: absolute and in per cent; empty if not two numbers."""
        first, last = self.values[0], self.values[-1]
        if not (quantity.is_number(first) and quantity.is_number(last)):
            return ""
        unit = quantity.unit_of(self.path)
        sign = "+" if last >= first else "−"
        absolute = f"{sign}{quantity.in_unit(abs(last - first), unit)}"
        share = self.share
        return absolute if share is None else f"{absolute} ({sign}{abs(share):.1%})".replace("%", " %")

    @property
    def share(self) -> float | None:
        """(last - first) / first; None when the first is zero or either is no number."""
        first, last = self.values[0], self.values[-1]
        if not (quantity.is_number(first) and quantity.is_number(last)) or first == 0:
            return None
        return (last - first) / abs(first)


@dataclass
class Comparison:
    """What differs between `records`; `same` counts the metrics that do not."""

    records: list[Record]
    parameters: list[Difference] = field(default_factory=list)
    metrics: list[Difference] = field(default_factory=list)
    same: int = 0
    tolerance: float = SAME

    @property
    def names(self) -> list[str]:
        """The runs' names; the folder's name where two runs have the same one."""
        runs = [record.run for record in self.records]
        return [r.run if runs.count(r.run) == 1 else r.folder.name for r in self.records]

    @property
    def same_samples(self) -> bool:
        """True if every run has the same samples digest."""
        found = {record.digests.get("samples") for record in self.records}
        return len(found) == 1 and None not in found


def compare(records: Sequence[Record], tolerance: float = SAME) -> Comparison:
    """What differs; metrics whose relative difference is at most `tolerance` count as the same.

    Raises RecordError with fewer than two records.
    """
    if len(records) < 2:
        raise RecordError(f"found {len(records)} run, expected two or more to compare")
    parameters, _ = _differences([_parameters(record) for record in records], 0.0)
    metrics, same = _differences([_metrics(record) for record in records], tolerance)
    metrics.sort(key=_importance)
    return Comparison(list(records), parameters, metrics, same, tolerance)


def table(comparison: Comparison, limit: int = ROWS) -> RenderableType:
    """Terminal view: the runs and their verdicts, parameters that differ, metrics that differ."""
    names = comparison.names
    verdicts = [judge(record) for record in comparison.records]
    runs = Columns(
        (("run", "left"), ("trial", "left"), ("seed", "right"), ("verdict", "left")),
        [
            (name, record.trial, str(record.seed), f"{MARKS[verdict.level]} {verdict.headline}")
            for name, record, verdict in zip(names, comparison.records, verdicts, strict=True)
        ],
    )
    parts: list[RenderableType] = [runs, Text()]
    parts += _section("parameter", comparison.parameters, names, limit, "the trials are the same")
    parts += [Text()]
    nothing = "no metric differs" + ("; the samples are identical" if comparison.same_samples else "")
    parts += _section("metric", comparison.metrics, names, limit, nothing)
    parts.append(Text(_same_text(comparison), style="dim"))
    return Group(*parts)


def _same_text(comparison: Comparison) -> str:
    within = f" (within {quantity.percent(comparison.tolerance)})" if comparison.tolerance else ""
    return f"{comparison.same:,} metrics are the same{within}"


def html(comparison: Comparison) -> str:
    """One self-contained page: what differs, and the figures laid over each other."""
    names = comparison.names
    verdicts = [judge(record) for record in comparison.records]
    rows = [
        (
            name,
            record.title,
            str(record.seed),
            str(record.start.get("started", ""))[:16].replace("T", " "),
            marked(verdict.level, verdict.headline),
            "; ".join(verdict.sentences),
        )
        for name, record, verdict in zip(names, comparison.records, verdicts, strict=True)
    ]
    return pages.fill(
        "compare.html.j2",
        names=names,
        runs=Grid(columns("run", "~trial", ">seed", "started", "verdict", "~why"), rows),
        parameters=_grid("parameter", comparison.parameters, names),
        metrics=_grid("metric", comparison.metrics, names),
        same=_same_text(comparison),
        same_samples=comparison.same_samples,
        figures=_pictures(comparison),
    )


def write(comparison: Comparison, path: Path) -> Path:
    """Writes the page to `path`; returns it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(html(comparison), encoding="utf-8")
    return path


def _pictures(comparison: Comparison) -> list[Picture]:
    from netarium.show.plots import overlay, style

    return pages.pictures(overlay.draw(comparison.records, comparison.names, style.PAGE_IN))


def _section(
    kind: str, rows: list[Difference], names: list[str], limit: int, nothing: str
) -> list[RenderableType]:
    if not rows:
        return [Text(nothing, style="dim")]
    has_change = kind == "metric" and any(row.change for row in rows)
    headings = (
        (kind, "left"),
        *((name, "right") for name in names),
        *((("change", "right"),) if has_change else ()),
    )
    shown = [
        (
            row.path,
            *(quantity.shorten(text, 24) for text in row.texts),
            *((row.change,) if has_change else ()),
        )
        for row in rows[:limit]
    ]
    parts: list[RenderableType] = [Columns(headings, shown)]
    if len(rows) > limit:
        parts.append(Text(f"and {len(rows) - limit:,} more that differ", style="dim"))
    return parts


def _grid(kind: str, rows: list[Difference], names: list[str]) -> Grid | None:
    if not rows:
        return None
    has_change = kind == "metric" and any(row.change for row in rows)
    grid = Grid(columns(kind, *(f">{name}" for name in names), *([">change"] * has_change)))
    grid.rows = [(row.path, *row.texts, *([row.change] * has_change)) for row in rows[:PAGE_ROWS]]
    grid.more = max(0, len(rows) - PAGE_ROWS)
    return grid


def _parameters(record: Record) -> dict[str, Any]:
    """The expanded trial by path, and the version that ran it."""
    flat = dict(_flatten(record.expanded))
    flat["seed"] = record.seed
    flat["mode"] = record.mode
    for name, version in (record.start.get("versions") or {}).items():
        flat[f"version of {name}"] = version
    return flat


def _metrics(record: Record) -> dict[str, Any]:
    """Services, links and expectations by path; slices by their verdict and what was observed."""
    flat: dict[str, Any] = {}
    for name, entry in record.services.items():
        flat.update(_flatten(entry, f"{name}."))
    for name, entry in record.links.items():
        flat.update(_flatten(entry, f"links.{name}."))
    for name, entry in record.slices.items():
        flat[f"slices.{name}.verdict"] = slice_verdict(entry)
        flat.update(_flatten(entry.get("observed") or {}, f"slices.{name}."))
    for entry in record.expectations:
        flat[f"expect: {entry.get('text', '')}"] = "met" if entry.get("met") else "not met"
    return {path: value for path, value in flat.items() if not any(word in path for word in SKIPPED)}


def _flatten(value: Any, prefix: str = "") -> Iterable[tuple[str, Any]]:
    """(path, leaf) pairs; entries of a list by their name if they have one, else by position."""
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from _flatten(
                entry, f"{prefix}{key}." if isinstance(entry, (dict, list)) else f"{prefix}{key}"
            )
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            label = _label(entry, index)
            path = prefix.removesuffix(".") + f"[{label}]"
            yield from _flatten(entry, f"{path}." if isinstance(entry, (dict, list)) else path)
    else:
        yield prefix.removesuffix("."), value


def _label(entry: Any, index: int) -> str:
    if isinstance(entry, dict) and isinstance(entry.get("name"), str):
        return entry["name"]
    if isinstance(entry, dict) and isinstance(entry.get("endpoints"), list):
        return "-".join(map(str, entry["endpoints"]))
    return str(index)


def _differences(flats: list[dict[str, Any]], tolerance: float) -> tuple[list[Difference], int]:
    found, same = [], 0
    for path in dict.fromkeys(path for flat in flats for path in flat):
        values = tuple(flat.get(path) for flat in flats)
        if all(_equal(values[0], value, tolerance) for value in values[1:]):
            same += 1
        else:
            found.append(Difference(path, values))
    return found, same


def _equal(first: Any, other: Any, tolerance: float) -> bool:
    if quantity.is_number(first) and quantity.is_number(other):
        return math.isclose(first, other, rel_tol=max(tolerance, 1e-12))
    return first == other


def _importance(row: Difference) -> tuple[int, int, float]:
    """Expectations and verdicts, then services, then links; known metrics first; large changes first."""
    family = 0 if row.path.startswith(("expect:", "slices.")) else 2 if row.path.startswith("links.") else 1
    rank = next((index for index, name in enumerate(FIRST) if row.path.endswith(f".{name}")), len(FIRST))
    share = row.share
    return family, rank, -abs(share) if share is not None else -math.inf
