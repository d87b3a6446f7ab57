"""Deadlines and small jitter on the page: a table, a line in the terminal, two figures."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from netarium.show import deadlines, plots, report, tables
from netarium.show.record import Record

SEEN = {
    "deadline_s": 0.02,
    "messages": 10_000,
    "misses": 3,
    "miss_ratio": 3e-4,
    "miss_ratio_ci95": [6e-5, 9e-4],
}
NEVER = {**SEEN, "misses": 0, "miss_ratio": 0.0, "miss_ratio_ci95": [0.0, 3.7e-4], "longest_run": 0}


@pytest.fixture
def loops(udp: Record) -> Record:
    """A run whose first service is a control loop that missed, beside one that did not."""
    metrics: dict[str, Any] = deepcopy(udp.metrics)
    first = next(iter(metrics["services"]))
    metrics["services"][first]["deadline"] = {**SEEN, "longest_run": 2}
    metrics["services"]["calm"] = {**deepcopy(metrics["services"][first]), "deadline": NEVER}
    return replace(udp, metrics=metrics)


def test_what_was_missed_most_comes_first(loops: Record) -> None:
    first = next(iter(loops.services))
    assert list(deadlines.of_record(loops)) == [first, "calm"]
    assert deadlines.rows(loops)[0] == (first, "20 ms", "10000", "3", "0.03 %", "0.006 % to 0.09 %", "2")
    assert deadlines.rows(loops)[1][5] == "0 to 0.037 %"


def test_the_table_is_on_the_page_and_in_the_terminal(loops: Record, udp: Record) -> None:
    page = report.html(loops)
    assert "0.006 % to 0.09 %" in page
    assert 'id="deadlines"' not in report.html(udp)
    console = Console(width=100, record=True, file=None)
    with console.capture() as said:
        console.print(tables.summary(loops))
    assert "longest run" in said.get()


def test_the_figure_of_deadlines(loops: Record, udp: Record) -> None:
    (drawing,) = plots.draw(loops, ["deadlines"])
    assert set(drawing.data["name"]) == {next(iter(loops.services))}
    assert drawing.figure.axes[1].get_yticks().tolist() == [0, 1]
    assert plots.draw(udp, ["deadlines"]) == []


def test_jitter_is_drawn_where_latency_hides_it(udp: Record) -> None:
    (drawing,) = plots.draw(udp, ["jitter"])
    assert drawing.figure.axes[0].get_yscale() == "log"
    assert min(value for value in drawing.data["apart_s"] if value == value) > 0
