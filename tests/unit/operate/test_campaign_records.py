"""netarium show and compare of a campaign, and what a campaign ends with: as the command line has it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "show" / "campaign"))

import made_campaigns


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("records")
    made_campaigns.shootout(place / "shootout", seeds=7)
    return place


def test_show_tells_the_table_and_draws_the_report(cli, root: Path) -> None:
    shown = cli("show", "shootout", "--out", str(root))
    assert shown.exit_code == 0, shown.stderr
    assert "congestion, all else equal: bbr has the highest flow.goodput" in shown.stdout
    assert "flow.goodput" in shown.stdout
    page = root / "shootout" / "report.html"
    assert page.is_file()
    first = page.stat().st_mtime_ns
    cli("show", "shootout", "--out", str(root))
    assert page.stat().st_mtime_ns == first, "nothing new, nothing drawn"
    (root / "shootout" / "campaign.json").touch()
    cli("show", "shootout", "--out", str(root))
    assert page.stat().st_mtime_ns > first


def test_show_by_folder_as_json(cli, root: Path) -> None:
    shown = cli("show", str(root / "shootout"), "--json")
    assert shown.exit_code == 0, shown.stderr
    document = json.loads(shown.stdout)
    assert document["campaign"] == "shootout"
    assert len(document["variants"]) == 12


@pytest.mark.slow
def test_show_draws_figures(cli, root: Path) -> None:
    shown = cli("show", "shootout", "--out", str(root), "--figures")
    assert shown.exit_code == 0, shown.stderr
    for name in ("heat", "frontier", "boxes"):
        assert {
            (root / "shootout" / "figures" / f"{name}.{kind}").is_file() for kind in ("pdf", "png", "csv")
        } == {True}


def test_compare_two_values_of_a_campaign(cli, root: Path) -> None:
    compared = cli("compare", "shootout", "bbr", "cubic", "--out", str(root))
    assert compared.exit_code == 0, compared.stderr
    assert "flow.goodput: bbr has" in compared.stdout
    as_json = json.loads(cli("compare", "shootout", "bbr", "cubic", "--out", str(root), "--json").stdout)
    assert (as_json["first"], as_json["second"]) == ("bbr", "cubic")
    assert as_json["metrics"][0]["settings"]["more"] == 4


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["bbr"], "found 1 variants of campaign shootout, expected two"),
        (["bbr", "cubi"], "did you mean 'cubic'?"),
    ],
)
def test_a_comparison_that_cannot_be_made_says_why(cli, root: Path, words: list[str], message: str) -> None:
    refused = cli("compare", "shootout", *words, "--out", str(root))
    assert refused.exit_code == 2
    assert message in refused.stderr


def test_a_report_that_cannot_be_drawn_ends_nothing(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    from netarium.operate.commands import campaign_records
    from netarium.show.campaign import report
    from netarium.store.campaigns import read_campaign

    def broken(*_: object) -> None:
        raise ZeroDivisionError("made")

    monkeypatch.setattr(report, "write", broken)
    (root / "shootout" / "campaign.json").touch()
    campaign_records.ended(read_campaign(root / "shootout"))
    assert "The report could not be drawn" in capsys.readouterr().err
