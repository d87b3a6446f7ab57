"""Queue over time at the busiest ports, with ticks where packets were dropped."""

from __future__ import annotations

import numpy as np

from netarium.show.plots import events, style
from netarium.show.record import Record

PORTS = 4


def draw(record: Record, width_in: float) -> style.Drawing | None:
    """The ports with the longest queues; None when no queue was ever seen."""
    grid = record.series_ports
    if grid is None or "queue_bytes" not in grid.values:
        return None
    longest = np.nan_to_num(grid["queue_bytes"]).max(axis=0)
    columns = [column for column in np.argsort(-longest, kind="stable")[:PORTS] if longest[column] > 0]
    if not columns:
        return None
    figure, axes = style.new(width_in, width_in * (0.42 if width_in > 5 else 0.58))
    queue = grid["queue_bytes"][:, columns]
    drops = grid["drops"][:, columns] if "drops" in grid.values else np.zeros_like(queue)
    divisor, unit = style.scale(float(longest.max()), "B")
    seconds = style.time_axis(axes, grid.times)
    handles = []
    for index in range(len(columns)):
        look = style.line(index)
        handles += axes.plot(grid.times / seconds, queue[:, index] / divisor, **look)
        dropping = grid.times[np.nan_to_num(drops[:, index]) > 0] / seconds
        axes.plot(
            dropping,
            np.full(len(dropping), 0.98 - 0.035 * index),
            "|",
            color=look["color"],
            markersize=3,
            markeredgewidth=0.7,
            transform=axes.get_xaxis_transform(),
        )
    axes.set_ylim(0, float(longest.max()) / divisor * (1.25 if np.nansum(drops) else 1.05))
    style.label(axes, "y", "queue", unit)
    events.shade(axes, record, seconds)
    names = [grid.names[column] for column in columns]
    style.legend(figure, handles, names)
    dropped = " Ticks at the top: packets were dropped in that interval." if np.nansum(drops) else ""
    caption = (
        f"Bytes waiting at the {len(names)} ports with the longest queues.{dropped} {style.origin(record)}"
    )
    data = style.long_form(grid.times, names, queue_bytes=queue, drops=drops)
    return style.Drawing("queue", "Queue over time", caption, figure, data)
