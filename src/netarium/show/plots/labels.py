"""Places names beside points so that they overlap neither each other nor the points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from netarium.show import quantity
from netarium.show.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CHARACTER = 0.6  # width of a character as a share of the font size, on the wide side
SIDES = ((0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1))
MOST = ((60, 60), (300, 30))  # on a map of up to so many nodes, write up to so many names


def place(
    axes: Axes, names: list[str], at: np.ndarray, weights: list[float], mark_pt: float, wires: np.ndarray
) -> int:
    """Writes as many of `names` as fit, largest weight first; returns how many did not.

    `wires` are points along the links, float64[n, 2]: a name keeps clear of them while it can."""
    size = 7.5 if len(names) <= 25 else 6.0
    to_points = 72 / axes.figure.dpi
    points = axes.transData.transform(at) * to_points
    wired = axes.transData.transform(wires) * to_points if len(wires) else np.empty((0, 2))
    wired = np.concatenate([wired - 1, wired + 1], axis=1)
    frame = axes.figure.bbox
    room = np.array([frame.width, frame.height]) * to_points
    taken = np.concatenate([points - mark_pt / 2, points + mark_pt / 2], axis=1)
    written = 0
    most = next((most for nodes, most in MOST if len(names) <= nodes), 0)
    for index in sorted(range(len(names)), key=lambda i: (-weights[i], i))[:most]:
        text = quantity.shorten(names[index], 18)
        width = len(text) * size * CHARACTER
        found = _free(points[index], width, size, mark_pt, np.concatenate([taken, wired]), room)
        found = found or _free(points[index], width, size, mark_pt, taken, room)
        if found is None:
            continue
        box, (across, up) = found
        taken = np.concatenate([taken, [box]])
        axes.annotate(
            text,
            at[index],
            xytext=(across * (mark_pt / 2 + 2), up * (mark_pt / 2 + 2)),
            textcoords="offset points",
            ha=("center", "left", "right")[across],
            va=("center", "bottom", "top")[up],
            fontsize=size,
            color=style.INK,
            zorder=5,
        )
        written += 1
    return len(names) - written


def _free(
    point: np.ndarray, width: float, height: float, mark_pt: float, taken: np.ndarray, room: np.ndarray
) -> tuple[np.ndarray, tuple[int, int]] | None:
    """The first box (left, bottom, right, top; points) beside `point` that touches nothing, and its side."""
    gap = mark_pt / 2 + 2
    for across, up in SIDES:
        left = point[0] + across * gap - width * (0.5, 0.0, 1.0)[across]
        bottom = point[1] + up * gap - height * (0.5, 0.0, 1.0)[up]
        box = np.array([left, bottom, left + width, bottom + height])
        inside = left >= 0 and bottom >= 0 and box[2] <= room[0] and box[3] <= room[1]
        apart = (
            (taken[:, 2] < box[0]) | (taken[:, 0] > box[2]) | (taken[:, 3] < box[1]) | (taken[:, 1] > box[3])
        )
        if inside and apart.all():
            return box, (across, up)
    return None
