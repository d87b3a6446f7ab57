"""netarium campaign, query and ls as a user calls them: tables, JSON, CSV, errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

Cli = Callable[..., Result]
CAMPAIGN = """\
campaign: lab
base: lab.trial.yml
sweeps:
  - parameters: {"network.links[1].rate": [5 Mbit/s, 10 Mbit/s]}
seeds: 2
metrics: [transfer.goodput, transfer.rtt.p50]
"""


@pytest.fixture
def campaign(trial: Path) -> Path:
    """A campaign of four trials in the current folder."""
    path = trial.with_name("lab.campaign.yml")
    path.write_text(CAMPAIGN)
    return path


def test_a_dry_run_says_what_it_would_take(cli: Cli, campaign: Path) -> None:
    shown = cli("campaign", campaign, "--dry-run").output
    assert "lab: 4 trials (2 variants x 2 seeds)" in shown
    assert "network.links[1].rate: 5 Mbit/s, 10 Mbit/s" in shown
    assert "on disk" in shown
    found = json.loads(cli("campaign", campaign, "--dry-run", "--json").stdout)
    assert (found["trials"], found["variants"], len(found["first"])) == (4, 2, 4)
    assert found["estimate"]["disk_bytes"] > 0
    assert not Path("runs").exists()


def test_from_the_file_to_the_answer(cli: Cli, campaign: Path) -> None:
    ran = cli("campaign", "--workers", "1", "--json", "-q")
    document = json.loads(ran.stdout)
    assert (ran.exit_code, document["statuses"], document["ran"]) == (0, {"succeeded": 4}, 4)
    again = cli("campaign", campaign, "-q")
    assert "4 done before" in again.stdout
    rates = json.loads(
        cli("query", 'SELECT "param.network.links[1].rate" AS r, max("metric.transfer.goodput") AS g FROM trials '
            "GROUP BY r ORDER BY r", "--json").stdout
    )  # fmt: skip
    assert [each["r"] for each in rates] == [5e6, 10e6]
    assert 0 < rates[0]["g"] < 5e6 < rates[1]["g"] < 10e6
    cli("query", "FROM trials", "--csv", "all.csv")
    lines = Path("all.csv").read_text().splitlines()
    assert len(lines) == 5
    assert "metric.transfer.goodput" in lines[0]
    listed = json.loads(cli("ls", "--json").stdout)
    assert (listed[0]["campaign"], listed[0]["recorded"]) == ("lab", 4)
    assert "lab" in cli("ls").stdout
    some = json.loads(cli("ls", "--where", "seed = 2", "--status", "succeeded", "--json").stdout)
    assert [each["seed"] for each in some] == [2, 2]
    assert "and 3 more" in cli("ls", "--trials", "-n", "1").output


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["campaign", "nothing"], 2, "neither a file nor a bundled campaign"),
        (["campaign", "heterogeneous-4069"], 2, "did you mean 'heterogeneous-4096'?"),
        (["campaign", "heterogeneous-4096", "--keep-folders", "some"], 2, "all, failed, none"),
        (["query", "SELECT x FROM trials"], 2, "query:"),
        (["ls", "--status", "good"], 2, "succeeded"),
        (["ls", "--where", "sed = 1"], 2, "seed"),
    ],
)
def test_errors_say_what_to_do(cli: Cli, folder: Path, arguments: list[str], code: int, said: str) -> None:
    result = cli(*arguments)
    assert result.exit_code == code
    assert said in result.output


def test_the_only_campaign_in_a_folder_needs_no_name(cli: Cli, campaign: Path) -> None:
    assert "4 trials" in cli("campaign", "--dry-run").output
    campaign.with_name("b.campaign.yml").write_text(CAMPAIGN)
    assert "name the file" in cli("campaign", "--dry-run").output


def test_a_trial_of_a_campaign_run_by_itself(cli: Cli, campaign: Path) -> None:
    """It has the plan and the figures of its row."""
    cli("campaign", "--workers", "1", "-q")
    row = json.loads(cli("query", "FROM trials ORDER BY id LIMIT 1", "--json").stdout)[0]
    ran = cli("campaign", "--only", row["id"], "-q")
    assert ran.exit_code == 0
    metrics = json.loads((Path(ran.stdout.split()[-1]) / "metrics.json").read_text())
    assert metrics["digests"]["plan"] == row["plan_digest"]
    assert metrics["services"]["transfer"]["goodput_bps"] == row["metric.transfer.goodput"]
    assert "the id of a trial" in cli("campaign", "--only", "nothing").output


def test_bundled_campaigns_are_listed(cli: Cli, folder: Path) -> None:
    assert "heterogeneous-4096" in cli("campaign", "--list").stdout
