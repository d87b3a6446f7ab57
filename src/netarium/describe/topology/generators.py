"""Small classical networks: line, ring, star, dumbbell, parking lot, grid, tree, random geometric."""

from __future__ import annotations

import random
from math import cos, degrees, hypot, log, pi, radians, sqrt

from netarium.describe.topology.draft import Draft
from netarium.describe.topology.geo import EARTH_RADIUS_M
from netarium.describe.topology.spec import (
    Dumbbell,
    Grid,
    Line,
    Mesh,
    ParkingLot,
    RandomGeometric,
    Ring,
    Star,
    Tree,
)
from netarium.units import format_length


def line(spec: Line) -> Draft:
    """r1 - r2 - … in a row."""
    return _row(spec, spec.nodes, closed=False)


def ring(spec: Ring) -> Draft:
    """r1 - r2 - … - r1."""
    return _row(spec, spec.nodes, closed=True)


def _row(spec: Mesh, count: int, closed: bool) -> Draft:
    draft = Draft()
    names = [draft.node(f"r{i}", "router", "routers") for i in range(1, count + 1)]
    for a, b in zip(names, names[1:] + names[:1] if closed else names[1:], strict=False):
        draft.link(a, b, spec.rate, spec.delay, queue=spec.queue)
    draft.attach_hosts(spec, rate=spec.access_rate or spec.rate)
    return draft


def star(spec: Star) -> Draft:
    """Hosts around one switch."""
    draft = Draft()
    draft.node("hub", "switch", "switches")
    for i in range(1, spec.hosts + 1):
        draft.link(draft.node(f"h{i}", "host", "hosts"), "hub", spec.rate, spec.delay, queue=spec.queue)
    return draft


def dumbbell(spec: Dumbbell) -> Draft:
    """Senders, two routers with a bottleneck between them, receivers."""
    draft = Draft()
    draft.node("left", "router", "routers")
    draft.node("right", "router", "routers")
    draft.link("left", "right", spec.rate, spec.delay, queue=spec.queue)
    for i in range(1, spec.left + 1):
        sender = draft.node(f"s{i}", "host", "hosts", "senders")
        draft.link(sender, "left", spec.access_rate, spec.access_delay)
    for i in range(1, (spec.right or spec.left) + 1):
        receiver = draft.node(f"r{i}", "host", "hosts", "receivers")
        draft.link("right", receiver, spec.access_rate, spec.access_delay)
    return draft


def parking_lot(spec: ParkingLot) -> Draft:
    """Bottlenecks in a row, one pair across all of them and one pair across each."""
    draft = Draft()
    routers = [draft.node(f"router{i}", "router", "routers") for i in range(1, spec.hops + 2)]
    for a, b in zip(routers, routers[1:], strict=False):
        draft.link(a, b, spec.rate, spec.delay, queue=spec.queue)
    pairs = [(routers[0], routers[-1]), *zip(routers, routers[1:], strict=False)]
    for i, (first, last) in enumerate(pairs):
        role = "cross" if i else "through"
        sender = draft.node(f"s{i}", "host", "hosts", "senders", f"{role}_senders")
        receiver = draft.node(f"d{i}", "host", "hosts", "receivers", f"{role}_receivers")
        draft.link(sender, first, spec.access_rate, spec.access_delay)
        draft.link(last, receiver, spec.access_rate, spec.access_delay)
    return draft


def grid(spec: Grid) -> Draft:
    """Rows and columns, each node joined to the next in its row and in its column."""
    draft = Draft()
    rows, columns = spec.rows, spec.columns
    names = [[f"r{i}_{j}" for j in range(1, columns + 1)] for i in range(1, rows + 1)]
    for row in names:
        for name in row:
            draft.node(name, "router", "routers")
    for i in range(rows):
        for j in range(columns):
            if j + 1 < columns or spec.wrap:
                right = names[i][(j + 1) % columns]
                draft.link(names[i][j], right, spec.rate, spec.delay, queue=spec.queue)
            if i + 1 < rows or spec.wrap:
                below = names[(i + 1) % rows][j]
                draft.link(names[i][j], below, spec.rate, spec.delay, queue=spec.queue)
    draft.attach_hosts(spec, rate=spec.access_rate or spec.rate)
    return draft


def tree(spec: Tree) -> Draft:
    """A complete tree: switches above, hosts in the last level."""
    draft = Draft()
    level = [draft.node("s1", "switch", "switches", "level0")]
    switches = 1
    for depth in range(1, spec.depth + 1):
        below = []
        for parent in level:
            for _ in range(spec.fanout):
                if depth == spec.depth:
                    name = draft.node(f"h{len(below) + 1}", "host", "hosts")
                else:
                    switches += 1
                    name = draft.node(f"s{switches}", "switch", "switches", f"level{depth}")
                draft.link(parent, name, spec.rate, spec.delay, queue=spec.queue)
                below.append(name)
        level = below
    return draft


def random_geometric(spec: RandomGeometric) -> Draft:
    """Uniform places in a square from `seed`; links as long as the straight line between their ends.

    The square lies on the equator at longitude 0, so that the places can be drawn as locations.
    """
    source = random.Random(spec.seed)
    draft = Draft()
    places: dict[str, tuple[float, float]] = {}
    for i in range(1, spec.nodes + 1):
        x, y = source.random() * spec.side, source.random() * spec.side
        latitude = degrees((y - spec.side / 2) / EARTH_RADIUS_M)
        longitude = degrees((x - spec.side / 2) / (EARTH_RADIUS_M * cos(radians(latitude))))
        name = draft.node(f"r{i}", "router", "routers", location=(round(latitude, 6), round(longitude, 6)))
        places[name] = (x, y)
    radius = spec.radius or spec.side * min(1.5, sqrt(log(spec.nodes) / (pi * spec.nodes)))
    for a, b, length in _within(places, radius):
        draft.link(a, b, spec.rate, length=length, queue=spec.queue)
    draft.say(f"random_geometric is synthetic: places drawn with seed {spec.seed}, "
              f"radius {format_length(radius)}, "
              "links as long as the straight line between their ends, 5 us/km")  # fmt: skip
    if spec.connect:
        _join_parts(draft, places, radius, spec)
    draft.attach_hosts(spec, rate=spec.access_rate or spec.rate)
    return draft


def _within(places: dict[str, tuple[float, float]], radius: float) -> list[tuple[str, str, float]]:
    """Pairs at most `radius` apart with their distance, in the order of the names; found through cells."""
    cells: dict[tuple[int, int], list[int]] = {}
    names, points = list(places), list(places.values())
    for i, (x, y) in enumerate(points):
        cells.setdefault((int(x // radius), int(y // radius)), []).append(i)
    found = []
    for i, (x, y) in enumerate(points):
        column, row = int(x // radius), int(y // radius)
        near = [j for c in (-1, 0, 1) for r in (-1, 0, 1) for j in cells.get((column + c, row + r), ())]
        for j in sorted(near):
            length = hypot(points[j][0] - x, points[j][1] - y)
            if j > i and length <= radius:
                found.append((names[i], names[j], length))
    return found


def _join_parts(
    draft: Draft, places: dict[str, tuple[float, float]], radius: float, spec: RandomGeometric
) -> None:
    """Add the shortest links that connect the separate parts (Kruskal's minimum spanning tree over them)."""
    part = {name: name for name in places}

    def root(name: str) -> str:
        while part[name] != name:
            part[name] = part[part[name]]
            name = part[name]
        return name

    for link in draft.links:
        part[root(link.a)] = root(link.b)
    apart = len({root(name) for name in places})
    if apart == 1:
        return
    reach = radius
    while len({root(name) for name in places}) > 1:
        reach *= 2
        for a, b, length in sorted(_within(places, reach), key=lambda pair: pair[2]):
            if root(a) != root(b):
                part[root(a)] = root(b)
                draft.link(a, b, spec.rate, length=length, queue=spec.queue)
    draft.say(
        f"radius leaves {apart} separate parts: joined by {apart - 1} longer links, the shortest that do"
    )
