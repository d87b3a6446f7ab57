"""Leaf-spine and fat tree against what their definitions say: counts, degrees, path diversity, bisection."""

from __future__ import annotations

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netarium.describe.topology import build, parse


def graph_of(spec: str) -> nx.Graph:
    nodes, links, _ = build(parse(spec))
    graph = nx.Graph()
    graph.add_nodes_from((name, {"kind": node.kind, "groups": node.groups}) for name, node in nodes.items())
    graph.add_edges_from((*link.endpoints, {"capacity": link.rate}) for link in links)
    assert graph.number_of_edges() == len(links)
    return graph


def members(graph: nx.Graph, group: str) -> list[str]:
    return [name for name, groups in graph.nodes(data="groups") if group in groups]


@pytest.mark.parametrize("k", [2, 4, 6, 8])
def test_fat_tree_counts_and_degrees(k: int) -> None:
    """Al-Fares et al. (SIGCOMM 2008), section 3.1: every switch has k ports, all in use."""
    graph = graph_of(f"fat_tree:{k}")
    sizes = {group: len(members(graph, group)) for group in ("hosts", "edge", "aggregation", "core")}
    assert sizes == {"hosts": k**3 // 4, "edge": k * k // 2, "aggregation": k * k // 2, "core": k * k // 4}
    assert graph.number_of_edges() == 3 * k**3 // 4
    switches = [name for name, kind in graph.nodes(data="kind") if kind == "switch"]
    assert {graph.degree(name) for name in switches} == {k}
    assert {graph.degree(name) for name in members(graph, "hosts")} == {1}
    assert nx.is_connected(graph)
    assert len(members(graph, "pod0")) == k + k * k // 4


def test_fat_tree_has_equal_paths_between_pods() -> None:
    graph = graph_of("fat_tree:6")
    assert len(list(nx.all_shortest_paths(graph, "h0_0_0", "h5_2_2"))) == (6 // 2) ** 2
    assert len(list(nx.all_shortest_paths(graph, "h0_0_0", "h0_1_0"))) == 6 // 2
    assert nx.shortest_path_length(graph, "h0_0_0", "h5_2_2") == 6
    assert nx.shortest_path_length(graph, "h0_0_0", "h0_0_1") == 2


@pytest.mark.parametrize("k", [4, 6])
def test_fat_tree_has_full_bisection(k: int) -> None:
    """Half of the hosts can send to the other half at their full rate, whichever pods they are in."""
    graph = graph_of(f"fat_tree:{k}")
    hosts = members(graph, "hosts")
    half = [host for host in hosts if int(host[1:].split("_")[0]) < k // 2]
    rate = 10**10
    graph.add_edges_from((("source", host) for host in half), capacity=rate)
    graph.add_edges_from((("sink", host) for host in hosts if host not in half), capacity=rate)
    assert nx.maximum_flow_value(graph, "source", "sink") == len(half) * rate


def test_fat_tree_of_1024_hosts() -> None:
    nodes, links, _ = build(parse("fat_tree:16"))
    assert sum(node.kind == "host" for node in nodes.values()) == 1024
    assert (len(nodes), len(links)) == (1344, 3072)
    assert parse("fat_tree:16").routing_metric == "hops"


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 8), st.integers(1, 8), st.integers(0, 8))
def test_leaf_spine(leaves: int, spines: int, hosts: int) -> None:
    graph = graph_of(f"leaf_spine:leaves={leaves},spines={spines},hosts_per_leaf={hosts}")
    core = graph.subgraph([*members(graph, "leaf"), *members(graph, "spine")])
    assert nx.is_isomorphic(core, nx.complete_bipartite_graph(leaves, spines))
    assert len(members(graph, "hosts")) == leaves * hosts
    assert nx.is_connected(graph)
    rates = {graph.edges[edge]["capacity"] for edge in core.edges}
    assert rates == {4 * 10**10}
    for host in members(graph, "rack1"):
        assert list(graph[host]) == ["leaf1"]
        assert graph.edges[host, "leaf1"]["capacity"] == 10**10
