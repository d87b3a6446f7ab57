"""Loading: the flagship trial, round trips, and the wording of every mistake in tests/golden/broken."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from ruamel.yaml import YAML
from small_trials import SMALL, trials

from netarium.describe import yamltext
from netarium.describe.dump import dump, full, plain
from netarium.describe.loader import build, load, loads
from netarium.describe.network import Network
from netarium.describe.services import Bulk, Stream
from netarium.describe.slices import Slice
from netarium.describe.trial import Trial
from netarium.errors import Problem, TrialInvalid

ROOT = Path(__file__).resolve().parents[3]
BROKEN = sorted((ROOT / "tests/golden/broken").glob("*.trial.yml"))


def mistakes(text: str, *overrides: str) -> list[Problem]:
    with pytest.raises(TrialInvalid) as caught:
        loads(text, overrides=overrides)
    return caught.value.problems


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.name.removesuffix(".trial.yml"))
def test_the_wording_of_every_mistake(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    with pytest.raises(TrialInvalid) as caught:
        load(path.name)
    said = str(caught.value).replace(str(path.parent), "FOLDER") + "\n"
    assert said == path.with_name(path.name.replace(".trial.yml", ".expected.txt")).read_text(
        encoding="utf-8"
    )


def test_there_are_broken_trials() -> None:
    assert len(BROKEN) >= 9


def test_quantities_are_canonical_and_names_are_the_files() -> None:
    trial = loads(SMALL)
    assert trial.duration == 10 * 10**12
    one, two = trial.services["one"], trial.services["two"]
    assert isinstance(one, Bulk) and isinstance(two, Stream)
    assert one.from_ == ("a",) and one.to == ("b",) and one.slice is None
    assert two.rate == 10_000_000
    ports = {port.name: port for port in trial.network.ports()}
    assert list(ports) == ["a->r", "r->a", "r->b", "b->r", "r->c", "c->r"]
    assert ports["r->b"].delay == 10**9 and ports["r->c"].rate == 100_000_000
    assert trial.network.expand().assumptions == [
        "mtu not stated: 1.5 kB (3 links)",
        "overhead not stated: 38 B per packet (3 links)",
        "queue not stated: pfifo of 1000 packets (3 links)",
    ]


def test_the_same_trial_in_python() -> None:
    built = Trial(
        trial="small",
        duration="10 s",
        network=Network(
            nodes={
                "a": {"kind": "host", "groups": ["west"]},
                "b": {"kind": "host", "groups": ["east"]},
                "c": {"kind": "host", "groups": ["east"]},
                "r": {},
            },
            links=[
                {"endpoints": ("a", "r"), "rate": "1 Gbit/s", "delay": "1 ms"},
                {"endpoints": ("r", "b"), "rate": "1 Gbit/s", "length": "200 km"},
                {"endpoints": ("r", "c"), "rate": "100 Mbit/s", "delay": "1 ms"},
            ],
        ),
        services={
            "one": Bulk(from_="a", to="b"),
            "two": Stream(from_="a", to="c", rate="10 Mbit/s"),
        },
    )
    assert built == loads(SMALL)
    assert loads(dump(built)) == built


@settings(max_examples=30, deadline=None)
@given(trials())
def test_what_is_written_loads_to_the_same_trial(data: dict[str, object]) -> None:
    trial, problems = build(data)
    assert problems == []
    assert trial is not None
    assert loads(dump(trial)) == trial
    again, problems = build(full(trial))
    assert problems == [] and again == trial


@pytest.mark.parametrize(
    "text",
    [
        "a\nb\n",
        "a\n\nb",
        " a\n b",
        "a \nb",
        "\x85",
        "\u2028",
        "\ufeff",
        "\t",
        "# x",
        "- y",
        "no",
        "1e3",
        "é \U0001f600",
    ],
)
def test_text_of_any_kind_is_kept(text: str) -> None:
    trial = loads(SMALL).model_copy(update={"title": text, "description": text})
    changed, problems = build(full(trial))
    assert problems == [] and changed == trial
    assert loads(dump(changed)) == trial


@settings(max_examples=15, deadline=None)
@given(trials())
def test_the_schema_accepts_what_loads(data: dict[str, object]) -> None:
    import json

    from jsonschema import Draft202012Validator

    schema = json.loads((ROOT / "src/netarium/schema/trial.schema.json").read_text(encoding="utf-8"))
    trial, _ = build(data)
    assert trial is not None
    for written in (data, plain(trial), full(trial)):
        normal = json.loads(json.dumps(written))
        assert [error.message for error in Draft202012Validator(schema).iter_errors(normal)] == []


def test_the_problems_of_parts_and_of_the_whole_come_together() -> None:
    text = SMALL.replace("rate: 10 Mbit/s", "rate: 10") + "  three: {kind: bulk, from: a, to: bb}\n"
    found = [(problem.line, problem.where) for problem in mistakes(text)]
    assert found == [(15, "services.two.rate"), (16, "services.three.to")]


def test_names_of_broken_parts_are_still_known() -> None:
    text = SMALL + "slices:\n  s: {from: a, to: b, bandwidth: 5}\n"
    text = text.replace("from: a, to: b}", "from: a, to: b, slice: s}")
    assert [problem.where for problem in mistakes(text)] == ["slices.s.bandwidth"]


def test_nothing_is_said_about_nodes_that_could_not_be_read() -> None:
    text = "trial: x\nduration: 1 s\nnetwork: {topology: {kind: ringg}}\n"
    text += "services:\n  one: {kind: bulk, from: q, to: z}\n"
    assert [problem.where for problem in mistakes(text)] == ["network.topology.kind"]


def test_python_raises_the_same_problems() -> None:
    with pytest.raises(TrialInvalid) as caught:
        Bulk(from_="a", to="b", size=5, streams=0)
    assert [problem.where for problem in caught.value.problems] == ["size", "streams"]
    with pytest.raises(TrialInvalid, match="services.one.to: found 'zz'"):
        Trial.model_validate(YAML(typ="safe", pure=True).load(SMALL.replace("to: b}", "to: zz}")))
    with pytest.raises(TrialInvalid, match="expected another node than from"):
        Slice(from_="a", to="a", bandwidth="1 Gbit/s")


def test_yaml_is_1_2_and_keys_are_text() -> None:
    text = SMALL.replace(" a:", " no:").replace("[a, r]", "[no, r]").replace("from: a", "from: no")
    assert "no" in loads(text).network.nodes
    text = SMALL.replace(" a:", " 1:").replace("[a, r]", "[1, r]").replace("from: a", "from: 1")
    assert loads(text).endpoints("one") == [("1", "b")]


def test_anchors_and_merges() -> None:
    text = SMALL.replace("one: {kind: bulk,", "one: &base {kind: bulk,")
    text += "  three: {<<: *base, to: c}\n"
    assert loads(text).endpoints("three") == [("a", "c")]


def test_an_anchor_inside_itself_is_refused() -> None:
    assert "no anchor inside itself" in mistakes("trial: &x [*x]\n")[0].expected


def test_growing_anchors_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yamltext, "VALUES_MAX", 10_000)
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 8)]
    assert any("too large" in problem.found for problem in mistakes("\n".join(lines) + "\n"))


@pytest.mark.parametrize(
    "text", ["", "\n", "- a\n- b\n", "just text\n", "a: \x01\n", "a: [", "a: !!python/none x\n"]
)
def test_what_is_no_trial(text: str) -> None:
    assert mistakes(text)


def test_files_start_from_the_folder_of_the_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "somewhere"
    folder.mkdir()
    (folder / "sizes.cdf").write_text("1000 0\n2000 100\n", encoding="utf-8")
    text = SMALL + "  web: {kind: request_response, from: a, to: b, sizes: {file: sizes.cdf}, load: 10 %}\n"
    (folder / "x.trial.yml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    trial = load("somewhere/x.trial.yml", ["seed=7"])
    assert trial.locate("sizes.cdf") == folder / "sizes.cdf"
    assert trial.source is not None
    assert (trial.source.file, trial.source.text, trial.source.overrides) == (
        "somewhere/x.trial.yml",
        text,
        ("seed=7",),
    )
    assert "services.web.sizes.file" in [problem.where for problem in mistakes(text)]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TrialInvalid, match="No such file"):
        load(tmp_path / "none.trial.yml")
    (tmp_path / "bad.trial.yml").write_bytes(b"trial: \xff\xfe\n")
    with pytest.raises(TrialInvalid, match="not UTF-8"):
        load(tmp_path / "bad.trial.yml")
