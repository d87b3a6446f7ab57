"""Box and interval per variant: quartiles of the seeds, every run as a point, the mean with its 95 % interval."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.lines import Line2D

from netarium.show.campaign.plots.scene import POINTS_MAX, Scene
from netarium.show.campaign.variants import Summary
from netarium.show.plots import style

ROWS = 30
ROW_IN = 0.155
LABEL = 34


def draw(scene: Scene) -> style.Drawing | None:
    """The variants with a value of the leading metric, best first; the best ROWS of many."""
    metric = scene.lead
    every = [entry for entry in scene.found if np.isfinite(entry.means[metric].value)]
    if not every:
        return None
    shown = every[:ROWS]
    values = scene.trials.values(metric)
    by_row = [(entry, entry.group.rows[np.isfinite(values[entry.group.rows])]) for entry in shown]
    divisor, label = scene.axis(metric, np.concatenate([values[rows] for _, rows in by_row]))
    figure, axes = style.new(scene.width_in, 0.75 + ROW_IN * len(shown))
    if sum(len(rows) for _, rows in by_row) <= POINTS_MAX:
        _points(scene, axes, by_row, values / divisor)
    for place, (entry, rows) in enumerate(by_row):
        _row(axes, place, entry, values[rows] / divisor, divisor, metric, scene.colour(entry.group))
    axes.set_ylim(len(shown) - 0.4, -0.6)
    labels = scene.row_labels([entry.group for entry in shown], LABEL)
    axes.set_yticks(range(len(shown)), labels, fontsize=6.5)
    axes.grid(False, axis="y")
    axes.set_xlabel(label)
    _legend(figure)
    some = f" The best {len(shown)} of {len(every)} variants." if len(every) > len(shown) else ""
    colours = f" Colours: {scene.subject.name}." if scene.subject else ""
    caption = (
        f"{metric} of each variant: points are runs, the box their quartiles, whiskers reach to 1.5 times its "
        f"width; diamond and bar are the mean and its 95 % interval over the seeds.{colours}{some} "
        f"{scene.origin(sum(len(rows) for _, rows in by_row))}"
    )
    return style.Drawing("boxes", "Variants", caption, figure, _data(by_row, values, metric))


def _row(
    axes: Any, place: int, entry: Summary, values: np.ndarray, divisor: float, metric: str, colour: str
) -> None:
    if len(values) >= 4:
        axes.boxplot(
            values, positions=[place], orientation="horizontal", widths=0.62, showfliers=False, manage_ticks=False,
            boxprops={"color": colour, "linewidth": 0.7}, whiskerprops={"color": colour, "linewidth": 0.7},
            capprops={"color": colour, "linewidth": 0.7}, medianprops={"color": colour, "linewidth": 0.9},
        )  # fmt: skip
    mean = entry.means[metric]
    if mean.low is not None and mean.high is not None:
        axes.plot([mean.low / divisor, mean.high / divisor], [place, place], color=style.INK, lw=2.2, zorder=4,
                  solid_capstyle="butt")  # fmt: skip
    axes.plot(mean.value / divisor, place, "D", color=style.INK, markersize=3.0, zorder=5)


def _points(scene: Scene, axes: Any, by_row: list[tuple[Summary, np.ndarray]], values: np.ndarray) -> None:
    """All runs as points, moved up and down a little so that equal ones can be seen; the move is that of the order."""
    for place, (entry, rows) in enumerate(by_row):
        moved = place + 0.28 * np.sin(np.arange(len(rows)) * 2.4)
        scene.points(axes, values[rows], moved, rows.tolist(), s=5, color=scene.colour(entry.group), alpha=0.45,
                     zorder=3)  # fmt: skip


def _legend(figure: Any) -> None:
    handles = [
        Line2D([], [], ls="", marker="o", color=style.MUTED, alpha=0.6, markersize=3),
        Line2D([], [], color=style.INK, lw=2.2, marker="D", markersize=3.5),
    ]
    style.legend(figure, handles, ["run", "mean, 95 % interval"])


def _data(by_row: list[tuple[Summary, np.ndarray]], values: np.ndarray, metric: str) -> dict[str, list]:
    data: dict[str, list] = {
        name: [] for name in ("variant", "runs", "mean_si", "low_si", "high_si", "method")
    }
    for name in ("q1_si", "median_si", "q3_si"):
        data[name] = []
    for entry, rows in by_row:
        mean = entry.means[metric]
        quartiles = np.quantile(values[rows], [0.25, 0.5, 0.75])
        row = (entry.group.label, len(rows), mean.value, mean.low, mean.high, mean.method, *quartiles)
        for name, value in zip(data, row, strict=True):
            data[name].append(value)
    return data
