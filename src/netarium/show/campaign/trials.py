"""The trials of a campaign as arrays: what was swept, which trials belong together, what was measured."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from netarium.describe.design import shown
from netarium.errors import RecordError, did_you_mean, one_of
from netarium.measure.repeats.direction import better
from netarium.show import quantity
from netarium.store.campaigns import MEASURED, CampaignRecord

PARAM, METRIC, TEXT = "param.", "metric.", ".text"
LEVELS_MAX = 12  # a parameter with more values is a range: drawn along an axis, not compared value by value
MODE = "mode"

LOOKED_AT = (
    "goodput",
    "latency.p95",
    "completion.p50",
    "completion.p99",
    "loss",
    "retransmissions",
    "slowdown.p99",
    "jain",
    "utilisation",
)


@dataclass(frozen=True)
class Parameter:
    """What was swept: `levels` are its values as text, in order; `numbers` the same in SI where all are numbers."""

    name: str
    path: str
    levels: tuple[str, ...]
    numbers: tuple[float, ...] | None

    @property
    def is_compared(self) -> bool:
        """Whether its values are few enough to be compared one with another."""
        return 2 <= len(self.levels) <= LEVELS_MAX


@dataclass(frozen=True)
class Group:
    """The trials of one variant in one mode: `rows` are their places in the arrays of `Trials`."""

    label: str
    levels: tuple[str, ...]
    rows: np.ndarray


class Trials:
    """One campaign, read for showing; arrays have one entry per trial, in the order of execution.

    Raises RecordError when the campaign has no trial yet.
    """

    def __init__(self, record: CampaignRecord) -> None:
        self.record = record
        self.table = record.table
        if not len(self.table):
            raise RecordError(
                f"{record.path}: found no trial that ended, expected at least one; run it first"
            )
        self.seeds = self.table["seed"].to_numpy()
        self.status = self._words("status")
        self.mode = self._words("mode")
        self.cause = self._words("cause")
        self.runs = self._words("run")
        self.effects: dict[str, Any] = {}
        self._values: dict[str, np.ndarray] = {}
        self.measured = np.isin(self.status.astype(str), MEASURED)

    @property
    def name(self) -> str:
        return str(
            self.record.document.get("name") or self.record.document.get("campaign") or self.record.name
        )

    @property
    def title(self) -> str:
        return str(self.record.document.get("title") or self.name)

    @property
    def count(self) -> int:
        return len(self.table)

    @property
    def planned(self) -> int:
        """How many trials the campaign has in all; those that ended when it does not say."""
        found = self.record.document.get("trials")
        return int(found) if isinstance(found, int) else self.count

    @cached_property
    def metrics(self) -> list[str]:
        """Metrics that at least one trial has: the leading one first, then as the campaign lists them.

        Where it lists a pattern ("*"), those that people look at first come first.
        """
        present = [name for name in self.record.metric_names if np.isfinite(self.values(name)).any()]
        document = self.record.document
        leader = (document.get("leader") or {}).get("metric")
        listed = [
            str(entry.get("metric") if isinstance(entry, dict) else entry)
            for entry in document.get("metrics") or []
        ]
        by_rank = not listed or any("*" in metric for metric in listed)
        return sorted(present, key=lambda name: (name != leader, _rank(name) if by_rank else 0))

    @property
    def lead(self) -> str | None:
        """The metric by which variants are ranked."""
        return self.metrics[0] if self.metrics else None

    def direction(self, metric: str) -> int:
        """+1 when more of it is better, -1 when less is, 0 when nobody says; the campaign's own word first."""
        leader = self.record.document.get("leader") or {}
        if leader.get("metric") == metric and leader.get("best") in ("highest", "lowest"):
            return 1 if leader["best"] == "highest" else -1
        return better(metric)

    def check_metric(self, metric: str) -> str:
        """`metric`, if trials have it. Raises RecordError with the nearest that they have."""
        if metric in self.metrics:
            return metric
        hint = did_you_mean(metric, self.metrics)
        raise RecordError(f"found metric {metric!r}, expected {one_of(self.metrics)}; {hint}".rstrip("; "))

    def unit(self, metric: str) -> str:
        """bit/s, s, B, ratio, or empty for a bare number."""
        stated = self.record.unit(METRIC + metric) if METRIC + metric in self.table.column_names else ""
        return stated or quantity.unit_of(metric)

    def values(self, metric: str) -> np.ndarray:
        """float64[trials], SI; NaN where the trial did not run to its end or has no such metric."""
        if metric not in self._values:
            column = self.table[METRIC + metric].to_numpy().astype(float)
            self._values[metric] = np.where(self.measured, column, np.nan)
        return self._values[metric]

    def _words(self, column: str) -> np.ndarray:
        values = self.table[column].to_pylist()
        return np.array([value if value is not None else "" for value in values], dtype=object)

    @cached_property
    def parameters(self) -> list[Parameter]:
        """What was swept and took more than one value; of parameters that move together, the first."""
        found, partitions = [], set()
        for parameter, codes in self._every_parameter:
            _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
            partition = np.argsort(np.argsort(first))[inverse].tobytes()  # numbered as they first appear
            if len(parameter.levels) > 1 and partition not in partitions:
                partitions.add(partition)
                found.append(parameter)
        return found

    @cached_property
    def _every_parameter(self) -> list[tuple[Parameter, np.ndarray]]:
        described = {str(entry.get("path")): entry for entry in self.record.parameters}
        paths = [name.removeprefix(PARAM) for name in self.table.column_names
                 if name.startswith(PARAM) and not name.endswith(TEXT)]  # fmt: skip
        paths.sort(key=lambda path: list(described).index(path) if path in described else len(described))
        names = short_names(paths, [str((described.get(path) or {}).get("name") or path) for path in paths])
        every = [
            self._parameter(name, path, described.get(path)) for name, path in zip(names, paths, strict=True)
        ]
        if len(set(self.mode)) > 1:
            every.append(_of_texts(MODE, MODE, self.mode, [], None))
        return every

    def _parameter(
        self, name: str, path: str, described: dict[str, Any] | None
    ) -> tuple[Parameter, np.ndarray]:
        column = PARAM + path
        numbers = None
        if np.issubdtype(self.table[column].to_numpy().dtype, np.floating):
            numbers = self.table[column].to_numpy().astype(float)
        texts = self._words(column + TEXT if column + TEXT in self.table.column_names else column)
        stated = [shown(value) for value in (described or {}).get("values") or []]
        return _of_texts(name, path, texts, stated, numbers)

    def level_codes(self, parameter: Parameter) -> np.ndarray:
        """int64[trials]: the place of each trial's value among the levels."""
        return next(codes for each, codes in self._every_parameter if each.path == parameter.path)

    def levels(self, parameter: Parameter) -> np.ndarray:
        """object[trials]: each trial's value as text."""
        return np.array(parameter.levels, dtype=object)[self.level_codes(parameter)]

    def blocks(self, apart_from: Sequence[Parameter] = ()) -> np.ndarray:
        """object[trials]: everything that was swept but `apart_from` and the seed, as one text."""
        left_out = {parameter.path for parameter in apart_from}
        kept = [self.level_codes(p) for p in self.parameters if p.path not in left_out]
        if not kept:
            return np.full(self.count, "", dtype=object)
        return np.array(["/".join(map(str, row)) for row in np.stack(kept, axis=1)], dtype=object)

    @cached_property
    def groups(self) -> list[Group]:
        """The variants, in the order of the levels of what was swept."""
        if not self.parameters:
            return [Group(self.title, (), np.arange(self.count))]
        codes = np.stack([self.level_codes(parameter) for parameter in self.parameters], axis=1)
        unique, inverse = np.unique(codes, axis=0, return_inverse=True)
        found = []
        for index, row in enumerate(unique):
            levels = tuple(p.levels[code] for p, code in zip(self.parameters, row, strict=True))
            found.append(Group(" · ".join(levels), levels, np.flatnonzero(inverse == index)))
        return found

    def by_seed(self, group: Group, metric: str) -> dict[int, float]:
        """Seed -> value of the trials of one group that were measured."""
        values = self.values(metric)[group.rows]
        return {
            int(s): float(v) for s, v in zip(self.seeds[group.rows], values, strict=True) if np.isfinite(v)
        }

    @property
    def failures(self) -> Counter[str]:
        """How many trials ended in each way that gives no metrics."""
        return Counter(str(status) for status in self.status[~self.measured])

    def label_of_rows(self) -> list[str]:
        """The variant of every trial."""
        labels = [""] * self.count
        for group in self.groups:
            for row in group.rows:
                labels[int(row)] = group.label
        return labels

    def run_folder(self, row: int) -> Path | None:
        """The run folder of a trial, if it was kept and is still there."""
        folder = self.record.folder_of(str(self.runs[row]))
        return folder if folder is not None and folder.is_dir() else None

    def link(self, row: int, links: str = "") -> str | None:
        """Path of a trial's own report, else of its folder, behind `links`; None when no folder was kept."""
        folder = self.run_folder(row)
        if folder is None:
            return None
        page = "report.html" if (folder / "report.html").is_file() else ""
        return f"{links}{quote(str(self.runs[row]))}/{page}"


def _of_texts(
    name: str, path: str, texts: np.ndarray, stated: list[str], numbers: np.ndarray | None
) -> tuple[Parameter, np.ndarray]:
    """A parameter and the code of each trial: by number where there are numbers, else as the campaign lists them."""
    if numbers is not None and np.isfinite(numbers).all():
        unique, first, codes = np.unique(numbers, return_index=True, return_inverse=True)
        levels = tuple(str(texts[place]) for place in first)
        return Parameter(name, path, levels, tuple(map(float, unique))), codes
    words = [str(text) for text in texts]
    present = dict.fromkeys(words)
    order = [value for value in stated if value in present] + [
        value for value in present if value not in stated
    ]
    places = {value: index for index, value in enumerate(order)}
    return Parameter(name, path, tuple(order), None), np.array([places[word] for word in words])


def _rank(metric: str) -> int:
    """Place among the metrics that people look at first; all others after them."""
    return next(
        (place for place, word in enumerate(LOOKED_AT) if metric.endswith(f".{word}")), len(LOOKED_AT)
    )


def short_names(paths: Sequence[str], stated: Sequence[str]) -> list[str]:
    """The fewest last words of each path that tell it from the others; a stated name is kept."""
    found = []
    for path, name in zip(paths, stated, strict=True):
        if name != path:
            found.append(name)
            continue
        words = [word for word in re.split(r"\.", path) if word]
        shorter = (".".join(words[-n:]) for n in range(1, len(words)))
        found.append(next((short for short in shorter if _names_one(short, paths)), path))
    return found


def _names_one(short: str, paths: Sequence[str]) -> bool:
    return sum(other == short or other.endswith("." + short) for other in paths) == 1
