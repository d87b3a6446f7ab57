"""Campaign files: sweeps, ids, typed parameters, all mistakes at once; the page and the schema name every key."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from netarium.describe import campaign as models
from netarium.describe import campaignschema
from netarium.describe.campaignfile import covering
from netarium.describe.design import Design, parameter_column, unique_name
from netarium.describe.part import Part
from netarium.describe.sweeps import at_quantile, points, values_of
from netarium.errors import TrialInvalid
from netarium.operate.campaign import campaignfile

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/campaign-file.md").read_text(encoding="utf-8")
VALIDATOR = Draft202012Validator(campaignschema.schema())
EXAMPLES = sorted((ROOT / "examples").rglob("*.campaign.yml"))
ON_PAGES = [
    block
    for page in ("campaign-file.md", "campaigns.md")
    for block in re.findall(
        r"```yaml\n(.*?)```", (ROOT / "docs" / page).read_text(encoding="utf-8"), re.DOTALL
    )
]
BASE = """\
base:
  trial: b
  duration: 1 s
  network: {topology: {kind: dumbbell, left: 2, rate: 10 Mbit/s, delay: 5 ms}}
  services: {load: {kind: bulk, from: s1, to: r1}}
"""
EMULATED = BASE + "sweeps: [{parameters: {transport.congestion: [reno, cubic]}}]\nemulated: [{"


def load(tmp_path: Path, text: str) -> Design:
    path = tmp_path / "x.campaign.yml"
    path.write_text(f"campaign: x\n{text}")
    return campaignfile.load(str(path))


def with_sweeps(tmp_path: Path, sweeps: str, rest: str = "") -> Design:
    return load(tmp_path, f"{BASE}sweeps:\n{sweeps}\n{rest}")


def problems(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(TrialInvalid) as caught:
        load(tmp_path, text)
    return [str(problem).split("x.campaign.yml:")[-1] for problem in caught.value.problems]


def test_sweeps_are_crossed(tmp_path: Path) -> None:
    design = with_sweeps(
        tmp_path,
        "- parameters: {transport.congestion: [reno, cubic], network.topology.delay: [1 ms, 2 ms, 4 ms]}\n"
        "- {kind: cases, name: buffer, cases: {small: {network.topology.queue: {kind: pfifo, limit: 5}}, plain: {}}}",
        "seeds: [3, 5]",
    )
    assert len(design.variants) == 12
    assert len(design) == len(list(design.jobs())) == 24
    texts = [variant.text for variant in design.variants]
    assert texts[0] == "congestion=reno, delay=1 ms, buffer=small"
    assert len(set(texts)) == 12
    trial = design.trial(0, 5, "simulate")
    assert (trial.seed, trial.transport.congestion) == (5, "reno")
    assert trial.network.topology.queue.limit == 5


def test_zip_takes_values_together(tmp_path: Path) -> None:
    design = with_sweeps(
        tmp_path,
        "- kind: zip\n  parameters: {network.topology.rate: [1 Mbit/s, 2 Mbit/s], network.topology.delay: [1 ms, 2 ms]}",
    )
    assert [variant.text for variant in design.variants] == [
        "rate=1 Mbit/s, delay=1 ms",
        "rate=2 Mbit/s, delay=2 ms",
    ]


def test_some_trials_have_real_hosts_in_place_of_models(tmp_path: Path) -> None:
    sweeps = (
        "- parameters: {transport.congestion: [reno, cubic]}\n"
        "- {kind: cases, name: buffer, cases: {small: {network.topology.queue: {kind: pfifo, limit: 5}}, plain: {}}}"
    )
    plain = with_sweeps(tmp_path, sweeps, "seeds: 3")
    design = with_sweeps(
        tmp_path,
        sweeps,
        "seeds: 3\nemulated:\n"
        "- {where: {buffer: small, transport.congestion: [cubic]}, seeds: [2], set: {duration: 2 s}}\n"
        "- {where: {transport.congestion: reno, buffer: plain}}",
    )
    assert len(design) == len(list(design.jobs())) == len(plain) == 12
    real = {(design.variants[j.variant].text, j.seed): j for j in design.jobs() if j.mode == "emulate"}
    assert set(real) == {
        ("congestion=cubic, buffer=small", 2),
        *(("congestion=reno, buffer=plain", seed) for seed in (1, 2, 3)),
    }
    first = real["congestion=cubic, buffer=small", 2]
    trial = design.trial(first.variant, 2, first.mode)
    assert (str(trial.mode), trial.duration) == ("emulate", 2 * 10**12)
    rest = {job.id for job in design.jobs() if job.mode == "simulate"}
    assert len(rest) == 8
    assert rest < {job.id for job in plain.jobs()}, "the others stay what they are"


def test_the_trials_of_the_example_are_4096_with_24_of_them_real() -> None:
    design = campaignfile.load("heterogeneous-4096")
    modes = [job.mode for job in design.jobs()]
    assert (len(design), len(modes), modes.count("emulate")) == (4096, 4096, 24)


def test_ids_are_stable(tmp_path: Path) -> None:
    """Another order, more values, more seeds and another name change no id; another base, value or file content does."""
    first = with_sweeps(tmp_path, "- parameters: {transport.congestion: [reno, cubic]}", "seeds: 2")
    more = with_sweeps(tmp_path, "- parameters: {transport.congestion: [bbr, cubic, reno]}", "seeds: 3")
    ids = {job.id for job in first.jobs()}
    assert len(ids) == 4
    assert ids < {job.id for job in more.jobs()}
    other = with_sweeps(
        tmp_path, "- parameters: {transport.congestion: [reno, cubic]}", "seeds: 2\nset: {duration: 2 s}"
    )
    assert not ids & {job.id for job in other.jobs()}


def test_the_content_of_named_files_is_part_of_the_id(tmp_path: Path) -> None:
    control = tmp_path / "own.py"
    control.write_text("def on_ack(conn, ack, now_ps):\n    conn.cwnd_bytes += 1\n")
    text = BASE + "set: {transport.congestion: {file: own.py, name: on_ack}}\n"
    before = {job.id for job in load(tmp_path, text).jobs()}
    control.write_text("def on_ack(conn, ack, now_ps):\n    conn.cwnd_bytes += 2\n")
    assert before != {job.id for job in load(tmp_path, text).jobs()}


def test_ranges() -> None:
    assert values_of({"from": "1 ms", "to": "100 ms", "count": 3, "scale": "log"}) == [
        "1 ms",
        "10 ms",
        "100 ms",
    ]
    assert values_of({"from": 2, "to": 10, "count": 3}) == [2, 6, 10]
    assert values_of({"from": "0 %", "to": "2 %", "count": 3}) == [0.0, 0.01, 0.02]
    assert values_of({"from": 0.5, "to": 1, "count": 2}) == [0.5, 1.0]
    assert at_quantile(["a", "b", "c"], 0.99) == "c"


def test_a_latin_hypercube_fills_every_part_once() -> None:
    sweep = models.LatinHypercubeSweep(
        kind="latin_hypercube",
        count=50,
        parameters={"a": {"from": 0.0, "to": 1.0}, "b": {"from": "1 s", "to": "11 s"}},
    )
    found = points(sweep, lambda pattern: [pattern])
    firsts = sorted(int(float(dict(point.changes)["a"]) * 50) for point in found)
    assert firsts == list(range(50))
    assert found == points(sweep, lambda pattern: [pattern])
    assert found != points(sweep.model_copy(update={"draw_seed": 2}), lambda pattern: [pattern])


def test_files_are_bases_of_their_own(tmp_path: Path) -> None:
    for name, service in (("one", "alpha"), ("two", "beta")):
        (tmp_path / f"{name}.trial.yml").write_text(
            BASE.replace("base:\n", "")
            .replace("  ", "", 1)
            .replace("\n  ", "\n")
            .replace("load:", f"{service}:")
        )
    design = load(tmp_path, "sweeps: [{kind: files, files: ['*.trial.yml']}]\nset: {seed: 1}\n")
    assert [variant.text for variant in design.variants] == ["file=one.trial.yml", "file=two.trial.yml"]
    assert list(design.trial(1, 1, "simulate").services) == ["beta"]


def test_a_variant_of_a_bundled_base(tmp_path: Path) -> None:
    design = load(tmp_path, "base: websearch-fat-tree\nvariant: dctcp\n")
    assert design.trial(0, 1, "simulate").transport.congestion == "dctcp"


def test_mistakes_come_at_once_with_their_lines(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        BASE
        + "sweeps:\n- parameters:\n    transport.congestion: [reno, cubci]\n    network.topology.dely: [1 ms]\n"
        "seeds: 2\n",
    )
    assert found[0].startswith("9:34: sweeps[0].parameters[\"transport.congestion\"][1]: found 'cubci'")
    assert "did you mean 'cubic'?" in found[0]
    assert any("'dely'" in text and "did you mean 'delay'?" in text for text in found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("seeds: 2\n", "no base"),
        (BASE + "seeds: [1, 1]\n", "1 more than once"),
        (BASE + "sweeps: [{kind: gird, parameters: {}}]\n", "did you mean 'grid'?"),
        (BASE + "sweeps: [{parameters: {}}]\n", "no parameters"),
        (BASE + "sweeps: [{kind: zip, parameters: {a: [1, 2], b: [1]}}]\n", "values of different number"),
        (BASE + "sweeps: [{parameters: {duration: {from: 2 s, to: 1 s, count: 2}}}]\n", "from at most to"),
        (
            BASE + "sweeps: [{parameters: {duration: {from: 1 s, to: 5 B, count: 2}}}]\n",
            "two quantities of one kind",
        ),
        (BASE + "sweeps: [{parameters: {duration: {from: 1 s, to: 2 s}}}]\n", "a range without count"),
        (
            BASE + "sweeps: [{parameters: {duration: {from: 0 s, to: 2 s, count: 2, scale: log}}}]\n",
            "above 0",
        ),
        (BASE + "metrics: [lod.goodput]\n", "did you mean 'load.goodput'?"),
        (BASE + "metrics: [load.goodputt]\n", "did you mean 'load.goodput'?"),
        (BASE + "metrics: [{metric: load.*, from: 1 s}]\n", "one metric, without * or ?"),
        (BASE + "leader: {metric: load.speed}\n", "leader.metric"),
        (BASE + "sweeps: [{kind: files, files: [a.trial.yml]}]\n", "a base beside a sweep over files"),
        ("base: dumbell\n", "did you mean 'dumbbell'?"),
        ("sweeps: [{kind: files, files: ['nothing-*.yml']}]\n", "which no file matches"),
        (BASE + "variant: full\n", "it has none"),
        (BASE + "seeds: 2000000\n", "a number of seeds"),
        (BASE + "limits: {deadline: 5}\n", "needs its unit"),
        (BASE + "set: {duration: 5}\n", "needs its unit"),
        (EMULATED + "where: {transport.congestoin: reno}}]\n", "did you mean 'transport.congestion'?"),
        (EMULATED + "where: {transport.congestion: [reno, cubc]}}]\n", "did you mean 'cubic'?"),
        (EMULATED + "where: {}, seeds: [7]}]\n", "emulated[0].seeds"),
        (EMULATED + "where: {}, set: {duratoin: 2 s}}]\n", "did you mean 'duration'?"),
        (EMULATED + "where: {}}, {where: {}}]\n", "no trial that is not emulated already"),
    ],
)
def test_a_mistake_says_what_to_do(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in "\n".join(problems(tmp_path, text))


def test_a_wrong_base_keeps_its_own_place(tmp_path: Path) -> None:
    (tmp_path / "wrong.trial.yml").write_text("trial: w\nduration: 1\nnetwork: {topology: star:3}\n")
    with pytest.raises(TrialInvalid) as caught:
        load(tmp_path, "base: wrong.trial.yml\n")
    (problem,) = caught.value.problems
    assert problem.file.endswith("wrong.trial.yml")
    assert problem.line == 2


def test_every_value_is_in_a_point_that_is_checked(tmp_path: Path) -> None:
    design = with_sweeps(
        tmp_path,
        "- parameters: {network.topology.delay: {from: 1 ms, to: 80 ms, count: 80}, "
        "network.topology.left: [1, 2, 3, 4, 5]}",
    )
    chosen = [design.variants[number] for number in covering(design)]
    assert len(chosen) < len(design.variants)
    assert {change for variant in chosen for change in variant.changes} == {
        change for variant in design.variants for change in variant.changes
    }


def test_columns_of_parameters() -> None:
    assert parameter_column("a", [1, 2]).cells(2) == {"param.a": 2, "param.a.text": "2"}
    delay = parameter_column("d", ["1 ms", "2 s"])
    assert (delay.kind, delay.unit) == ("float64", "s")
    assert delay.cells("1 ms") == {"param.d": 0.001, "param.d.text": "1 ms"}
    assert parameter_column("l", [0.01, "1 %"]).cells("1 %")["param.l"] == 0.01
    assert parameter_column("m", ["1 ms", "2 Mbit/s"]).kind == "string"
    assert parameter_column("q", [{"kind": "pfifo", "limit": 5}, "pie"]).cells(
        {"kind": "pfifo", "limit": 5}
    ) == {"param.q": "pfifo:5"}
    assert delay.cells(None) == {"param.d": None, "param.d.text": None}


def test_names_of_parameters_are_as_short_as_they_can_be() -> None:
    paths = ["services.a.rate", "services.b.rate", "transport.congestion"]
    assert [unique_name(path, paths) for path in paths] == ["a.rate", "b.rate", "congestion"]


def test_every_key_is_on_the_page() -> None:
    own = [
        m
        for m in vars(models).values()
        if isinstance(m, type) and issubclass(m, Part) and m.__module__ == models.__name__
    ]
    keys = {info.alias or name for model in own for name, info in model.model_fields.items()}
    assert [key for key in sorted(keys) if f"`{key}`" not in PAGE] == []


def test_the_published_schema_is_up_to_date() -> None:
    published = campaignschema.CAMPAIGN_FILE.read_text(encoding="utf-8")
    assert published == campaignschema.text(), "run python -m netarium.describe.campaignschema"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_examples_are_valid(path: Path) -> None:
    assert _errors(path.read_text(encoding="utf-8")) == []
    assert len(campaignfile.load(str(path))) > 1


@pytest.mark.parametrize("text", ON_PAGES)
def test_examples_on_pages_load(text: str, tmp_path: Path) -> None:
    (tmp_path / "page.campaign.yml").write_text(text)
    assert _errors(text) == []
    assert len(campaignfile.load(str(tmp_path / "page.campaign.yml"))) > 1


def test_the_schema_refuses_what_is_wrong() -> None:
    assert _errors("campaign: x\nbase: dumbbell\nsweps: []\n")
    assert _errors("campaign: x\nbase: dumbbell\nsweeps: [{kind: zip, parameters: {a: 5}}]\n")


def _errors(text: str) -> list[str]:
    data = json.loads(json.dumps(YAML(typ="safe", pure=True).load(text)))
    return [error.message for error in VALIDATOR.iter_errors(data)]
