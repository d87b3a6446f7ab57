"""Topology Zoo GraphML: everything awkward in one file is read and said; broken files are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from netarium.describe.network import Network
from netarium.describe.topology import build
from netarium.describe.topology.graphml import named_speed, speed
from netarium.describe.topology.spec import GraphML
from netarium.errors import TrialInvalid

EXAMPLES = Path(__file__).resolve().parents[4] / "examples" / "topologies"
BARE = GraphML(file="harbour.graphml", hosts_per_node=0)


def between(links: list, a: str, b: str) -> list:
    return [link for link in links if set(link.endpoints) == {a, b}]


def test_names_places_and_groups() -> None:
    nodes, _, _ = build(BARE, EXAMPLES)
    assert list(nodes) == [
        "Arhus",
        "Gdansk",
        "Port_East",
        "Port_East_2",
        "hyper_4",
        "Stockholm",
        "Lighthouse",
        "Transit",
    ]
    assert nodes["Gdansk"].label == "Gdańsk"
    assert nodes["Gdansk"].location == (54.35, 18.65)
    assert nodes["Lighthouse"].location is None
    assert nodes["Transit"].groups == ("peers",)
    assert (nodes["hyper_4"].kind, nodes["hyper_4"].groups) == ("switch", ("hyperedges",))
    latitude, longitude = nodes["hyper_4"].location
    assert 54.35 < latitude < 59.33 and 10.2 < longitude < 18.65


def test_speeds() -> None:
    _, links, _ = build(BARE, EXAMPLES)
    assert [link.rate for link in between(links, "Arhus", "Gdansk")] == [10**10, 2_500_000_000]
    assert between(links, "Gdansk", "Port_East")[0].rate == 48 * 51_840_000  # OC-48c
    assert between(links, "Stockholm", "Port_East")[0].rate == 155_000_000  # only in its label
    assert (
        between(links, "Stockholm", "Lighthouse")[0].rate == 10**10
    )  # "10-100Mbps" says no speed: the default
    assert not [link for link in links if link.endpoints[0] == link.endpoints[1]]


def test_delays() -> None:
    network = Network(topology=GraphML(file=str(EXAMPLES / "harbour.graphml"))).expand()
    at = {link.endpoints: link for link in network.links}
    assert at["Stockholm", "Lighthouse"].delay == 10**9
    assert at["Port_East", "Port_East_2"].length == 1000
    assert at["Port_East", "Port_East_2"].delay == 5 * 10**6
    assert at["Arhus", "hyper_4"].delay > 10**9
    assert all(link.delay > 0 for link in network.links)


def test_every_default_is_said() -> None:
    _, _, said = build(GraphML(file="harbour.graphml"), EXAMPLES)
    for words in (
        "1 hyperedge (one link, many ends): each a switch",
        "2 of 10 nodes without location: Lighthouse, Transit",
        "1 node outside the network (Internal = 0)",
        "link labels that are not one speed, not used: 10-100Mbps",
        "speeds read from link types or labels: 155 Mbit/s, OC-48c",
        "2 nodes share a label with another: numbered Port_East",
        "'Gdańsk' is Gdansk",
        "2 separate parts: the largest kept (8 nodes); left out Island, Far_Island",
        "1 link from a node to itself: left out",
        "1 parallel link kept",
        "5 of 10 links without a speed: 10 Gbit/s",
        "2 links with an unlocated end: delay 1 ms",
        "1 link between nodes at one place: length 1 km",
        "1 host behind each of 6 nodes",
    ):
        assert sum(words in text for text in said) == 1, words


def test_choices() -> None:
    everything, links, said = build(BARE.model_copy(update={"components": "all"}), EXAMPLES)
    assert {"Island", "Far_Island"} < set(everything)
    assert any("all kept" in text for text in said)
    inside, _, said = build(BARE.model_copy(update={"peers": "drop"}), EXAMPLES)
    assert "Transit" not in inside
    assert any("left out with their links" in text for text in said)
    given = {"rate": 4 * 10**10, "default_delay": 7 * 10**9}
    _, links, said = build(BARE.model_copy(update=given), EXAMPLES)
    assert {link.rate for link in links} == {4 * 10**10}
    assert between(links, "Stockholm", "Lighthouse")[0].delay == 7 * 10**9
    assert not any("without a speed" in text for text in said)


def test_hosts_stand_behind_routers_inside() -> None:
    nodes, links, _ = build(GraphML(file="harbour.graphml", hosts_per_node=2), EXAMPLES)
    places = {link.endpoints[1] for link in links if nodes[link.endpoints[0]].kind == "host"}
    assert places == {"Arhus", "Gdansk", "Port_East", "Port_East_2", "Stockholm", "Lighthouse"}
    access = between(links, "host-Arhus-1", "Arhus")[0]
    assert access.rate == 10**10 + 2_500_000_000 + 10**10  # as fast as the links of its node together


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("10 Gbps", 10**10), ("155 Mbit/s", 155_000_000), ("OC-192", 9_953_280_000),
        ("STM-16", 2_488_320_000),
        ("OC3", 155_520_000), ("T3", 44_736_000), ("E1", 2_048_000), ("10GE", 10**10), ("GigE", 10**9),
        ("2.5Gb/s", 2_500_000_000), ("100 Mbps", 10**8), ("45kbps", 45_000),
        ("1-10 Gbps", None), ("> 1 Gbps", None), ("Red", None), ("", None), (None, None), ("0 Gbps", None),
        ("2 x 10 Gbps", None), ("Fibre", None),
    ],
)  # fmt: skip
def test_named_speeds(text: str | None, rate: int | None) -> None:
    assert named_speed(text) == rate


def test_stated_speed_comes_before_words() -> None:
    assert speed({"LinkSpeedRaw": 34e6, "LinkLabel": "10 Gbps"}) == 34_000_000
    assert speed({"LinkSpeed": "2.5", "LinkSpeedUnits": "G"}) == 2_500_000_000
    assert speed({"LinkSpeedRaw": 0.0, "LinkType": "OC-3"}) == 155_520_000
    assert speed({"LinkSpeedRaw": "nan", "LinkSpeed": "?", "LinkSpeedUnits": "G"}) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("not xml", "which is not GraphML"),
        ("<graphml xmlns='http://graphml.graphdrawing.org/xmlns'/>", "which is not GraphML"),
        ("<html><body/></html>", "which is not GraphML"),
        ("<graphml xmlns='http://graphml.graphdrawing.org/xmlns'><graph edgedefault='undirected'/></graphml>",
         "without nodes"),
    ],
)  # fmt: skip
def test_what_is_not_graphml_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "bad.graphml").write_text(text)
    with pytest.raises(TrialInvalid, match=words):
        build(GraphML(file="bad.graphml"), tmp_path)


def test_a_missing_file_and_one_that_is_not_text(tmp_path: Path) -> None:
    with pytest.raises(TrialInvalid, match=r"did you mean 'harbour.graphml'"):
        build(GraphML(file="harbor.graphml"), EXAMPLES)
    (tmp_path / "bytes.graphml").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(TrialInvalid, match="not text"):
        build(GraphML(file="bytes.graphml"), tmp_path)


def test_an_edge_to_a_node_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "typo.graphml").write_text(
        "<graphml xmlns='http://graphml.graphdrawing.org/xmlns'><graph edgedefault='undirected'>"
        "<node id='paris'/><node id='lyon'/><edge source='paris' target='lyon'/>"
        "<edge source='paris' target='lion'/></graph></graphml>"
    )
    with pytest.raises(TrialInvalid, match=r"edges\[1\].target: found 'lion'.*did you mean 'lyon'"):
        build(GraphML(file="typo.graphml"), tmp_path)


def test_directed_arcs_make_two_way_links(tmp_path: Path) -> None:
    key = '<key attr.name="LinkSpeedRaw" attr.type="double" for="edge" id="s"/>'
    nodes = "".join(f'<node id="{name}"/>' for name in "abc")
    edges = "".join(
        f'<edge source="{a}" target="{b}"><data key="s">{rate}</data></edge>'
        for a, b, rate in (("a", "b", 1e9), ("b", "a", 2e9), ("b", "c", 1e9))
    )
    (tmp_path / "arcs.graphml").write_text(
        f"<graphml xmlns='http://graphml.graphdrawing.org/xmlns'>{key}"
        f"<graph edgedefault='directed'>{nodes}{edges}</graph></graphml>"
    )
    _, links, said = build(GraphML(file="arcs.graphml", hosts_per_node=0), tmp_path)
    assert [(link.rate, link.backward and link.backward.rate) for link in links] == [
        (10**9, 2 * 10**9),
        (10**9, None),
    ]
    assert any("1 link given in one direction only" in text for text in said)
    assert any("3 nodes without a label: named node_a" in text for text in said)
