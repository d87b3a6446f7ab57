"""Who talks to whom: resolution of names, the ways of pairing, and that draws do not disturb each other."""

from __future__ import annotations

from collections import Counter

import pytest

from netarium.describe.demands import demands_of
from netarium.describe.endpoints import endpoints_of
from netarium.describe.links import Node
from netarium.describe.loader import loads
from netarium.describe.services import Bulk
from netarium.describe.trial import Trial
from netarium.errors import TrialInvalid


def star(services: str, hosts: int = 8, more: str = "") -> Trial:
    network = f"network: {{topology: {{kind: star, hosts: {hosts}}}}}\n"
    return loads(f"trial: star\nduration: 1 s\n{more}{network}services:\n{services}")


def test_names_groups_and_patterns() -> None:
    text = """\
trial: x
duration: 1 s
network:
  defaults: {rate: 1 Gbit/s, delay: 1 ms}
  nodes:
    h1: {kind: host, groups: [left]}
    h2: {kind: host, groups: [left, both]}
    g1: {kind: host, groups: [both]}
    r:
  links: [{endpoints: [h1, r]}, {endpoints: [h2, r]}, {endpoints: [g1, r]}]
services:
  group: {kind: bulk, from: left, to: g1}
  pattern: {kind: bulk, from: "?1", to: h2}
  list: {kind: bulk, from: [g1, "h*"], to: r, count: 2}
"""
    trial = loads(text)
    assert trial.endpoints("group") == [("h1", "g1"), ("h2", "g1")]
    assert trial.endpoints("pattern") == [("h1", "h2"), ("g1", "h2")]
    assert trial.endpoints(trial.services["list"]) == [("g1", "r"), ("h1", "r"), ("h2", "r")] * 2


def test_each_pairs_first_with_first() -> None:
    trial = star("  x: {kind: bulk, from: [h1, h2], to: [h3, h4], pairs: each}\n")
    assert trial.endpoints("x") == [("h1", "h3"), ("h2", "h4")]


def test_one_to_all_others() -> None:
    trial = star('  x: {kind: bulk, from: h1, to: "h*"}\n', hosts=3)
    assert trial.endpoints("x") == [("h1", "h2"), ("h1", "h3")]


def test_all_leaves_out_a_node_with_itself() -> None:
    trial = star('  x: {kind: bulk, from: "h*", to: "h*", pairs: all}\n')
    assert len(trial.endpoints("x")) == 8 * 7
    assert all(a != b for a, b in trial.endpoints("x"))


def test_a_permutation_has_no_fixed_point_and_repeats() -> None:
    trial = star('  x: {kind: bulk, from: "h*", to: "h*", pairs: permutation, count: 3}\n')
    pairs = trial.endpoints("x")
    hosts = {f"h{n}" for n in range(1, 9)}
    assert pairs == pairs[:8] * 3
    assert {a for a, _ in pairs[:8]} == {b for _, b in pairs[:8]} == hosts
    assert all(a != b for a, b in pairs)


@pytest.mark.parametrize("seed", range(20))
def test_permutations_of_two_and_three_have_no_fixed_point(seed: int) -> None:
    for hosts in (2, 3):
        trial = star(
            '  x: {kind: bulk, from: "h*", to: "h*", pairs: permutation}\n', hosts, f"seed: {seed}\n"
        )
        assert all(a != b for a, b in trial.endpoints("x"))


def test_permutations_are_uniform_over_the_derangements() -> None:
    service = Bulk(from_="h*", to="h*", pairs="permutation")
    nodes = {name: Node(kind="host") for name in ("h1", "h2", "h3")}
    drawn = Counter(tuple(endpoints_of("x", service, nodes, seed)) for seed in range(200))
    assert len(drawn) == 2  # three elements have two derangements
    assert min(drawn.values()) > 70  # 100 expected, standard deviation 7


def test_random_draws_anew_each_round() -> None:
    trial = star('  x: {kind: bulk, from: "h*", to: "h*", pairs: random, count: 50}\n')
    pairs = trial.endpoints("x")
    assert len(pairs) == 400
    assert all(a != b for a, b in pairs)
    assert {b for a, b in pairs if a == "h1"} == {f"h{n}" for n in range(2, 9)}


def test_draws_belong_to_a_service_and_a_seed() -> None:
    x = '  x: {kind: bulk, from: "h*", to: "h*", pairs: random}\n'
    y = '  y: {kind: bulk, from: "h*", to: "h*", pairs: random}\n'
    alone = star(x).endpoints("x")
    assert star(y + x).endpoints("x") == alone
    assert star(y + x).endpoints("y") != alone
    assert star(x, more="seed: 2\n").endpoints("x") != alone


@pytest.mark.parametrize(
    ("service", "said"),
    [
        ('{kind: bulk, from: "h*", to: "h*"}', "8 sources and 8 targets without pairs"),
        ("{kind: bulk, from: [h1, h2], to: [h3, h4, h5], pairs: each}", "as many sources as targets"),
        ("{kind: bulk, from: [h1, h2], to: [h3, h2], pairs: each}", "'h2' with itself"),
        ("{kind: bulk, from: h1, to: h1, pairs: permutation}", "only 'h1' as target of itself"),
        ("{kind: bulk, from: h1, to: h1, pairs: all}", "only 'h1' on both sides"),
        ("{kind: bulk, from: [h1, h2, h3], to: [h4, h5], pairs: permutation}", "a target for every source"),
    ],
)
def test_pairs_that_cannot_be(service: str, said: str) -> None:
    with pytest.raises(TrialInvalid) as caught:
        star(f"  x: {service}\n")
    assert said in str(caught.value)


def test_a_uniform_matrix_shares_the_total() -> None:
    trial = star("  x: {kind: demands, matrix: uniform, total: 56 Mbit/s, count: 2}\n")
    demands = trial.demands("x")
    assert len(demands) == 56
    assert [rate for _, _, rate in demands] == pytest.approx([1e6] * 56)
    assert len(trial.endpoints("x")) == 112


def test_gravity_follows_the_rates_of_the_links() -> None:
    text = """\
trial: x
duration: 1 s
network:
  defaults: {delay: 1 ms}
  nodes: {a: {kind: host}, b: {kind: host}, c: {kind: host}, r: {}}
  links:
    - {endpoints: [a, r], rate: 1 Gbit/s}
    - {endpoints: [b, r], rate: 2 Gbit/s}
    - {endpoints: [c, r], rate: 3 Gbit/s}
services:
  x: {kind: demands, matrix: gravity, total: 22 Mbit/s}
"""
    demands = {(a, b): rate for a, b, rate in loads(text).demands("x")}
    assert demands == {
        ("a", "b"): pytest.approx(2e6), ("a", "c"): pytest.approx(3e6), ("b", "c"): pytest.approx(6e6),
        ("b", "a"): pytest.approx(2e6), ("c", "a"): pytest.approx(3e6), ("c", "b"): pytest.approx(6e6),
    }  # fmt: skip


def test_a_matrix_from_a_file(tmp_path) -> None:
    (tmp_path / "m.csv").write_text("from,to,rate\nh1,h2,5 Mbit/s\nh2,h1,1 Mbit/s\nh1,h2,1 Mbit/s\n")
    text = "trial: x\nduration: 1 s\nnetwork: {topology: {kind: star}}\n"
    text += "services: {x: {kind: demands, matrix: {file: m.csv}}}\n"
    trial = loads(text, folder=tmp_path)
    assert trial.demands("x") == [("h1", "h2", 6e6), ("h2", "h1", 1e6)]
    assert demands_of(trial.services["x"], trial) == trial.demands("x")
    (tmp_path / "m.csv").write_text("from,to,rate\nh1,h9,5 Mbit/s\nh2,h1,1\n")
    with pytest.raises(TrialInvalid) as caught:
        loads(text, folder=tmp_path)
    assert [(problem.line, problem.file) for problem in caught.value.problems] == [
        (2, str(tmp_path / "m.csv")),
        (3, str(tmp_path / "m.csv")),
    ]
    (tmp_path / "m.csv").write_text("a,b\n1,2\n")
    with pytest.raises(TrialInvalid, match="from,to,rate in the first line"):
        loads(text, folder=tmp_path)


def test_the_demands_of_a_topology() -> None:
    pytest.importorskip("topohub", reason="topohub is an extra")
    text = "trial: x\nduration: 1 s\nnetwork: {topology: 'topohub:sndlib/polska'}\n"
    text += "services: {x: {kind: demands, matrix: sndlib}}\n"
    demands = loads(text).demands("x")
    assert len(demands) > 50
    assert all(rate > 0 for _, _, rate in demands)


def test_transports_by_default() -> None:
    text = "  b: {kind: bulk, from: h1, to: h2}\n  s: {kind: stream, from: h1, to: h2, rate: 1 Mbit/s}\n"
    text += "  t: {kind: stream, from: h1, to: h2, rate: 1 Mbit/s, transport: {congestion: reno}}\n"
    trial = star(text, more="transport: {congestion: bbr}\n")
    assert trial.transport_of("b").congestion == "bbr"
    assert trial.transport_of("s").kind == "udp"
    assert trial.transport_of("t").congestion == "reno"
