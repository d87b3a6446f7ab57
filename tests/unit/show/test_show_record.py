"""Reading run folders: whole, unfinished, damaged, and of a format that is not known."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import synthetic

from netarium.errors import RecordError
from netarium.show import quantity, verdict
from netarium.show.record import Record, in_folder, read
from netarium.store import machine


def test_a_series_becomes_a_matrix_by_time_and_name(passed: Record) -> None:
    grid = passed.series_services
    assert grid is not None
    assert grid.names == ["guaranteed", "best_effort", "interferer"]
    assert grid["goodput_bps"].shape == (200, 3)
    assert grid.times[[0, -1]] == pytest.approx([0.1, 20.0])
    before, after = grid["goodput_bps"][50, 1], grid["goodput_bps"][150, 1]
    assert before > 30e9 > 1e9 > after


def test_what_was_not_measured_is_nan_not_zero(passed: Record) -> None:
    grid = passed.series_services
    assert grid is not None
    latency = grid["latency_mean_s"][:, grid.index("interferer")]
    assert np.isnan(latency[:100]).all()
    assert np.isfinite(latency[100:]).all()


def test_tracked_flows_know_their_service(passed: Record) -> None:
    assert passed.flow_services == {"0": "guaranteed", "1": "best_effort"}


def test_rates_of_ports_may_differ_by_direction(tmp_path: Path) -> None:
    record = read(synthetic.without_tcp(tmp_path / "run"))
    record.topology["links"][0]["port_rates_bps"] = [10e6, 1e6]
    assert record.port_rates == {"a->b": 10e6, "b->a": 1e6}


def test_an_unfinished_folder_is_readable_and_no_result(unfinished: Record) -> None:
    assert unfinished.status == "unfinished"
    assert unfinished.series_services is None
    assert verdict.judge(unfinished).headline == "Unfinished"


def test_a_run_that_goes_on_says_so(tmp_path: Path) -> None:
    folder = synthetic.unfinished(tmp_path / "run")
    synthetic.rewrite(folder, "start.json", process=machine.process())
    assert verdict.judge(read(folder)).headline == "Running"


def test_a_damaged_series_is_noted_and_the_rest_is_read(tmp_path: Path) -> None:
    folder = synthetic.flagship(tmp_path / "run")
    path = folder / "series_ports.parquet"
    os.truncate(path, path.stat().st_size // 2)
    record = read(folder)
    assert record.series_ports is None
    assert record.series_services is not None
    assert any("series_ports.parquet cannot be read" in problem for problem in record.problems)


def test_a_damaged_document_is_noted(tmp_path: Path) -> None:
    folder = synthetic.flagship(tmp_path / "run")
    (folder / "metrics.json").write_text('{"format": 1, "services"')
    record = read(folder)
    assert record.services == {}
    assert any("metrics.json" in problem for problem in record.problems)


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="no start.json"):
        read(tmp_path)


def test_a_newer_format_is_refused_alone_and_listed_among_others(tmp_path: Path) -> None:
    synthetic.flagship(tmp_path / "old")
    synthetic.rewrite(synthetic.flagship(tmp_path / "new"), "start.json", format=2)
    with pytest.raises(RecordError, match="format 2, expected 1"):
        read(tmp_path / "new")
    listed = {record.folder.name: record.problems for record in in_folder(tmp_path)}
    assert listed["old"] == []
    assert "format 2" in listed["new"][0]


@pytest.mark.parametrize(
    ("change", "headline"),
    [
        ({"status": "interrupted", "reason": "Stopped by the user after 3 s."}, "Interrupted"),
        ({"status": "crashed", "exit_code": 70, "reason": "a bug"}, "Crashed"),
        ({"status": "crashed", "exit_code": 4, "reason": "no program 'x'"}, "Could not run here"),
        ({"status": "refused", "reason": "no room"}, "Refused by admission"),
        ({"status": "succeeded"}, "Passed"),
    ],
)
def test_the_verdict_follows_how_the_run_ended(tmp_path: Path, change: dict, headline: str) -> None:
    folder = synthetic.flagship(tmp_path / "run")
    synthetic.rewrite(folder, "stop.json", **change)
    found = verdict.judge(read(folder))
    assert found.headline == headline
    assert change.get("reason", "").rstrip(".") in found.text


def test_a_slice_that_cannot_be_certified_is_neither_passed_nor_failed(tmp_path: Path) -> None:
    record = read(synthetic.flagship(tmp_path / "run"))
    record.metrics["expect"] = []
    record.metrics["slices"]["express"]["certified"] = None
    found = verdict.judge(record)
    assert (found.level, found.headline) == ("unsure", "Not certifiable")


def test_only_reasons_that_no_objective_gives_are_told_apart() -> None:
    certificate = {
        "verdict": "not_delivered",
        "objectives": [{"objective": "loss", "reason": "3 packets were lost"}],
        "reasons": ["loss not delivered: 3 packets were lost", "latency: above the computed bound"],
    }
    assert verdict.slice_reasons(certificate) == ["latency: above the computed bound"]
    assert verdict.slice_reasons({**certificate, "verdict": "delivered"}) == []


def test_an_expectation_of_a_slice_that_cannot_be_certified() -> None:
    entry = {"text": "slice x certified", "met": False, "value": None, "metric": "slices.x.certified"}
    assert verdict.expectation_value(entry) == "not certifiable"


@pytest.mark.parametrize(
    ("metric", "unit"),
    [
        ("guaranteed.goodput", "bit/s"),
        ("a.latency_s.p99", "s"),
        ("a.latency.p99", "s"),
        ("links.a->b.queue_bytes_mean", "B"),
        ("slices.x.latency_s_max", "s"),
        ("links.a->b.utilisation", "ratio"),
        ("a.retransmissions", ""),
    ],
)
def test_the_unit_of_a_metric_is_in_its_name(metric: str, unit: str) -> None:
    assert quantity.unit_of(metric) == unit


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (float("nan"), "–"), (0, "0"), (0.0019, "0.19 %"), (4e-6, "4.0e-6")]
)
def test_ratios_in_words(value: float | None, text: str) -> None:
    assert quantity.percent(value) == text


def test_a_long_name_keeps_both_ends() -> None:
    assert quantity.shorten("datacentre-west-rack-12", 11) == "datac…ck-12"
    assert quantity.shorten("short", 11) == "short"
