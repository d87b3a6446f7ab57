"""Promised, bound and observed of slices in one figure, each objective on its own scale from the promise."""

from __future__ import annotations

import numpy as np
from matplotlib.lines import Line2D

from netarium.show import objectives, quantity
from netarium.show.objectives import Objective
from netarium.show.plots import style
from netarium.show.record import Record
from netarium.show.verdict import DELIVERED, NOT_DELIVERED

ROWS = 12
LOOKS = {DELIVERED: ("o", style.SERIES[0]), NOT_DELIVERED: ("X", style.SERIES[1])}
UNSURE = ("s", style.SERIES[4])


def draw(record: Record, width_in: float) -> style.Drawing | None:
    """One row per slice and objective: observed as a share of the promise; what failed comes first."""
    every = [row for row in objectives.of_record(record) if row.share is not None]
    if not every:
        return None
    shown = sorted(every, key=_margin)[:ROWS] if len(every) > ROWS else every
    figure, axes = style.new(width_in, 0.85 + 0.2 * len(shown))
    shares = np.array([row.share for row in shown])
    limit = float(np.clip(max(1.25, shares.max() * 1.1), 1.25, 3.0))
    for index, row in enumerate(shown):
        _row(axes, index, row, limit)
    axes.axvline(1, color=style.INK, lw=0.9)
    axes.set_xlim(0, limit)
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.set_yticks(range(len(shown)), [f"{quantity.shorten(row.slice_name, 16)} {row.name.replace('_', ' ')}"
                                        for row in shown])  # fmt: skip
    axes.grid(False, axis="y")
    style.label(axes, "x", "observed / promised", "")
    present = {row.verdict for row in shown}
    looks = [(word, *LOOKS.get(word, UNSURE)) for word in sorted(present)]
    handles = [Line2D([], [], marker=mark, color=colour, ls="", markersize=5) for _, mark, colour in looks]
    labels = [f"observed, {word}" for word, *_ in looks]
    if any(row.bound for row in shown):
        handles.append(Line2D([], [], marker="|", color=style.INK, ls="", markersize=8, markeredgewidth=1.4))
        labels.append("bound before the run")
    style.legend(figure, handles, labels)
    rest = (
        f" {len(every) - len(shown):,} more objectives kept a wider margin."
        if len(every) > len(shown)
        else ""
    )
    caption = (
        "What was observed as a share of what was promised: shaded is what the promise allows (bandwidth at "
        f"least 1{_tolerance(shown)}, the others at most 1).{rest} {style.origin(record)}"
    )
    data = {
        "slice": [row.slice_name for row in shown],
        "objective": [row.name for row in shown],
        "unit": [row.unit for row in shown],
        "promised": [row.promised for row in shown],
        "bound": [row.bound for row in shown],
        "observed": [row.observed for row in shown],
        "verdict": [row.verdict for row in shown],
    }
    return style.Drawing("slices", "Promised and observed", caption, figure, data)


def _row(axes, index: int, row: Objective, limit: float) -> None:  # type: ignore[no-untyped-def]
    low, high = (1 - row.tolerance, limit) if row.at_least else (0, 1)
    axes.barh(index, high - low, left=low, height=0.8, color=style.SHADE, zorder=0)
    marker, colour = LOOKS.get(row.verdict, UNSURE)
    at = min(row.share or 0.0, limit * 0.985)
    axes.plot(at, index, marker, color=colour, markersize=5, zorder=3)
    if row.bound and row.promised:
        axes.plot(min(row.bound / row.promised, limit), index, "|", color=style.INK, markersize=8,
                  markeredgewidth=1.4)  # fmt: skip
    axes.annotate(
        f"{row.observed_text} of {quantity.in_unit(row.promised, row.unit)}",
        (1.0, index),
        xycoords=("axes fraction", "data"),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        fontsize=7,
        zorder=4,
    )


def _tolerance(rows: list[Objective]) -> str:
    largest = max(row.tolerance for row in rows)
    return f" less a tolerance of {quantity.percent(largest)}" if largest else ""


def _margin(row: Objective) -> float:
    """How far an objective is from being broken; negative when it is."""
    share = row.share or 0.0
    return share - 1 + row.tolerance if row.at_least else 1 - share
