"""The runner: whatever ends a run, the exit code is right and the folder says how it ended."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from stages import STEPS, Engine, press

from netarium.errors import AdmissionRefused, MachineCannot, Refusal
from netarium.store import store

EXPECTED = "expect:\n  - {metric: transfer.goodput, at_least: 1 Mbit/s}\n"


def the_run() -> store.Record:
    (record,) = store.ls("runs")
    return record


def test_a_run_that_succeeds(cli, trial: Path, engine: Engine) -> None:
    result = cli("run", "lab")
    assert result.exit_code == 0, result.stderr
    record = the_run()
    assert (record.status, record.is_result, record.verify()) == ("succeeded", True, [])
    assert record.name in result.stdout
    assert result.stdout.endswith(f"report {record.path / 'report.html'}\n")
    assert record.start["typed"]["text"] == trial.read_text()
    assert record.start["digests"]["plan"] == "p" * 64
    assert record.start["assumptions"] == record.metrics["assumptions"]
    assert [link["name"] for link in record.topology["links"]] == ["a-r", "r-b"]


def test_json_is_the_document_and_nothing_else(cli, trial: Path, engine: Engine) -> None:
    result = cli("run", "lab", "--json")
    document = json.loads(result.stdout)
    assert document == the_run().metrics
    assert document["services"]["transfer"]["goodput_bps"] == pytest.approx(8e6, rel=0.05)
    assert "record runs/" in result.stderr


def test_quiet_says_nothing_before_the_summary(cli, trial: Path, engine: Engine) -> None:
    assert cli("run", "lab", "--quiet").stderr == ""


def test_an_expectation_that_fails_is_exit_code_1(cli, trial: Path, engine: Engine) -> None:
    trial.write_text(trial.read_text() + EXPECTED)
    assert cli("run", "lab").exit_code == 0
    engine.goodput = 5e5
    result = cli("run", "lab")
    assert result.exit_code == 1
    assert "not met" in result.stdout
    stopped = [json.loads((record.path / "stop.json").read_text()) for record in store.ls("runs")]
    assert [(stop["status"], stop["exit_code"]) for stop in stopped] == [("succeeded", 0), ("failed", 1)]
    assert "transfer.goodput" in stopped[1]["reason"]


def test_what_was_changed_is_kept_beside_what_was_typed(cli, trial: Path, engine: Engine) -> None:
    text = "variants: {big: {services.transfer.size: 1 MB, seed: 5}}\n" + trial.read_text()
    trial.write_text(text)
    assert (
        cli("run", "lab", "--variant", "big", "--set", "services.transfer.size=2 MB", "--seed", "7").exit_code
        == 0
    )
    start = the_run().start
    assert start["typed"]["text"] == text
    assert start["typed"]["overrides"] == [
        "services.transfer.size=1 MB", "seed=5", "services.transfer.size=2 MB", "seed=7",
    ]  # fmt: skip
    assert start["seed"] == 7
    assert start["expanded"]["services"]["transfer"]["size"] == "2 MB"


def test_the_kept_trial_runs_again_by_itself(cli, trial: Path, engine: Engine, folder: Path) -> None:
    (folder / "sizes.csv").write_text("0 s,1000 B\n")
    trial.write_text(
        trial.read_text() + "  replayed: {kind: replay, from: a, to: b, file: sizes.csv, unit: flows}\n"
    )
    assert cli("run", "lab", "--seed", "3").exit_code == 0
    kept = the_run().path / "trial.yml"
    (folder / "sizes.csv").unlink()
    again = cli("run", kept, "--out", "again")
    assert again.exit_code == 0, again.stderr
    (record,) = store.ls("again")
    assert record.start["expanded"] == the_run().start["expanded"]


def test_a_refusal_is_kept_and_said(cli, trial: Path, engine: Engine) -> None:
    engine.refuses = AdmissionRefused(
        [Refusal("express", "r->b", "9 Gbit/s", "9.5 Mbit/s", "9.5 Mbit/s fits")]
    )
    result = cli("run", "lab")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "nearest  9.5 Mbit/s fits" in result.stderr
    record = the_run()
    assert (record.status, record.is_result) == ("refused", False)
    assert record.metrics["slices"]["express"]["admitted"] is False
    as_json = cli("run", "lab", "--json")
    assert json.loads(as_json.stdout)["status"] == "refused"
    assert cli("show").exit_code == 0


def test_a_machine_that_cannot_leaves_no_folder(cli, trial: Path, engine: Engine) -> None:
    engine.refuses = MachineCannot("needs 80 GB of memory, found 23 GB")
    result = cli("run", "lab")
    assert result.exit_code == 4
    assert "needs 80 GB" in result.stderr
    assert store.ls("runs") == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_once(cli, trial: Path, engine: Engine, number: signal.Signals) -> None:
    engine.at[4] = lambda: press(number)
    result = cli("run", "lab", "--json")
    assert result.exit_code == 5
    assert engine.reached == 4, "it stops at the next step, not at the end"
    assert json.loads(result.stdout)["status"] == "interrupted"
    assert "Stopped by the user after 0.04 of 0.1 s" in result.stderr
    record = the_run()
    assert (record.status, record.is_result) == ("interrupted", False)
    assert record.stop["exit_code"] == 5
    assert "transfer" in record.metrics["services"], "what was measured until then is kept"


def test_interrupted_twice(cli, trial: Path, engine: Engine) -> None:
    engine.at[4] = lambda: (press(), press())
    result = cli("run", "lab")
    assert result.exit_code == 5
    assert "Stopped at once" in result.stderr
    assert (the_run().status, the_run().metrics) == ("interrupted", {})


def test_a_bug_keeps_its_traceback_in_the_folder(cli, trial: Path, engine: Engine) -> None:
    engine.at[2] = lambda: 1 / 0
    result = cli("run", "lab")
    assert result.exit_code == 70
    assert "This is a bug in netarium" in result.stderr
    assert "Traceback" not in result.stderr
    record = the_run()
    assert record.status == "crashed"
    assert "ZeroDivisionError" in (record.path / "traceback.txt").read_text()


def test_memory_that_runs_out_is_the_machine(cli, trial: Path, engine: Engine) -> None:
    def exhaust() -> None:
        raise MemoryError

    engine.at[2] = exhaust
    assert cli("run", "lab").exit_code == 4
    assert the_run().status == "crashed"


def test_a_full_disk(cli, trial: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as later:
        engine.at[STEPS] = lambda: later.setattr("netarium.store.files.os.write", full)
        result = cli("run", "lab")
    assert result.exit_code == 4
    assert "free" in result.stderr
    assert "Traceback" not in result.stderr
    record = the_run()
    assert not record.is_result
    assert record.status in ("running", "unfinished"), (
        "this process still lives; a reader elsewhere sees unfinished"
    )


def test_a_report_that_cannot_be_drawn_ends_nothing(
    cli,
    trial: Path,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("no fonts")

    # On one processor it is drawn in this process.
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    monkeypatch.setattr("netarium.show.report.write", fail)
    result = cli("run", "lab")
    assert result.exit_code == 0
    assert "The report could not be drawn, which is a bug (ValueError: no fonts)" in result.stderr
    assert the_run().is_result


def test_a_report_that_is_not_there_is_drawn_by_show(cli, trial: Path, engine: Engine) -> None:
    assert cli("run", "lab", "--no-report").exit_code == 0
    page = the_run().path / "report.html"
    assert not page.exists()
    assert cli("show").exit_code == 0
    assert page.read_text() == "a report"
    page.write_text("an old one")
    assert cli("show").exit_code == 0
    assert page.read_text() == "an old one", "drawn once"
    assert cli("show", "--redraw").exit_code == 0
    assert page.read_text() == "a report"


def test_ls_show_and_compare(cli, trial: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli("run", "lab", "--seed", "1", "--no-report").exit_code == 0
    engine.goodput = 4e6
    assert cli("run", "lab", "--seed", "2", "--no-report").exit_code == 0
    first, second = (record.name for record in store.ls("runs"))
    assert [row["run"] for row in json.loads(cli("ls", "--json").stdout)] == [first, second]
    assert {first, second} <= set(cli("ls").stdout.split())
    newest = cli("ls", "--limit", "1")
    assert first not in newest.stdout
    assert "1 older" in newest.stderr
    assert json.loads(cli("show", first, "--json").stdout)["seed"] == 1
    assert second in cli("show").stdout, "without a name: the newest"
    nearly = cli("show", first[:-1])
    assert nearly.exit_code == 2
    assert f"did you mean '{first}'?" in nearly.stderr
    compared = cli("compare", first, second)
    assert compared.exit_code == 0
    assert "transfer.goodput_bps" in compared.stdout
    assert Path("runs", f"compare-{first}-{second}.html").exists()
    document = json.loads(cli("compare", first, second, "--json").stdout)
    assert {"path": "seed", "values": [1, 2]} in document["parameters"]
    monkeypatch.setattr(
        "netarium.show.plots.save_all", lambda record: [record.folder / "figures" / "map.pdf"]
    )
    assert f"runs/{first}/figures/map.pdf" in cli("show", first, "--figures").stdout


def test_a_killed_run_is_unfinished_and_never_a_result(folder: Path, trial: Path) -> None:
    program = f"""
import sys, time, pytest
sys.path.insert(0, {str(Path(__file__).parent)!r})
from stages import install
fake = install(pytest.MonkeyPatch())
fake.at[3] = lambda: time.sleep(60)
from netarium.operate.cli import app
sys.argv = ["netarium", "run", "lab", "--quiet"]
app()"""
    process = subprocess.Popen([sys.executable, "-c", program])
    deadline = time.monotonic() + 30
    while not store.ls("runs") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert the_run().status == "running"
    process.kill()
    process.wait()
    assert (the_run().status, the_run().is_result) == ("unfinished", False)
