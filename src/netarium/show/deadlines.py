"""Deadlines of control loops as the page and the terminal show them: misses with their exact interval."""

from __future__ import annotations

from typing import Any

from netarium.show import quantity
from netarium.show.record import Record

HEADINGS = (
    ("control loop", "left"),
    ("deadline", "right"),
    ("messages", "right"),
    ("misses", "right"),
    ("missed", "right"),
    ("95 % interval", "right"),
    ("longest run", "right"),
)


def of_record(record: Record) -> dict[str, dict[str, Any]]:
    """Service -> its deadline figures, of those that have any; most missed first."""
    found = {name: entry["deadline"] for name, entry in record.services.items() if entry.get("deadline")}
    return dict(sorted(found.items(), key=lambda item: -float(item[1].get("miss_ratio") or 0.0)))


def rows(record: Record) -> list[tuple[str, ...]]:
    """One row a control loop, in the columns of HEADINGS."""
    return [
        (
            name,
            quantity.seconds(entry.get("deadline_s")),
            quantity.count(entry.get("messages")),
            quantity.count(entry.get("misses")),
            quantity.percent(entry.get("miss_ratio")),
            interval_text(entry),
            quantity.count(entry.get("longest_run")),
        )
        for name, entry in of_record(record).items()
    ]


def interval_text(entry: dict[str, Any]) -> str:
    """The exact interval of the miss ratio: "0 % to 0.29 %"."""
    limits = entry.get("miss_ratio_ci95")
    if not (isinstance(limits, list) and len(limits) == 2 and all(map(quantity.is_number, limits))):
        return quantity.MISSING
    return " to ".join(quantity.percent(limit) for limit in limits)
