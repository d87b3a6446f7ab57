"""Generated networks: counts, connectivity, names, and the same graph as networkx makes where it has one."""

from __future__ import annotations

from typing import Any

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netarium.describe.topology import build, parse
from netarium.errors import TrialInvalid

QUICK = settings(max_examples=25, deadline=None)


def graph_of(value: Any) -> tuple[nx.MultiGraph, dict[str, Any], list[Any]]:
    nodes, links, _ = build(parse(value))
    graph = nx.MultiGraph()
    graph.add_nodes_from(nodes)
    graph.add_edges_from(link.endpoints for link in links)
    assert len(graph) == len(nodes), "a link to a node that is not there"
    return graph, nodes, links


def inner(value: dict[str, Any]) -> nx.Graph:
    """The simple graph without hosts; it has no parallel links."""
    graph, nodes, _ = graph_of(value)
    graph = graph.subgraph(name for name in nodes if nodes[name].kind != "host")
    simple = nx.Graph(graph)
    assert simple.number_of_edges() == graph.number_of_edges()
    return simple


def same(ours: nx.Graph, theirs: nx.Graph) -> bool:
    return nx.vf2pp_is_isomorphic(nx.Graph(ours), nx.Graph(theirs))


@QUICK
@given(st.integers(2, 40), st.integers(0, 3))
def test_line(count: int, hosts: int) -> None:
    graph, nodes, _ = graph_of({"kind": "line", "nodes": count, "hosts_per_node": hosts})
    assert len(graph) == count * (1 + hosts)
    assert graph.number_of_edges() == count - 1 + count * hosts
    assert nx.is_connected(graph)
    core = graph.subgraph(f"r{i}" for i in range(1, count + 1))
    assert same(nx.Graph(core), nx.path_graph(count))
    assert sum("hosts" in node.groups for node in nodes.values()) == count * hosts


@QUICK
@given(st.integers(3, 40))
def test_ring(count: int) -> None:
    assert same(inner({"kind": "ring", "nodes": count}), nx.cycle_graph(count))


@QUICK
@given(st.integers(1, 60))
def test_star(count: int) -> None:
    graph, nodes, _ = graph_of({"kind": "star", "hosts": count})
    assert graph.degree("hub") == count
    assert [name for name in nodes if nodes[name].kind == "host"] == [f"h{i}" for i in range(1, count + 1)]


@QUICK
@given(st.integers(1, 30), st.none() | st.integers(1, 30))
def test_dumbbell(left: int, right: int | None) -> None:
    graph, nodes, links = graph_of({"kind": "dumbbell", "left": left, "right": right})
    receivers = right or left
    assert len(graph) == left + receivers + 2
    assert nx.is_tree(nx.Graph(graph))
    assert graph.number_of_edges("left", "right") == 1
    assert {n for n in nodes if "senders" in nodes[n].groups} == {f"s{i}" for i in range(1, left + 1)}
    assert {n for n in nodes if "receivers" in nodes[n].groups} == {f"r{i}" for i in range(1, receivers + 1)}
    assert nx.shortest_path(nx.Graph(graph), "s1", "r1") == ["s1", "left", "right", "r1"]
    assert links[0].endpoints == ("left", "right")


def test_dumbbell_of_the_peers() -> None:
    """The defaults are those of the comparison with other simulators: 10 Gbit/s, 10 us; 1 Gbit/s, 10 ms."""
    _, _, links = graph_of("dumbbell")
    assert (links[0].rate, links[0].delay) == (10**9, 10 * 10**9)
    assert {(link.rate, link.delay) for link in links[1:]} == {(10**10, 10 * 10**6)}


@QUICK
@given(st.integers(1, 20))
def test_parking_lot(hops: int) -> None:
    graph, _, _ = graph_of({"kind": "parking_lot", "hops": hops})
    simple = nx.Graph(graph)
    assert len(graph) == hops + 1 + 2 * (hops + 1)
    assert nx.shortest_path_length(simple, "s0", "d0") == hops + 2
    for i in range(1, hops + 1):
        assert nx.shortest_path(simple, f"s{i}", f"d{i}") == [
            f"s{i}",
            f"router{i}",
            f"router{i + 1}",
            f"d{i}",
        ]


@QUICK
@given(st.integers(1, 8), st.integers(1, 8))
def test_grid(rows: int, columns: int) -> None:
    ours = inner({"kind": "grid", "rows": rows, "columns": columns})
    assert same(ours, nx.grid_2d_graph(rows, columns))
    assert ours.has_edge("r1_1", "r1_2") == (columns > 1)


@QUICK
@given(st.integers(3, 7), st.integers(3, 7))
def test_torus(rows: int, columns: int) -> None:
    ours = inner({"kind": "grid", "rows": rows, "columns": columns, "wrap": True})
    assert same(ours, nx.grid_2d_graph(rows, columns, periodic=True))
    assert set(dict(ours.degree).values()) == {4}


@QUICK
@given(st.integers(1, 4), st.integers(1, 5))
def test_tree(depth: int, fanout: int) -> None:
    graph, nodes, _ = graph_of({"kind": "tree", "depth": depth, "fanout": fanout})
    assert same(nx.Graph(graph), nx.balanced_tree(fanout, depth))
    assert sum(node.kind == "host" for node in nodes.values()) == fanout**depth
    lengths = nx.single_source_shortest_path_length(graph, "s1")
    assert {lengths[name] for name in nodes if nodes[name].kind == "host"} == {depth}


@QUICK
@given(st.integers(2, 60), st.integers(0, 10**6), st.floats(0.05, 0.9))
def test_random_geometric_is_that_of_networkx(count: int, seed: int, share: float) -> None:
    """The same places and radius give the same graph as networkx.random_geometric_graph."""
    import random

    side = 100_000.0
    value = {"kind": "random_geometric", "nodes": count, "seed": seed, "side": "100 km", "connect": False,
             "radius": f"{share * side:.3f} m", "hosts_per_node": 0}  # fmt: skip
    source = random.Random(seed)
    places = {f"r{i}": (source.random() * side, source.random() * side) for i in range(1, count + 1)}
    radius = float(f"{share * side:.3f}")
    theirs = nx.random_geometric_graph(list(places), radius, pos=places)
    graph, _, links = graph_of(value)
    assert {frozenset(link.endpoints) for link in links} == {frozenset(edge) for edge in theirs.edges}
    assert len(graph) == count


@QUICK
@given(st.integers(2, 60), st.integers(0, 10**6))
def test_random_geometric_is_connected_on_request(count: int, seed: int) -> None:
    value = {"kind": "random_geometric", "nodes": count, "seed": seed, "radius": "100 km"}
    graph, _, links = graph_of(value)
    assert nx.is_connected(graph)
    assert all(link.length > 0 for link in links[:-count])


def test_random_geometric_follows_its_seed_alone() -> None:
    first, again, other = (build(parse({"kind": "random_geometric", "seed": seed})) for seed in (7, 7, 8))
    assert first == again
    assert first[0] != other[0]
    assert any("seed 7" in text for text in first[2])


def test_joining_parts_adds_the_fewest_links_and_says_so() -> None:
    loose = {"kind": "random_geometric", "nodes": 40, "radius": "120 km", "seed": 3, "hosts_per_node": 0}
    apart, _, few = graph_of(loose | {"connect": False})
    parts = nx.number_connected_components(apart)
    assert parts > 1
    _, links, said = build(parse(loose))
    assert len(links) == len(few) + parts - 1
    assert any(f"{parts} separate parts" in text for text in said)


def test_hosts_are_as_fast_as_asked() -> None:
    for access, expected in ((None, 10**10), ("40 Gbit/s", 4 * 10**10)):
        _, _, links = graph_of({"kind": "ring", "nodes": 3, "access_rate": access, "access_delay": "3 us"})
        assert {(k.rate, k.delay) for k in links if k.endpoints[0].startswith("host-")} == {
            (expected, 3 * 10**6)
        }


def test_several_hosts_are_numbered() -> None:
    _, nodes, _ = graph_of({"kind": "line", "nodes": 2, "hosts_per_node": 2})
    assert {"host-r1-1", "host-r1-2", "host-r2-1", "host-r2-2"} < set(nodes)


@pytest.mark.parametrize("kind", ["line", "ring", "star", "dumbbell", "parking_lot", "grid", "tree",
                                  "leaf_spine", "fat_tree", "random_geometric",
                                  "reference_backbone"])  # fmt: skip
def test_queue_is_that_of_the_main_links(kind: str) -> None:
    _, _, links = graph_of({"kind": kind, "queue": {"kind": "bfifo", "limit": "1 MB"}})
    assert any(link.queue is not None and link.queue.kind == "bfifo" for link in links)


@pytest.mark.parametrize(
    ("value", "where", "words"),
    [
        ("dumbell", "topology.kind", "did you mean 'dumbbell'?"),
        ("ring:2", "topology.nodes", "at least 3"),
        ({"kind": "dumbell"}, "topology.kind", "did you mean 'dumbbell'?"),
        ({"kind": "ring", "nodez": 4}, "topology.nodez", "did you mean 'nodes'?"),
        ("fat_tree:7", "topology.k", "an even number; 6 or 8"),
        ({"kind": "grid", "rows": 2, "wrap": True}, "topology.wrap", "at least 3 x 3"),
        ({"kind": "line", "rate": 10}, "topology.rate", "a number needs its unit"),
        ({"kind": "line", "rate": 0}, "topology.rate", "a rate above 0"),
        ({"kind": "tree", "depth": 16, "fanout": 10}, "topology", "at most 400,000"),
        ("dumbbell:left=4,5", "topology", "name=value"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(value: Any, where: str, words: str) -> None:
    with pytest.raises(TrialInvalid) as caught:
        parse(value)
    assert [problem.where for problem in caught.value.problems] == [where]
    assert words in str(caught.value)


def test_text_is_a_short_form_of_a_mapping() -> None:
    assert parse("dumbbell:left=4,rate=100 Mbit/s") == parse(
        {"kind": "dumbbell", "left": 4, "rate": "100 Mbit/s"}
    )
    assert parse("fat_tree:8") == parse({"kind": "fat_tree", "k": 8})
    assert parse("leaf-spine").kind == "leaf_spine"
    assert parse("grid:rows=3,columns=4,wrap=true").wrap is True
    assert parse("topohub:sndlib/polska").name == "sndlib/polska"
