"""Distances, delays and positions against known values and what a drawing must keep."""

from __future__ import annotations

from math import hypot, isfinite

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netarium.describe.links import Link, Node
from netarium.describe.topology import build, parse
from netarium.describe.topology.geo import (
    EARTH_RADIUS_M,
    centroid,
    fibre_delay,
    fibre_length,
    great_circle,
    positions,
    project,
)

ANYWHERE = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


@pytest.mark.parametrize(
    ("a", "b", "km"),
    [
        ((36.12, -86.67), (33.94, -118.40), 2887.26),  # the haversine formula's usual example, radius 6372.8
        ((0, 0), (0, 180), 20015.1),
        ((90, 0), (-90, 0), 20015.1),
        ((26.65, 106.63), (30.59, 114.30), 867.3),  # Guiyang to Wuhan
        ((51.5, 0), (51.5, 0), 0),
        ((10, 179.5), (10, -179.5), 109.5),
    ],
)
def test_great_circle(a: tuple[float, float], b: tuple[float, float], km: float) -> None:
    assert great_circle(a, b) / 1000 == pytest.approx(km, rel=0.001)


@given(ANYWHERE, ANYWHERE)
def test_great_circle_is_a_distance(a: tuple[float, float], b: tuple[float, float]) -> None:
    there, back = great_circle(a, b), great_circle(b, a)
    assert there == pytest.approx(back, abs=1e-3)
    assert 0 <= there <= 3.1416 * EARTH_RADIUS_M


def test_fibre() -> None:
    assert fibre_delay(1_000_000) == 5 * 10**9  # 1,000 km is 5 ms
    assert fibre_length((0, 0), (0, 1)) == pytest.approx(1.5 * great_circle((0, 0), (0, 1)))
    assert fibre_length((0, 0), (0, 1), 1.0) == great_circle((0, 0), (0, 1))


def test_centroid_crosses_the_date_line() -> None:
    latitude, longitude = centroid([(10, 179), (10, -179)])
    assert abs(longitude) == pytest.approx(180)
    assert latitude == pytest.approx(10, abs=0.01)


def test_projection_keeps_north_up_and_shape() -> None:
    places = {"south": (40.0, 10.0), "north": (50.0, 10.0), "east": (45.0, 20.0)}
    drawn = project(places)
    assert drawn["north"][1] > drawn["south"][1]
    assert drawn["east"][0] > drawn["north"][0]
    wide = (drawn["east"][0] - drawn["north"][0]) / (drawn["north"][1] - drawn["south"][1])
    real = great_circle((45, 10), (45, 20)) / great_circle((40, 10), (50, 10))
    assert wide == pytest.approx(real, rel=0.01)


def test_projection_does_not_cut_the_pacific_open() -> None:
    drawn = project(
        {"tokyo": (35.7, 139.7), "fiji": (-18.1, 178.4), "samoa": (-13.8, -171.8), "lima": (-12, -77)}
    )
    assert drawn["tokyo"][0] < drawn["fiji"][0] < drawn["samoa"][0] < drawn["lima"][0]
    assert drawn["samoa"][0] - drawn["fiji"][0] < 11


def network(
    pairs: list[tuple[str, str]], **places: tuple[float, float]
) -> tuple[dict[str, Node], list[Link]]:
    names = dict.fromkeys(name for pair in pairs for name in pair) | dict.fromkeys(places)
    return {name: Node(location=places.get(name)) for name in names}, [Link(endpoints=p) for p in pairs]


def test_nodes_without_location_stay_beside_their_neighbours() -> None:
    nodes, links = network([("a", "b"), ("a", "h1"), ("a", "h2"), ("h1", "deeper")], a=(50, 0), b=(50, 20))
    drawn = positions(nodes, links)
    assert len(set(drawn.values())) == 5
    for name in ("h1", "h2"):
        assert hypot(drawn[name][0] - drawn["a"][0], drawn[name][1] - drawn["a"][1]) < 0.1
    assert max(x for x, _ in drawn.values()) - min(x for x, _ in drawn.values()) == pytest.approx(1)


def test_nodes_at_one_place_are_told_apart() -> None:
    nodes, links = network([("a", "b"), ("b", "c")], a=(50, 0), b=(50, 0), c=(40, 9))
    drawn = positions(nodes, links)
    assert drawn["a"] != drawn["b"]


@pytest.mark.parametrize(
    "spec",
    ["line:9", "ring:12", "star:50", "dumbbell:100", "grid:rows=5,columns=6", "tree:depth=4,fanout=3",
     "leaf_spine", "fat_tree:8", "random_geometric:60", "reference_backbone", "parking_lot:5"],
)  # fmt: skip
def test_every_node_has_its_own_place(spec: str) -> None:
    nodes, links, _ = build(parse(spec))
    drawn = positions(nodes, links)
    assert set(drawn) == set(nodes)
    assert all(isfinite(x) and isfinite(y) and -1e-9 <= x <= 1 + 1e-9 for x, y in drawn.values())
    assert len({(round(x, 6), round(y, 6)) for x, y in drawn.values()}) == len(nodes)
    assert positions(nodes, links) == drawn


def test_a_drawn_ring_is_round_and_a_line_straight() -> None:
    nodes, links, _ = build(parse("ring:10,hosts_per_node=0"))
    drawn = positions(nodes, links)
    radii = [hypot(x - 0.5, y - 0.5) for x, y in drawn.values()]
    assert max(radii) - min(radii) < 0.05
    nodes, links, _ = build(parse("line:8,hosts_per_node=0"))
    drawn = positions(nodes, links)
    heights = [y for _, y in drawn.values()]
    assert max(heights) - min(heights) < 0.02
    assert sorted(drawn, key=lambda name: drawn[name][0]) in (list(nodes), list(nodes)[::-1])


def test_separate_parts_do_not_overlap() -> None:
    nodes, links = network(
        [("a", "b"), ("b", "c"), ("c", "a"), ("d", "e"), ("e", "f"), ("f", "d"), ("g", "h")]
    )
    nodes["alone"] = Node()
    drawn = positions(nodes, links)
    boxes = []
    for part in ("abc", "def", "gh", ("alone",)):
        xs, ys = [drawn[n][0] for n in part], [drawn[n][1] for n in part]
        boxes.append((min(xs), min(ys), max(xs), max(ys)))
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            assert a[2] < b[0] or b[2] < a[0] or a[3] < b[1] or b[3] < a[1]


def test_small_networks() -> None:
    assert positions({}, []) == {}
    assert positions({"a": Node()}, []) == {"a": (0.0, 0.0)}
    assert positions({"a": Node(location=(1, 2))}, []) == {"a": (0.0, 0.0)}
    drawn = positions({"a": Node(location=(1, 2)), "b": Node(location=(1, 2))}, [Link(endpoints=("a", "b"))])
    assert len(set(drawn.values())) == 2


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_network_can_be_drawn(data: st.DataObject) -> None:
    names = [f"n{i}" for i in range(data.draw(st.integers(1, 12)))]
    places = {name: data.draw(st.none() | ANYWHERE) for name in names}
    ends = st.tuples(st.sampled_from(names), st.sampled_from(names)).filter(lambda pair: pair[0] != pair[1])
    pairs = data.draw(st.lists(ends, max_size=20)) if len(names) > 1 else []
    nodes = {name: Node(location=place) for name, place in places.items()}
    drawn = positions(nodes, [Link(endpoints=pair) for pair in pairs])
    assert set(drawn) == set(names)
    assert all(isfinite(x) and isfinite(y) for x, y in drawn.values())


def test_a_thousand_nodes_are_fast() -> None:
    import time

    nodes, links, _ = build(parse("grid:rows=25,columns=40,hosts_per_node=0"))
    start = time.process_time()
    positions(nodes, links)
    assert time.process_time() - start < 3.0
