"""Congestion windows of tracked flows over time, with the bandwidth-delay product of the busiest link."""

from __future__ import annotations

import numpy as np

from netarium.show.plots import events, style
from netarium.show.plots.throughput import busiest_port
from netarium.show.record import Grid, Record

FAR = 6.0  # a line higher than this many times the largest window would flatten the windows


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
    lines, note = _products(record, grid, columns, float(np.nanmax(window)))
    for (name, product_bytes), dashes in zip(lines.items(), ((0, (4, 3)), (0, (1, 1.5))), strict=False):
        handles.append(axes.axhline(product_bytes / divisor, color=style.INK, lw=0.8, ls=dashes))
        names.append(name)
    axes.set_ylim(0, None)
    style.label(axes, "y", "congestion window", unit)
    events.shade(axes, record, seconds)
    style.legend(figure, handles, names)
    rest = len(grid.names) - len(columns)
    caption = (
        "Congestion window over time"
        + (f" of {len(columns)} tracked flows; {rest:,} more are in series_flows.parquet" if rest else "")
        + f".{note} {style.origin(record)}"
    )
    data = style.long_form(grid.times, names[: len(columns)], cwnd_bytes=window)
    return style.Drawing("cwnd", "Congestion windows", caption, figure, data)


def _products(record: Record, grid: Grid, columns: list[int], largest: float) -> tuple[dict[str, float], str]:
    """(name -> bytes of a horizontal line, what they are): BDP, and BDP with the longest queue of the same port.

    Of the least round-trip time among the services drawn; nothing where a rate or a round trip is not recorded,
    or where one flow is so small beside the link that the line would hide its window.
    """
    services = {record.flow_services.get(grid.names[column], "") for column in columns}
    trips = [(record.services.get(name, {}).get("rtt_s") or {}).get("min") for name in services]
    known = [float(trip) for trip in trips if trip]
    port, rate_bps = busiest_port(record)
    if not known or not rate_bps:
        return {}, ""
    product = rate_bps * min(known) / 8
    queue = float(record.links.get(port, {}).get("queue_bytes_max") or 0)
    found = {"BDP": product, "BDP + longest queue": product + queue} if queue else {"BDP": product}
    found = {name: value for name, value in found.items() if value <= FAR * largest}
    queued = ", and with its longest queue added" if len(found) > 1 else ""
    what = f" BDP: rate of {port}, the busiest link, times the least round trip{queued}; its flows share it."
    return found, what if found else ""


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
