"""Flow-completion slowdown by flow size: how much slower than alone on an empty path, p50, p95 and p99."""

from __future__ import annotations

import numpy as np

from netarium.show import quantity
from netarium.show.plots import style
from netarium.show.record import Record

FEWEST = 40  # flows that must have ended before this figure says anything
PER_BIN = 100  # flows in a bin so that its p99 is more than one flow
MOST_BINS = 20
LEVELS = ((0.5, "p50", 10), (0.95, "p95", 20), (0.99, "p99", 100))  # quantile, name, flows it needs in a bin


def draw(record: Record, width_in: float) -> style.Drawing | None:
    """Bins hold equally many flows; both axes are logarithmic where needed, and slowdown starts at 1."""
    table = record.table("flows", ["size_bytes", "slowdown"])
    if table is None or table.num_columns < 2:
        return None
    size, slowdown = (table[name].to_numpy().astype(float) for name in ("size_bytes", "slowdown"))
    ended = np.isfinite(slowdown) & (slowdown > 0) & (size > 0)
    size, slowdown = size[ended], slowdown[ended]
    if len(size) < FEWEST:
        return None
    groups = np.array_split(np.argsort(size, kind="stable"), int(np.clip(len(size) // PER_BIN, 4, MOST_BINS)))
    middle = np.array([np.exp(np.log(size[group]).mean()) for group in groups])
    figure, axes = style.new(width_in, width_in * (0.48 if width_in > 5 else 0.62))
    fewest = min(len(group) for group in groups)
    data: dict = {"size_bytes": middle, "flows": [len(group) for group in groups]}
    handles, names = [], []
    for index, (level, name, needed) in enumerate(LEVELS):
        if fewest < needed:
            continue
        values = np.array([np.quantile(slowdown[group], level) for group in groups])
        handles += axes.plot(middle, values, marker="osD"[index], markersize=3, **style.line(index))
        names.append(name)
        data[f"slowdown_{name}"] = values
    axes.set_xscale("log")
    if max(np.max(data[f"slowdown_{name}"]) for name in names) > 10:
        axes.set_yscale("log")
        axes.set_ylim(1, None)
        style.plain_log_ticks(axes, "y")
    axes.set_ylim(1, None)
    style.plain_log_ticks(axes, "x", quantity.size)
    style.label(axes, "x", "flow size", "")
    style.label(axes, "y", "slowdown", "")
    style.legend(figure, handles, names)
    missing = (
        "" if len(names) == len(LEVELS) else " A percentile is left out where a bin has too few flows for it."
    )
    caption = (
        f"Completion time over the time alone on the empty path, by flow size: {len(size):,} flows in "
        f"{len(groups)} bins of {fewest:,} or more.{missing} {style.origin(record)}"
    )
    return style.Drawing("slowdown", "Flow-completion slowdown", caption, figure, data)
