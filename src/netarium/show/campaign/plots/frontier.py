"""Throughput against the 95th percentile of delay, better to the upper right; an ellipse for the spread of each variant.

The ellipse is the one of one standard deviation of a normal distribution with the covariance of the runs, as in
Winstein and Balakrishnan, "TCP ex Machina", SIGCOMM 2013, figure 4, and in Pantheon's reports.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.patches import Ellipse

from netarium.show.campaign.plots.scene import POINTS_MAX, Scene
from netarium.show.campaign.trials import Trials
from netarium.show.campaign.variants import Summary
from netarium.show.plots import style

SPEEDS = ("goodput", "throughput")
DELAYS = ("latency.p95", "rtt.p95", "latency.p99", "rtt.p99", "latency.p90", "latency.mean", "latency.p50")
LABELLED = 9  # variants that get their name beside the mark
UNNAMED = "Too many variants to be named here; the figure's CSV names each. "
SHADE, SHADE_LEAST, SHADED = (
    0.22,
    0.05,
    50,
)  # opacity of an ellipse, less where there are more variants than so many


def draw(scene: Scene) -> style.Drawing | None:
    """Needs a rate and a percentile of delay of one service."""
    axes_of = chosen(scene.trials)
    if axes_of is None:
        return None
    speed, delay = axes_of
    y, x = scene.trials.values(speed), scene.trials.values(delay)
    both = np.isfinite(x) & np.isfinite(y) & (x > 0)
    if not both.any():
        return None
    y_divisor, y_label = scene.axis(speed, y[both])
    x_divisor, x_label = scene.axis(delay, x[both])
    figure, axes = style.new(scene.width_in, scene.width_in * (0.58 if scene.is_page else 0.8))
    is_log = style.safe_log(axes, "x", x[both] / x_divisor, ratio=12)
    groups = [(entry, entry.group.rows[both[entry.group.rows]]) for entry in scene.found]
    groups = [(entry, rows) for entry, rows in groups if len(rows)]
    shade = max(SHADE_LEAST, SHADE * min(1.0, SHADED / len(groups)))
    for entry, rows in groups:
        _cloud(
            scene, axes, entry, x[rows] / x_divisor, y[rows] / y_divisor, rows, is_log, int(both.sum()), shade
        )
    _limits(axes, x[both] / x_divisor, y[both] / y_divisor, is_log)
    if is_log:
        style.plain_log_ticks(axes, "x")
    axes.set_xlabel(f"{x_label}, better to the right")
    axes.set_ylabel(y_label)
    scene.subject_legend(figure)
    is_named = len(groups) <= LABELLED
    if is_named:
        _names(axes, groups, x / x_divisor, y / y_divisor, is_log)
    what = f"a colour for each {scene.subject.name}; " if scene.subject else ""
    caption = (
        f"{speed} against {delay} (axis reversed: the better the further up and right): {what}a mark for the mean "
        f"of each of {len(groups):,} variants, an ellipse for one standard deviation of its runs. "
        f"{'' if is_named or scene.subject else UNNAMED}"
        f"{scene.origin(int(both.sum()))}"
    )
    return style.Drawing(
        "frontier", "Throughput and delay", caption, figure, _data(groups, x, y, speed, delay)
    )


def chosen(trials: Trials) -> tuple[str, str] | None:
    """A rate and a delay of one service, the leading metric's service first; None when no service has both."""
    services = list(dict.fromkeys(metric.partition(".")[0] for metric in trials.metrics))
    for service in services:
        names = {word: f"{service}.{word}" for word in (*SPEEDS, *DELAYS)}
        speed = next((names[word] for word in SPEEDS if names[word] in trials.metrics), None)
        delay = next((names[word] for word in DELAYS if names[word] in trials.metrics), None)
        if speed and delay:
            return speed, delay
    return None


def _cloud(scene: Scene, axes: Any, entry: Summary, x: np.ndarray, y: np.ndarray, rows: np.ndarray,
           is_log: bool, drawn: int, shade: float) -> None:  # fmt: skip
    colour = scene.colour(entry.group)
    if drawn <= POINTS_MAX:
        scene.points(axes, x, y, rows.tolist(), s=4, color=colour, alpha=0.35, zorder=2)
    if len(rows) >= 3 and not is_log:
        axes.add_patch(_ellipse(x, y, colour, shade))
    elif len(rows) >= 3:
        outline = _outline(np.log(x), y)
        axes.fill(
            np.exp(outline[0]), outline[1], facecolor=colour, edgecolor=colour, alpha=shade, lw=0.8, zorder=1
        )
    centre = float(np.exp(np.log(x).mean())) if is_log else float(x.mean())
    axes.plot(centre, y.mean(), scene.marker(entry.group), color=colour, markersize=4.5, zorder=4,
              markeredgecolor=style.PAPER, markeredgewidth=0.4)  # fmt: skip


def spread(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(half axes, directions as columns) of the ellipse of one standard deviation."""
    values, vectors = np.linalg.eigh(np.cov(x, y))
    return np.sqrt(np.maximum(values, 0)), vectors


def _ellipse(x: np.ndarray, y: np.ndarray, colour: str, shade: float) -> Ellipse:
    half, vectors = spread(x, y)
    angle = float(np.degrees(np.arctan2(vectors[1, 0], vectors[0, 0])))
    return Ellipse((float(x.mean()), float(y.mean())), 2 * half[0], 2 * half[1], angle=angle, facecolor=colour,
                   edgecolor=colour, alpha=shade, lw=0.8, zorder=1)  # fmt: skip


def _outline(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """float64[2, points]: the ellipse in the coordinates it was measured in."""
    half, vectors = spread(x, y)
    turn = np.linspace(0, 2 * np.pi, 60)
    circle = np.stack([half[0] * np.cos(turn), half[1] * np.sin(turn)])
    return vectors @ circle + np.array([[x.mean()], [y.mean()]])


def _limits(axes: Any, x: np.ndarray, y: np.ndarray, is_log: bool) -> None:
    low, high = float(x.min()), float(x.max())
    margin = (high / low) ** 0.06 if is_log else 0.06 * max(high - low, 1e-9 + 0.1 * high)
    ends = (high * margin, low / margin) if is_log else (high + margin, max(0.0, low - margin))
    axes.set_xlim(*ends)
    axes.set_ylim(0, float(y.max()) * 1.06)


def _names(axes: Any, groups: list, x: np.ndarray, y: np.ndarray, is_log: bool) -> None:
    for entry, rows in groups:
        centre = float(np.exp(np.log(x[rows]).mean())) if is_log else float(x[rows].mean())
        axes.annotate(entry.group.label, (centre, float(y[rows].mean())), xytext=(4, 4), fontsize=6.5,
                      textcoords="offset points")  # fmt: skip


def _data(groups: list, x: np.ndarray, y: np.ndarray, speed: str, delay: str) -> dict[str, list]:
    data: dict[str, list] = {
        name: []
        for name in (
            "variant",
            "runs",
            f"{speed}_mean_si",
            f"{delay}_mean_si",
            f"{speed}_sd_si",
            f"{delay}_sd_si",
        )
    }
    for entry, rows in groups:
        deviations = [float(v[rows].std(ddof=1)) if len(rows) > 1 else None for v in (y, x)]
        row = (entry.group.label, len(rows), float(y[rows].mean()), float(x[rows].mean()), *deviations)
        for name, value in zip(data, row, strict=True):
            data[name].append(value)
    return data
