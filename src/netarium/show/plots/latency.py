"""Round-trip time and one-way latency over time, per service."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from netarium.show.plots import events, style
from netarium.show.record import Record


def draw(record: Record, width_in: float) -> style.Drawing | None:
    """One-way latency (mean, with least and most per interval) and, where TCP ran, smoothed RTT above it."""
    one_way, round_trip = _one_way(record), _round_trip(record)
    panels = [panel for panel in (round_trip, one_way) if panel is not None]
    if not panels:
        return None
    height = (0.26 if width_in > 5 else 0.36) * len(panels) + 0.16
    figure, all_axes = style.new(width_in, width_in * height, len(panels), 1, sharex=True, squeeze=False)
    handles: dict[str, object] = {}
    data: dict[str, list] = {"time_s": [], "what": [], "name": [], "mean_s": [], "min_s": [], "max_s": []}
    for axes, (what, times, names, rows) in zip(all_axes[:, 0], panels, strict=True):
        _panel(axes, record, what, times, names, rows, handles)
        for index, name in enumerate(names):
            data["time_s"] += times.tolist()
            data["what"] += [what] * len(times)
            data["name"] += [name] * len(times)
            for key in ("mean", "min", "max"):
                data[f"{key}_s"] += rows[key][:, index].tolist()
    for index, axes in enumerate(all_axes[:, 0]):
        seconds = style.time_axis(axes, panels[0][1])
        events.shade(axes, record, seconds, named=index == 0)
        if index < len(panels) - 1:
            axes.set_xlabel("")
    style.legend(figure, list(handles.values()), list(handles))
    words = [what for what, *_ in panels]
    many = len(record.services) > style.LIMIT
    which = f"the {style.LIMIT} services with the most goodput" if many else "each service"
    caption = (
        f"{' and '.join(words).capitalize()} over time of {which}: the line is the mean of an interval"
        + (", the band runs from the least to the most" if one_way else "")
        + f". {style.origin(record)}"
    )
    return style.Drawing("latency", "Latency over time", caption, figure, data)


Panel = tuple[str, np.ndarray, list[str], dict[str, np.ndarray]]


def _one_way(record: Record) -> Panel | None:
    grid = record.series_services
    if grid is None or "latency_mean_s" not in grid.values:
        return None
    names = [name for name in style.chosen_services(record) if name in grid.names]
    columns = [grid.index(name) for name in names]
    rows = {key: grid[f"latency_{key}_s"][:, columns] for key in ("mean", "min", "max")}
    if not np.isfinite(rows["mean"]).any() or np.nanmax(rows["mean"]) <= 0:
        return None
    return "one-way latency", grid.times, names, rows


def _round_trip(record: Record) -> Panel | None:
    """Mean smoothed RTT over the tracked flows of each service."""
    grid = record.series_flows
    if grid is None or "srtt_s" not in grid.values:
        return None
    owner = [record.flow_services.get(name, name) for name in grid.names]
    names = [name for name in style.chosen_services(record) if name in owner]
    measured = np.where(grid["srtt_s"] > 0, grid["srtt_s"], np.nan)
    means = [
        _mean(measured[:, [column for column, who in enumerate(owner) if who == name]]) for name in names
    ]
    kept = [index for index, values in enumerate(means) if np.isfinite(values).any()]
    if not kept:
        return None
    mean = np.stack([means[index] for index in kept], axis=1)
    empty = np.full_like(mean, np.nan)
    return (
        "round-trip time",
        grid.times,
        [names[index] for index in kept],
        {"mean": mean, "min": empty, "max": empty},
    )


def _mean(matrix: np.ndarray) -> np.ndarray:
    counted = np.isfinite(matrix).sum(axis=1)
    total = np.nansum(matrix, axis=1)
    return np.where(counted > 0, total / np.maximum(counted, 1), np.nan)


def _panel(
    axes: Axes, record: Record, what: str, times: np.ndarray, names: list[str], rows: dict, handles: dict
) -> None:
    order = style.chosen_services(record)
    seconds = style.scale(float(times[-1]), "s")[0]
    top = np.nanmax(rows["max"]) if np.isfinite(rows["max"]).any() else np.nanmax(rows["mean"])
    divisor, unit = style.scale(float(top), "s")
    for index, name in enumerate(names):
        look = style.line(order.index(name))
        low, high = rows["min"][:, index] / divisor, rows["max"][:, index] / divisor
        if np.isfinite(high).any():
            axes.fill_between(times / seconds, low, high, color=look["color"], alpha=0.18, lw=0)
        (drawn,) = axes.plot(times / seconds, rows["mean"][:, index] / divisor, **look)
        handles.setdefault(name, drawn)
    style.safe_log(axes, "y", np.concatenate([rows["mean"].ravel(), rows["max"].ravel()]))
    style.label(axes, "y", "RTT" if what.startswith("round") else "one-way latency", unit)
