"""The summary after a run: what it says, and that it fits the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
import synthetic
from rich.console import Console, RenderableType

from netarium.show import tables
from netarium.show.columns import Columns
from netarium.show.record import Record, in_folder, read


def printed(what: RenderableType, width: int = 80) -> str:
    console = Console(width=width, force_terminal=False, highlight=False)
    with console.capture() as captured:
        console.print(what)
    return captured.get()


def test_the_summary_says_what_happened(passed: Record) -> None:
    text = printed(tables.summary(passed))
    expected = """✓ Passed|3 of 3 expectations met|48.28 Gbit/s|≥ 50 Gbit/s|✓ delivered|48211|quick-otter
        |210M packet-hops (23M/s)|20 s of virtual time in 9.1 s"""
    for words in expected.split("|"):
        assert words.strip() in text


def test_a_failed_run_names_what_failed_first(starved: Record) -> None:
    text = printed(tables.summary(starved))
    assert "✗ Failed" in text
    assert text.index("✗ not met") < text.index("✓ met")
    assert "✗ not delivered" in text


@pytest.mark.parametrize("name", ["passed", "starved", "udp", "crowd", "unfinished"])
@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal(runs: Path, name: str, width: int) -> None:
    record = read(runs / name)
    record.folder = Path("runs") / name
    lines = printed(tables.summary(record), width).splitlines()
    assert max(map(len, lines)) <= width


def test_figures_are_never_cut_names_are(crowd: Record) -> None:
    crowd.metrics["services"] = {
        f"a-service-with-quite-a-long-name-{index}": metrics
        for index, metrics in enumerate(crowd.services.values())
    }
    text = printed(tables.summary(crowd, limit=8))
    for metrics in list(crowd.services.values())[:8]:
        for cell in tables.service_cells(metrics)[2:]:
            assert cell in text
    assert "…" in text


def test_of_many_services_the_first_and_a_count(crowd: Record) -> None:
    crowd.metrics["services"] = {f"svc{index:03d}": crowd.services["svc001"] for index in range(500)}
    text = printed(tables.summary(crowd))
    assert "svc019" in text
    assert "svc020" not in text
    assert "and 480 more, see metrics.json" in text
    assert len(text.splitlines()) < 60


def test_of_many_slices_only_what_was_not_delivered(crowd: Record) -> None:
    text = printed(tables.summary(crowd))
    assert "vpn-07" in text
    assert "vpn-09" in text
    assert "the other 28 slices: all objectives delivered" in text
    assert "vpn-08" not in text


def test_names_are_not_markup(tmp_path: Path) -> None:
    record = read(synthetic.without_tcp(tmp_path / "run"))
    record.metrics["services"] = {"[red]camera[/red]": record.services["camera"]}
    assert "[red]camera[/red]" in printed(tables.summary(record))


def test_a_service_without_tcp_has_no_retransmissions(udp: Record) -> None:
    assert tables.service_cells(udp.services["camera"])[-1] == "–"


def test_packets_that_are_not_accounted_for_are_shouted(passed: Record) -> None:
    passed.metrics["conservation"]["delivered"] -= 5
    assert "5 UNACCOUNTED" in tables.conservation_line(passed)


def test_the_list_of_runs(runs: Path) -> None:
    text = printed(tables.listing(in_folder(runs)))
    assert "✓ Passed" in text
    assert "? Unfinished" in text
    assert "2026-11-23 20:15" in text
    assert "no runs yet" in printed(tables.listing([]))


def test_names_give_way_to_figures() -> None:
    columns = Columns((("name", "left"), ("value", "right")), [("x" * 60, "48.21 Gbit/s")])
    assert columns.widths(40) == [27, 12]
    assert columns.widths(100) == [60, 12]
