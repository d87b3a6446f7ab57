"""Congestion windows of tracked flows over time."""

from __future__ import annotations

import numpy as np

from netarium.show.plots import events, style
from netarium.show.record import Grid, Record


def draw(record: Record, width_in: float) -> style.Drawing | None:
    """The tracked flows that delivered most, one of each service first; None when no flow has a window."""
    grid = record.series_flows
    if grid is None or "cwnd_bytes" not in grid.values or not np.nansum(grid["cwnd_bytes"]):
        return None
    columns = _chosen(record, grid)
    window = grid["cwnd_bytes"][:, columns]
    figure, axes = style.new(width_in, width_in * (0.42 if width_in > 5 else 0.58))
    divisor, unit = style.scale(float(np.nanmax(window)), "B")
    seconds = style.time_axis(axes, grid.times)
    handles, names = [], []
    order = style.chosen_services(record)
    for index, column in enumerate(columns):
        service = record.flow_services.get(grid.names[column], "")
        look = style.line(order.index(service) if service in order and len(columns) <= len(order) else index)
        handles += axes.plot(grid.times / seconds, window[:, index] / divisor, **look)
        names.append(f"{service} (flow {grid.names[column]})" if service else f"flow {grid.names[column]}")
    axes.set_ylim(0, None)
    style.label(axes, "y", "congestion window", unit)
    events.shade(axes, record, seconds)
    style.legend(figure, handles, names)
    rest = len(grid.names) - len(columns)
    caption = (
        "Congestion window over time"
        + (f" of {len(columns)} tracked flows; {rest:,} more are in series_flows.parquet" if rest else "")
        + f". {style.origin(record)}"
    )
    data = style.long_form(grid.times, names, cwnd_bytes=window)
    return style.Drawing("cwnd", "Congestion windows", caption, figure, data)


def _chosen(record: Record, grid: Grid) -> list[int]:
    """Up to LIMIT columns: the flow of each service that had most goodput, then the next ones."""
    weight = np.nan_to_num(grid.values.get("goodput_bps", grid["cwnd_bytes"])).sum(axis=0)
    largest = [
        int(column)
        for column in np.argsort(-weight, kind="stable")
        if np.nansum(grid["cwnd_bytes"][:, column])
    ]
    seen: set[str] = set()
    first, rest = [], []
    for column in largest:
        service = record.flow_services.get(grid.names[column], "")
        (rest if service in seen else first).append(column)
        seen.add(service)
    return (first + rest)[: style.LIMIT]
