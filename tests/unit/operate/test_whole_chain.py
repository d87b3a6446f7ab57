"""The whole chain with the real engine: results, refusals; as processes of their own: standard input, Ctrl-C, kills."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from netarium.store import store

NETARIUM = Path(sys.executable).with_name("netarium")
LONG = ["--set", "duration=1 h", "--set", "network.links[*].rate=10 Gbit/s"]
SLICE = "slices:\n  express: {from: a, to: b, bandwidth: 20 Mbit/s}\n"


def started(*arguments: str) -> subprocess.Popen[str]:
    """A process whose run goes on: its folder is there and virtual time moves."""
    process = subprocess.Popen([NETARIUM, "run", *arguments], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if "%" in (process.stderr.readline() if process.stderr else ""):
            return process
    process.kill()
    raise AssertionError(f"the run did not start: {process.communicate()[1]}")


def test_same_trial_same_samples(cli, trial: Path) -> None:
    first, again, other = (cli("run", "lab", "--json", "--seed", seed) for seed in ("1", "1", "2"))
    assert first.exit_code == 0, first.stderr
    documents = [json.loads(ran.stdout) for ran in (first, again, other)]
    assert documents[0]["digests"] == documents[1]["digests"]
    assert documents[0]["run"] != documents[1]["run"]
    goodput = documents[0]["services"]["transfer"]["goodput_bps"]
    assert 0.5 * 10e6 < goodput < 10e6, "some of the slowest link's 10 Mbit/s, and never more"


def test_the_table_names_the_report_last(cli, trial: Path) -> None:
    ran = cli("run", "lab")
    assert ran.exit_code == 0, ran.stderr
    assert "transfer" in ran.stdout
    last = ran.stdout.splitlines()[-1]
    assert last.startswith("report runs/")
    assert Path(last.removeprefix("report ")).read_text().startswith("<!")


def test_standard_input(trial: Path) -> None:
    piped = subprocess.run(
        [NETARIUM, "run", "-", "--json"], input=trial.read_text(), capture_output=True, text=True
    )
    assert piped.returncode == 0, piped.stderr
    assert json.loads(piped.stdout)["trial"] == "lab"


def test_check_says_route_cost_and_assumptions(cli, trial: Path) -> None:
    checked = cli("check", "lab")
    assert checked.exit_code == 0, checked.stderr
    for words in ("✓ Admitted", "a → r → b", "10 Mbit/s", "2 ms", "packet-hops", "assumed: queue not stated"):
        assert words in checked.stdout
    document = json.loads(cli("check", "lab", "--json").stdout)
    assert document["services"]["transfer"]["route"] == ["a", "r", "b"]
    assert document["estimate"]["memory_bytes"] > 0
    assert not Path("runs").exists()


@pytest.mark.parametrize("command", ["check", "run"])
def test_an_impossible_slice_is_refused_with_what_would_fit(cli, trial: Path, command: str) -> None:
    trial.write_text(trial.read_text() + SLICE)
    refused = cli(command, "lab")
    assert (refused.exit_code, refused.stdout) == (3, "")
    assert "Refused by admission: 1 slice" in refused.stderr
    assert "r->b" in refused.stderr
    assert "nearest" in refused.stderr
    assert [record.status for record in store.ls("runs")] == (["refused"] if command == "run" else [])


def test_a_slice_that_fits_is_admitted_with_its_bound(cli, trial: Path) -> None:
    trial.write_text(trial.read_text() + SLICE.replace("20", "5"))
    document = json.loads(cli("check", "lab", "--json").stdout)
    assert document["slices"]["express"]["path"] == ["a", "r", "b"]
    assert document["slices"]["express"]["bound"]["latency_s"] > 0.002


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_a_signal_stops_the_run_cleanly(trial: Path, number: signal.Signals) -> None:
    process = started("lab", "--no-report", *LONG)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 5, said
    (record,) = store.ls("runs")
    assert (record.status, record.verify()) == ("interrupted", [])
    assert 0 < record.metrics["engine"]["virtual_s"] < 3600
    assert record.metrics["services"]["transfer"]["delivered_bytes"] > 0


@pytest.mark.slow
def test_a_kill_leaves_an_unfinished_folder(cli, trial: Path) -> None:
    process = started("lab", *LONG)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    (record,) = store.ls("runs")
    assert (record.status, record.is_result) == ("unfinished", False)
    shown = cli("show", record.name)
    assert "Unfinished" in shown.stdout
    assert cli("ls").exit_code == 0


def test_the_run_repeats_from_its_own_folder(cli, trial: Path) -> None:
    assert cli("run", "lab", "--no-report", "--set", "services.transfer.size=20 kB").exit_code == 0
    (first,) = store.ls("runs")
    again = cli("run", str(first.path / "trial.yml"), "--out", "again", "--json")
    assert json.loads(again.stdout)["digests"] == first.metrics["digests"]


def test_memory_the_machine_has_not(cli, trial: Path) -> None:
    refused = cli("check", "lab", "--set", "services.transfer.count=2000000000")
    assert refused.exit_code in (2, 4), refused.stdout
    assert "Traceback" not in refused.stderr
    assert "bug" not in refused.stderr
