"""The objectives of slices as rows: what was promised, the bound, what was observed, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from netarium.show import quantity
from netarium.show.record import Record
from netarium.show.verdict import slice_verdict

UNITS = {"bandwidth": "bit/s", "latency": "s", "delay_variation": "s", "loss": "ratio"}


@dataclass(frozen=True)
class Objective:
    """One promise of one slice; numbers in SI units, None when not known.

    `tolerance` is the share of the promise that certification forgives (bandwidth only).
    """

    slice_name: str
    name: str
    promised: float | None
    bound: float | None
    observed: float | None
    verdict: str
    reason: str = ""
    tolerance: float = 0.0

    @property
    def unit(self) -> str:
        return UNITS.get(self.name, "")

    @property
    def at_least(self) -> bool:
        """True where more is better (bandwidth), False where less is better."""
        return self.name == "bandwidth"

    @property
    def promised_text(self) -> str:
        if self.promised is None:
            return quantity.MISSING
        return f"{'≥' if self.at_least else '≤'} {quantity.in_unit(self.promised, self.unit)}"

    @property
    def observed_text(self) -> str:
        return quantity.in_unit(self.observed, self.unit)

    @property
    def bound_text(self) -> str:
        return quantity.in_unit(self.bound, self.unit)

    @property
    def share(self) -> float | None:
        """Observed over promised; None when either is missing or nothing is promised (loss 0)."""
        if not self.promised or self.observed is None:
            return None
        return self.observed / self.promised


def of_slice(name: str, certificate: dict[str, Any]) -> list[Objective]:
    """The rows of one slice: from `objectives` where certification wrote them, else bound and observed."""
    entries = certificate.get("objectives") or []
    if isinstance(entries, dict):
        entries = [{"objective": key, **value} for key, value in entries.items()]
    bound = certificate.get("bound") or {}
    if entries:
        terms = certificate.get("terms") or {}
        return [_from_entry(name, entry, bound, terms) for entry in entries]
    observed = certificate.get("observed") or {}
    return [
        Objective(name, word, None, _find(bound, word), _find(observed, word), slice_verdict(certificate))
        for word in UNITS
        if _find(observed, word) is not None or _find(bound, word) is not None
    ]


def of_record(record: Record) -> list[Objective]:
    return [row for name, entry in record.slices.items() for row in of_slice(name, entry)]


def _from_entry(
    slice_name: str, entry: dict[str, Any], bound: dict[str, Any], terms: dict[str, Any]
) -> Objective:
    word = str(entry.get("objective") or entry.get("name") or "")
    limit = entry.get("bound") if quantity.is_number(entry.get("bound")) else _find(bound, word)
    return Objective(
        slice_name,
        word,
        _number(entry.get("promised")),
        limit,
        _number(entry.get("observed")),
        str(entry.get("verdict") or quantity.MISSING).replace("_", " "),
        str(entry.get("reason") or ""),
        (_number(terms.get("bandwidth_tolerance")) or 0.0) if word == "bandwidth" else 0.0,
    )


def _number(value: Any) -> float | None:
    return float(value) if quantity.is_number(value) else None


def _find(values: dict[str, Any], word: str) -> float | None:
    for key in (word, f"{word}_s", f"{word}_bps", f"{word}_s_max", f"{word}_max", f"{word}_max_s"):
        if quantity.is_number(values.get(key)):
            return float(values[key])
    return None
