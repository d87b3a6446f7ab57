"""REPETITA files: graph, demands, and every bad line with its number."""

from __future__ import annotations

from pathlib import Path

import pytest

from netarium.describe.topology import build, demands
from netarium.describe.topology.repetita import read_demands
from netarium.describe.topology.spec import Repetita
from netarium.errors import TrialInvalid

EXAMPLES = Path(__file__).resolve().parents[4] / "examples" / "topologies"
SPEC = Repetita(file="triangle.graph", demands="triangle.demands")
CITIES = ["Oslo", "Bergen", "Trondheim", "Hamar"]


def test_the_graph() -> None:
    nodes, links, said = build(SPEC.model_copy(update={"hosts_per_node": 0}), EXAMPLES)
    assert list(nodes) == CITIES
    assert nodes["Bergen"].location == (60.39, 5.32)
    assert [link.endpoints for link in links] == [
        ("Oslo", "Bergen"), ("Bergen", "Trondheim"), ("Trondheim", "Hamar"), ("Hamar", "Oslo")
    ]  # fmt: skip
    assert [link.rate for link in links] == [10**10, 10**10, 2_500_000_000, 10**10]
    assert [link.delay for link in links] == [d * 10**6 for d in (2300, 3200, 2250, 750)]
    assert [link.weight for link in links] == [10, 10, 5, 5]
    assert links[2].backward.rate == 10**9
    assert links[2].backward.delay is None
    assert said == ["a bandwidth of 1 in the file is 1 kbit/s, a delay of 1 is 1 us"]


def test_units_can_be_stated() -> None:
    spec = SPEC.model_copy(update={"bandwidth_unit": 10**6, "delay_unit": 10**9})
    _, links, said = build(spec, EXAMPLES)
    assert links[0].rate == 10**13
    assert links[0].delay == 2300 * 10**9
    assert "1 Mbit/s" in said[0]


def test_delays_shorter_than_light_are_counted() -> None:
    _, _, said = build(SPEC.model_copy(update={"delay_unit": 10**5}), EXAMPLES)
    assert any("8 of 8 directions have a delay in the file below" in text for text in said)


def test_demands() -> None:
    between_hosts = demands(SPEC, EXAMPLES)
    assert between_hosts == {
        ("host-Oslo", "host-Bergen"): 400e6, ("host-Bergen", "host-Oslo"): 250e6,
        ("host-Oslo", "host-Trondheim"): 120e6, ("host-Trondheim", "host-Hamar"): 80e6,
    }  # fmt: skip
    bare = demands(SPEC.model_copy(update={"hosts_per_node": 0}), EXAMPLES)
    assert bare["Oslo", "Bergen"] == 400e6
    shared = demands(SPEC.model_copy(update={"hosts_per_node": 2}), EXAMPLES)
    assert sum(shared.values()) == pytest.approx(850e6)
    assert shared["host-Oslo-1", "host-Bergen-2"] == 100e6


def test_no_demands_file() -> None:
    with pytest.raises(TrialInvalid, match="without demands"):
        demands(Repetita(file="triangle.graph"), EXAMPLES)


def test_bad_lines_are_all_named(tmp_path: Path) -> None:
    (tmp_path / "bad.graph").write_text(
        "NODES 3\nlabel x y\na 0 0\nb 1 1\nc 2\n\nEDGES 4\nlabel src dest weight bw delay\n"
        "e0 0 1 1 10 5\ne1 1 9 1 10 5\ne2 1 0 1 ten 5\n"
    )
    with pytest.raises(TrialInvalid) as caught:
        build(Repetita(file="bad.graph"), tmp_path)
    said = [(problem.line, problem.found) for problem in caught.value.problems]
    assert said == [(5, "2 words"), (10, "node 9"), (11, "1 ten 5"), (7, "EDGES 4 with 3 lines")]


@pytest.mark.parametrize("text", ["", "NODES 2\nlabel x y\na 0 0\nb 1 1\n", "nonsense\n"])
def test_a_missing_section(tmp_path: Path, text: str) -> None:
    (tmp_path / "cut.graph").write_text(text)
    with pytest.raises(TrialInvalid, match="no section"):
        build(Repetita(file="cut.graph"), tmp_path)


def test_demands_of_unknown_nodes(tmp_path: Path) -> None:
    path = tmp_path / "x.demands"
    path.write_text("DEMANDS 3\nlabel src dest bw\nd0 0 7 1\nd1 0 0 5\nd2 0 1 -3\n")
    with pytest.raises(TrialInvalid) as caught:
        read_demands(path, CITIES)
    assert [problem.line for problem in caught.value.problems] == [3, 5]
    path.write_text("DEMANDS 2\nlabel src dest bw\nd1 0 0 5\nd2 0 1 3\n")
    assert read_demands(path, CITIES) == {("Oslo", "Bergen"): 3000.0}
