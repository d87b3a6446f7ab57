"""The verdict on one objective and on a slice: delivered, not delivered, or not certifiable."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

DELIVERED = "delivered"
NOT_DELIVERED = "not_delivered"
NOT_CERTIFIABLE = "not_certifiable"
CERTIFIED = {DELIVERED: True, NOT_DELIVERED: False, NOT_CERTIFIABLE: None}


def objective(
    name: str,
    unit: str,
    verdict: str,
    promised: float,
    observed: float | None,
    reason: str,
    figures: dict[str, Any],
) -> dict[str, Any]:
    """One row of a certificate, SI units. `margin` is positive when the promise was kept with room to
    spare."""
    margin = None
    if observed is not None:
        margin = observed - promised if name == "bandwidth" else promised - observed
    return {
        "objective": name,
        "verdict": verdict,
        "promised": promised,
        "observed": observed,
        "margin": margin,
        "unit": unit,
        "figures": figures,
        "reason": reason,
    }


def overall(verdicts: Iterable[str]) -> str:
    """Not delivered if any objective is; else not certifiable if any is (or there is none); else
    delivered."""
    found = set(verdicts)
    if NOT_DELIVERED in found:
        return NOT_DELIVERED
    return DELIVERED if found == {DELIVERED} else NOT_CERTIFIABLE
