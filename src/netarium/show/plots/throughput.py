"""Goodput over time per service, with the rate of the busiest link as the capacity line."""

from __future__ import annotations

import numpy as np

from netarium.show.plots import events, style
from netarium.show.record import Grid, Record


def draw(record: Record, width_in: float) -> style.Drawing | None:
    """One line per service; with more services than can be told apart, their total and their spread."""
    grid = record.series_services
    if grid is None or "goodput_bps" not in grid.values:
        return None
    if len(grid.names) > style.LIMIT:
        return _many(record, grid, width_in)
    figure, axes = style.new(width_in, width_in * (0.48 if width_in > 5 else 0.62))
    names = [name for name in style.chosen_services(record) if name in grid.names]
    goodput = np.stack([grid["goodput_bps"][:, grid.index(name)] for name in names], axis=1)
    divisor, unit = style.scale(float(np.nanmax(goodput, initial=1.0)), "bit/s")
    seconds = style.time_axis(axes, grid.times)
    handles = [
        axes.plot(grid.times / seconds, goodput[:, index] / divisor, **style.line(index))[0]
        for index in range(len(names))
    ]
    port, capacity = busiest_port(record)
    note = ""
    if capacity and capacity <= 4 * np.nanmax(goodput, initial=1.0):
        handles.append(axes.axhline(capacity / divisor, color=style.INK, lw=0.8, ls=(0, (4, 3))))
        names = [*names, "capacity"]
        note = f" Capacity is the rate of {port}, the busiest link, which also carries headers and frames."
    axes.set_ylim(0, None)
    style.label(axes, "y", "goodput", unit)
    events.shade(axes, record, seconds)
    style.legend(figure, handles, names)
    caption = f"Goodput of each service over time (application data delivered per interval).{note}"
    data = style.long_form(grid.times, names[: goodput.shape[1]], goodput_bps=goodput)
    return style.Drawing("throughput", "Goodput over time", f"{caption} {style.origin(record)}", figure, data)


def _many(record: Record, grid: Grid, width_in: float) -> style.Drawing:
    figure, (upper, lower) = style.new(
        width_in, width_in * (0.62 if width_in > 5 else 0.9), 2, 1, sharex=True
    )
    total, rows = np.nansum(grid["goodput_bps"], axis=1), style.quantiles(grid["goodput_bps"])
    seconds = style.time_axis(lower, grid.times)
    divisor, unit = style.scale(float(total.max(initial=1.0)), "bit/s")
    upper.plot(grid.times / seconds, total / divisor, color=style.SERIES[0])
    upper.set_ylim(0, None)
    style.label(upper, "y", "all services", unit)
    divisor, unit = style.scale(float(np.nanmax(rows["max"], initial=1.0)), "bit/s")
    handles, labels = style.band(lower, grid.times / seconds, rows, divisor)
    lower.set_ylim(0, None)
    style.label(lower, "y", "each service", unit)
    events.shade(upper, record, seconds)
    events.shade(lower, record, seconds, named=False)
    style.legend(figure, handles, labels)
    caption = (
        f"Goodput over time: the sum over {len(grid.names):,} services, and how they spread. "
        f"{style.origin(record)}"
    )
    data = {"time_s": grid.times, "total_bps": total, **{f"{key}_bps": value for key, value in rows.items()}}
    return style.Drawing("throughput", "Goodput over time", caption, figure, data)


def busiest_port(record: Record) -> tuple[str, float]:
    """(port, rate in bit/s) of the port that was used most; ("", 0.0) when that is not recorded."""
    rates = record.port_rates
    used = {
        port: float(metrics.get("utilisation") or 0.0)
        for port, metrics in record.links.items()
        if port in rates
    }
    if not used:
        return "", 0.0
    port = max(used, key=lambda name: used[name])
    return port, rates[port]
