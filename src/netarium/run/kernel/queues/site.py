"""The site of a discipline: what it has to know of the node and the network around its port."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from netarium.errors import Mistake, did_you_mean, one_of
from netarium.units import SECOND_PS


@dataclass(frozen=True)
class Ingress:
    """A neighbour's port by which packets come to the node.

    sends_cycles: (cycle_ps, base_ps) where that port has a cqf. clock: the neighbour's, or None for a perfect one.
    """

    port: int
    delay_ps: int
    sends_cycles: tuple[int, int] | None = None
    clock: Any = None


@dataclass(frozen=True)
class Site:
    """The surroundings of one port.

    services: name -> (its index, how many flows have a state of their own). slices: name -> band.
    largest_bytes: the largest IP packet that can come. duration_ps: how long clocks can drift apart.
    """

    overhead_bytes: int = 0
    clock: Any = None
    ingresses: tuple[Ingress, ...] = ()
    services: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    slices: Mapping[str, int] = field(default_factory=dict)
    duration_ps: int = 0

    def wire_ps(self, size_bytes: int, rate_bps: int) -> int:
        """Transmission of an IP packet, rounded up."""
        return -(-(size_bytes + self.overhead_bytes) * 8 * SECOND_PS // rate_bps)

    def reading_ps(self, length_ps: int) -> int:
        """The most that the node's clock can show for a length of true time, and a picosecond for its rounding."""
        drift_ppb = 0 if self.clock is None else abs(self.clock.drift)
        return length_ps + -(-length_ps * drift_ppb // 10**9) + (2 if drift_ppb else 0)

    def find(self, family: str, name: str) -> Any:
        """What a service or slice is known by. Raises Mistake with the names there are."""
        known: Mapping[str, Any] = self.services if family == "services" else self.slices
        if name not in known:
            expected = one_of(known) if known else f"no {family}: the trial has none"
            raise Mistake(repr(name), expected, did_you_mean(name, known))
        return known[name]


NOWHERE = Site()
"""A port by itself: no neighbours, names or errors of clocks."""


def clock_error_ps(clock: Any, duration_ps: int) -> tuple[int, int]:
    """(least, largest) reading minus true time of a clock (describe/clock.py) within a run."""
    if clock is None:
        return 0, 0
    span_ps = duration_ps if clock.sync is None else min(duration_ps, clock.sync)
    gained_ps = span_ps * clock.drift // 10**9
    return clock.offset + min(0, gained_ps), clock.offset + max(0, gained_ps)
