"""The error of a node's clock within a run (docs/kinds/clocks.md)."""

from __future__ import annotations

from typing import Any

from netarium.run.kernel.queues.site import clock_error_ps


def bound(clock: Any, duration_ps: int) -> tuple[int, int]:
    """(least, largest) reading minus true time of a clock (describe/clock.py; None: a perfect one) within a run, ps."""
    return clock_error_ps(clock, duration_ps)


def apart_ps(clock: Any, other: Any, duration_ps: int) -> int:
    """How far two clocks are apart at most within a run, ps."""
    (low, high), (other_low, other_high) = bound(clock, duration_ps), bound(other, duration_ps)
    return max(high - other_low, other_high - low)
