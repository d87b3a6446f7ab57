"""Projections of a record as rows of text: what a volume would take, beside line rate and claims."""

from __future__ import annotations

from typing import Any

from netarium.show import quantity
from netarium.show.record import Record

HEADINGS = (
    ("volume", "left"),
    ("over", "left"),
    ("goodput", "right"),
    ("takes", "right"),
    ("95 %", "right"),
    ("at line rate", "right"),
    ("published", "right"),
)
_SPANS = ((365.25 * 86_400 * 10, 365.25 * 86_400, "years"), (2 * 86_400, 86_400, "d"), (3_600, 3_600, "h"),
          (600, 60, "min"))  # fmt: skip


def rows(record: Record) -> list[tuple[str, ...]]:
    """Text of every projection, in the order of HEADINGS."""
    return [_row(entry) for entry in record.projections]


def _row(entry: dict[str, Any]) -> tuple[str, ...]:
    return (
        str(entry.get("label") or quantity.size(entry.get("size_bytes"))),
        str(entry.get("service", "")),
        quantity.rate(entry.get("goodput_bps")),
        span(entry.get("completion_s")),
        uncertainty(entry),
        span(entry.get("line_rate_s")),
        str(entry.get("published") or quantity.MISSING),
    )


def uncertainty(entry: dict[str, Any]) -> str:
    """Half the 95 % interval as a share of the completion; `simulated` for a volume delivered whole."""
    value, interval = entry.get("completion_s"), entry.get("completion_s_ci95")
    if not (quantity.is_number(value) and value and isinstance(interval, list)):
        return quantity.MISSING
    if (entry.get("simulated_share") or 0.0) >= 1.0:
        return "simulated"
    half = (interval[1] - interval[0]) / 2 / value
    return f"± {100 * half:.2g} %" if half >= 5e-7 else "± 0.0001 %"


def span(value_s: Any) -> str:
    """Seconds as a time that people compare: 742.5 d, 1.655 h, 12.3 min, or shorter."""
    if not quantity.is_number(value_s):
        return quantity.MISSING
    for least, unit, word in _SPANS:
        if value_s >= least:
            return f"{value_s / unit:.4g} {word}"
    return quantity.seconds(value_s)


def explanation(record: Record) -> str:
    """What of the projections was simulated and what is extrapolated, in a sentence; empty without any."""
    entries = record.projections
    parts = []
    seen: set[tuple[str, float]] = set()
    for entry in entries:
        known = (str(entry.get("service")), float(entry.get("simulated_s") or 0.0))
        if known not in seen:
            seen.add(known)
            share = quantity.percent(entry.get("simulated_share"))
            parts.append(f"{known[0]} {quantity.seconds(known[1])} ({share} of the volume)")
    if not parts:
        return ""
    if all((entry.get("simulated_share") or 0.0) >= 1.0 for entry in entries):
        return f"Simulated, every packet: {', '.join(parts)}."
    return (
        f"Simulated: {', '.join(parts)}. The rest is extrapolated from the goodput. The 95 % interval "
        "(batch means) says how steady that was in this run, and nothing about other conditions."
    )
