"""Flow-completion slowdown by flow size over all runs of each variant family, from the run folders that were kept."""

from __future__ import annotations

from typing import Any

import numpy as np

from netarium.errors import RecordError
from netarium.show import quantity
from netarium.show.campaign.plots.scene import Scene
from netarium.show.plots import style
from netarium.show.plots.slowdown import FEWEST, LEVELS, MOST_BINS, PER_BIN
from netarium.show.record import read

RUNS_MAX = 300  # run folders that are read, spread evenly over the campaign

Flows = tuple[np.ndarray, np.ndarray]  # size in bytes, slowdown


def draw(scene: Scene) -> style.Drawing | None:
    """A panel for each percentile, a line for each value of the subject; bins hold equally many flows."""
    flows, runs = gathered(scene)
    flows = {name: pair for name, pair in flows.items() if len(pair[0]) >= FEWEST}
    if not flows or all(np.ptp(size) == 0 for size, _ in flows.values()):
        return None
    columns = len(LEVELS) if scene.is_page else 1
    height = scene.width_in * (0.42 if scene.is_page else 1.25)
    figure, grid = style.new(
        scene.width_in, height, len(LEVELS) // columns, columns, sharex=True, sharey=True
    )
    data: dict[str, list] = {
        name: [] for name in ("of", "size_bytes", "flows", *(f"slowdown_{n}" for _, n, _ in LEVELS))
    }
    handles = []
    order = list(scene.subject.levels) if scene.subject else list(flows)
    for name, pair in flows.items():
        middle, counts, values = binned(*pair)
        values |= {level: np.full(len(middle), np.nan) for _, level, needed in LEVELS if min(counts) < needed}
        for panel, (axes, (_, level, _)) in enumerate(zip(grid, LEVELS, strict=True)):
            found = axes.plot(middle, values[level], marker="osD^vP"[order.index(name)], markersize=2.5,
                              **style.line(order.index(name)))  # fmt: skip
            handles += found if panel == 0 else []
        for row in zip([name] * len(middle), middle, counts, *values.values(), strict=True):
            for column, value in zip(data, row, strict=True):
                data[column].append(value)
    _finish(grid, columns)
    style.legend(figure, handles, list(flows))
    total = sum(len(size) for size, _ in flows.values())
    few = (
        "" if np.isfinite(data["slowdown_p99"]).all() else " (left out where a bin has too few flows for it)"
    )
    caption = (
        f"Completion time over the time alone on the empty path, by flow size: {total:,} flows of {runs:,} runs whose "
        f"folders were kept, in bins of equally many flows; p50, p95 and p99{few}"
        f"{f', a line for each {scene.subject.name}' if scene.subject else ''}. {scene.origin(runs)}"
    )
    return style.Drawing("slowdown", "Flow-completion slowdown", caption, figure, data)


def gathered(scene: Scene) -> tuple[dict[str, Flows], int]:
    """Sizes and slowdowns of the flows by value of the subject, and of how many runs they are."""
    trials = scene.trials
    kept = [row for row in np.flatnonzero(trials.measured) if trials.run_folder(int(row)) is not None]
    chosen = (
        kept
        if len(kept) <= RUNS_MAX
        else [kept[i] for i in np.linspace(0, len(kept) - 1, RUNS_MAX).astype(int)]
    )
    names = (
        trials.levels(scene.subject) if scene.subject else np.full(trials.count, "all flows", dtype=object)
    )
    found: dict[str, list[Flows]] = {}
    for row in chosen:
        flows = _of_run(trials.run_folder(int(row)))
        if flows is not None:
            found.setdefault(str(names[row]), []).append(flows)
    order = list(scene.subject.levels) if scene.subject else list(found)
    joined = {
        name: (
            np.concatenate([size for size, _ in found[name]]),
            np.concatenate([ratio for _, ratio in found[name]]),
        )
        for name in order
        if name in found
    }
    return joined, len(chosen)


def _of_run(folder: Any) -> Flows | None:
    try:
        table = read(folder).table("flows", ["size_bytes", "slowdown"])
    except RecordError:
        return (
            None  # a folder that was removed or is damaged has no flows to show; its trial keeps its metrics
        )
    if table is None or table.num_columns < 2:
        return None
    size, ratio = (table[name].to_numpy().astype(float) for name in ("size_bytes", "slowdown"))
    ended = np.isfinite(ratio) & (ratio > 0) & (size > 0)
    return size[ended], ratio[ended]


def binned(size: np.ndarray, ratio: np.ndarray) -> tuple[np.ndarray, list[int], dict[str, np.ndarray]]:
    """Geometric mean size, number of flows and percentiles of every bin of equally many flows (within one)."""
    count = int(np.clip(len(size) // PER_BIN, 4, MOST_BINS))
    bins = np.array_split(np.argsort(size, kind="stable"), count)
    middle = np.array([np.exp(np.log(size[each]).mean()) for each in bins])
    values = {name: np.array([np.quantile(ratio[each], q) for each in bins]) for q, name, _ in LEVELS}
    return middle, [len(each) for each in bins], values


def _finish(grid: Any, columns: int) -> None:
    grid[0].set_xscale("log")
    drawn = np.concatenate([line.get_ydata() for axes in grid for line in axes.get_lines()])
    highest = float(np.nanmax(drawn))
    if highest > 10:
        grid[0].set_yscale("log")
    grid[0].set_ylim(1, None)
    if highest > 10:
        style.plain_log_ticks(grid[0], "y")
    style.plain_log_ticks(grid[0], "x", quantity.size)
    for place, (axes, (_, level, _)) in enumerate(zip(grid, LEVELS, strict=True)):
        axes.set_title(level)
        if columns > 1 or place == len(LEVELS) - 1:
            style.label(axes, "x", "flow size", "")
        if columns == 1 or place == 0:
            style.label(axes, "y", "slowdown", "")
        axes.tick_params(labelsize=6 if columns > 1 else 6.5)
