"""Expansion: default names, ports, delays from length and location, overrides of a topology, references."""

from __future__ import annotations

import pytest

from netarium.describe.links import Link, Node
from netarium.describe.network import Network
from netarium.describe.reach import Reach
from netarium.errors import Mistake, TrialInvalid


def network(*links: dict[str, object], **more: object) -> Network:
    nodes = {name: {} for link in links for name in link["endpoints"]}
    return Network(nodes=nodes, links=links, defaults={"rate": "1 Gbit/s", "delay": "1 ms"}, **more)


def test_parallel_links_are_numbered() -> None:
    net = network(
        {"endpoints": ["a", "b"]}, {"endpoints": ["b", "a"]}, {"endpoints": ["a", "b"], "name": "north"}
    )
    assert [link.name for link in net.expand().links] == ["a-b", "a-b#2", "north"]
    assert [port.name for port in net.ports()] == ["a->b", "b->a", "b->a#2", "a->b#2", "a->b#3", "b->a#3"]
    assert [port.link for port in net.ports()][::2] == ["a-b", "a-b#2", "north"]


def test_a_default_name_gives_way_to_a_stated_one() -> None:
    net = network({"endpoints": ["a", "b"]}, {"endpoints": ["a", "c"], "name": "a-b"})
    names = [link.name for link in net.expand().links]
    assert len(set(names)) == 2 and names[1] == "a-b"


def test_delay_from_length_and_from_places() -> None:
    net = Network(
        nodes={"a": {"location": [0, 0]}, "b": {"location": [0, 1]}, "c": {}},
        links=[
            {"endpoints": ["a", "b"], "rate": "1 Gbit/s"},
            {"endpoints": ["a", "c"], "rate": "1 Gbit/s", "length": "1000 km"},
            {"endpoints": ["b", "c"], "rate": "1 Gbit/s"},
        ],
        defaults={"length": "100 km", "route_factor": 2},
    )
    first, second, third = net.expand().links
    assert first.length == pytest.approx(2 * 111_195, rel=1e-4)  # one degree of a great circle
    assert first.delay == pytest.approx(2 * 111_195 * 5000, rel=1e-4)
    assert second.delay == 5 * 10**9
    assert third.delay == 5 * 10**8
    assert any("great circle between the locations x 2" in text for text in net.expand().assumptions)


def test_directions_differ() -> None:
    net = network(
        {
            "endpoints": ["a", "b"],
            "forward": {"rate": "10 Mbit/s", "queue": "codel"},
            "backward": {"delay": "3 ms", "impairments": {"loss": "1 %"}},
        }
    )
    forward, backward = net.ports()
    assert (forward.rate, forward.delay, forward.queue.kind) == (10**7, 10**9, "codel")
    assert (backward.rate, backward.delay, backward.queue.kind) == (10**9, 3 * 10**9, "pfifo")
    assert backward.impairments.loss.probability == 0.01


def test_both_directions_may_have_the_rate_that_the_link_lacks() -> None:
    sides = {"forward": {"rate": "1 Mbit/s"}, "backward": {"rate": "2 Mbit/s"}}
    net = Network(nodes={"a": {}, "b": {}}, links=[{"endpoints": ["a", "b"], "delay": 0, **sides}])
    assert [port.rate for port in net.ports()] == [10**6, 2 * 10**6]


def test_nodes_and_links_beside_a_topology() -> None:
    net = Network(
        topology={"kind": "dumbbell", "left": 1},
        nodes={"left": {"label": "west"}, "probe": {"kind": "host"}},
        links=[
            {"endpoints": ["left", "right"], "name": "left-right", "rate": "5 Mbit/s"},
            {"endpoints": ["probe", "left"], "rate": "1 Gbit/s", "delay": "1 us"},
        ],
    )
    expanded = net.expand()
    assert expanded.nodes["left"].label == "west" and expanded.nodes["left"].kind == "router"
    bottleneck = net.link(("left-right",))
    assert bottleneck.rate == 5 * 10**6 and bottleneck.delay == 10 * 10**9
    assert net.link(("probe", "left")).delay == 10**6
    assert expanded.routing.metric is not None
    assert expanded.expand() is expanded


def test_the_metric_follows_the_kind_of_topology() -> None:
    assert Network(topology="fat_tree:4").expand().routing.metric == "hops"
    assert Network(topology="ring").expand().routing.metric == "delay"
    assert Network(topology="fat_tree:4", routing={"metric": "delay"}).expand().routing.metric == "delay"


def test_links_by_reference() -> None:
    net = network({"endpoints": ["a", "b"]}, {"endpoints": ["b", "a"]}, {"endpoints": ["b", "c"]})
    assert net.link(("b", "c")).name == "b-c"
    assert net.link(("c-b",)).name == "b-c"
    with pytest.raises(Mistake, match="which 2 links join"):
        net.link(("a", "b"))
    with pytest.raises(Mistake, match="which no link joins"):
        net.link(("a", "c"))
    with pytest.raises(Mistake, match="did you mean 'b-c'"):
        net.link(("b-d",))


def test_a_copy_expands_anew() -> None:
    net = network({"endpoints": ["a", "b"]})
    net.expand()
    changed = net.model_copy(update={"links": (Link(endpoints=("a", "b"), rate="5 Mbit/s"),)})
    assert changed.ports()[0].rate == 5 * 10**6
    assert net.ports()[0].rate == 10**9


def test_only_routers_switches_and_satellites_pass_on() -> None:
    net = Network(
        nodes={
            "a": Node(kind="host"),
            "h": Node(kind="host"),
            "b": Node(kind="host"),
            "r": Node(),
            "x": Node(),
        },
        links=[{"endpoints": pair} for pair in (["a", "h"], ["h", "b"], ["b", "r"])],
        defaults={"rate": "1 Gbit/s", "delay": 0},
    )
    reach = Reach(net.expand())
    assert reach.joined("a", "h") and reach.joined("b", "r")
    assert not reach.joined("a", "b") and not reach.joined("a", "r")
    assert "'h' is of kind host" in reach.why_not("a", "b")
    assert "'x' has no link" in reach.why_not("a", "x")


@pytest.mark.parametrize("name", ["a->b", "a#1", "h*", " a", "", "a\nb", "x" * 201])
def test_names_that_no_node_can_have(name: str) -> None:
    with pytest.raises(TrialInvalid):
        Network(nodes={name: {}})
