"""Layouts for networks without locations: tiers for data centres, else stress majorisation, leaves in fans.

Deterministic: no random numbers; ties follow the order of the nodes. About 0.3 s at 1,000 nodes.
References: Gansner, Koren, North, Graph Drawing by Stress Majorization (GD 2004); Brandes, Pich, Eigensolver
Methods for Progressive Multidimensional Scaling (GD 2006), for the start and for cores above 800 nodes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import cos, hypot, pi, sin
from typing import Any

Position = tuple[float, float]
Pairs = Sequence[tuple[str, str]]

TIERS = {"hosts": 0, "edge": 1, "leaf": 1, "aggregation": 2, "spine": 2, "core": 3}
TIER_HEIGHT = 0.45
STRESS_NODES_MAX = 800
SEARCHED_NODES_MAX = 64
PIVOTS = 50
RING_LEAVES = 36
GOLDEN_ANGLE = pi * (3 - 5**0.5)


def lay_out(names: Sequence[str], pairs: Pairs, groups: Mapping[str, frozenset[str]]) -> dict[str, Position]:
    """x, y for every name, in no particular scale; `groups` may name the tiers of a data centre."""
    tier = {name: max((TIERS[g] for g in groups.get(name, ()) if g in TIERS), default=None) for name in names}
    if names and None not in tier.values() and 1 in tier.values():
        return _tiers(names, pairs, {name: level or 0 for name, level in tier.items()})
    near = _neighbours(names, pairs)
    blocks = [_component(part, near) for part in _components(names, near)]
    return _packed(blocks)


def complete(names: Sequence[str], pairs: Pairs, fixed: Mapping[str, Position]) -> dict[str, Position]:
    """`fixed` plus every other name: fanned out beside its placed neighbours, unreachable ones aside."""
    near = _neighbours(names, pairs)
    drawn = {name: fixed[name] for name in names if name in fixed}
    step = 0.035 * max(_extent(drawn), 1e-9)
    waiting = [name for name in names if name not in drawn]
    while waiting:
        reached: dict[str, list[str]] = {}
        for name in waiting:
            placed = [other for other in near[name] if other in drawn]
            if len(placed) > 1:
                drawn[name] = _mean([drawn[other] for other in placed])
            elif placed:
                reached.setdefault(placed[0], []).append(name)
        for parent, children in reached.items():
            _fan(parent, children, near, drawn, step)
        left = [name for name in waiting if name not in drawn]
        if len(left) == len(waiting):
            return _packed([drawn, lay_out(left, [p for p in pairs if set(p) <= set(left)], {})])
        waiting = left
    return drawn


def apart(drawn: Mapping[str, Position]) -> dict[str, Position]:
    """The same positions, those that coincide moved onto a small circle around their place."""
    step = 0.012 * max(_extent(drawn), 1e-9)
    together: dict[tuple[int, int], list[str]] = {}
    for name, (x, y) in drawn.items():
        together.setdefault((round(x / step * 10), round(y / step * 10)), []).append(name)
    result = dict(drawn)
    for names in together.values():
        for i, name in enumerate(names if len(names) > 1 else ()):
            angle = 2 * pi * i / len(names)
            x, y = drawn[name]
            result[name] = (x + step * cos(angle), y + step * sin(angle))
    return result


def _neighbours(names: Sequence[str], pairs: Pairs) -> dict[str, list[str]]:
    near: dict[str, dict[str, None]] = {name: {} for name in names}
    for a, b in pairs:
        if a != b and a in near and b in near:
            near[a][b] = near[b][a] = None
    return {name: list(others) for name, others in near.items()}


def _components(names: Sequence[str], near: Mapping[str, list[str]]) -> list[list[str]]:
    """Connected parts, the largest first."""
    parts, seen = [], set()
    for name in names:
        if name in seen:
            continue
        seen.add(name)
        part = [name]
        for member in part:
            for other in near[member]:
                if other not in seen:
                    seen.add(other)
                    part.append(other)
        parts.append(part)
    return sorted(parts, key=len, reverse=True)


def _component(part: list[str], near: Mapping[str, list[str]]) -> dict[str, Position]:
    """One connected part: its core by stress, then its leaves in fans around the core."""
    if len(part) == 1:
        return {part[0]: (0.0, 0.0)}
    core = [name for name in part if len(near[name]) > 1] or part[:1]
    drawn = _core(core, near)
    inside = set(core)
    for parent in core:
        leaves = [name for name in near[parent] if name not in inside]
        if leaves:
            _fan(parent, leaves, near, drawn, 0.5)
    return drawn


def _core(core: list[str], near: Mapping[str, list[str]]) -> dict[str, Position]:
    """Positions where the distance drawn follows the number of hops; one hop is about 1."""
    import numpy as np

    n = len(core)
    if n < 3:
        return {name: (float(i), 0.0) for i, name in enumerate(core)}
    index = {name: i for i, name in enumerate(core)}
    ends = [(index[a], index[b]) for a in core for b in near[a] if b in index]
    row, column = np.array(ends).T
    pivots = np.unique(np.linspace(0, n - 1, min(n, PIVOTS)).astype(int)) if n > STRESS_NODES_MAX else None
    hops = _few_hops(n, ends) if n <= SEARCHED_NODES_MAX else _hops(n, row, column, pivots)
    place = _scaled_start(hops)
    if pivots is None:
        place = _stress(place, hops)
    place = _squared(_upright(place), row, column)
    return {name: (float(x), float(y)) for name, (x, y) in zip(core, place, strict=True)}


def _few_hops(n: int, ends: Sequence[tuple[int, int]]) -> Any:
    """Hops between all n nodes, shape (n, n), by breadth-first search: of few nodes done before SciPy is imported."""
    import numpy as np

    near: list[list[int]] = [[] for _ in range(n)]
    for a, b in ends:
        near[a].append(b)
    hops = np.full((n, n), np.inf)
    for start in range(n):
        reached = {start: 0}
        for node in (order := [start]):
            for other in near[node]:
                if other not in reached:
                    reached[other] = reached[node] + 1
                    order.append(other)
        hops[start, list(reached)] = list(reached.values())
    return hops


def _hops(n: int, row: Any, column: Any, pivots: Any) -> Any:
    """Hops from every pivot (None: every node) to all n nodes, shape (pivots, n)."""
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import shortest_path

    graph = coo_array((np.ones(len(row)), (row, column)), shape=(n, n)).tocsr()
    return shortest_path(graph, unweighted=True, indices=pivots)


def _scaled_start(hops: Any) -> Any:
    """Pivot MDS of hops[pivot, node]: shape (nodes, 2), slightly spread so that no two coincide."""
    import numpy as np

    squared = hops.T**2
    centred = -0.5 * (squared - squared.mean(0) - squared.mean(1)[:, None] + squared.mean())
    vectors, values, _ = np.linalg.svd(centred, full_matrices=False)
    place = vectors[:, :2] * np.sqrt(values[:2] / np.sqrt(hops.shape[0] / hops.shape[1]))
    angle = GOLDEN_ANGLE * np.arange(hops.shape[1])
    return place + 0.01 * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _stress(place: Any, hops: Any) -> Any:
    """SMACOF with weights hops**-2: each step lowers the stress; 30 to 100 steps."""
    import numpy as np

    n = len(place)
    weight = np.zeros_like(hops)
    off = ~np.eye(n, dtype=bool)
    weight[off] = hops[off] ** -2.0
    laplacian = np.diag(weight.sum(1)) - weight
    inverse = np.linalg.inv(laplacian + 1.0 / n)
    pull = weight * hops
    for _ in range(max(30, min(100, 20_000 // n))):
        gap = place[:, None, :] - place[None, :, :]
        drawn = np.sqrt((gap**2).sum(-1))
        ratio = np.divide(pull, drawn, out=np.zeros_like(pull), where=drawn > 1e-9)
        place = inverse @ (ratio.sum(1)[:, None] * place - ratio @ place)
    return place


def _upright(place: Any) -> Any:
    """Longest direction to the right, first node on the left and not below the middle."""
    import numpy as np

    place = place - place.mean(0)
    _, _, axes = np.linalg.svd(place, full_matrices=False)
    place = place @ axes.T
    for axis, sign in ((0, -1.0), (1, 1.0)):
        decisive = place[np.argmax(np.abs(place[:, axis]) > 1e-6), axis]
        if decisive * sign < 0:
            place[:, axis] *= -1
    return place


def _squared(place: Any, row: Any, column: Any) -> Any:
    """Turned by less than 45 degrees so that links run along the axes, where most of them can (a grid)."""
    import numpy as np

    gap = place[column] - place[row]
    fourfold = np.exp(4j * np.arctan2(gap[:, 1], gap[:, 0])).mean()
    if abs(fourfold) < 0.7:
        return place
    turn = -np.angle(fourfold) / 4
    return place @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])


def _fan(
    parent: str,
    children: list[str],
    near: Mapping[str, list[str]],
    drawn: dict[str, Position],
    step: float,
) -> None:
    """Put children on arcs around their parent, in the widest angle that its placed neighbours leave free."""
    from math import atan2

    x, y = drawn[parent]
    taken = sorted(
        atan2(drawn[o][1] - y, drawn[o][0] - x) for o in near[parent] if o in drawn and drawn[o] != (x, y)
    )
    if taken:
        gaps = [(taken[(i + 1) % len(taken)] - a) % (2 * pi) or 2 * pi for i, a in enumerate(taken)]
        widest = max(range(len(gaps)), key=lambda i: gaps[i])
        share_used = 0.7 if len(children) <= 12 else 0.5
        start, width = taken[widest] + gaps[widest] * (1 - share_used) / 2, gaps[widest] * share_used
    else:
        start, width = pi / 2, 2 * pi
    rings = -(-len(children) // RING_LEAVES)
    for i, child in enumerate(children):
        row, ring = divmod(i, rings)
        count = -(-(len(children) - ring) // rings)
        share = (row + 0.5) / count if taken else row / count
        radius = step * (1 + ring / rings)
        drawn[child] = (x + radius * cos(start + width * share), y + radius * sin(start + width * share))


def _tiers(names: Sequence[str], pairs: Pairs, tier: Mapping[str, int]) -> dict[str, Position]:
    """Hosts in the bottom row, then one row per tier; each node above the middle of those below it."""
    near = _neighbours(names, pairs)
    levels = sorted(set(tier.values()))
    lowest = [name for name in names if tier[name] == levels[0]]
    x = {name: (i + 0.5) / len(lowest) for i, name in enumerate(lowest)}
    for level in levels[1:]:
        row = [name for name in names if tier[name] == level]
        centre = {}
        for name in row:
            below = [x[other] for other in near[name] if other in x and tier[other] < level]
            centre[name] = sum(below) / len(below) if below else 0.5
        for i, name in enumerate(sorted(row, key=lambda name: (round(centre[name], 9), names.index(name)))):
            x[name] = (i + 0.5) / len(row)
    return {name: (x[name], TIER_HEIGHT * levels.index(tier[name]) / len(levels)) for name in names}


def _packed(blocks: list[dict[str, Position]]) -> dict[str, Position]:
    """Blocks side by side in rows about as wide as the first, from the largest on."""
    gap = 0.15 * max((_extent(block) for block in blocks), default=0.0) or 1.0
    count = max(1, len(blocks) - 1)
    result: dict[str, Position] = {}
    left, top, row_height, limit = 0.0, 0.0, 0.0, 0.0
    for number, block in enumerate(blocks):
        if not block:
            continue
        low_x, high_x = min(p[0] for p in block.values()), max(p[0] for p in block.values())
        low_y, high_y = min(p[1] for p in block.values()), max(p[1] for p in block.values())
        if number == 0:
            limit = max(high_x - low_x, gap * count**0.5)
        if left > 0 and left + high_x - low_x > limit * 1.001:
            left, top, row_height = 0.0, top - row_height - gap, 0.0
        result |= {name: (left + x - low_x, top + y - high_y) for name, (x, y) in block.items()}
        left += high_x - low_x + gap
        row_height = max(row_height, high_y - low_y)
    return result


def _extent(drawn: Mapping[str, Position]) -> float:
    if not drawn:
        return 0.0
    xs, ys = [p[0] for p in drawn.values()], [p[1] for p in drawn.values()]
    return hypot(max(xs) - min(xs), max(ys) - min(ys))


def _mean(places: Sequence[Position]) -> Position:
    return sum(p[0] for p in places) / len(places), sum(p[1] for p in places) / len(places)
