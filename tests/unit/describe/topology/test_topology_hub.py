"""topohub networks: names, planes and maps, demands, and what to do when the package is not there."""

from __future__ import annotations

import json
import sys
from importlib import resources

import networkx as nx
import pytest

from netarium.describe.network import Network
from netarium.describe.topology import build, demands, hub, parse
from netarium.errors import MachineCannot, TrialInvalid


def test_a_map_of_sndlib() -> None:
    nodes, links, said = build(parse("topohub:sndlib/polska"))
    assert {"Gdansk", "host-Gdansk", "Warsaw"} < set(nodes)
    assert nodes["Gdansk"].location == (54.2, 18.6)
    assert (len(nodes), len(links)) == (24, 18 + 12)
    assert any("has no capacities" in text for text in said)
    assert any("18 of 18 links without a speed: 10 Gbit/s" in text for text in said)
    network = Network(topology="topohub:sndlib/polska").expand()
    assert all(link.delay > 0 for link in network.links)


def test_demands_are_between_hosts_in_bits_per_second() -> None:
    raw = json.loads((resources.files("topohub") / "data/sndlib/polska.json").read_text())["graph"]["demands"]
    found = demands(parse("topohub:sndlib/polska"))
    assert found["host-Gdansk", "host-Bydgoszcz"] == raw["0"]["1"] * 1e6
    assert sum(found.values()) == pytest.approx(sum(v for row in raw.values() for v in row.values()) * 1e6)
    bare = demands(
        parse({"kind": "topohub", "name": "sndlib/polska", "hosts_per_node": 0, "demand_unit": "1 kbit/s"})
    )
    assert bare["Gdansk", "Bydgoszcz"] == raw["0"]["1"] * 1e3


def test_a_plane_is_not_a_map() -> None:
    nodes, links, said = build(parse("topohub:sndlib/atlanta"))
    assert all(node.location is None for node in nodes.values())
    assert {link.delay for link in links} == {10**9, 10**7}
    assert any("on a plane without scale" in text for text in said)
    _, links, said = build(parse("topohub:gabriel/25/0"))
    assert any("are the lengths" in text for text in said)
    assert all(31_000 < link.length < 165_000 for link in links if link.length is not None)


@pytest.mark.parametrize(
    "name", ["topozoo/Abilene", "topozoo/Garr201201", "sndlib/germany50", "caida", "backbone/europe"]
)
def test_networks_are_those_of_topohub(name: str) -> None:
    name = next(known for known in hub.names() if known.startswith(name))
    raw = json.loads((resources.files("topohub") / f"data/{name}.json").read_text())
    theirs = nx.node_link_graph(raw, edges="edges")
    nodes, links, _ = build(
        parse({"kind": "topohub", "name": name, "hosts_per_node": 0, "components": "all"})
    )
    assert len(nodes) == len(theirs)
    ours = nx.Graph(link.endpoints for link in links)
    theirs.remove_edges_from(nx.selfloop_edges(theirs))
    assert sorted(dict(ours.degree).values()) == sorted(d for _, d in theirs.degree if d)
    assert len(links) == theirs.number_of_edges()


def test_an_unknown_name_and_one_without_demands() -> None:
    with pytest.raises(TrialInvalid, match="did you mean 'sndlib/germany50'"):
        build(parse("topohub:sndlib/germny50"))
    with pytest.raises(TrialInvalid, match="has no demand matrix"):
        demands(parse("topohub:topozoo/Abilene"))


@pytest.mark.parametrize("name", ["../../../etc/passwd", "sndlib/../sndlib/polska", "", "/etc/hostname"])
def test_names_do_not_leave_the_package(name: str) -> None:
    with pytest.raises(TrialInvalid):
        build(parse({"kind": "topohub", "name": name}))


def test_without_topohub_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "topohub", None)
    with pytest.raises(MachineCannot, match=r"pip install 'netarium\[data\]'"):
        build(parse("topohub:sndlib/polska"))


def test_names() -> None:
    assert len(hub.names("sndlib")) == 26
    assert hub.names("gabriel")[:2] == ["gabriel/5/0", "gabriel/5/1"]
