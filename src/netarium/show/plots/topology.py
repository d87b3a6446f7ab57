"""Topology map: colour is utilisation, width is capacity, dotted lines beside links are slices' paths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.lines import Line2D

from netarium.show import quantity
from netarium.show.plots import labels, style
from netarium.show.record import Record
from netarium.show.verdict import DELIVERED, slice_verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STEPS = len(style.HEAT)
MARKERS = {"host": "s", "switch": "D", "satellite": "^", "external": "p"}
WIDTHS_PT = (1.2, 4.5)  # on a map of up to CROWDED nodes; thinner beyond
CROWDED = 60
SHOWN_SLICES = 5
APART = 0.045  # nodes nearer than this share of the map's width are drawn apart


def draw(record: Record, width_in: float) -> style.Drawing | None:
    """Each half of a link has the colour of the direction that leaves the nearer node."""
    nodes, links = record.topology.get("nodes") or [], record.topology.get("links") or []
    if not nodes:
        return None
    at, moved = positions(nodes)
    height, width = np.ptp(at[:, 1]), max(np.ptp(at[:, 0]), 1e-9)
    shape = float(np.clip(height / width + 0.22, 0.3, 0.72))
    figure, axes = style.new(width_in, width_in * shape + 0.35)
    axes.set_axis_off()
    place = {str(node["name"]): point for node, point in zip(nodes, at, strict=True)}
    pad = 0.09 * max(width, height, 1e-9)
    axes.set_xlim(at[:, 0].min() - pad, at[:, 0].max() + pad)
    axes.set_ylim(at[:, 1].min() - pad, at[:, 1].max() + pad)
    axes.set_aspect("equal", adjustable="box")
    map_ = ListedColormap(style.HEAT)
    norm = BoundaryNorm(np.linspace(0, 100, STEPS + 1), STEPS)
    shades = _links(axes, record, links, place, map_, norm)
    marks = _nodes(axes, nodes, at)
    paths, names = _slices(axes, record, place)
    bar = figure.colorbar(
        ScalarMappable(norm, map_),
        ax=axes,
        orientation="horizontal",
        fraction=0.05,
        pad=0.02,
        aspect=40,
        ticks=np.linspace(0, 100, 6),
    )
    bar.outline.set_visible(False)  # type: ignore[operator]
    bar.set_label("utilisation over the run (%)")
    kinds = sorted({str(node.get("kind", "router")) for node in nodes})
    legend = [
        Line2D([], [], marker=MARKERS.get(kind, "o"), color=style.INK, ls="", markersize=4) for kind in kinds
    ]
    style.legend(figure, [*legend, *paths], [*kinds, *names])
    style.settle(figure)  # names are placed where the nodes are now, so nothing may move any more
    axes.apply_aspect()
    wires = _along(links, place)
    hidden = labels.place(
        axes, [str(n.get("label") or n["name"]) for n in nodes], at, _weights(nodes, links), marks, wires
    )
    return style.Drawing(
        "topology", "Topology", _caption(record, len(nodes), len(links), hidden, moved), figure, {**shades}
    )


def positions(nodes: list[dict[str, Any]]) -> tuple[np.ndarray, bool]:
    """(float64[nodes, 2], True if some nodes were moved apart to be told from each other)."""
    at = np.array([[float(node.get("x") or 0.0), float(node.get("y") or 0.0)] for node in nodes])
    geographic = any(node.get("location") for node in nodes)
    if geographic:  # degrees: a degree of longitude is shorter away from the equator
        at[:, 0] *= np.cos(np.radians(np.clip(at[:, 1].mean(), -75, 75)))
    span = max(np.ptp(at[:, 0]), np.ptp(at[:, 1]))
    if len(nodes) > 400 or len(nodes) < 2:
        return at, False
    if span == 0:
        angle = np.linspace(0, 2 * np.pi, len(nodes), endpoint=False)
        return np.stack([np.cos(angle), np.sin(angle)], axis=1), True
    return _spread(at, min(APART, 0.6 / np.sqrt(len(nodes))) * span)


def _spread(at: np.ndarray, least: float) -> tuple[np.ndarray, bool]:
    """Pushes points nearer than `least` apart, a little at a time; deterministic."""
    moved = False
    at = at + np.stack([np.arange(len(at)), -np.arange(len(at))], axis=1) * least * 1e-6
    for _ in range(60):
        gap = at[:, None, :] - at[None, :, :]
        distance = np.hypot(gap[..., 0], gap[..., 1])
        np.fill_diagonal(distance, np.inf)
        near = distance < least * 0.999
        if not near.any():
            break
        moved = True
        push = np.where(near, (least - distance) / np.where(near, distance, 1), 0.0)
        at = at + 0.5 * (gap * push[..., None]).sum(axis=1)
    return at, moved


def _links(
    axes: Axes, record: Record, links: list, place: dict, map_: ListedColormap, norm: BoundaryNorm
) -> dict:
    data: dict[str, list] = {"port": [], "rate_bps": [], "utilisation": []}
    halves, widths, colours = [], [], []
    thin = min(1.0, (CROWDED / max(len(place), 1)) ** 0.5)
    rates = [float(link.get("rate_bps") or 1) for link in links]
    low, high = np.log10(min(rates, default=1)), np.log10(max(rates, default=1))
    for link, rate in zip(links, rates, strict=True):
        a, b = map(str, link["endpoints"])
        if a not in place or b not in place:
            continue
        level = (np.log10(rate) - low) / (high - low) if high > low else 0.6
        ports = link.get("ports") or [f"{a}->{b}", f"{b}->{a}"]
        middle = (place[a] + place[b]) / 2
        for port, end in zip(ports, (a, b), strict=False):
            used = float((record.links.get(port) or {}).get("utilisation") or 0.0)
            halves.append([place[end], middle])
            widths.append(thin * (WIDTHS_PT[0] + level * (WIDTHS_PT[1] - WIDTHS_PT[0])))
            colours.append(map_(norm(min(100 * used, 99.99))))
            data["port"].append(port)
            data["rate_bps"].append(rate)
            data["utilisation"].append(used)
    axes.add_collection(LineCollection(halves, linewidths=widths, colors=colours, zorder=1, capstyle="butt"))
    return data


def _along(links: list, place: dict) -> np.ndarray:
    """Points along every link, for names to keep clear of."""
    ends = [
        (place[a], place[b])
        for a, b in (map(str, link["endpoints"]) for link in links)
        if {a, b} <= set(place)
    ]
    shares = np.linspace(0.03, 0.97, 24)[:, None]
    return np.concatenate([a + shares * (b - a) for a, b in ends]) if ends else np.empty((0, 2))


def _nodes(axes: Axes, nodes: list, at: np.ndarray) -> float:
    """Draws the nodes; returns the size of a mark in points."""
    size = 5.5 if len(nodes) <= 60 else 3.5 if len(nodes) <= 300 else 2.0
    for kind in sorted({str(node.get("kind", "router")) for node in nodes}):
        which = [index for index, node in enumerate(nodes) if str(node.get("kind", "router")) == kind]
        axes.plot(
            at[which, 0],
            at[which, 1],
            MARKERS.get(kind, "o"),
            color=style.INK,
            markersize=size,
            zorder=3,
            markeredgecolor="white",
            markeredgewidth=0.5,
        )
    return size


def _slices(axes: Axes, record: Record, place: dict) -> tuple[list, list[str]]:
    handles, names = [], []
    entries = [entry for entry in record.topology.get("slices") or [] if len(entry.get("path") or []) > 1]
    held = {name for name, entry in record.slices.items() if slice_verdict(entry) == DELIVERED}
    entries.sort(key=lambda entry: entry.get("name") in held)  # what was not delivered is drawn first
    scale = max(np.ptp(axes.get_xlim()), np.ptp(axes.get_ylim()))
    for index, entry in enumerate(entries[:SHOWN_SLICES]):
        points = [place[str(name)] for name in entry["path"] if str(name) in place]
        line = _beside(np.array(points), 0.014 * scale * (1 + index // 2) * (1 if index % 2 == 0 else -1))
        look = style.line(index + 1)
        handles += axes.plot(
            line[:, 0], line[:, 1], color=look["color"], lw=1.4, ls=(0, (1.2, 1.0)), zorder=2
        )
        names.append(f"slice {entry.get('name', '')}")
    return handles, names


def _beside(points: np.ndarray, offset: float) -> np.ndarray:
    """The polyline moved sideways by `offset`, so that it runs beside its links."""
    step = np.diff(points, axis=0)
    normal = np.stack([-step[:, 1], step[:, 0]], axis=1) / np.maximum(np.hypot(*step.T), 1e-12)[:, None]
    at_node = np.concatenate([normal[:1], (normal[:-1] + normal[1:]) / 2, normal[-1:]])
    return points + offset * at_node / np.maximum(np.hypot(*at_node.T), 0.3)[:, None]


def _weights(nodes: list, links: list) -> list[float]:
    """Which names matter most: hosts first while they are few, then well-connected nodes."""
    degree: dict[str, int] = {}
    for link in links:
        for end in link["endpoints"]:
            degree[str(end)] = degree.get(str(end), 0) + 1
    hosts = sum(node.get("kind") == "host" for node in nodes)
    return [
        degree.get(str(node["name"]), 0) + (100 if node.get("kind") == "host" and hosts <= 12 else 0)
        for node in nodes
    ]


def _caption(record: Record, nodes: int, links: int, hidden: int, moved: bool) -> str:
    undrawn = len(record.topology.get("slices") or []) - SHOWN_SLICES
    rates = sorted(set(record.port_rates.values()))
    widths = ""
    if len(rates) > 1:
        widths = f" Width shows capacity, from {quantity.rate(rates[0])} to {quantity.rate(rates[-1])}."
    elif rates:
        widths = f" Every link has {quantity.rate(rates[0])}."
    return (
        f"{nodes:,} nodes and {links:,} links. Each half of a link has the colour of the direction "
        f"that leaves the nearer node.{widths}"
        + (f" {hidden:,} names are left out for want of room." if hidden else "")
        + (f" The paths of {undrawn:,} more slices are not drawn." if undrawn > 0 else "")
        + (" Nodes that lie very near each other are drawn apart." if moved else "")
        + f" {style.origin(record)}"
    )
