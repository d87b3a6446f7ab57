"""Campaigns run: the same results with any number of workers, carried on, taken from the store, kept folders."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_campaigns import SMALL, results, run, written

from netarium.describe.campaign import Campaign
from netarium.measure.document import metrics_document
from netarium.operate.campaign import campaignfile
from netarium.operate.campaign.runner import Options, run_campaign
from netarium.run.kernel.digest import kernel_digest
from netarium.store.campaigns import read_campaign
from netarium.store.store import load as load_run


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory: pytest.TempPathFactory):
    """The small campaign, run by two workers."""
    folder = tmp_path_factory.mktemp("two")
    return run(written(folder)), folder


def test_every_trial_is_recorded(two_workers) -> None:
    outcome, folder = two_workers
    table = outcome.record.table
    assert outcome.statuses == {"succeeded": 20}
    assert outcome.exit_code == 0
    assert sorted(table["order"].to_pylist()) == list(range(20))
    assert set(table["kernel_digest"].to_pylist()) == {kernel_digest()}
    assert len(set(table["plan_digest"].to_pylist())) == 20
    assert outcome.record.complete
    assert not list((folder / "runs/small").glob("results/journal*"))


def test_one_worker_gives_the_same_results(two_workers, tmp_path: Path) -> None:
    assert results(run(written(tmp_path), workers=1)) == results(two_workers[0])


def test_a_row_is_what_a_single_run_measures(two_workers) -> None:
    """Oracle: each trial loaded, compiled and measured by itself, as `netarium run` does."""
    from netarium.compile.compile import compile_trial
    from netarium.run.simulate import simulate

    outcome, folder = two_workers
    design = campaignfile.load(str(folder / "small.campaign.yml"))
    rows = results(outcome)
    for job in list(design.jobs())[3::5]:
        trial = design.trial(job.variant, job.seed, job.mode)
        plan = compile_trial(trial)
        document = metrics_document(simulate(plan), trial, run="alone")
        row = rows[job.id]
        assert row["plan_digest"] == plan.digest
        assert row["metric.load.goodput"] == document["services"]["load"]["goodput_bps"]
        assert row["metric.load.rtt.p99"] == document["services"]["load"]["rtt_s"]["p99"]
        utilisation = document["links"]["left->right"]["utilisation"]
        assert row["metric.links.left->right.utilisation"] == utilisation
        assert row["seed"] == job.seed


def test_parameters_are_typed_and_have_units(two_workers) -> None:
    record = two_workers[0].record
    assert str(record.table.schema.field("param.network.topology.queue.limit").type) == "int64"
    assert set(record.table["param.transport.congestion"].to_pylist()) == {"reno", "cubic"}
    assert record.unit("metric.load.goodput") == "bit/s"
    assert record.unit("metric.load.latency.p99") == "s"
    assert [p["name"] for p in record.parameters] == ["congestion", "limit"]


def test_a_metric_over_a_window(two_workers) -> None:
    table = two_workers[0].record.table
    assert "metric.steady" in table.column_names
    assert table["metric.steady"].to_pylist() != table["metric.load.goodput"].to_pylist()


def test_the_same_command_again_runs_nothing(two_workers) -> None:
    _, folder = two_workers
    again = run(folder / "small.campaign.yml")
    assert (again.ran, again.resumed, again.record.name) == (0, 20, "small")
    assert again.statuses == {"succeeded": 20}


def test_more_seeds_take_what_is_known(two_workers) -> None:
    """Another campaign, so another folder; of its 28 trials 20 are in the store."""
    outcome, folder = two_workers
    larger = written(folder, SMALL.replace("seeds: 5", "seeds: 7"), "larger")
    found = run(larger)
    assert found.record.name == "small-2"
    assert (found.ran, found.taken) == (8, 20)
    known = results(outcome)
    rows = results(found)
    assert {job_id: rows[job_id] for job_id in known} == known
    sources = found.record.table["source"].to_pylist()
    assert sources.count("small") == 20


def test_other_expectations_are_other_trials(two_workers) -> None:
    """The samples would be the same, the verdict not: nothing is taken."""
    _, folder = two_workers
    text = SMALL.replace("campaign: small", "campaign: stricter").replace(
        "seeds: 5", "seeds: 1\nset: {expect: [{metric: load.goodput, at_least: 1 Tbit/s}]}"
    )
    found = run(written(folder, text, "stricter"))
    assert (found.ran, found.taken, found.exit_code) == (4, 0, 1)
    assert found.statuses == {"failed": 4}
    row = found.record.table.to_pylist()[0]
    assert row["verdict.expect"] is False
    assert "at least 1 Tbit/s" in row["cause"]


def test_kept_folders_are_run_folders(tmp_path: Path) -> None:
    outcome = run(written(tmp_path, SMALL.replace("seeds: 5", "seeds: 1")), keep="all")
    for row in outcome.record.table.to_pylist():
        record = load_run(outcome.record.path / row["run"])
        assert record.is_result
        assert record.metrics["services"]["load"]["goodput_bps"] == row["metric.load.goodput"]
        assert record.start["typed"]["overrides"]


def test_invalid_and_refused_trials_are_recorded_with_the_reason(tmp_path: Path) -> None:
    """Admission refuses one slice; beyond the points that are checked, a wrong combination is found by a worker."""
    text = """\
    campaign: guaranteed
    base:
      trial: guaranteed
      duration: 20 ms
      network: {topology: {kind: dumbbell, left: 1, rate: 20 Mbit/s, delay: 1 ms}}
      slices: {gold: {from: s1, to: r1, bandwidth: 1 Mbit/s}}
      services: {load: {kind: stream, from: s1, to: r1, rate: 500 kbit/s, slice: gold}}
    sweeps:
      - parameters: {slices.gold.bandwidth: [1 Mbit/s, 30 Mbit/s]}
    """
    outcome = run(written(tmp_path, text))
    rows = {row["variant"]: row for row in outcome.record.table.to_pylist()}
    assert rows["bandwidth=30 Mbit/s"]["status"] == "refused"
    assert "30 Mbit/s" in rows["bandwidth=30 Mbit/s"]["cause"]
    assert rows["bandwidth=1 Mbit/s"]["verdict.certified"] in (True, False)


def test_built_in_python(tmp_path: Path) -> None:
    import netarium as nt

    base = nt.loads(json.dumps(_base()))
    campaign = Campaign(
        campaign="python",
        base=base,
        sweeps=[nt.GridSweep(parameters={"transport.congestion": ["reno", "cubic"]})],
        seeds=2,
    )
    outcome = run_campaign(campaignfile.design(campaign), Options(tmp_path, workers=1))
    assert outcome.statuses == {"succeeded": 4}
    typed = json.loads((outcome.record.path / "campaign.yml").read_text())
    assert typed["base"]["trial"] == "python"


def _base() -> dict[str, object]:
    return {
        "trial": "python",
        "duration": "20 ms",
        "network": {"topology": {"kind": "dumbbell", "left": 1, "rate": "10 Mbit/s", "delay": "1 ms"}},
        "services": {"load": {"kind": "bulk", "from": "s1", "to": "r1"}},
    }


def test_the_document_says_all_that_is_needed_to_repeat_it(two_workers) -> None:
    document = read_campaign(two_workers[0].record.path).document
    assert document["format"] == 1
    assert document["seeds"] == [1, 2, 3, 4, 5]
    assert document["trials"] == 20
    assert document["bases"][0]["trial"]["trial"] == "small"
    assert set(document["digests"]) == {"campaign", "design", "kernel", "measuring"}
