"""Control loops: how old messages were on arrival beside their deadline, and how many missed it."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.ticker import FuncFormatter, NullLocator

from netarium.show import deadlines
from netarium.show.plots import style
from netarium.show.plots.delay import Steps, distributions
from netarium.show.record import Record

LEAST_SHARE = 1e-6


def draw(record: Record, width_in: float) -> style.Drawing | None:
    """Share of messages older than a multiple of the deadline; below it the misses with their exact interval."""
    entries = dict(list(deadlines.of_record(record).items())[: style.LIMIT])
    curves = {name: curve for name, curve in distributions(record).items() if name in entries}
    if not entries:
        return None
    height = width_in * 0.62 + 0.2 * len(entries)
    figure, (upper, lower) = style.new(
        width_in, height, 2, 1, gridspec_kw={"height_ratios": [2.2, 0.5 + 0.3 * len(entries)]}
    )
    data: dict[str, list[Any]] = {key: [] for key in ("name", "age_of_deadline", "share_older")}
    for index, name in enumerate(entries):
        if name in curves:
            _ages(upper, curves[name], entries[name]["deadline_s"], style.line(index), name, data)
    upper.axvline(1.0, color=style.INK, lw=0.9)
    upper.annotate(
        "deadline",
        (1, 1),
        xycoords=("data", "axes fraction"),
        xytext=(3, -8),
        textcoords="offset points",
        fontsize=7,
    )
    upper.set_xscale("log")
    upper.set_yscale("log")
    upper.set_ylim(top=1.4)
    style.label(upper, "x", "age on arrival over deadline", "")
    style.label(upper, "y", "share that is older", "")
    _misses(lower, entries)
    for axis in (upper.xaxis, upper.yaxis, lower.xaxis):
        axis.set_major_formatter(FuncFormatter(_power))
        axis.set_minor_locator(NullLocator())
    caption = (
        "Control loops: above, the share of messages that came and were older than a multiple of their deadline; below, "
        "the share of all messages that missed it, late ones and lost ones, with the exact 95 % interval (Clopper and "
        f"Pearson); an arrow: none was missed, and the limit is what that proves. {style.origin(record)}"
    )
    return style.Drawing("deadlines", "Deadlines", caption, figure, data)


def _power(value: float, _: int) -> str:
    """A tick of a logarithmic axis: 1, 0.1, 0.01, then 1e-3 (plain text: typeset powers are slow to draw)."""
    return f"{value:g}" if 5e-3 < value < 2e3 else f"1e{round(float(np.log10(value)))}" if value > 0 else ""


def _ages(
    axes: Any, curve: Steps, deadline_s: float, look: dict[str, Any], name: str, data: dict[str, list[Any]]
) -> None:
    edges, shares = curve
    ages, older = edges / deadline_s, 1 - shares
    axes.step(ages[:-1], np.maximum(older[:-1], 0), where="post", **look)
    data["name"] += [name] * len(ages)
    data["age_of_deadline"] += ages.tolist()
    data["share_older"] += older.tolist()


def _misses(axes: Any, entries: dict[str, dict[str, Any]]) -> None:
    """One line a loop: the miss ratio and its interval on a logarithmic scale."""
    for index, entry in enumerate(entries.values()):
        low, high = entry["miss_ratio_ci95"]
        ratio, color = entry["miss_ratio"], style.line(index)["color"]
        if ratio > 0:
            axes.plot([max(low, LEAST_SHARE), high], [index, index], color=color, lw=1.6)
            axes.plot(ratio, index, "o", color=color, markersize=4)
        else:
            axes.plot(high, index, marker="<", color=color, markersize=5)
            axes.plot([LEAST_SHARE, high], [index, index], color=color, lw=0.8, linestyle=(0, (1, 2)))
    axes.set_xscale("log")
    axes.set_xlim(LEAST_SHARE, 1)
    axes.set_yticks(range(len(entries)), list(entries))
    axes.set_ylim(len(entries) - 0.5, -0.5)
    style.label(axes, "x", "share of messages that missed the deadline", "")
