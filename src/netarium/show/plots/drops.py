"""Dropped packets by port and reason."""

from __future__ import annotations

import numpy as np
from matplotlib.ticker import MaxNLocator

from netarium.show import quantity
from netarium.show.plots import style
from netarium.show.record import Record

PORTS = 10
HATCHES = ("", "////", "....", "\\\\\\\\", "xxxx", "++++")


def draw(record: Record, width_in: float) -> style.Drawing | None:
    """Stacked bars of the ports that dropped most; None when nothing was dropped at a port."""
    dropped = {port: {reason: n for reason, n in (metrics.get("drops") or {}).items() if n}
               for port, metrics in record.links.items()}  # fmt: skip
    dropped = {port: reasons for port, reasons in dropped.items() if reasons}
    if not dropped:
        return None
    ports = sorted(dropped, key=lambda port: -sum(dropped[port].values()))
    shown = ports[:PORTS]
    reasons = sorted({reason for port in shown for reason in dropped[port]})
    counts = np.array([[dropped[port].get(reason, 0) for reason in reasons] for port in shown], float)
    divisor, prefix = style.scale(float(counts.sum(axis=1).max()), "packets")
    prefix = {"k": "thousand ", "M": "million ", "G": "billion "}.get(prefix.removesuffix("packets"), "")
    figure, axes = style.new(width_in, 0.75 + 0.2 * len(shown))
    left = np.zeros(len(shown))
    handles = []
    for index, _ in enumerate(reasons):
        bars = axes.barh(range(len(shown)), counts[:, index] / divisor, left=left / divisor, height=0.62,
                         color=style.SERIES[index % style.LIMIT], hatch=HATCHES[index % len(HATCHES)],
                         edgecolor="white", linewidth=0.4)  # fmt: skip
        handles.append(bars)
        left += counts[:, index]
    for index, total in enumerate(counts.sum(axis=1)):
        axes.annotate(f"{total:,.0f}", (total / divisor, index), xytext=(3, 0), textcoords="offset points",
                      va="center", fontsize=7)  # fmt: skip
    axes.set_yticks(range(len(shown)), [quantity.shorten(port, 26) for port in shown])
    axes.invert_yaxis()
    axes.grid(False, axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(6))
    style.label(axes, "x", "dropped", f"{prefix}packets")
    style.legend(figure, handles, reasons)
    rest = f" {len(ports) - len(shown):,} more ports dropped packets." if len(ports) > len(shown) else ""
    caption = f"Dropped packets by port and reason.{rest} {style.origin(record)}"
    data = {"port": [port for port in shown for _ in reasons], "reason": reasons * len(shown),
            "packets": counts.ravel().astype(int)}  # fmt: skip
    return style.Drawing("drops", "Drops by reason", caption, figure, data)
