"""Projections as people read them: spans of time, how sure, what was simulated."""

from __future__ import annotations

from pathlib import Path

import pytest

from netarium.show import projections
from netarium.show.record import Record

ENTRY = {
    "service": "express",
    "label": "72 x 1024 GB",
    "size_bytes": 73_728_000_000_000,
    "goodput_bps": 99e9,
    "completion_s": 5957.8,
    "completion_s_ci95": [5900.0, 6015.6],
    "simulated_s": 3.0,
    "simulated_share": 0.0005,
    "line_rate_s": 5898.24,
    "published": "1.64 h",
}


def record(*entries: dict) -> Record:
    return Record(Path("runs/a"), {}, {"projections": list(entries)}, None, {}, [])


def test_a_row() -> None:
    expected = ("72 x 1024 GB", "express", "99 Gbit/s", "1.655 h", "± 0.97 %", "1.638 h", "1.64 h")
    assert projections.rows(record(ENTRY)) == [expected]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "–"), (60_397_977.6, "699.1 d"), (5898.24, "1.638 h"), (90_000, "25 h"), (900, "15 min"),
     (2, "2 s"), (1e9, "31.69 years")],
)  # fmt: skip
def test_spans(seconds: float | None, text: str) -> None:
    assert projections.span(seconds) == text


def test_what_was_simulated_is_said() -> None:
    said = projections.explanation(record(ENTRY))
    assert "express 3 s (0.05 % of the volume)" in said
    assert "extrapolated" in said
    whole = {**ENTRY, "simulated_share": 1.0, "completion_s_ci95": [5957.8, 5957.8]}
    assert projections.rows(record(whole))[0][4] == "simulated"
    assert "extrapolated" not in projections.explanation(record(whole))
    assert projections.explanation(record()) == ""


def test_without_an_interval_nothing_is_claimed() -> None:
    assert projections.uncertainty({**ENTRY, "completion_s_ci95": None}) == projections.span(None)
