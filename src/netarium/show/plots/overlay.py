"""Figures of several runs laid over each other: colour is the run, dashes are the service."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.lines import Line2D

from netarium.show.plots import delay, style
from netarium.show.record import Record

SERVICES = 3  # services of each run; more lines would hide each other
RUNS = style.LIMIT


def draw(
    records: Sequence[Record], names: Sequence[str], width_in: float = style.COLUMN_IN
) -> list[style.Drawing]:
    """Goodput over time and latency distribution of up to RUNS runs, those with data."""
    records, names = records[:RUNS], names[:RUNS]
    with style.context():
        drawn = [_goodput(records, names, width_in), _latency(records, names, width_in)]
    return [drawing for drawing in drawn if drawing is not None]


def shared_services(records: Sequence[Record]) -> list[str]:
    """The services of all runs that matter most: known in most runs, then with most goodput."""
    score: dict[str, tuple[int, float]] = {}
    for record in records:
        for name, metrics in record.services.items():
            seen, goodput = score.get(name, (0, 0.0))
            score[name] = (seen + 1, goodput + float(metrics.get("goodput_bps") or 0.0))
    return sorted(score, key=lambda name: (-score[name][0], -score[name][1]))[:SERVICES]


def _goodput(records: Sequence[Record], names: Sequence[str], width_in: float) -> style.Drawing | None:
    grids = [record.series_services for record in records]
    services = shared_services(records)
    usable = [grid for grid in grids if grid is not None and "goodput_bps" in grid.values]
    if not usable or not services:
        return None
    figure, axes = style.new(width_in, width_in * (0.5 if width_in > 5 else 0.7))
    largest = max(float(np.nanmax(grid["goodput_bps"], initial=1.0)) for grid in usable)
    divisor, unit = style.scale(largest, "bit/s")
    longest = max((grid.times for grid in usable), key=lambda times: times[-1])
    seconds = style.time_axis(axes, longest)
    data: dict[str, list] = {"run": [], "service": [], "time_s": [], "goodput_bps": []}
    for run, (grid, name) in enumerate(zip(grids, names, strict=True)):
        if grid is None or "goodput_bps" not in grid.values:
            continue
        for index, service in enumerate(services):
            if service not in grid.names:
                continue
            values = grid["goodput_bps"][:, grid.index(service)]
            axes.plot(grid.times / seconds, values / divisor, color=style.SERIES[run], ls=style.DASHES[index])
            data["run"] += [name] * len(values)
            data["service"] += [service] * len(values)
            data["time_s"] += grid.times.tolist()
            data["goodput_bps"] += values.tolist()
    axes.set_ylim(0, None)
    style.label(axes, "y", "goodput", unit)
    _legend(figure, names, services)
    caption = f"Goodput over time of {_list(services)}. {_origin(records, names)}"
    return style.Drawing("compare_throughput", "Goodput over time", caption, figure, data)


def _latency(records: Sequence[Record], names: Sequence[str], width_in: float) -> style.Drawing | None:
    services = shared_services(records)
    curves = {}
    looks = []
    for run, (record, name) in enumerate(zip(records, names, strict=True)):
        found = delay.distributions(record)
        for index, service in enumerate(services):
            if service in found:
                curves[f"{name}, {service}"] = found[service]
                looks.append({"color": style.SERIES[run], "linestyle": style.DASHES[index]})
    if not curves:
        return None
    caption = f"One-way latency of {_list(services)}. {_origin(records, names)}"
    drawing = delay.overlay(curves, width_in, caption, "compare_delay_cdf", looks)
    _legend(drawing.figure, names, services)
    return drawing


def _legend(figure, names: Sequence[str], services: Sequence[str]) -> None:  # type: ignore[no-untyped-def]
    handles = [Line2D([], [], color=style.SERIES[run], lw=2.4) for run in range(len(names))]
    dashes = [Line2D([], [], color=style.MUTED, ls=style.DASHES[index]) for index in range(len(services))]
    style.legend(figure, [*handles, *dashes], [*names, *services])


def _list(services: Sequence[str]) -> str:
    return ", ".join(services)


def _origin(records: Sequence[Record], names: Sequence[str]) -> str:
    seeds = ", ".join(f"{name} (seed {record.seed})" for name, record in zip(names, records, strict=True))
    return f"{len(records)} runs: {seeds}."
