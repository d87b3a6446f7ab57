"""Simulated and emulated in one figure: every variant that was run in both modes, with intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.lines import Line2D

from netarium.show import quantity
from netarium.show.campaign.plots.scene import Scene
from netarium.show.campaign.trials import MODE
from netarium.show.campaign.variants import Summary
from netarium.show.plots import style

ROWS = 24
LABEL = 30
MODES = ("simulate", "emulate")


def draw(scene: Scene) -> style.Drawing | None:
    """Rows are variants; a mark for each mode, and the ratio of the means at the right."""
    both = pairs(scene)
    if not both:
        return None
    shown, metric = both[:ROWS], scene.lead
    values = [entry.means[metric] for pair in shown for entry in pair]
    divisor, label = scene.axis(metric, np.array([v.high or v.value for v in values]))
    figure, axes = style.new(scene.width_in, 0.75 + 0.22 * len(shown))
    for place, pair in enumerate(shown):
        for index, entry in enumerate(pair):
            _mark(axes, place + (index - 0.5) * 0.36, entry, metric, divisor, index)
        ratio = (
            pair[1].means[metric].value / pair[0].means[metric].value
            if pair[0].means[metric].value
            else np.nan
        )
        axes.annotate(f"{ratio:.3g}", (1.0, place), xycoords=("axes fraction", "data"), xytext=(4, 0), fontsize=7,
                      textcoords="offset points", va="center")  # fmt: skip
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_yticks(
        range(len(shown)), [quantity.shorten(_name(pair[0], scene), LABEL) for pair in shown], fontsize=6.5
    )
    axes.grid(False, axis="y")
    axes.set_xlim(left=0)
    axes.set_xlabel(label)
    handles = [Line2D([], [], ls="", marker="os"[i], color=style.SERIES[i], markersize=4.5) for i in range(2)]
    style.legend(figure, handles, ["simulated", "emulated"])
    some = f" {len(shown)} of {len(both)} variants." if len(both) > len(shown) else ""
    caption = (
        f"{metric}, mean and 95 % interval over the seeds, simulated in virtual time and emulated with real hosts; at "
        f"the right emulated over simulated.{some} {scene.origin()}"
    )
    return style.Drawing("modes", "Simulated and emulated", caption, figure, _data(shown, metric, scene))


def pairs(scene: Scene) -> list[tuple[Summary, Summary]]:
    """(simulated, emulated) of each variant that was measured in both."""
    places = [p.path for p in scene.trials.parameters]
    if MODE not in places:
        return []
    at = places.index(MODE)
    by_rest: dict[tuple[str, ...], dict[str, Summary]] = {}
    for entry in scene.found:
        if np.isfinite(entry.means[scene.lead].value):
            rest = entry.group.levels[:at] + entry.group.levels[at + 1 :]
            by_rest.setdefault(rest, {})[entry.group.levels[at]] = entry
    return [(found[MODES[0]], found[MODES[1]]) for found in by_rest.values() if set(MODES) <= set(found)]


def _name(entry: Summary, scene: Scene) -> str:
    at = [p.path for p in scene.trials.parameters].index(MODE)
    return " · ".join(entry.group.levels[:at] + entry.group.levels[at + 1 :]) or scene.trials.name


def _mark(axes: Any, place: float, entry: Summary, metric: str, divisor: float, index: int) -> None:
    mean = entry.means[metric]
    if mean.low is not None and mean.high is not None:
        axes.plot(
            [mean.low / divisor, mean.high / divisor], [place, place], color=style.SERIES[index], lw=1.4
        )
    axes.plot(mean.value / divisor, place, "os"[index], color=style.SERIES[index], markersize=4, zorder=3)


def _data(shown: list[tuple[Summary, Summary]], metric: str, scene: Scene) -> dict[str, list]:
    data: dict[str, list] = {name: [] for name in ("variant", "mode", "runs", "mean_si", "low_si", "high_si")}
    for pair in shown:
        for mode, entry in zip(MODES, pair, strict=True):
            mean = entry.means[metric]
            row = (_name(entry, scene), mode, mean.n, mean.value, mean.low, mean.high)
            for name, value in zip(data, row, strict=True):
                data[name].append(value)
    return data
