"""Draw a network as SVG: links as wide as they are fast, one colour and shape per kind of node, labels.

Colours are from the palette of Okabe and Ito (2008), which people with colour-vision deficiencies can tell
apart; shapes say the same again. Labels that would cover others are left out; every node has its name as a
tooltip.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import atan2, log10, pi
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from netarium.describe.topology.export import link_text
from netarium.describe.topology.geo import positions
from netarium.units import format_rate

if TYPE_CHECKING:
    from netarium.describe.links import Link, Node

WIDTH = 1000.0
MARGIN = 60.0
HEIGHT_MIN = 260.0
COLOURS = {
    "host": "#56B4E9", "router": "#0072B2", "switch": "#E69F00", "satellite": "#CC79A7",
    "external": "#D55E00",
}  # fmt: skip
LINK_COLOUR = "#8A8A8A"
LETTER = 0.56
NAMED_HOSTS = 60
Box = tuple[float, float, float, float]


def to_svg(nodes: Mapping[str, Node], links: Iterable[Link], name: str = "") -> str:
    """A drawing of the network, 1000 units wide, that stands alone."""
    link_list = list(links)
    height, place = _placed(nodes, link_list)
    size = _node_size(len(nodes))
    title = name or f"{len(nodes)} nodes, {len(link_list)} links"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {height:.0f}" '
        f'font-family="Helvetica, Arial, sans-serif" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH:.0f}" height="{height:.0f}" fill="#FFFFFF"/>',
        f'<g stroke="{LINK_COLOUR}" stroke-linecap="round" fill="none">',
        *_link_lines(link_list, place, size),
        '</g>\n<g stroke="#FFFFFF" stroke-width="1">',
    ]
    for kind in COLOURS:
        members = [n for n, node in nodes.items() if node.kind == kind]
        lines += [_node_shape(n, nodes[n], place[n], size) for n in members]
    lines.append("</g>")
    lines += _labels(nodes, link_list, place, size, height)
    lines += _legend(nodes, link_list, height)
    return "\n".join([*lines, "</svg>", ""])


def _placed(nodes: Mapping[str, Node], links: Sequence[Link]) -> tuple[float, dict[str, tuple[float, float]]]:
    """Height of the drawing, and x (right), y (down) of every node in it."""
    unit = positions(nodes, links)
    wide = max((x for x, _ in unit.values()), default=0.0)
    high = max((y for _, y in unit.values()), default=0.0)
    scale = (WIDTH - 2 * MARGIN) / max(wide, high / 1.2, 1e-9)
    height = max(HEIGHT_MIN, high * scale + 2 * MARGIN + 30)
    left = (WIDTH - wide * scale) / 2
    bottom = (height - 30 + high * scale) / 2
    return height, {name: (left + x * scale, bottom - y * scale) for name, (x, y) in unit.items()}


def _node_size(count: int) -> float:
    return max(2.0, min(9.0, 60.0 / max(1, count) ** 0.5))


def _link_width(link: Link) -> float:
    """1 at 1 Gbit/s, wider by 1 for every factor of ten."""
    return max(0.6, min(5.0, 1.0 + log10((link.rate or 10**9) / 1e9)))


def _link_lines(
    links: Sequence[Link], place: Mapping[str, tuple[float, float]], size: float
) -> Iterable[str]:
    """A line per link; parallel links are bent apart."""
    seen: dict[frozenset[str], int] = {}
    thin = 0.5 if len(links) > 600 else 1.0
    for link in links:
        a, b = link.endpoints
        number = seen.get(frozenset((a, b)), 0)
        seen[frozenset((a, b))] = number + 1
        (x0, y0), (x1, y1) = sorted((place[a], place[b]))
        bend = size * 1.6 * ((number + 1) // 2) * (1 if number % 2 else -1)
        span = max(1e-9, ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5)
        mx, my = (x0 + x1) / 2 - bend * (y1 - y0) / span * 2, (y0 + y1) / 2 + bend * (x1 - x0) / span * 2
        path = f"M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}"
        if number:
            path = f"M{x0:.1f} {y0:.1f}Q{mx:.1f} {my:.1f} {x1:.1f} {y1:.1f}"
        text = escape(f"{link.name or f'{a}-{b}'}: {link_text(link)}".rstrip(": "))
        width = _link_width(link) * thin
        yield f'<path d="{path}" stroke-width="{width:.2f}"><title>{text}</title></path>'


def _node_shape(name: str, node: Node, at: tuple[float, float], size: float) -> str:
    x, y = at
    r = size * (0.7 if node.kind == "host" else 1.0)
    fill = f'fill="{COLOURS[node.kind]}"'
    label = escape(f"{name} ({node.label})" if node.label and node.label != name else name)
    corners = {
        "router": ((-1, -1), (1, -1), (1, 1), (-1, 1)),
        "switch": ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
        "satellite": ((0, -1.3), (1.2, 0.9), (-1.2, 0.9)),
        "external": ((0, -1.4), (1.2, -0.3), (0.8, 1.1), (-0.8, 1.1), (-1.2, -0.3)),
    }.get(node.kind)
    if corners is None:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}" {fill}><title>{label}</title></circle>'
    points = " ".join(f"{x + dx * r:.1f},{y + dy * r:.1f}" for dx, dy in corners)
    return f'<polygon points="{points}" {fill}><title>{label}</title></polygon>'


def _labels(
    nodes: Mapping[str, Node],
    links: Sequence[Link],
    place: Mapping[str, tuple[float, float]],
    size: float,
    height: float,
) -> Iterable[str]:
    """Names beside their nodes, the best connected first; one that would cover another is left out."""
    degree = dict.fromkeys(nodes, 0)
    for link in links:
        for end in link.endpoints:
            degree[end] += 1
    font = 12.0 if len(nodes) <= 150 else 10.0
    order = sorted(nodes, key=lambda name: (nodes[name].kind == "host", -degree[name]))
    taken = _Boxes(font * 4)
    for name in nodes:
        x, y = place[name]
        taken.add((x - size, y - size, x + size, y + size), name)
    yield f'<g font-size="{font:.0f}" fill="#1A1A1A" stroke="#FFFFFF" stroke-width="3" paint-order="stroke">'
    around: dict[str, list[float]] = {name: [] for name in nodes}
    for link in links:
        for a, b in (link.endpoints, link.endpoints[::-1]):
            around[a].append(atan2(place[b][1] - place[a][1], place[b][0] - place[a][0]))
    for name in order:
        if name.startswith("host-") and len(nodes) > NAMED_HOSTS:
            continue
        text = nodes[name].label or name
        width, (x, y) = LETTER * font * len(text) + 2, place[name]
        gap = size * 1.3 + 2
        choices = (
            (0.0, x + gap, y + font * 0.35, "start", x + gap),
            (pi, x - gap, y + font * 0.35, "end", x - gap - width),
            (-pi / 2, x, y - gap - 1, "middle", x - width / 2),
            (pi / 2, x, y + gap + font * 0.8, "middle", x - width / 2),
            (-pi / 4, x + size, y - size - 1, "start", x + size),
            (pi / 4, x + size, y + size + font * 0.7, "start", x + size),
            (-3 * pi / 4, x - size, y - size - 1, "end", x - size - width),
            (3 * pi / 4, x - size, y + size + font * 0.7, "end", x - size - width),
        )
        for _, tx, ty, anchor, left in sorted(choices, key=lambda c: -_freedom(c[0], around[name])):
            box = (left, ty - font * 0.85, left + width, ty + font * 0.25)
            inside = box[0] >= 2 and box[2] <= WIDTH - 2 and box[1] >= 2 and box[3] <= height - 2
            if inside and not taken.hit(box, name):
                taken.add(box, None)
                yield f'<text x="{tx:.1f}" y="{ty:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
                break
    yield "</g>"


def _freedom(angle: float, taken: Sequence[float]) -> float:
    """How far a direction is from the nearest link, in steps of 30 degrees, at most 3."""
    nearest = min((abs((angle - other + pi) % (2 * pi) - pi) for other in taken), default=pi)
    return min(3, nearest // (pi / 6))


class _Boxes:
    """Rectangles that are taken, found again through a grid of cells."""

    def __init__(self, cell: float) -> None:
        self.cell = cell
        self.at: dict[tuple[int, int], list[tuple[Box, str | None]]] = {}

    def _cells(self, box: Box) -> Iterable[tuple[int, int]]:
        for column in range(int(box[0] // self.cell), int(box[2] // self.cell) + 1):
            for row in range(int(box[1] // self.cell), int(box[3] // self.cell) + 1):
                yield column, row

    def add(self, box: Box, owner: str | None) -> None:
        for cell in self._cells(box):
            self.at.setdefault(cell, []).append((box, owner))

    def hit(self, box: Box, owner: str) -> bool:
        """Does `box` cover one that is not the owner's?"""
        return any(
            whose != owner and b[0] < box[2] and box[0] < b[2] and b[1] < box[3] and box[1] < b[3]
            for cell in self._cells(box)
            for b, whose in self.at.get(cell, ())
        )


def _legend(nodes: Mapping[str, Node], links: Sequence[Link], height: float) -> Iterable[str]:
    """Kinds and rates that occur, along the lower edge."""
    y = height - 16
    x = 16.0
    yield '<g font-size="12" fill="#1A1A1A">'
    for kind in COLOURS:
        count = sum(node.kind == kind for node in nodes.values())
        if not count:
            continue
        example = next(node for node in nodes.values() if node.kind == kind)
        yield _node_shape(kind, example.model_copy(update={"label": ""}), (x + 5, y - 4), 6)
        text = f"{kind} ({count})"
        yield f'<text x="{x + 16:.0f}" y="{y:.0f}">{text}</text>'
        x += 32 + LETTER * 12 * len(text)
    rates = sorted({link.rate for link in links if link.rate})
    for rate in rates if len(rates) <= 4 else (rates[0], *rates[-3:]):
        fast = next(link for link in links if link.rate == rate)
        width = f'stroke="{LINK_COLOUR}" stroke-width="{_link_width(fast):.2f}"'
        yield f'<path d="M{x:.0f} {y - 4:.0f}h22" {width}/>'
        yield f'<text x="{x + 28:.0f}" y="{y:.0f}">{format_rate(rate)}</text>'
        x += 44 + LETTER * 12 * len(format_rate(rate))
    yield "</g>"
