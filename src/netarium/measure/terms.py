"""The terms of a certification: over which windows, with which tolerance, after which start-up, how sure.

They are stated in every certificate, because a verdict without them means nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from netarium.units import SECOND_PS

BANDWIDTH_TOLERANCE = 0.04  # of the promised rate: 48 of 50 Gbit/s is delivered
CONFIDENCE = 0.95  # for a loss ratio, one-sided
WINDOW_PS = SECOND_PS  # or a tenth of the active time, if that is shorter
STARTUP_RTTS = (20, 100)  # slow start: a tenth of the active time, within so many round trips


@dataclass(frozen=True)
class Terms:
    """`window_ps` and `startup_ps` None: the defaults of docs/metrics.md, chosen per slice and reported."""

    tolerance: float = BANDWIDTH_TOLERANCE
    confidence: float = CONFIDENCE
    window_ps: int | None = None
    startup_ps: int | None = None

    def window_for(self, active_ps: int, sample_ps: int) -> int:
        """The window, ps: a whole number of sample intervals (`sample_ps`), at least one."""
        wanted = self.window_ps if self.window_ps is not None else min(WINDOW_PS, active_ps // 10)
        return max(1, round(wanted / sample_ps)) * sample_ps

    def startup_for(self, active_ps: int, rtt_ps: int) -> int:
        """The start-up left out of the bandwidth windows of a tcp service, ps; never over half its time."""
        if self.startup_ps is not None:
            return self.startup_ps
        fewest, most = (count * rtt_ps for count in STARTUP_RTTS)
        return min(max(active_ps // 10, fewest), most, active_ps // 2)
