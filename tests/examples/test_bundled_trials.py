"""Every bundled trial runs through the command line to exit code 0, and shows what it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from netarium.operate import trialfile
from netarium.operate.cli import app

LONG = {"facility-4096", "interference-ab", "data-express", "dumbbell", "deterministic-13000km"}
"""More than ten seconds on a slow machine."""


def run(runs: Path, *arguments: str) -> dict:
    """The document that `netarium run ARGUMENTS --json` prints; the command must end with 0."""
    words = ["run", *arguments, "--json", "--quiet", "--out", str(runs)]
    finished = CliRunner().invoke(app, words, catch_exceptions=False)
    assert finished.exit_code == 0, finished.stdout + finished.stderr
    return json.loads(finished.stdout)


def conserved(document: dict) -> bool:
    books = document["conservation"]
    return books["sent"] == books["delivered"] + books["in_flight"] + sum(books["dropped"].values())


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow) if name in LONG else name
        for name in trialfile.examples()
        if name != "data-express" and not name.startswith("real-")  # test_emulated_trials.py
    ],
)
def test_a_bundled_trial_meets_its_expectations(name: str, tmp_path: Path) -> None:
    document = run(tmp_path, name)
    assert document["status"] == "succeeded"
    assert document["expect"], "a bundled trial is a test: it expects something"
    assert all(entry["met"] for entry in document["expect"])
    assert all(entry["certified"] for entry in document["slices"].values())
    assert conserved(document)


@pytest.mark.slow
def test_data_express_tells_the_time_in_both_readings(tmp_path: Path) -> None:
    document = run(tmp_path, "data-express")
    assert document["status"] == "succeeded"
    found = {(entry["service"], entry["size_bytes"]): entry for entry in document["projections"]}
    larger, smaller = 72 * 1024 * 1024 * 10**6, 72 * 1024 * 10**9
    assert set(found) == {(s, v) for s in ("slow", "lossy", "guaranteed") for v in (larger, smaller)}

    # The published figures are arithmetic of line rates: 699 days and 1.64 hours.
    assert found["slow", larger]["line_rate_s"] / 86_400 == pytest.approx(699, abs=0.5)
    assert found["guaranteed", smaller]["line_rate_s"] / 3_600 == pytest.approx(1.64, abs=0.005)

    # What TCP makes of the line rate: 1448 of 1538 bytes at 10 Mbit/s, 8948 of 9038 at 100 Gbit/s.
    for key, payload in ((("slow", larger), 1448 / 1538), (("guaranteed", smaller), 8948 / 9038)):
        entry = found[key]
        assert entry["completion_s"] == pytest.approx(entry["line_rate_s"] / payload, rel=1e-3)
        low, high = entry["completion_s_ci95"]
        assert low <= entry["completion_s"] <= high
        assert 0 < entry["simulated_share"] < 1e-3
    lossy = found["lossy", smaller]
    assert lossy["completion_s"] > 20 * lossy["line_rate_s"]


@pytest.mark.slow
def test_the_full_transfer_ends_where_the_extrapolation_says(tmp_path: Path) -> None:
    """--full with 40 GB in place of 72 TB: every packet of the volume is simulated."""
    size = 40 * 10**9
    changes = [
        "services.guaranteed.size=40 GB",
        "duration=5 s",
        "services.slow.stop=4 s",
        "services.lossy.stop=4 s",
    ]
    changes += ["services.guaranteed.stop=5 s", "probes.interval=10 ms", "projections[5].size=40 GB"]
    changes += ["expect=[]"]
    document = run(
        tmp_path, "data-express", "--full", *(word for change in changes for word in ("--set", change))
    )
    service = document["services"]["guaranteed"]
    assert service["completed_flows"] == 1
    assert service["delivered_bytes"] == size
    whole = document["projections"][5]
    assert whole["simulated_share"] == 1.0
    assert whole["completion_s"] == pytest.approx(service["completion_s"]["max"], rel=1e-3)
    assert service["lost_packets"] == 0
    assert conserved(document)


def test_a_users_own_control_differs_from_the_built_in_ones(tmp_path: Path) -> None:
    services = run(tmp_path, "own-congestion-control", "--set", "duration=20 s", "--set", "expect=[]")[
        "services"
    ]
    assert len({service["delivered_bytes"] for service in services.values()}) == 3


def test_slowdown_by_size_is_in_the_record(tmp_path: Path) -> None:
    document = run(tmp_path, "websearch-fat-tree", "--set", "duration=50 ms", "--set", "expect=[]")
    rows = document["services"]["websearch"]["slowdown_by_size"]
    assert len(rows) == 10
    assert all(row["p50"] <= row["p95"] <= row["p99"] for row in rows)
    assert rows[0]["size_bytes_max"] < rows[-1]["size_bytes_min"]


def test_the_facility_is_what_its_program_writes() -> None:
    from bench.facility import lines

    assert trialfile.examples()["facility-4096"].read_text().splitlines() == lines()


def test_the_facility_has_4096_services_on_128_slices() -> None:
    from netarium.describe.loader import load

    trial = load(trialfile.examples()["facility-4096"])
    assert len(trial.slices) == 128
    assert sum(len(trial.endpoints(name)) for name, each in trial.services.items() if each.slice) == 4096
    kinds = {each.kind for each in trial.services.values() if each.slice}
    assert kinds == {"bulk", "stream", "request_response", "control_loop"}
