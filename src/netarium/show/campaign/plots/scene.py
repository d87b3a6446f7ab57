"""What all figures of a campaign share: the trials, the parameter that gives the colours, labels, captions, links."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from matplotlib.lines import Line2D

from netarium.show import quantity
from netarium.show.campaign.trials import MODE, Group, Parameter, Trials
from netarium.show.campaign.variants import Summary
from netarium.show.plots import style

MARKERS = "osD^vP"
POINTS_MAX = 4000  # single runs in a figure; a page with more of them is slow to open


@dataclass(frozen=True)
class Scene:
    """`found` are the variants, best first; `links` leads from the page to the campaign's folder."""

    trials: Trials
    found: list[Summary]
    width_in: float
    links: str = ""

    @property
    def is_page(self) -> bool:
        """Whether the figure is for a page and not for one column of a paper."""
        return self.width_in > 5

    @property
    def lead(self) -> str:
        assert self.trials.lead is not None  # plots.draw looks
        return self.trials.lead

    @cached_property
    def subject(self) -> Parameter | None:
        """The parameter whose values have colours: the first that was swept with few enough values."""
        named = (p for p in self.trials.parameters if p.path != MODE and 2 <= len(p.levels) <= style.LIMIT)
        return next(named, None)

    def subject_index(self, group: Group) -> int:
        """The place of a variant among the subject's values; 0 without a subject."""
        if self.subject is None:
            return 0
        at = [p.path for p in self.trials.parameters].index(self.subject.path)
        return self.subject.levels.index(group.levels[at])

    def colour(self, group: Group) -> str:
        return style.SERIES[self.subject_index(group)]

    def marker(self, group: Group) -> str:
        return MARKERS[self.subject_index(group)]

    def subject_legend(self, figure: Any, dashes: bool = False) -> None:
        """Above the axes: which value of the subject has which colour and marker (or dashes)."""
        if self.subject is None:
            return
        handles = [
            Line2D([], [], **style.line(index))
            if dashes
            else Line2D([], [], ls="", marker=MARKERS[index], color=style.SERIES[index], markersize=5)
            for index in range(len(self.subject.levels))
        ]
        style.legend(figure, handles, list(self.subject.levels))

    def origin(self, measured: int | None = None) -> str:
        """The end of every caption: how many runs, which seeds."""
        trials = self.trials
        count = int(trials.measured.sum()) if measured is None else measured
        seeds = np.unique(trials.seeds[trials.measured])
        named = seed_range(seeds.tolist())
        runs = "1 run" if count == 1 else f"{count:,} runs"
        return f"Campaign {trials.name}: {runs}, {named}."

    def axis(self, metric: str, values: np.ndarray) -> tuple[float, str]:
        """Divisor of `values` (SI), and the label of their axis with its unit."""
        finite = np.abs(values[np.isfinite(values)])
        largest = float(finite.max()) if finite.size else 1.0
        divisor, unit = quantity.scale(largest, self.trials.unit(metric))
        return divisor, f"{metric} ({unit})" if unit else metric

    def link(self, row: int) -> str | None:
        """Where the point of a trial leads, relative to the page; None when no run folder was kept."""
        return self.trials.link(row, self.links)

    def points(self, axes: Any, x: np.ndarray, y: np.ndarray, rows: Sequence[int], **look: Any) -> None:
        """Single runs as points; in a page each leads to its run folder."""
        drawn = axes.scatter(x, y, linewidths=0, **look)
        drawn.set_urls([self.link(row) for row in rows])

    def row_labels(self, groups: Sequence[Group], width: int) -> list[str]:
        return [quantity.shorten(group.label, width) for group in groups]


def seed_range(seeds: Sequence[int]) -> str:
    """seed 3; 20 seeds (1 to 20); 3 seeds (1, 5, 9)."""
    if len(seeds) == 1:
        return f"seed {seeds[0]}, no interval"
    consecutive = len(seeds) > 2 and seeds[-1] - seeds[0] == len(seeds) - 1
    if consecutive or len(seeds) > 8:
        return f"{len(seeds):,} seeds ({seeds[0]} to {seeds[-1]})"
    return f"{len(seeds)} seeds ({', '.join(map(str, seeds))})"
