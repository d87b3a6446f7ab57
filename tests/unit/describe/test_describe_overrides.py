"""Overrides: what a path may name, patterns, and the message when it names nothing."""

from __future__ import annotations

import pytest
from small_trials import SMALL

from netarium.describe.loader import loads, replaced
from netarium.describe.overrides import apply_overrides, parse_override
from netarium.describe.paths import format_path, parse_path
from netarium.errors import Mistake, Problem, TrialInvalid


def changed(*overrides: str) -> object:
    return loads(SMALL, overrides=overrides)


def refused(*overrides: str) -> list[Problem]:
    with pytest.raises(TrialInvalid) as caught:
        loads(SMALL, overrides=overrides)
    return caught.value.problems


def test_values_stated_and_not_stated() -> None:
    trial = loads(
        SMALL,
        overrides=[
            "duration=5 s",
            "transport.congestion=bbr",
            "services.one.transport.congestion=reno",
            "network.links[0].rate=2 Gbit/s",
            "network.links[2].queue=codel",
            "network.defaults.mtu=9000 B",
            "services.one.to=[b, c]",
            "expect=[{metric: one.goodput, at_least: 1 Mbit/s}]",
        ],
    )
    assert trial.duration == 5 * 10**12
    assert trial.transport.congestion == "bbr"
    assert trial.services["one"].transport.congestion == "reno"
    assert trial.network.links[0].rate == 2 * 10**9
    assert trial.network.links[2].queue.kind == "codel"
    assert trial.endpoints("one") == [("a", "b"), ("a", "c")]
    assert len(trial.expect) == 1


def test_patterns_mean_all_that_match() -> None:
    trial = loads(
        SMALL, overrides=["services.*.start=1 s", "network.links[*].mtu=9000 B", "services.t*.count=3"]
    )
    assert [service.start for service in trial.services.values()] == [10**12, 10**12]
    assert {link.mtu for link in trial.network.links} == {9000}
    assert [service.count for service in trial.services.values()] == [1, 3]


def test_a_word_for_a_kind_opens_into_a_mapping() -> None:
    text = SMALL.replace("from: a, to: b}", "from: a, to: b, transport: tcp}")
    trial = loads(text, overrides=["services.one.transport.sack=false"])
    assert trial.services["one"].transport.sack is False


def test_the_last_one_wins_and_the_data_stays_as_it_was() -> None:
    data = {"trial": "x", "services": {"one": {"kind": "bulk"}}}
    result = apply_overrides(data, ["services.one.size=1 MB", "services.one.size=2 MB"])
    assert result["services"]["one"]["size"] == "2 MB"
    assert data == {"trial": "x", "services": {"one": {"kind": "bulk"}}}


@pytest.mark.parametrize(
    ("override", "where", "hint"),
    [
        ("services.on.size=1 MB", "services.on", "did you mean 'one'?"),
        ("services.one.sise=1 MB", "services.one.sise", "did you mean 'size'?"),
        ("service.one.size=1 MB", "service", "did you mean 'services'?"),
        ("services.one.transport.congestionn=bbr", "services.one.transport.congestionn", "did you mean"),
        ("network.links[7].rate=1 Gbit/s", "network.links[7]", ""),
        ("network.links.rate=1 Gbit/s", "network.links.rate", ""),
        ("duration.x=1 s", "duration.x", ""),
        ("services.x*.start=1 s", 'services["x*"]', ""),
        ("duration", "", ""),
        ("=5", "", ""),
        ("duration=", "", ""),
        ("services..start=1", "", ""),
        ("duration={", "", ""),
    ],
)
def test_what_means_nothing(override: str, where: str, hint: str) -> None:
    (problem,) = refused(override)
    assert problem.where == where
    assert hint in problem.hint
    assert problem.file == "--set"


def test_a_wrong_value_is_told_as_coming_from_the_override() -> None:
    problems = refused("services.one.size=5", "services.nobody.size=1 MB")
    assert [(p.file, p.line, p.where) for p in problems] == [
        ("--set", 0, "services.nobody"),
        ("--set", 0, "services.one.size"),
    ]


def test_a_kind_without_the_key_is_refused() -> None:
    (problem,) = refused("services.one.rate=1 Mbit/s")
    assert problem.where == "services.one.rate"


def test_nodes_of_a_topology_can_be_named() -> None:
    text = "trial: x\nduration: 1 s\nnetwork: {topology: {kind: dumbbell}}\n"
    text += "services: {one: {kind: bulk, from: s1, to: r1}}\n"
    trial = loads(text, overrides=["network.nodes.left.label=entry", "network.topology.left=4"])
    expanded = trial.network.expand()
    assert expanded.nodes["left"].label == "entry"
    assert "s4" in expanded.nodes


def test_a_trial_replaced() -> None:
    trial = loads(SMALL)
    other = replaced(trial, ["seed=5", "services.one.size=1 MB"])
    assert (trial.seed, other.seed, other.services["one"].size) == (1, 5, 10**6)
    with pytest.raises(TrialInvalid, match="did you mean 'seed'"):
        replaced(trial, ["sed=5"])


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("services.x.rate", ("services", "x", "rate")),
        ("network.links[0].rate", ("network", "links", 0, "rate")),
        ('network.nodes["St. Gallen"].kind', ("network", "nodes", "St. Gallen", "kind")),
        ("network.nodes['a=b'].kind", ("network", "nodes", "a=b", "kind")),
        ("network.links[*].rate", ("network", "links", "*", "rate")),
    ],
)
def test_paths(text: str, path: tuple[str | int, ...]) -> None:
    assert parse_path(text) == path
    assert parse_path(format_path(path)) == path


@pytest.mark.parametrize("text", ["", ".", "a..b", "a[", "a[x", "a.", "[0]x"])
def test_what_is_no_path(text: str) -> None:
    with pytest.raises(Mistake):
        parse_path(text)


def test_values_are_yaml_and_may_hold_equal_signs() -> None:
    assert parse_override("title=a=b") == (("title",), "a=b")
    assert parse_override('network.nodes["a=b"].label=c') == (("network", "nodes", "a=b", "label"), "c")
    assert parse_override("seed=5") == (("seed",), 5)
    assert parse_override("expect=[]") == (("expect",), [])
