"""Traffic matrices: sums, proportions, symmetry, and mapping onto hosts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netarium.describe.topology import build, matrix, parse
from netarium.errors import TrialInvalid

WEIGHTS = st.dictionaries(st.sampled_from("abcdefgh"), st.floats(0.01, 1e6), min_size=2)


@given(WEIGHTS, st.floats(1, 1e15))
def test_gravity(weights: dict[str, float], total: float) -> None:
    names = list(weights)
    found = matrix.gravity(names, total, weights)
    assert len(found) == len(names) * (len(names) - 1)
    assert sum(found.values()) == pytest.approx(total)
    for (a, b), rate in found.items():
        assert rate == pytest.approx(found[b, a])
        for other in names:
            if other not in (a, b):
                assert rate / found[a, other] == pytest.approx(weights[b] / weights[other], rel=1e-6)


@given(st.integers(2, 20), st.floats(1, 1e12))
def test_uniform_is_gravity_of_equals(count: int, total: float) -> None:
    names = [f"n{i}" for i in range(count)]
    found = matrix.uniform(names, total)
    assert len({round(rate / total, 12) for rate in found.values()}) == 1
    assert sum(found.values()) == pytest.approx(total)


def test_a_node_without_weight_has_no_demand() -> None:
    found = matrix.gravity(["a", "b", "c"], 10.0, {"a": 1, "b": 1})
    assert set(found) == {("a", "b"), ("b", "a")}


@pytest.mark.parametrize(
    ("weights", "words"),
    [({"a": 1}, "1 nodes"), ({"a": 1, "b": -1}, "at least 0"), ({"a": 1, "B": 1}, "one of the nodes"),
     ({"a": 1, "b": float("nan")}, "at least 0")],
)  # fmt: skip
def test_wrong_weights(weights: dict[str, float], words: str) -> None:
    with pytest.raises(TrialInvalid, match=words):
        matrix.gravity(["a", "b"], 1.0, weights)


def test_weights_follow_capacity() -> None:
    nodes, links, _ = build(parse("line:4,hosts_per_node=2,access_rate=1 Gbit/s"))
    weights = matrix.capacity_weights(nodes, links)
    assert [weights[f"r{i}"] for i in range(1, 5)] == [10, 20, 20, 10]
    assert weights["host-r2-1"] == weights["host-r2-2"] == 10
    hosts = [name for name in nodes if nodes[name].kind == "host"]
    found = matrix.gravity(hosts, 1.0, {name: weights[name] for name in hosts})
    assert found["host-r2-1", "host-r3-1"] == pytest.approx(4 * found["host-r1-1", "host-r4-1"])
    star, spokes, _ = build(parse("star:3"))
    assert {w for name, w in matrix.capacity_weights(star, spokes).items() if name != "hub"} == {10}


def test_on_hosts() -> None:
    nodes, links, _ = build(parse("ring:3,hosts_per_node=2"))
    behind = matrix.hosts_at(nodes, links)
    assert behind["r1"] == ["host-r1-1", "host-r1-2"]
    found = matrix.on_hosts({("r1", "r2"): 8.0, ("r3", "r1"): 4.0}, behind)
    assert len(found) == 8
    assert found["host-r1-1", "host-r2-2"] == 2.0
    with pytest.raises(TrialInvalid, match="no host at 'x'"):
        matrix.on_hosts({("x", "r1"): 1.0}, behind)
