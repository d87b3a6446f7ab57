"""Export: what is written can be read back without loss; SVG and DOT are well formed and complete."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import networkx as nx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netarium.describe.links import Link, Node
from netarium.describe.network import Network
from netarium.describe.topology import build, convert, native, parse
from netarium.describe.topology.export import to_dot, to_text
from netarium.describe.topology.spec import GraphML, NodeLink
from netarium.errors import TrialInvalid

SVG = "{http://www.w3.org/2000/svg}"
LETTERS = st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters="*?[]#>")
NAMES = st.text(LETTERS, min_size=1, max_size=12)
QUEUES = st.sampled_from(
    [None, {"kind": "pfifo", "limit": 77}, {"kind": "bfifo", "limit": "1 MB"}, {"kind": "codel", "ecn": True},
     {"kind": "drr", "classes": {"gold": {"weight": 3, "priorities": [1, 2]}, "rest": {"quantum": "1500 B"}}}]
)  # fmt: skip
IMPAIRMENTS = st.sampled_from(
    [None, {"loss": 0.01}, {"loss": {"kind": "gilbert_elliott", "p": "1 %", "r": "10 %"}, "duplicate": 1e-6},
     {"jitter": {"delay": "20 us", "distribution": "normal"}, "reorder": {"probability": 0.5, "gap": 5}}]
)  # fmt: skip


@st.composite
def networks(draw: Any) -> tuple[dict[str, Node], list[Link]]:
    names = draw(st.lists(NAMES, min_size=2, max_size=6, unique=True))
    nodes = {
        name: Node(
            kind=draw(st.sampled_from(["host", "router", "switch", "satellite", "external"])),
            location=draw(st.none() | st.tuples(st.floats(-90, 90), st.floats(-180, 180))),
            label=draw(st.sampled_from(["", 'Zürich <Hbf> & "co"', "[x]", "{y}", "武汉"])),
            groups=draw(st.sampled_from([(), ("hosts",), ("a", "b-2")])),
        )
        for name in names
    }
    ends = st.tuples(st.sampled_from(names), st.sampled_from(names)).filter(lambda pair: pair[0] != pair[1])
    links = []
    for number, pair in enumerate(draw(st.lists(ends, max_size=6))):
        given: dict[str, Any] = {"endpoints": pair, "name": draw(st.sampled_from(["", f"link {number}"]))}
        if (rate := draw(st.none() | st.integers(1, 10**15))) is not None:
            given["rate"] = f"{rate} bit/s"
        kind = draw(st.sampled_from(["delay", "length", "none", "both"]))
        if kind == "delay":
            given["delay"] = f"{draw(st.integers(0, 10**15))} ps"
        elif kind != "none":
            given["length"] = f"{draw(st.integers(0, 10**9))} m"
        given |= {
            "queue": draw(QUEUES),
            "impairments": draw(IMPAIRMENTS),
            "weight": draw(st.floats(0.001, 1e6)),
        }
        given |= {
            "mtu": draw(st.sampled_from([None, "9000 B"])),
            "overhead": draw(st.sampled_from([None, "0 B"])),
        }
        if draw(st.booleans()):
            given["backward"] = {"rate": "3 Mbit/s", "queue": draw(QUEUES), "impairments": draw(IMPAIRMENTS)}
        link = Link(**given)
        if kind == "both":
            link = link.model_copy(update={"delay": round(link.length * 5000)})
        links.append(link)
    return nodes, links


@pytest.mark.parametrize(("format_name", "spec"), [("json", NodeLink), ("graphml", GraphML)])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(network=networks())
def test_round_trip(tmp_path: Path, format_name: str, spec: Any, network: tuple[dict, list]) -> None:
    nodes, links = network
    (tmp_path / "net").write_text(to_text(format_name, nodes, links, "a <name>"), encoding="utf-8")
    read_nodes, read_links, said = build(spec(file="net"), tmp_path)
    assert read_nodes == nodes
    assert list(read_nodes) == list(nodes)
    assert read_links == links
    assert said == []


@pytest.mark.parametrize("format_name", ["json", "graphml"])
@pytest.mark.parametrize("text", ["dumbbell", "fat_tree:4", "reference_backbone", "topohub:sndlib/germany50",
                                  "graphml:examples/topologies/harbour.graphml"])  # fmt: skip
def test_round_trip_of_expanded_networks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format_name: str, text: str
) -> None:
    monkeypatch.chdir(Path(__file__).resolve().parents[4])
    network = Network(topology=text).expand()
    convert(parse(text), tmp_path / f"net.{format_name}")
    kind = {"json": "node_link", "graphml": "graphml"}[format_name]
    again = Network(topology={"kind": kind, "file": str(tmp_path / f"net.{format_name}")}).expand()
    assert again.nodes == network.nodes
    assert again.links == network.links


def test_others_can_read_what_we_write() -> None:
    nodes, links, _ = build(parse("leaf_spine"))
    graph = nx.parse_graphml(to_text("graphml", nodes, links, "net"), force_multigraph=True)
    assert (len(graph), graph.number_of_edges()) == (len(nodes), len(links))
    assert {data["LinkSpeedRaw"] for *_, data in graph.edges(data=True)} == {10**10, 4 * 10**10}
    graph = nx.node_link_graph(json.loads(to_text("json", nodes, links, "net")), edges="edges")
    assert (len(graph), graph.number_of_edges()) == (len(nodes), len(links))
    assert graph.nodes["h1_1"]["kind"] == "host"


def test_an_edited_file_is_checked(tmp_path: Path) -> None:
    nodes, links, _ = build(parse("line:2,hosts_per_node=0"))
    document = json.loads(to_text("json", nodes, links, ""))
    document["nodes"][0]["kind"] = "ruoter"
    (tmp_path / "a.json").write_text(json.dumps(document))
    with pytest.raises(TrialInvalid, match=r"a\.json: nodes\.r1\.kind: .*did you mean 'router'"):
        build(NodeLink(file="a.json"), tmp_path)
    document = json.loads(to_text("json", nodes, links, ""))
    document["edges"][0] |= {"length": "200 km", "delay": "7 ms"}
    (tmp_path / "b.json").write_text(json.dumps(document))
    with pytest.raises(TrialInvalid, match="delay of 5 us per km"):
        build(NodeLink(file="b.json"), tmp_path)
    document["edges"][0] = {"source": "r1", "target": "r9", "key": 0}
    (tmp_path / "c.json").write_text(json.dumps(document))
    with pytest.raises(TrialInvalid, match="'r9', expected the name of a node"):
        build(NodeLink(file="c.json"), tmp_path)
    (tmp_path / "d.json").write_text(json.dumps(document | {"nodes": [{"kind": "host"}]}))
    with pytest.raises(TrialInvalid, match="a mapping with id"):
        build(NodeLink(file="d.json"), tmp_path)


def test_hosts_can_be_added_to_a_file_of_ours(tmp_path: Path) -> None:
    convert(parse("ring:4,hosts_per_node=0"), tmp_path / "ring.json")
    nodes, _, _ = build(NodeLink(file="ring.json", hosts_per_node=1), tmp_path)
    assert len(nodes) == 8


def test_format_is_marked() -> None:
    assert json.loads(to_text("json", {"a": Node()}, [], ""))["graph"] == {native.MARK: native.FORMAT}


@settings(max_examples=30, deadline=None)
@given(network=networks())
def test_svg_is_well_formed_and_complete(network: tuple[dict, list]) -> None:
    nodes, links = network
    root = ElementTree.fromstring(to_text("svg", nodes, links, "<&>"))
    paths = [e for e in root.iter(f"{SVG}path") if e.find(f"{SVG}title") is not None]
    assert len(paths) == len(links)
    shapes = [*root.iter(f"{SVG}circle"), *root.iter(f"{SVG}polygon")]
    titles = {e.find(f"{SVG}title").text for e in shapes}
    assert len(shapes) >= len(nodes)
    assert all(any(title.startswith(name) for title in titles) for name in nodes)


def test_labels_of_an_svg_do_not_overlap() -> None:
    nodes, links, _ = build(parse("reference_backbone"))
    root = ElementTree.fromstring(to_text("svg", nodes, links, ""))
    boxes = []
    for text in root.iter(f"{SVG}text"):
        width, x, y = 0.5 * 12 * len(text.text), float(text.get("x")), float(text.get("y"))
        left = x - {"start": 0, "middle": 0.5, "end": 1}[text.get("text-anchor", "start")] * width
        boxes.append((left, y - 8, left + width, y))
    assert len(boxes) > 35
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def test_parallel_links_are_drawn_apart() -> None:
    nodes = {"a": Node(), "b": Node()}
    links = [Link(endpoints=("a", "b")), Link(endpoints=("b", "a")), Link(endpoints=("a", "b"))]
    root = ElementTree.fromstring(to_text("svg", nodes, links, ""))
    assert (
        len({path.get("d") for path in root.iter(f"{SVG}path") if path.find(f"{SVG}title") is not None}) == 3
    )


def test_dot() -> None:
    nodes, links, _ = build(parse("dumbbell"))
    text = to_dot(nodes, links, 'a "name"')
    assert text.startswith('graph "a \\"name\\"" {')
    assert text.count(" -- ") == len(links)
    assert text.count("pos=") == len(nodes)
    assert '"left" -- "right" [label="1 Gbit/s, 10 ms"]' in text


def test_convert_chooses_by_suffix_and_writes_whole_files(tmp_path: Path) -> None:
    spec = parse("ring:3")
    for suffix, start in ((".json", "{"), (".graphml", "<?xml"), (".dot", "graph"), (".svg", "<svg")):
        said = convert(spec, tmp_path / f"ring{suffix}")
        assert (tmp_path / f"ring{suffix}").read_text().startswith(start)
        assert any("1 host behind each of 3 nodes" in text for text in said)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "ring.dot",
        "ring.graphml",
        "ring.json",
        "ring.svg",
    ]
    convert(spec, tmp_path / "picture", "svg")
    with pytest.raises(TrialInvalid, match="one of json, graphml, dot, svg"):
        convert(spec, tmp_path / "ring.png")
    with pytest.raises(TrialInvalid, match="did you mean 'graphml'"):
        convert(spec, tmp_path / "ring.x", "grahpml")
    with pytest.raises(OSError):
        convert(spec, tmp_path / "no" / "such" / "ring.svg")
