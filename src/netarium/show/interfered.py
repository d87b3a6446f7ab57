"""Before and after interference, side by side: every objective of every slice, and what best effort lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from netarium.show import quantity
from netarium.show.columns import Columns
from netarium.show.objectives import Objective, of_record
from netarium.show.record import Record

if TYPE_CHECKING:
    from rich.console import RenderableType

ROWS_MAX = 40


def tables(before: Record, after: Record) -> Iterator[RenderableType]:
    """The slices' objectives, then the services outside slices that sent in both runs."""
    from rich.text import Text

    calm = {(row.slice_name, row.name): row for row in of_record(before)}
    rows = [(calm.get((row.slice_name, row.name)), row) for row in of_record(after)]
    headings = (("slice", "left"), ("objective", "left"), ("promised", "right"), ("bound", "right"),
                ("before", "right"), ("interfered", "right"), ("verdict", "left"))  # fmt: skip
    yield Columns(headings, [_row(calm_row, row) for calm_row, row in rows[:ROWS_MAX]])
    if len(rows) > ROWS_MAX:
        kept = sum(row.verdict == "delivered" for _, row in rows)
        yield Text(f"and {len(rows) - ROWS_MAX:,} more: {kept:,} of {len(rows):,} delivered", style="dim")
    others = _best_effort(before, after)
    if others:
        yield Text()
        headings = (("best effort", "left"), ("before", "right"), ("interfered", "right"), ("loss", "right"))
        yield Columns(headings, others[:ROWS_MAX])
        if len(others) > ROWS_MAX:
            yield Text(f"and {len(others) - ROWS_MAX:,} more services", style="dim")


def _row(before: Objective | None, row: Objective) -> tuple[str, ...]:
    seen = quantity.MISSING if before is None else before.observed_text
    return (row.slice_name, row.name.replace("_", " "), row.promised_text, row.bound_text, seen, row.observed_text,
            row.verdict)  # fmt: skip


def _best_effort(before: Record, after: Record) -> list[tuple[str, ...]]:
    in_slices = {name for entry in after.slices.values() for name in entry.get("services", ())}
    rows = []
    for name, calm in before.services.items():
        if name not in in_slices and name in after.services:
            stormy = after.services[name]
            rows.append((name, _rate(calm), _rate(stormy), quantity.in_unit(stormy.get("loss"), "ratio")))
    return rows


def _rate(service: dict[str, Any]) -> str:
    return quantity.in_unit(service.get("goodput_bps"), "bit/s")


def document(before: dict[str, Any], after: dict[str, Any], ports: tuple[str, ...]) -> dict[str, Any]:
    """Both metrics documents, and the slices with what was observed in each, as one JSON document."""
    slices = {
        name: {
            "bound": entry["bound"],
            "before": before["slices"].get(name, {}).get("observed", {}),
            "interfered": entry["observed"],
            "certified": [before["slices"].get(name, {}).get("certified"), entry["certified"]],
        }
        for name, entry in after["slices"].items()
    }
    return {
        "format": 1,
        "interfered_ports": list(ports),
        "slices": slices,
        "before": before,
        "interfered": after,
    }
