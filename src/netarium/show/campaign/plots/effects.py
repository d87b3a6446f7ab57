"""What each parameter does to the leading metric: its values against the best one, in per cent, with intervals."""

from __future__ import annotations

import numpy as np
from matplotlib.lines import Line2D

from netarium.show import quantity
from netarium.show.campaign import effects
from netarium.show.campaign.effects import Contrast
from netarium.show.campaign.plots.scene import Scene
from netarium.show.plots import style

ROWS = 30


def draw(scene: Scene) -> style.Drawing | None:
    """One row per value of a parameter that is not its best; needs two parameters, or the boxes say it all."""
    found = effects.of_campaign(scene.trials, scene.lead)
    rows = [each for contrasts in found for each in contrasts if each.effect.overall.first_mean][:ROWS]
    if len(found) < 2 or not rows:
        return None
    figure, axes = style.new(scene.width_in, 0.75 + 0.19 * len(rows))
    for place, each in enumerate(rows):
        _row(axes, place, each)
    axes.axvline(0, color=style.INK, lw=0.9)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    names = [quantity.shorten(f"{e.parameter.name}: {e.effect.second} − {e.effect.first}", 40) for e in rows]
    axes.set_yticks(range(len(rows)), names, fontsize=6.5)
    axes.grid(False, axis="y")
    style.label(axes, "x", f"change of {scene.lead}", "%")
    handles = [
        Line2D([], [], ls="", marker="o", color=style.SERIES[0], markersize=4.5),
        Line2D([], [], ls="", marker="s", color=style.SERIES[4], markersize=4.5),
    ]
    style.legend(figure, handles, ["sure", "not sure"])
    caption = (
        f"{scene.lead} with one value of a parameter instead of its best one, everything else equal, in per cent of the "
        "mean with the best one; bars are 95 % intervals over the seeds, each seed averaged over all else that was "
        f"swept. Sure: p at most 0.05 after Holm. {scene.origin()}"
    )
    return style.Drawing("effects", "Effect of each parameter", caption, figure, _data(rows))


def _share(value: float, each: Contrast) -> float:
    return -100 * value / abs(each.effect.overall.first_mean)


def _row(axes, place: int, each: Contrast) -> None:  # type: ignore[no-untyped-def]
    mean = each.effect.overall.mean
    colour, marker = (style.SERIES[0], "o") if each.is_sure else (style.SERIES[4], "s")
    if mean.low is not None and mean.high is not None:
        ends = [_share(mean.low, each), _share(mean.high, each)]
        axes.plot(ends, [place, place], color=colour, lw=2, solid_capstyle="butt")
    axes.plot(_share(mean.value, each), place, marker, color=colour, markersize=4.5, zorder=3)


def _data(rows: list[Contrast]) -> dict[str, list]:
    return {
        "parameter": [each.parameter.name for each in rows],
        "value": [each.effect.second for each in rows],
        "against": [each.effect.first for each in rows],
        "change_si": [-each.effect.overall.mean.value for each in rows],
        "low_si": [_negated(each.effect.overall.mean.high) for each in rows],
        "high_si": [_negated(each.effect.overall.mean.low) for each in rows],
        "change_percent": [float(np.round(_share(each.effect.overall.mean.value, each), 6)) for each in rows],
        "p_holm": [each.p for each in rows],
        "seeds": [each.effect.overall.n for each in rows],
        "settings": [each.effect.blocks for each in rows],
    }


def _negated(value: float | None) -> float | None:
    return None if value is None else -value
