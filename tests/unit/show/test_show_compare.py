"""Comparing runs: only what differs, absolute and in per cent."""

from __future__ import annotations

from pathlib import Path

import pytest
import synthetic
from rich.console import Console

from netarium.errors import RecordError
from netarium.show import compare
from netarium.show.record import Record, read


def test_only_what_differs(passed: Record, starved: Record) -> None:
    found = compare.compare([passed, starved])
    parameters = {row.path: row.values for row in found.parameters}
    assert parameters == {
        "seed": (1, 2),
        "services.guaranteed.transport.congestion": ("cubic", "bbr"),
        "services.best_effort.transport.congestion": ("cubic", "bbr"),
    }
    metrics = {row.path: row for row in found.metrics}
    assert metrics["guaranteed.goodput_bps"].share == pytest.approx(-0.4, abs=0.01)
    assert metrics["slices.express.verdict"].values == ("delivered", "not delivered")
    assert "best_effort.retransmissions" not in metrics
    assert found.same > 20


def test_what_was_promised_comes_before_the_rest(passed: Record, starved: Record) -> None:
    paths = [row.path for row in compare.compare([passed, starved]).metrics]
    assert paths[0].startswith(("slices.", "expect:"))
    assert paths.index("guaranteed.goodput_bps") < paths.index("best_effort.latency_s.p99")
    assert paths[-1].startswith("links.")


def test_a_change_in_words() -> None:
    assert compare.Difference("a.goodput_bps", (50e9, 30e9)).change == "−20 Gbit/s (−40.0 %)"
    assert compare.Difference("a.loss", (0.0, 0.01)).change == "+1 %"
    assert compare.Difference("a.latency_s.p50", (None, 0.01)).change == ""
    assert compare.Difference("a.latency_s.p50", (None, 0.01)).texts == ["–", "10 ms"]


def test_a_small_difference_counts_as_none_unless_asked(passed: Record, runs: Path) -> None:
    other = read(runs / "passed")
    other.metrics["services"]["guaranteed"]["goodput_bps"] *= 1.0005
    assert compare.compare([passed, other]).metrics == []
    exact = compare.compare([passed, other], tolerance=0.0)
    assert [row.path for row in exact.metrics] == ["guaranteed.goodput_bps"]


def test_the_same_run_twice_is_the_same(passed: Record, runs: Path) -> None:
    found = compare.compare([passed, read(runs / "passed")])
    assert (found.parameters, found.metrics, found.same_samples) == ([], [], True)
    html = compare.html(found)
    assert "The trials are the same" in html
    assert "the samples are identical" in html


def test_runs_of_other_trials_compare_too(passed: Record, udp: Record) -> None:
    found = {row.path: row.values for row in compare.compare([passed, udp]).metrics}
    assert found["camera.kind"] == (None, "stream")


def test_one_run_is_not_enough(passed: Record) -> None:
    with pytest.raises(RecordError, match="expected two or more"):
        compare.compare([passed])


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits_the_terminal(passed: Record, starved: Record, width: int) -> None:
    console = Console(width=width, highlight=False)
    with console.capture() as captured:
        console.print(compare.table(compare.compare([passed, starved])))
    text = captured.get()
    assert max(map(len, text.splitlines())) <= width
    assert "−19.31 Gbit/s (−40.0 %)" in text
    assert "✗ Failed" in text


def test_the_page_escapes_and_overlays(tmp_path: Path, passed: Record) -> None:
    other = read(synthetic.flagship(tmp_path / "other", shortfall=0.6))
    other.start["expanded"]["title"] = "<script>"
    found = compare.compare([passed, other])
    page = compare.write(found, tmp_path / "pages" / "compare.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert page.count("<svg") == 2
    assert found.names == ["passed", "other"]
