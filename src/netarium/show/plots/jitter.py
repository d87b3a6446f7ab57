"""How far latencies are apart in each interval: for services whose variation is too small to see beside their latency."""

from __future__ import annotations

import numpy as np

from netarium.show.plots import events, style
from netarium.show.record import Record

SEEN_SHARE = 0.05
"""Below this part of the latency a variation cannot be read off the figure of latency."""


def draw(record: Record, width_in: float) -> style.Drawing | None:
    """Largest minus least one-way latency of each interval, on a logarithmic scale; None when latency itself shows it."""
    grid = record.series_services
    if grid is None or "latency_min_s" not in grid.values:
        return None
    names = [name for name in style.chosen_services(record) if name in grid.names]
    columns = [grid.index(name) for name in names]
    least, largest = grid["latency_min_s"][:, columns], grid["latency_max_s"][:, columns]
    apart = np.where(largest > least, largest - least, np.nan)
    with np.errstate(invalid="ignore"):
        hidden = [_widest(apart[:, k]) < SEEN_SHARE * _widest(largest[:, k]) for k in range(len(names))]
    if not any(hidden):
        return None
    figure, axes = style.new(width_in, width_in * (0.42 if width_in > 5 else 0.56))
    seconds = style.time_axis(axes, grid.times)
    divisor, unit = style.scale(_widest(apart), "s")
    handles = []
    for index in range(len(names)):
        handles += axes.plot(grid.times / seconds, apart[:, index] / divisor, **style.line(index))
    axes.set_yscale("log")
    style.plain_log_ticks(axes, "y")
    style.label(axes, "y", "latencies apart", unit)
    events.shade(axes, record, seconds)
    style.legend(figure, handles, names)
    caption = (
        "Largest minus least one-way latency of the packets that arrived in an interval, over all flows of each service; "
        f"where flows take different paths, their lengths are in it. {style.origin(record)}"
    )
    data = {
        "time_s": np.tile(grid.times, len(names)).tolist(),
        "name": [name for name in names for _ in grid.times],
        "apart_s": apart.T.ravel().tolist(),
    }
    return style.Drawing("jitter", "Latencies apart", caption, figure, data)


def _widest(values: np.ndarray) -> float:
    return float(np.nanmax(values)) if np.isfinite(values).any() else float("nan")
