"""How every figure looks: sizes, the colour-blind-safe palette and its dashes, axes, legends, captions.

Colours are those of Okabe and Ito (2008), "Color universal design", without black and yellow, which do not
read on dark and on light paper. Every line also has its own dashes, so that a print in grey tells them apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from netarium.show import quantity
from netarium.show.quantity import scale
from netarium.show.record import Record

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from matplotlib.axes import Axes

COLUMN_IN = 3.5  # one column of a two-column paper
PAGE_IN = 5.2  # a figure of the HTML report
INK, MUTED, GRID, SHADE = "#232321", "#6f6f6b", "#dcdcd8", "#ececea"
PAPER = "#fefefd"  # text on dark cells, edges of marks
HEAT = (
    "#fdd9ae",
    "#fdcb97",
    "#fdbb84",
    "#fca56f",
    "#f98456",
    "#ef6548",
    "#df4630",
    "#c81d11",
    "#a50f0b",
    "#730008",
)
SERIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1)), (0, (6, 1.5, 1.5, 1.5)), (0, (3, 1, 1, 1, 1, 1)), (0, (9, 2)))
LEGEND_ROW_IN = 0.16
LIMIT = len(SERIES)  # more named lines than this cannot be told apart


@dataclass
class Drawing:
    """One figure: `data` is the CSV behind it, column name to values, units last in the names."""

    name: str
    title: str
    caption: str
    figure: Figure
    data: dict[str, Sequence[Any]] = field(default_factory=dict)


def context() -> AbstractContextManager[None]:
    """Matplotlib settings for drawing and saving; restored on leaving."""
    return rc_context(
        {
            "font.size": 8,
            "axes.edgecolor": MUTED,
            "axes.labelcolor": INK,
            "axes.linewidth": 0.6,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": 8,
            "axes.titlelocation": "left",
            "axes.titlecolor": INK,
            "text.color": INK,
            "text.parse_math": False,
            "xtick.color": MUTED,
            "ytick.color": MUTED,
            "xtick.labelcolor": INK,
            "ytick.labelcolor": INK,
            "xtick.major.width": 0.6,
            "ytick.major.width": 0.6,
            "grid.color": GRID,
            "grid.linewidth": 0.5,
            "legend.frameon": False,
            "legend.handlelength": 2.4,
            "legend.columnspacing": 1.4,
            "legend.borderaxespad": 0.2,
            "lines.linewidth": 1.2,
            "pdf.fonttype": 42,
            "svg.fonttype": "none",
            "path.simplify": True,
            "path.simplify_threshold": 0.3,
        }
    )


def new(
    width_in: float, height_in: float, rows: int = 1, columns: int = 1, **options: Any
) -> tuple[Figure, Any]:
    """A figure and its axes, gridded; `height_in` is for the whole figure."""
    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.03, h_pad=0.03)  # type: ignore[union-attr]
    axes = figure.subplots(rows, columns, **options)
    for one in np.atleast_1d(axes).ravel():
        one.grid(True)
        one.set_axisbelow(True)
    return figure, axes


def settle(figure: Figure) -> None:
    """Fixes the layout, once and with the fast renderer; saving as SVG would work it out again, slowly."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
        figure.set_layout_engine("none")


def line(index: int) -> dict[str, Any]:
    """Colour and dashes of the series with this index."""
    return {"color": SERIES[index % LIMIT], "linestyle": DASHES[index % LIMIT]}


def label(axes: Axes, which: str, what: str, unit: str) -> None:
    text = f"{what} ({unit})" if unit else what
    (axes.set_xlabel if which == "x" else axes.set_ylabel)(text)


def time_axis(axes: Axes, times: np.ndarray) -> float:
    """Limits and label of a time axis; returns the divisor from seconds to what is drawn."""
    divisor, unit = scale(float(times[-1]), "s")
    axes.set_xlim(0, float(times[-1]) / divisor)
    label(axes, "x", "time", unit)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    return divisor


def legend(figure: Figure, handles: Sequence[Any], labels: Sequence[str]) -> None:
    """A legend above the axes in as many columns as the figure is wide; long names are cut in the middle."""
    labels = [quantity.shorten(text, 30) for text in labels]
    if not labels:
        return
    room = figure.get_figwidth() * 72 / (8 * 0.6)  # characters of 8 pt in a line
    columns = next((n for n in range(len(labels), 1, -1) if _legend_width(labels, n) <= room), 1)
    figure.legend(handles, labels, loc="outside upper left", ncols=columns)
    more_rows = -(-len(labels) // columns) - 1  # the axes keep their height
    figure.set_figheight(figure.get_figheight() + LEGEND_ROW_IN * more_rows)


def _legend_width(labels: Sequence[str], columns: int) -> int:
    """Characters that a legend takes; matplotlib fills it column by column, the first ones longer by one."""
    rows, longer = divmod(len(labels), columns)
    width, start = 0, 0
    for column in range(columns):
        end = start + rows + (column < longer)
        width += max(map(len, labels[start:end])) + 8  # the line and the gaps around it
        start = end
    return width


def chosen_services(record: Record) -> list[str]:
    """The services that get a line of their own: all of them, or the LIMIT with the most goodput."""
    names = list(record.services) or (record.series_services.names if record.series_services else [])
    if len(names) <= LIMIT:
        return names
    goodput = {name: record.services.get(name, {}).get("goodput_bps") or 0.0 for name in names}
    return sorted(names, key=lambda name: -goodput[name])[:LIMIT]


def origin(record: Record) -> str:
    """The end of every caption: how many runs, which seed."""
    unfinished = ", unfinished" if record.status != "succeeded" and record.stop is None else ""
    return f"Run {record.run} of trial {record.trial}{unfinished}: 1 run, seed {record.seed}."


def long_form(times: np.ndarray, names: Sequence[str], **columns: np.ndarray) -> dict[str, Sequence[Any]]:
    """Matrices [times, names] as the columns of a CSV: time_s, name, then each of `columns`."""
    return {
        "time_s": np.repeat(times, len(names)),
        "name": list(names) * len(times),
        **{column: matrix.ravel() for column, matrix in columns.items()},
    }


def quantiles(matrix: np.ndarray) -> dict[str, np.ndarray]:
    """min, p5, median, p95 and max over the columns of [times, names], ignoring NaN."""
    empty = np.isnan(matrix).all(axis=1)
    filled = np.where(empty[:, None], 0.0, matrix)
    low, p5, median, p95, high = np.nanquantile(filled, [0, 0.05, 0.5, 0.95, 1], axis=1)
    rows = {"min": low, "p5": p5, "median": median, "p95": p95, "max": high}
    return {name: np.where(empty, np.nan, values) for name, values in rows.items()}


def band(
    axes: Axes, times: np.ndarray, rows: dict[str, np.ndarray], divisor: float
) -> tuple[list[Any], list[str]]:
    """Draws median, 5-95 % and min-max of many series; returns what the legend needs."""
    wide = axes.fill_between(
        times, rows["min"] / divisor, rows["max"] / divisor, color=SERIES[5], alpha=0.25, lw=0
    )
    middle = axes.fill_between(
        times, rows["p5"] / divisor, rows["p95"] / divisor, color=SERIES[5], alpha=0.6, lw=0
    )
    (median,) = axes.plot(times, rows["median"] / divisor, color=SERIES[0])
    return [median, middle, wide], ["median service", "5 to 95 %", "least to most"]


def safe_log(axes: Axes, which: str, values: np.ndarray, ratio: float = 30.0) -> bool:
    """Makes an axis logarithmic when the positive `values` span more than `ratio`; True if it did."""
    positive = values[np.isfinite(values) & (values > 0)]
    if positive.size == 0 or positive.max() / positive.min() < ratio:
        return False
    (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    plain_log_ticks(axes, which)
    return True


def plain_log_ticks(axes: Axes, which: str, text: Callable[[float], str] = "{:g}".format) -> None:
    """Ticks of a log axis as plain numbers (0.1, 1, 10, 1000) instead of powers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axis = axes.xaxis if which == "x" else axes.yaxis
    low, high = sorted(axis.get_view_interval())
    decades = np.log10(high / low) if low > 0 else 1
    axis.set_major_locator(LogLocator(10, subs=(1.0, 2.0, 5.0) if decades <= 2.5 else (1.0,), numticks=8))
    axis.set_major_formatter(FuncFormatter(lambda value, _: text(value)))
    axis.set_minor_locator(NullLocator())  # hundreds of small ticks are what takes long to draw
