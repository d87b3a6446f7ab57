"""The graph: order and names of ports, overrides of one direction, costs, loss and jitter of impairments."""

import numpy as np
import pytest
from drawings import draw

from netarium.compile.graph import UNBOUNDED_PS, build_graph
from netarium.describe.network import Network
from netarium.errors import TrialInvalid


def network(*links, **nodes):
    named = {name: {} for link in links for name in link["endpoints"]}
    return Network(nodes=named | nodes, links=links, defaults={"rate": "1 Gbit/s", "delay": "1 ms"})


def test_link_i_gives_ports_2i_and_2i_plus_1():
    graph = draw("a-b 1 Gbit/s 1 ms", "b-c 2 Gbit/s 2 ms")
    assert graph.port_names == ("a->b", "b->a", "b->c", "c->b")
    assert graph.tail.tolist() == [0, 1, 1, 2]
    assert graph.head.tolist() == [1, 0, 2, 1]
    assert graph.rate_bps.tolist() == [10**9, 10**9, 2 * 10**9, 2 * 10**9]
    assert graph.delay_ps.tolist() == [10**9, 10**9, 2 * 10**9, 2 * 10**9]
    assert graph.tail.dtype == graph.head.dtype == np.int32
    assert graph.rate_bps.dtype == graph.delay_ps.dtype == np.int64


def test_parallel_links_are_numbered_whichever_way_they_are_written():
    graph = draw("a-b", "b-a", "a-b")
    assert graph.port_names == ("a->b", "b->a", "b->a#2", "a->b#2", "a->b#3", "b->a#3")
    assert graph.ports_between(0, 1) == (0, 3, 4)
    assert graph.ports_between(1, 0) == (1, 2, 5)


def test_a_direction_overrides_rate_and_delay():
    graph = build_graph(
        network({"endpoints": ["a", "b"], "forward": {"rate": "5 Gbit/s"}, "backward": {"delay": "7 ms"}})
    )
    assert graph.rate_bps.tolist() == [5 * 10**9, 10**9]
    assert graph.delay_ps.tolist() == [10**9, 7 * 10**9]


def test_only_routers_switches_and_satellites_forward():
    kinds = ["router", "switch", "satellite", "host", "external"]
    graph = build_graph(Network(nodes={kind: {"kind": kind} for kind in kinds}))
    assert graph.node_forwards.tolist() == [True, True, True, False, False]


def test_costs():
    graph = build_graph(
        network({"endpoints": ["a", "b"], "weight": 2.5, "delay": 0}, {"endpoints": ["b", "c"], "weight": 3})
    )
    assert graph.costs("hops").tolist() == [1, 1, 1, 1]
    assert graph.costs("delay").tolist() == [1, 1, 10**9, 10**9]
    assert graph.costs("weight").tolist() == [2_500_000, 2_500_000, 3_000_000, 3_000_000]


def test_whole_weights_are_costs_as_they_are():
    graph = build_graph(network({"endpoints": ["a", "b"], "weight": 7}))
    assert graph.costs("weight").tolist() == [7, 7]


def test_costs_that_would_overflow_are_refused():
    graph = build_graph(network({"endpoints": ["a", "b"], "weight": 1e300}))
    with pytest.raises(TrialInvalid, match=r"network.links\[0\].weight.*below 2\^62"):
        graph.costs("weight")


def test_unknown_metric_names_the_nearest():
    with pytest.raises(TrialInvalid, match="did you mean 'hops'"):
        draw("a-b").costs("hop")


@pytest.mark.parametrize(
    "impairments, expected",
    [
        ({"loss": 0.01}, 0.01),
        ({"loss": {"kind": "periodic", "every": 50}}, 0.02),
        (
            {"loss": {"kind": "gilbert_elliott", "p": 0.1, "r": 0.3, "h": 0.2, "k": 0.9}},
            0.25 * 0.8 + 0.75 * 0.1,
        ),
        ({"corrupt": 0.5, "loss": 0.5}, 0.75),
        ({}, 0.0),
    ],
)
def test_loss_ratio(impairments, expected):
    graph = build_graph(network({"endpoints": ["a", "b"], "impairments": impairments}))
    assert graph.loss_ratio.tolist() == pytest.approx([expected, expected])


def test_jitter_is_bounded_only_when_uniform():
    graph = build_graph(
        network(
            {"endpoints": ["a", "b"], "forward": {"impairments": {"jitter": {"delay": "3 us"}}}},
            {"endpoints": ["b", "c"], "impairments": {"jitter": {"delay": "3 us", "distribution": "normal"}}},
        )
    )
    assert graph.jitter_ps.tolist() == [3_000_000, 0, UNBOUNDED_PS, UNBOUNDED_PS]


def test_nodes_along_a_chain_of_ports():
    graph = draw("a-b", "b-c")
    assert graph.nodes_along([0, 2]) == ("a", "b", "c")
    assert graph.nodes_along([]) == ()


def test_unknown_node_names_the_nearest():
    with pytest.raises(TrialInvalid, match="did you mean 'wuhan'"):
        draw("wuhan-xian").node("wuhann")
