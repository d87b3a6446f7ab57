"""Heat map of the leading metric over two parameters: mean and number of runs in each cell, panels for a third."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.colors import BoundaryNorm, ListedColormap

from netarium.show import quantity
from netarium.show.campaign.plots.scene import Scene
from netarium.show.campaign.trials import Parameter
from netarium.show.plots import style

PANELS = 4
UPRIGHT = 6  # size of labels that do not fit side by side
PALE = 5  # colours of style.HEAT from this one on carry light text


@dataclass(frozen=True)
class Cells:
    """`mean` and `count` are [levels of y, levels of x]; NaN and 0 where no run was measured."""

    title: str
    mean: np.ndarray
    count: np.ndarray


def draw(scene: Scene) -> style.Drawing | None:
    """Needs two parameters with two values or more; everything else that was swept is averaged."""
    axes_of = chosen(scene)
    if axes_of is None:
        return None
    x, y, panel = axes_of
    every = cells(scene, x, y, panel)
    means = np.concatenate([each.mean.ravel() for each in every])
    if np.isfinite(means).sum() < 2:
        return None
    divisor, label = scene.axis(scene.lead, means)
    norm = _norm(means / divisor)
    figure, grid = style.new(scene.width_in, *_shape(scene, x, y, len(every)), sharey=True)
    for axes, each in zip(np.atleast_1d(grid).ravel(), every, strict=True):
        _panel(axes, each, divisor, norm, scene, x, y)
    first = np.atleast_1d(grid).ravel()[0]
    style.label(first, "y", y.name, "")
    figure.suptitle(label, fontsize=8, x=0.01, ha="left")
    averaged = [p.name for p in scene.trials.parameters if p not in (x, y, panel)]
    rest = f" Averaged over {', '.join(averaged)}." if averaged else ""
    caption = (
        f"Mean of {label} over {x.name} and {y.name}{f', a panel for each {panel.name}' if panel else ''}; "
        f"dark (in a dark view light) is more, n is the number of runs in a cell.{rest} {scene.origin()}"
    )
    return style.Drawing("heat", "Heat map", caption, figure, _data(every, x, y, panel, scene.lead))


def chosen(scene: Scene) -> tuple[Parameter, Parameter, Parameter | None] | None:
    """x, y and the parameter of the panels: the two that move the metric most; the subject gets the panels."""
    usable = [p for p in scene.trials.parameters if p.is_compared]
    panel = (
        scene.subject if len(usable) > 2 and scene.subject and len(scene.subject.levels) <= PANELS else None
    )
    rest = sorted((p for p in usable if p != panel), key=lambda p: -_reach(scene, p))[:2]
    if len(rest) < 2:
        return None
    x, y = sorted(rest, key=usable.index)
    return x, y, panel


def _reach(scene: Scene, parameter: Parameter) -> float:
    """How far apart the means of the levels are."""
    values, codes = scene.trials.values(scene.lead), scene.trials.level_codes(parameter)
    kept = np.isfinite(values)
    means = [
        values[kept & (codes == i)].mean()
        for i in range(len(parameter.levels))
        if (kept & (codes == i)).any()
    ]
    return float(np.ptp(means)) if means else 0.0


def cells(scene: Scene, x: Parameter, y: Parameter, panel: Parameter | None) -> list[Cells]:
    """One panel per level of `panel`, or a single one."""
    trials = scene.trials
    values, at_x, at_y = trials.values(scene.lead), trials.level_codes(x), trials.level_codes(y)
    kept = np.isfinite(values)
    at_panel = trials.level_codes(panel) if panel else np.zeros(trials.count, dtype=int)
    titles = panel.levels if panel else ("",)
    found = []
    for index, title in enumerate(titles):
        inside = kept & (at_panel == index)
        place = at_y[inside] * len(x.levels) + at_x[inside]
        size = len(x.levels) * len(y.levels)
        count = np.bincount(place, minlength=size)
        total = np.bincount(place, weights=values[inside], minlength=size)
        mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        shape = (len(y.levels), len(x.levels))
        found.append(Cells(title, mean.reshape(shape), count.reshape(shape)))
    return found


def _shape(scene: Scene, x: Parameter, y: Parameter, panels: int) -> tuple[float, int, int]:
    """Height of the figure, rows and columns of panels."""
    columns = panels if scene.is_page or panels * len(x.levels) <= 9 else 2
    rows = -(-panels // columns)
    labels = across(x)
    upright_in = _inches(labels, UPRIGHT) if _size(labels, _cell_in(scene, x, columns)) is None else 0.0
    return rows * (0.42 + 0.36 * len(y.levels) + upright_in) + 0.45, rows, columns


def across(x: Parameter) -> list[str]:
    """Labels of the horizontal axis."""
    return [quantity.shorten(level, 16) for level in x.levels]


def _cell_in(scene: Scene, x: Parameter, columns: int) -> float:
    return 0.86 * scene.width_in / len(x.levels) / columns


def _size(labels: list[str], cell_in: float) -> float | None:
    """The largest size of type at which the labels stand side by side; None when they have to stand upright."""
    return next((size for size in (7, 6, 5.5) if _inches(labels, size) < cell_in), None)


def _norm(means: np.ndarray) -> BoundaryNorm:
    low, high = np.nanmin(means), np.nanmax(means)
    edges = np.linspace(low, high if high > low else low + 1, len(style.HEAT) + 1)
    return BoundaryNorm(edges, len(style.HEAT))


def _panel(axes, each: Cells, divisor, norm, scene, x, y) -> None:  # type: ignore[no-untyped-def]
    means = each.mean / divisor
    axes.pcolormesh(np.ma.masked_invalid(means), cmap=ListedColormap(list(style.HEAT)), norm=norm,
                    edgecolors=style.GRID, linewidth=0.5)  # fmt: skip
    cell_in = _cell_in(scene, x, axes.get_gridspec().ncols)
    for (row, column), value in np.ndenumerate(means):
        count = int(each.count[row, column])
        text = f"{value:.3g}\nn={count}" if count else "n=0"
        dark = bool(count) and int(norm(value)) >= PALE
        axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=6.5 if cell_in > 0.36 else 5,
                  color=style.PAPER if dark else style.INK, linespacing=1.05)  # fmt: skip
    axes.set_title(each.title)
    axes.grid(False)
    labels, size = across(x), _size(across(x), cell_in)
    axes.set_xticks(
        np.arange(len(labels)) + 0.5, labels, rotation=0 if size else 90, fontsize=size or UPRIGHT
    )
    axes.set_yticks(
        np.arange(len(y.levels)) + 0.5, [quantity.shorten(level, 14) for level in y.levels], fontsize=7
    )
    axes.tick_params(length=0)
    style.label(axes, "x", x.name, "")


def _inches(labels: list[str], size: float) -> float:
    """About how wide the longest label is, with a gap, at this size of type."""
    return (max(map(len, labels)) + 1.2) * size * 0.56 / 72


def _data(every: list[Cells], x: Parameter, y: Parameter, panel: Parameter | None, metric: str) -> dict:
    rows = [
        (each.title, y.levels[i], x.levels[j], each.mean[i, j], int(each.count[i, j]))
        for each in every
        for i, j in np.ndindex(each.mean.shape)
    ]
    titles, ys, xs, means, counts = zip(*rows, strict=True)
    first = {panel.name: titles} if panel else {}
    return {**first, y.name: ys, x.name: xs, f"{metric}_mean_si": means, "runs": counts}
