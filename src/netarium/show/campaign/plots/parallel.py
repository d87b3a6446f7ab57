"""Parallel coordinates: one line per variant through what was swept and what was measured, coloured by the leader."""

from __future__ import annotations

from typing import Any

import numpy as np

from netarium.show import quantity
from netarium.show.campaign.plots.scene import Scene
from netarium.show.plots import style

LINES = 400
METRICS = 4
AXES_OF_A_COLUMN, AXES_OF_A_PAGE = 6, 9
NAMES, NAMES_OF_A_PAGE = 12, 20
PAGE_COLUMNS = 2  # as wide as two figures of the page, as page.css says too: names stand between its axes


def draw(scene: Scene) -> style.Drawing | None:
    """Needs three axes or more and two variants; the first METRICS metrics of the campaign."""
    trials = scene.trials
    measured = [entry for entry in scene.found if np.isfinite(entry.means[scene.lead].value)]
    shown = measured[:LINES]
    parameters = trials.parameters
    room = AXES_OF_A_PAGE if scene.is_page else AXES_OF_A_COLUMN
    metrics = trials.metrics[: max(2, min(METRICS, room - len(parameters)))]
    if len(shown) < 2 or len(parameters) + len(metrics) < 3:
        return None
    columns = [
        _swept(
            parameter, [entry.group.levels[i] for entry in shown], NAMES_OF_A_PAGE if scene.is_page else NAMES
        )
        for i, parameter in enumerate(parameters)
    ]
    columns += [
        _measured(scene, metric, [entry.means[metric].value for entry in shown]) for metric in metrics
    ]
    heights = np.stack([column[0] for column in columns], axis=1)
    width_in = PAGE_COLUMNS * scene.width_in if scene.is_page else scene.width_in
    figure, axes = style.new(width_in, width_in * (0.36 if scene.is_page else 0.72))
    _lines(axes, heights, len(parameters))
    for place, (_, name, ticks) in enumerate(columns):
        _axis(axes, place, name, ticks, scene)
    axes.set_xlim(-0.35, len(columns) - 0.6)
    axes.set_ylim(-0.06, 1.34)
    axes.axis("off")
    part = f" The best {len(shown):,} of {len(measured):,} variants." if len(measured) > len(shown) else ""
    caption = (
        f"Every line is the mean of one variant: {', '.join(p.name for p in parameters)} as swept, then "
        f"{', '.join(metrics)}, each on its own scale. Dark (in a dark view light) is more {scene.lead}."
        f"{part} {scene.origin()}"
    )
    data: dict[str, Any] = {"variant": [entry.group.label for entry in shown]}
    data |= {f"{metric}_mean_si": [entry.means[metric].value for entry in shown] for metric in metrics}
    return style.Drawing("parallel", "Parallel coordinates", caption, figure, data)


def _swept(parameter, levels: list[str], most: int) -> tuple[np.ndarray, str, list[tuple[float, str]]]:  # type: ignore[no-untyped-def]
    """Heights from 0 to 1: by place, or by value where the parameter has many; most: names, else only those at the ends."""
    steps = np.linspace(0, 1, len(parameter.levels))
    if not parameter.is_compared and parameter.numbers is not None:
        numbers = np.array(parameter.numbers)
        is_log = numbers.min() > 0 and numbers.max() / numbers.min() > 30
        spaced = np.log(numbers) if is_log else numbers
        steps = (spaced - spaced.min()) / np.ptp(spaced)
    heights = dict(zip(parameter.levels, steps, strict=True))
    ticks = list(zip(steps, parameter.levels, strict=True))
    return (
        np.array([heights[level] for level in levels]),
        parameter.name,
        ticks if len(ticks) <= most else _ends(ticks),
    )


def _ends(ticks: list[tuple[float, str]]) -> list[tuple[float, str]]:
    ordered = sorted(ticks)
    return [ordered[0], ordered[-1]]


def _measured(
    scene: Scene, metric: str, values: list[float]
) -> tuple[np.ndarray, str, list[tuple[float, str]]]:
    array = np.array(values)
    divisor, label = scene.axis(metric, array)
    low, high = float(np.nanmin(array)), float(np.nanmax(array))
    width = high - low or 1.0
    ticks = [(at, _plain((low + at * width) / divisor)) for at in (0.0, 0.5, 1.0)]
    return (array - low) / width, label.replace(" (", "\n("), ticks


def _plain(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _lines(axes: Any, heights: np.ndarray, swept: int) -> None:
    """A little apart on the swept axes, so that lines of one value can be told from each other."""
    order = np.argsort(heights[:, swept])
    apart = np.zeros(len(heights))
    apart[order] = np.linspace(-0.022, 0.022, len(heights))
    for index in order:
        row = heights[index].copy()
        row[:swept] += apart[index]
        colour = style.HEAT[min(int(heights[index, swept] * len(style.HEAT)), len(style.HEAT) - 1)]
        axes.plot(np.arange(len(row)), row, color=colour, lw=0.8, alpha=0.8, zorder=2 + heights[index, swept])


def _axis(axes: Any, place: int, name: str, ticks: list[tuple[float, str]], scene: Scene) -> None:
    """One axis with its name, every other one higher so that long names do not meet."""
    axes.plot([place, place], [-0.03, 1.03], color=style.MUTED, lw=0.8, zorder=5)
    size = 6.5 if scene.is_page else 5.5
    axes.text(place, 1.06 + 0.14 * (place % 2), "\n".join(quantity.shorten(line, 24) for line in name.splitlines()),
              ha="center", va="bottom", fontsize=size, color=style.INK, linespacing=1.0)  # fmt: skip
    behind = {"boxstyle": "square,pad=0.1", "facecolor": style.PAPER, "edgecolor": "none", "alpha": 0.8}
    for height, text in ticks:
        axes.text(place - 0.05, height, quantity.shorten(text, 12), ha="right", va="center", zorder=6, fontsize=size,
                  color=style.INK, bbox=behind)  # fmt: skip
