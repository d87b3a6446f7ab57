"""Node-link JSON of others: spellings, units, mistakes; compared with what networkx itself writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from netarium.describe.topology import build
from netarium.describe.topology.spec import NodeLink
from netarium.errors import TrialInvalid

EXAMPLES = Path(__file__).resolve().parents[4] / "examples" / "topologies"


def built(folder: Path, document: Any, **more: Any) -> tuple[dict, list, list]:
    (folder / "net.json").write_text(document if isinstance(document, str) else json.dumps(document))
    return build(NodeLink(file="net.json", **more), folder)


def test_the_example() -> None:
    nodes, links, said = build(NodeLink(file="valley.json", capacity_unit="1 Mbit/s"), EXAMPLES)
    assert list(nodes) == ["Mill", "Bridge", "Station", "Library"], "no hosts added beside those of the file"
    assert nodes["Library"].kind == "host"
    assert nodes["Library"].location == (46.69, 7.87)
    assert [(k.rate, k.delay, k.length) for k in links] == [
        (10**9, None, 20_000.0), (10**9, None, None), (10**8, 2 * 10**9, None), (10**10, 10**7, None)
    ]  # fmt: skip
    assert said == []


@pytest.mark.parametrize("key", ["edges", "links"])
@pytest.mark.parametrize(
    "graph", [nx.petersen_graph(), nx.MultiGraph([(1, 2), (1, 2), (2, 3)])], ids=["simple", "multi"]
)
def test_what_networkx_writes(tmp_path: Path, key: str, graph: nx.Graph) -> None:
    nodes, links, said = built(tmp_path, nx.node_link_data(graph, edges=key), hosts_per_node=0)
    assert set(nodes) == {str(name) for name in graph}
    ours = sorted(tuple(sorted(link.endpoints)) for link in links)
    assert ours == sorted(tuple(sorted(map(str, edge[:2]))) for edge in graph.edges)
    assert any("without a speed: 10 Gbit/s" in text for text in said)


def test_directed_networkx_graph(tmp_path: Path) -> None:
    graph = nx.DiGraph()
    graph.add_edge("a", "b", rate="1 Gbit/s", delay="1 ms")
    graph.add_edge("b", "a", rate="1 Gbit/s", delay="3 ms")
    _, links, _ = built(tmp_path, nx.node_link_data(graph, edges="edges"), hosts_per_node=0)
    assert [(k.rate, k.delay, k.backward.rate, k.backward.delay) for k in links] == [
        (10**9, 10**9, None, 3 * 10**9)
    ]


@pytest.mark.parametrize(
    ("edge", "more", "rate", "delay", "length"),
    [
        ({"rate_bps": 5e6, "delay": "1 ms"}, {}, 5_000_000, 10**9, None),
        ({"bandwidth": 40, "latency": 2.5}, {"capacity_unit": "1 Gbit/s", "delay_unit": "1 ms"}, 4 * 10**10,
         2_500_000_000, None),
        ({"speed": "155 Mbit/s", "dist": 12}, {"distance_unit": "1 km"}, 155_000_000, None, 12_000.0),
        ({"capacity": 0, "delay": 0}, {}, 10**10, 0, None),
    ],
)  # fmt: skip
def test_spellings(tmp_path: Path, edge: dict, more: dict, rate: int, delay: int, length: float) -> None:
    document = {"nodes": [{"id": "a"}, {"id": "b"}], "edges": [{"source": "a", "target": "b", **edge}]}
    _, links, _ = built(tmp_path, document, hosts_per_node=0, **more)
    assert (links[0].rate, links[0].delay, links[0].length) == (rate, delay, length)


def test_a_missing_unit_is_one_mistake() -> None:
    with pytest.raises(TrialInvalid) as caught:
        build(NodeLink(file="valley.json"), EXAMPLES)
    assert [problem.where for problem in caught.value.problems] == ["network.topology.capacity_unit"]
    assert "4 links of valley.json with bare numbers (capacity 1000)" in str(caught.value)
    assert "for example capacity_unit: 1 Mbit/s" in str(caught.value)


def test_all_mistakes_of_a_file_at_once(tmp_path: Path) -> None:
    document = {
        "nodes": [{"id": "alpha"}, {"id": "beta"}, {"name": "no id"}],
        "edges": [
            {"source": "alpha", "target": "betta"},
            {"source": "alpha"},
            {"source": "alpha", "target": "beta", "rate": "10 Gb"},
            {"source": "alpha", "target": "beta", "delay": -1},
        ],
    }
    with pytest.raises(TrialInvalid) as caught:
        built(tmp_path, document)
    where = [problem.where for problem in caught.value.problems]
    assert where == ["nodes[2]", "edges[0].target", "edges[1]", "edges[2].rate", "edges[3].delay"]
    assert "did you mean 'beta'?" in str(caught.value)
    assert "did you mean '10 Gbit/s'?" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "expected JSON"),
        ("[]", "node-link JSON"),
        ('{"nodes": []}', "node-link JSON"),
        ('{"nodes": [], "edges": []}', "without nodes"),
        ('{"nodes": [{"id": 1}, {"id": 1}], "edges": []}', "the same id twice"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(TrialInvalid, match=words):
        built(tmp_path, text)
