"""Distribution of one-way latency: CDF, and CCDF with a logarithmic tail and the usual percentiles marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import FuncFormatter, NullLocator

from netarium.show.plots import style
from netarium.show.record import Record

if TYPE_CHECKING:
    import pyarrow as pa

MARKS = ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"), (0.999, "p99.9"))
MARKERS = "osD^"
WORST = 3

Steps = tuple[np.ndarray, np.ndarray]  # upper edge of each bin in s, share of packets up to it


def draw(record: Record, width_in: float, what: str = "one_way") -> style.Drawing | None:
    """CDF beside CCDF (below it in a narrow column); of many services, all together and the slowest."""
    curves = distributions(record, what)
    if not curves:
        return None
    many = len(curves) > style.LIMIT
    if many:
        curves = _summed(record, what, curves)
    return overlay(curves, width_in, _caption(record, many), name="delay_cdf")


def overlay(
    curves: dict[str, Steps],
    width_in: float,
    caption: str,
    name: str,
    looks: Sequence[dict[str, Any]] | None = None,
) -> style.Drawing:
    """The figure for any named distributions: services of a run, or runs laid over each other.

    `looks` are the colours and dashes of the curves; whoever gives them also makes the legend.
    """
    side_by_side = width_in > 5
    figure, (left, right) = style.new(
        width_in,
        width_in * (0.46 if side_by_side else 1.15),
        1 if side_by_side else 2,
        2 if side_by_side else 1,
        sharex=True,
    )
    every = np.concatenate([edges for edges, _ in curves.values()])
    divisor, unit = style.scale(float(np.median(every)), "s")
    handles = []
    for index, (edges, shares) in enumerate(curves.values()):
        look = style.line(index) if looks is None else looks[index]
        left.step(edges / divisor, shares, where="post", **look)
        handles += right.step(edges[:-1] / divisor, 1 - shares[:-1], where="post", **look)
        for (probability, _), marker in zip(MARKS, MARKERS, strict=True):
            at = edges[np.searchsorted(shares, probability)] / divisor
            for axes, height in ((left, probability), (right, 1 - probability)):
                axes.plot(at, height, marker, color=look["color"], markersize=3.2, markeredgewidth=0)
    right.set_yscale("log")
    right.yaxis.set_major_formatter(FuncFormatter(_share))
    right.yaxis.set_minor_locator(NullLocator())
    for axes in (left, right):
        style.safe_log(axes, "x", every, ratio=12)
    for axes in (left, right) if side_by_side else (right,):
        style.label(axes, "x", "one-way latency", unit)
    left.set_ylim(0, 1.02)
    style.label(left, "y", "share of packets up to it", "")
    style.label(right, "y", "share of packets above it", "")
    for probability, text in MARKS:
        right.axhline(1 - probability, color=style.GRID, lw=0.5, zorder=0)
        right.annotate(
            text,
            (1, 1 - probability),
            xycoords=("axes fraction", "data"),
            xytext=(2, 0),
            textcoords="offset points",
            va="center",
            fontsize=7,
            color=style.MUTED,
        )
    if looks is None:
        style.legend(figure, handles, list(curves))
    names = [label for label, (edges, _) in curves.items() for _ in edges]
    data = {
        "name": names,
        "latency_s": np.concatenate([edges for edges, _ in curves.values()]),
        "cdf": np.concatenate([shares for _, shares in curves.values()]),
    }
    return style.Drawing(name, "Latency distribution", caption, figure, data)


def _share(value: float, _: int) -> str:
    """A tick of the logarithmic axis: 0.1, 0.001, then 1e-4 (plain text: typeset powers are slow to draw)."""
    return f"{value:g}" if value > 5e-4 else f"1e{round(float(np.log10(value)))}"


def distributions(record: Record, what: str = "one_way") -> dict[str, Steps]:
    """By service in the trial's order: (upper bin edges in s, share of packets up to each)."""
    table = _bins(record, what)
    if table is None:
        return {}
    encoded = table["service"].combine_chunks().dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    by_service = np.argsort(codes, kind="stable")
    columns = [table[column].to_numpy()[by_service] for column in ("low_s", "high_s", "count")]
    ends = np.searchsorted(codes[by_service], np.arange(len(encoded.dictionary) + 1))
    found = {
        name: _steps(*(column[first:end] for column in columns))
        for name, first, end in zip(encoded.dictionary.to_pylist(), ends[:-1], ends[1:], strict=True)
        if end > first
    }
    order = {name: index for index, name in enumerate(record.services)}
    return dict(sorted(found.items(), key=lambda item: order.get(item[0], len(order))))


def _bins(record: Record, what: str) -> pa.Table | None:
    """The rows of latency.parquet for one_way or rtt; None when there are none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    table = record.table("latency")
    if table is None or not {"service", "what", "low_s", "high_s", "count"} <= set(table.column_names):
        return None
    table = table.filter(pc.equal(table["what"].cast(pa.string()), what))
    return table if table.num_rows else None


def _steps(low: np.ndarray, high: np.ndarray, counts: np.ndarray) -> Steps:
    """Starts at the lower edge of the first bin with share 0, ends at the last with share 1."""
    order = np.argsort(low)
    total = np.cumsum(counts[order])
    return np.concatenate([low[order][:1], high[order]]), np.concatenate([[0.0], total / total[-1]])


def _summed(record: Record, what: str, curves: dict[str, Steps]) -> dict[str, Steps]:
    """All services together, then the ones whose p99 is largest."""
    table = _bins(record, what)
    assert table is not None
    edges, inverse = np.unique(table["high_s"].to_numpy(), return_inverse=True)
    counts = np.bincount(inverse, weights=table["count"].to_numpy())
    low = np.concatenate([[table["low_s"].to_numpy().min()], edges[:-1]])
    slow = {name: float(edges[np.searchsorted(shares, 0.99)]) for name, (edges, shares) in curves.items()}
    worst = sorted(slow, key=lambda name: -slow[name])[:WORST]
    together = {f"all {len(curves):,} services": _steps(low, edges, counts)}
    return {**together, **{f"{name} (slow)": curves[name] for name in worst}}


def _caption(record: Record, many: bool) -> str:
    which = (
        f"all packets together and of the {WORST} services with the largest p99" if many else "each service"
    )
    return (
        f"One-way latency of {which}: cumulative share, and the share above with a logarithmic scale. "
        f"Marks: p50 (circle), p95 (square), p99 (diamond), p99.9 (triangle). {style.origin(record)}"
    )
