"""The verdict over an emulated run: passed, failed, or not certifiable although every expectation is met."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from netarium.show.record import Record
from netarium.show.verdict import BAD, GOOD, UNSURE, judge

MET = [{"text": "x", "met": True, "value": 1.0, "limit": 1.0, "unit": "", "metric": "a.flows"}]
LATE = "one frame in a thousand reached its host 3 ms late or later, and 1 ms are allowed"


def record(status: str, reasons: list[str], **programs: str) -> Record:
    listed = {
        name: {"node": "a", "status": found, "reason": f"it {found}"} for name, found in programs.items()
    }
    metrics: dict[str, Any] = {"expect": MET, "emulation": {"reasons": reasons, "programs": listed}}
    return Record(Path("runs/a"), {}, metrics, {"status": status}, {}, [])


@pytest.mark.parametrize(
    ("found", "level", "headline", "says"),
    [
        (record("succeeded", [], ping="done", web="stopped"), GOOD, "Passed", "1 of 1 expectation met"),
        (record("failed", [LATE], ping="done"), UNSURE, "Not certifiable", LATE),
        (record("failed", [], ping="failed"), BAD, "Failed", "ping on a it failed"),
        (record("failed", [LATE], ping="not started"), BAD, "Failed", "ping on a it not started"),
    ],
)
def test_an_emulated_run_is_judged_by_its_programs_and_by_its_machine(
    found: Record, level: str, headline: str, says: str
) -> None:
    verdict = judge(found)
    assert (verdict.level, verdict.headline) == (level, headline)
    assert any(says in sentence for sentence in verdict.sentences)
