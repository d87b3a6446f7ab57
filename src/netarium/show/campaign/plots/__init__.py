"""Figures of a campaign: drawn with the style of `netarium.show.plots`, saved by its `save`.

To add one: a module with `draw(scene) -> Drawing | None`, one line in FIGURES. None means that the campaign has
nothing to show there, and the figure is left out instead of being empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from netarium.errors import RecordError, did_you_mean, one_of
from netarium.show import plots
from netarium.show.campaign.plots import boxes, effects, frontier, heat, modes, parallel, slowdown
from netarium.show.campaign.plots.scene import Scene
from netarium.show.campaign.trials import Trials
from netarium.show.campaign.variants import Summary
from netarium.show.plots import COLUMN_IN, FORMATS, style
from netarium.show.plots.style import Drawing

__all__ = ["FIGURES", "draw", "save_all"]

FIGURES: dict[str, Callable[[Scene], Drawing | None]] = {
    "effects": effects.draw,
    "heat": heat.draw,
    "frontier": frontier.draw,
    "boxes": boxes.draw,
    "slowdown": slowdown.draw,
    "parallel": parallel.draw,
    "modes": modes.draw,
}


def draw(
    trials: Trials,
    found: Sequence[Summary],
    names: Iterable[str] | None = None,
    width_in: float = COLUMN_IN,
    links: str = "",
) -> list[Drawing]:
    """The figures `names` (default: every one with something to show), `width_in` inches wide.

    links: path from where the figure will be to the campaign's folder, for points that lead to runs.
    """
    wanted = list(FIGURES if names is None else names)
    for name in wanted:
        if name not in FIGURES:
            raise RecordError(
                f"found figure {name!r}, expected {one_of(FIGURES)}; {did_you_mean(name, FIGURES)}"
            )
    if trials.lead is None:
        return []
    scene = Scene(trials, list(found), width_in, links)
    with style.context():
        drawn = [FIGURES[name](scene) for name in wanted]
    return [drawing for drawing in drawn if drawing is not None]


def save_all(
    trials: Trials, found: Sequence[Summary], folder: Path | None = None, formats: Sequence[str] = FORMATS
) -> list[Path]:
    """Every figure at column width into `folder` (default: figures/ in the campaign's folder)."""
    target = trials.record.path / "figures" if folder is None else folder
    return [path for drawing in draw(trials, found) for path in plots.save(drawing, target, formats)]
