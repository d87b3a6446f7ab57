"""Forwarding tables and paths against networkx: lengths, equal-cost sets, failures, hosts do not forward."""

import time
from itertools import islice

import networkx as nx
import numpy as np
import pytest
from drawings import draw, graphs
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from netarium.compile import lengths
from netarium.compile.graph import METRICS, build_graph
from netarium.compile.routing import (
    all_paths,
    disjoint_pair,
    epochs,
    explain_no_route,
    explicit_path,
    flow_choice,
    k_shortest,
    mix64,
    next_hop_tables,
    walk,
)
from netarium.describe.events import Event
from netarium.describe.network import Network
from netarium.errors import TrialInvalid

COMMON = settings(max_examples=40, deadline=None, derandomize=True)


def simple_paths(graph, src, dst, down=()):
    """Oracle: every loop-free path, as tuples of ports, by exhaustive search."""

    def extend(ports, node, seen):
        if node == dst:
            yield tuple(ports)
            return
        if node != src and not graph.node_forwards[node]:
            return
        for port in range(graph.port_count):
            head = int(graph.head[port])
            if graph.tail[port] == node and port not in down and head not in seen:
                yield from extend([*ports, port], head, seen | {head})

    return [] if src == dst else list(extend([], src, {src}))


def as_networkx(graph, metric, src, dst, down=()):
    """Simple directed graph with the cheapest of parallel ports, without hosts other than the two ends."""
    costs = graph.costs(metric)
    plain = nx.DiGraph()
    plain.add_nodes_from([src, dst])
    for port in range(graph.port_count):
        tail, head = int(graph.tail[port]), int(graph.head[port])
        ends_only = all(graph.node_forwards[node] or node in (src, dst) for node in (tail, head))
        if ends_only and port not in down:
            before = plain.get_edge_data(tail, head, {"cost": np.inf})["cost"]
            plain.add_edge(tail, head, cost=min(before, int(costs[port])))
    return plain


@COMMON
@given(graphs(), st.sampled_from(METRICS), st.booleans(), st.data())
def test_all_paths_are_all_shortest_paths(graph, metric, aggregate, data):
    links = st.sets(st.integers(0, graph.port_count // 2 - 1), max_size=2)
    down = {port for link in data.draw(links) for port in (2 * link, 2 * link + 1)}
    costs = graph.costs(metric)
    table = next_hop_tables(graph, range(graph.node_count), metric, True, down, aggregate)
    for src in range(graph.node_count):
        for dst in range(graph.node_count):
            if src == dst:
                assert table.group_of(src, dst) == -1
                continue
            plain = as_networkx(graph, metric, src, dst, down)
            found = all_paths(table, graph, src, dst)
            if not nx.has_path(plain, src, dst):
                assert found == []
                continue
            shortest = nx.shortest_path_length(plain, src, dst, weight="cost")
            assert {sum(costs[port] for port in path) for path in found} == {shortest}
            nodes = {tuple(p) for p in nx.all_shortest_paths(plain, src, dst, weight="cost")}
            names = graph.node_names
            assert {graph.nodes_along(p) for p in found} == {tuple(names[n] for n in p) for p in nodes}
            every = [p for p in simple_paths(graph, src, dst, down) if sum(costs[x] for x in p) == shortest]
            assert found == sorted(every)


@COMMON
@given(graphs(), st.sampled_from(METRICS))
def test_without_ecmp_the_first_port_of_the_group(graph, metric):
    everywhere = range(graph.node_count)
    many = next_hop_tables(graph, everywhere, metric)
    one = next_hop_tables(graph, everywhere, metric, ecmp=False)
    for src in everywhere:
        for dst in everywhere:
            assert one.ports_of(src, dst) == many.ports_of(src, dst)[:1]


@COMMON
@given(graphs(), st.sampled_from(METRICS), st.booleans())
def test_dijkstra_and_rounds_agree(graph, metric, ecmp):
    nodes = range(graph.node_count)
    rounds = next_hop_tables(graph, nodes, metric, ecmp)
    usable, costs = graph.up, graph.costs(metric)
    by_rounds = lengths.path_lengths(graph, costs, usable, np.array(nodes))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lengths, "LEAST_ROUNDS", 0)
        patch.setattr(lengths, "ROUND_CELLS", 0)
        by_dijkstra = lengths.path_lengths(graph, costs, usable, np.array(nodes))
        assert np.array_equal(next_hop_tables(graph, nodes, metric, ecmp).group, rounds.group)
    assert np.array_equal(by_rounds, by_dijkstra)


def test_chunks_of_columns_give_the_same_table(monkeypatch):
    graph = draw("a-b", "b-c", "c-d", "d-a", "a-c", "b-d", "a-b")
    whole = next_hop_tables(graph, range(4))
    monkeypatch.setattr("netarium.compile.routing._CHUNK_CELLS", 1)
    parts = next_hop_tables(graph, range(4))
    for src in range(4):
        for dst in range(4):
            assert parts.ports_of(src, dst) == whole.ports_of(src, dst)


def test_a_node_of_many_ports_has_exact_groups():
    spokes = [f"hub-m{i}" for i in range(100)] + [f"m{i}-far" for i in range(100)]
    graph = draw(*spokes, "hub-near", *[f"x{i}-hub" for i in range(3)], hosts="x0 x1 x2")
    table = next_hop_tables(graph, range(graph.node_count))
    hub, far, near = (graph.node(name) for name in ("hub", "far", "near"))
    assert len(table.ports_of(hub, far)) == 100
    assert table.ports_of(hub, near) == [graph.port_index["hub->near"]]
    assert table.ports_of(near, graph.node("x1")) == [graph.port_index["near->hub"]]
    assert table.ports_of(hub, graph.node("x1")) == [graph.port_index["hub->x1"]]


def test_types_and_shapes():
    graph = draw("a-b", "b-c", "b-d", hosts="a c d")
    dense = next_hop_tables(graph, [2, 3])
    small = next_hop_tables(graph, [2, 3], aggregate=True)
    assert dense.group.shape == (4, 2)
    assert small.group.shape == (4, 1)
    assert dense.column.tolist() == [-1, -1, 0, 1]
    assert small.gateway.tolist() == [-1, -1, 1, 1]
    for table in (dense, small):
        assert {array.dtype for array in vars(table).values()} == {np.dtype(np.int32)}
        assert all(array.flags.c_contiguous for array in vars(table).values())
        assert table.ports_of(1, 2) == [2]
        assert table.ports_of(0, 1) == []  # b is no destination


def test_parallel_links_of_one_length_share_and_a_longer_one_does_not():
    graph = draw("a-b 1 Gbit/s 1 ms", "a-b 1 Gbit/s 1 ms", "a-b 1 Gbit/s 2 ms")
    assert next_hop_tables(graph, [1]).ports_of(0, 1) == [0, 2]


def test_a_host_never_forwards():
    graph = draw("a-h", "h-b", "a-r", "r-s", "s-b", hosts="h")
    table = next_hop_tables(graph, range(graph.node_count), "hops")
    a, b, h = (graph.node(name) for name in "abh")
    assert graph.nodes_along(walk(table, graph, a, b, 1)) == ("a", "r", "s", "b")
    assert graph.nodes_along(walk(table, graph, a, h, 1)) == ("a", "h")
    assert graph.nodes_along(walk(table, graph, h, b, 1)) == ("h", "b")


def test_no_route_says_why():
    graph = draw("a-h", "h-b", "c-d", hosts="h")
    table = next_hop_tables(graph, range(graph.node_count))
    with pytest.raises(TrialInvalid, match="only way from a to b passes h, and a host does not forward"):
        walk(table, graph, 0, 2, 0)
    assert explain_no_route(graph, 0, 3) == "no chain of links joins a and c: add a link"
    assert explain_no_route(graph, 0, 1) == ""
    assert "is down" in explain_no_route(graph, 0, 1, down_ports=[0, 1])


def test_mix64_is_splitmix64():
    """First outputs of SplitMix64 seeded with 1234567, from the reference implementation by Vigna."""
    state, drawn = 1234567, []
    for _ in range(3):
        state = (state + 0x9E3779B97F4A7C15) % 2**64
        drawn.append(mix64(state))
    assert drawn == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_walk_follows_the_hash_at_every_node():
    graph = draw(*[f"a-m{i}" for i in range(4)], *[f"m{i}-b" for i in range(4)])
    table = next_hop_tables(graph, [graph.node("b")])
    src, dst = graph.node("a"), graph.node("b")
    taken = set()
    for flow in range(200):
        path = walk(table, graph, src, dst, mix64(flow))
        assert path[0] == table.ports_of(src, dst)[flow_choice(mix64(flow), src, 4)]
        taken.add(tuple(path))
    assert taken == set(all_paths(table, graph, src, dst))


def test_flows_spread_evenly_over_equal_paths():
    counts = np.bincount([flow_choice(mix64(flow), node=17, count=8) for flow in range(8000)], minlength=8)
    assert abs(counts - 1000).max() < 5 * np.sqrt(1000)


def test_choices_at_two_nodes_are_independent():
    """A flow that took the first port at one node is not bound to the first at the next (no polarisation)."""
    flows = [mix64(flow) for flow in range(4000)]
    both = sum(flow_choice(f, 1, 2) == flow_choice(f, 2, 2) for f in flows)
    assert abs(both - 2000) < 5 * np.sqrt(1000)


@COMMON
@given(graphs(most_nodes=6, most_links=9), st.sampled_from(METRICS), st.integers(1, 6))
def test_k_shortest_against_all_simple_paths(graph, metric, k):
    costs = graph.costs(metric)

    def length(path):
        return sum(int(costs[port]) for port in path)

    every = simple_paths(graph, 0, 1)
    found = k_shortest(graph, 0, 1, k, metric)
    assert len(set(found)) == len(found) and set(found) <= set(every)
    assert [length(path) for path in found] == sorted(map(length, every))[:k]


@COMMON
@given(graphs(most_nodes=6, most_links=9), st.sampled_from(METRICS), st.booleans())
def test_disjoint_pair_is_the_cheapest_there_is(graph, metric, share_nodes):
    costs = graph.costs(metric)

    def length(path):
        return sum(int(costs[port]) for port in path)

    def disjoint(one, other):
        links = {port // 2 for port in one} & {port // 2 for port in other}
        nodes = set(graph.nodes_along(one)[1:-1]) & set(graph.nodes_along(other)[1:-1])
        return not links and (share_nodes or not nodes)

    every = simple_paths(graph, 0, 1)
    sums = [length(p) + length(q) for i, p in enumerate(every) for q in every[:i] if disjoint(p, q)]
    pair = disjoint_pair(graph, 0, 1, metric, share_nodes)
    if not sums:
        assert pair is None
        return
    assert pair is not None and pair[0] in every and pair[1] in every
    assert disjoint(*pair) and length(pair[0]) <= length(pair[1])
    assert length(pair[0]) + length(pair[1]) == min(sums)


def test_disjoint_pair_undoes_the_shortest_path_where_it_must():
    """The trap network: the shortest path uses the bridge that both disjoint paths must leave alone."""
    graph = draw("a-x 1 Gbit/s 1 ms", "x-y 1 Gbit/s 1 ms", "y-b 1 Gbit/s 1 ms", "a-y 1 Gbit/s 3 ms",
                 "x-b 1 Gbit/s 3 ms")  # fmt: skip
    pair = disjoint_pair(graph, graph.node("a"), graph.node("b"))
    assert pair is not None
    assert [graph.nodes_along(path) for path in pair] == [("a", "x", "b"), ("a", "y", "b")]


def test_explicit_path():
    graph = draw("a-b", "b-c", "b-c", "c-d")
    assert explicit_path(graph, ["a", "b", "c", "d"]) == [0, 2, 6]


@pytest.mark.parametrize(
    "names, wording",
    [
        (["a", "c"], r"path\[1\]: found 'c' after 'a', which no link joins.*; a is linked to b"),
        (["a", "bb"], r"path\[1\]: found node 'bb'.*did you mean 'b'"),
        (["a", "b", "a"], r"path\[2\]: found 'a' again, expected each node once"),
        (["a", "b", "h", "c"], r"path\[2\]: found 'h', a host, expected a node that forwards"),
        (["a"], r"path: found 1 node\(s\), expected at least two"),
    ],
)  # fmt: skip
def test_explicit_path_says_what_is_wrong(names, wording):
    graph = draw("a-b", "b-c", "b-h", "h-c", hosts="h")
    with pytest.raises(TrialInvalid, match=wording):
        explicit_path(graph, names)


def event(at, kind, **fields):
    """The event as the model reads it, at a time in ps."""
    return TypeAdapter(Event).validate_python({"at": f"{at} ps", "kind": kind, **fields})


def test_epochs_follow_events_by_the_reconvergence_delay():
    graph = draw("a-b", "b-c")
    events = [event(10, "link_down", link="a-b"), event(30, "link_up", link=["b", "a"])]
    assert epochs(graph, events, 5) == [(0, ()), (15, (0, 1)), (35, ())]
    assert epochs(graph, events, 0) == [(0, ()), (10, (0, 1)), (30, ())]


def test_a_link_stays_down_while_its_node_is_down():
    graph = draw("a-b", "b-c")
    events = [
        event(40, "node_up", node="b"),
        event(10, "link_down", link="a-b"),
        event(20, "node_down", node="b"),
        event(30, "link_up", link="a-b"),
        event(35, "rate_change", link="a-b", rate="1 Gbit/s"),
    ]
    assert epochs(graph, events, 0) == [(0, ()), (10, (0, 1)), (20, (0, 1, 2, 3)), (40, ())]


def test_events_at_one_time_make_one_epoch_and_two_nodes_mean_all_links_between_them():
    graph = draw("a-b", "b-c", "a-b")
    events = [event(0, "link_down", link=["a", "b"]), event(0, "link_down", link="b-c")]
    assert epochs(graph, events, 0) == [(0, (0, 1, 2, 3, 4, 5))]
    assert epochs(graph, [event(5, "link_down", link="a-b#2")], 0)[1] == (5, (4, 5))


def test_events_that_name_nothing():
    graph = draw("guiyang-wuhan", "wuhan-xian")
    with pytest.raises(TrialInvalid, match=r"events\[0\].link.*did you mean 'guiyang-wuhan'"):
        epochs(graph, [event(0, "link_down", link="guiyang-wuhn")], 0)
    with pytest.raises(
        TrialInvalid, match="expected two nodes that a link joins; guiyang is linked to wuhan"
    ):
        epochs(graph, [event(0, "link_down", link=["guiyang", "xian"])], 0)


def fat_tree(k):
    half, nodes, links = k // 2, {}, []
    for pod in range(k):
        for edge in range(half):
            nodes |= {f"h{pod}.{edge}.{i}": {"kind": "host"} for i in range(half)}
            links += [(f"h{pod}.{edge}.{i}", f"e{pod}.{edge}") for i in range(half)]
            links += [(f"e{pod}.{edge}", f"a{pod}.{i}") for i in range(half)]
            links += [(f"a{pod}.{edge}", f"c{edge}.{i}") for i in range(half)]
    nodes |= {end: {"kind": "switch"} for link in links for end in link if end not in nodes}
    described = [{"endpoints": list(ends), "rate": "10 Gbit/s", "delay": "1 us"} for ends in links]
    return build_graph(Network(nodes=nodes, links=described))


def test_fat_tree_of_1024_hosts_is_quick_and_right():
    graph = fat_tree(16)
    hosts = np.flatnonzero(~graph.node_forwards)
    assert (graph.node_count, len(hosts)) == (1344, 1024)
    started = time.perf_counter()
    table = next_hop_tables(graph, hosts, "hops")
    assert time.perf_counter() - started < 1.5
    small = next_hop_tables(graph, hosts, "hops", aggregate=True)
    assert (table.group.nbytes, small.group.nbytes) == (1344 * 1024 * 4, 1344 * 128 * 4)
    rng = np.random.default_rng(1)
    for src, dst in islice(zip(rng.permutation(hosts), rng.permutation(hosts), strict=True), 50):
        if src != dst:
            assert len(all_paths(table, graph, src, dst)) in (1, 8, 64)
            assert all_paths(small, graph, src, dst) == all_paths(table, graph, src, dst)
