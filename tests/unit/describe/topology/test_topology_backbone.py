"""The reference backbone keeps its promises: 40 cities, 55,000 km, two disjoint paths, called synthetic."""

from __future__ import annotations

import networkx as nx
import pytest

from netarium.describe.network import Network
from netarium.describe.topology import backbone, build, parse
from netarium.describe.topology.geo import great_circle


@pytest.fixture(scope="module")
def graph() -> nx.Graph:
    return nx.Graph(backbone.LINKS)


def test_forty_cities_and_enough_fibre(graph: nx.Graph) -> None:
    assert len(backbone.CITIES) == len(graph) == 40
    assert set(graph) == set(backbone.CITIES)
    assert backbone.total_length() >= 55_000_000
    assert graph.number_of_edges() == len(backbone.LINKS), "no link twice"
    assert {"guiyang", "wuhan", "nanjing", "beijing", "shanghai", "guangzhou"} < set(graph)


def test_two_node_disjoint_paths_between_any_two_cities(graph: nx.Graph) -> None:
    assert nx.is_biconnected(graph)
    for a, b in (("urumqi", "haikou"), ("harbin", "lhasa"), ("guiyang", "wuhan")):
        assert len(list(nx.node_disjoint_paths(graph, a, b))) >= 2


def test_places_are_in_china_and_apart() -> None:
    places = [city[1:] for city in backbone.CITIES.values()]
    assert all(18 < lat < 54 and 73 < lon < 135.1 for lat, lon in places)
    assert min(great_circle(a, b) for i, a in enumerate(places) for b in places[:i]) > 50_000


def test_the_built_network() -> None:
    network = Network(topology="reference_backbone").expand()
    nodes, links, said = build(parse("reference-backbone"))
    assert list(network.nodes) == list(nodes)
    assert sum(node.kind == "host" for node in nodes.values()) == 40
    between = [link for link in network.links if link.length is not None]
    assert {link.rate for link in network.links} == {100 * 10**9}
    assert sum(link.length for link in between) >= 55_000_000
    for link in between:
        a, b = (nodes[end].location for end in link.endpoints)
        assert link.length / great_circle(a, b) == pytest.approx(backbone.ROUTE_FACTOR, rel=0.01)
        assert link.delay == round(link.length * 5000)
    assert any("synthetic" in text and "55," in text and "1.5" in text for text in said)
    assert nodes["urumqi"].label == "Ürümqi"


def test_without_hosts() -> None:
    nodes, links, _ = build(parse("reference_backbone:hosts_per_node=0"))
    assert (len(nodes), len(links)) == (40, len(backbone.LINKS))
