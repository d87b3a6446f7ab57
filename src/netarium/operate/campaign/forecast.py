"""What a campaign will take, before it runs: trials, time and disk, from the plans of some of its variants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from netarium.errors import AdmissionRefused, MachineCannot, TrialInvalid
from netarium.operate.campaign.keeping import KEEP_ALL

if TYPE_CHECKING:
    from netarium.describe.design import Design

LOOKED_AT = 24
"""Variants whose plans are made for a forecast, evenly spread over the campaign."""
OVERHEAD_S = 0.004
"""Of a trial beside its engine: making it ready, sampling, measuring, recording (docs/performance.md)."""
ROW_BYTES, CELL_BYTES = 150, 6
"""Of a row in a compressed part, and of each metric in it (measured)."""


@dataclass
class Forecast:
    """What a campaign will take. seconds: of work, before it is divided by the workers."""

    trials: int
    variants: int
    seconds: float = 0.0
    disk_bytes: int = 0
    columns: int = 0
    refused: list[str] = field(default_factory=list)
    """Variants looked at that admission refuses, with the reason."""
    looked_at: int = 0
    by_variant: dict[int, float] = field(default_factory=dict)

    def wall_s(self, workers: int) -> float:
        """Time to completion with so many workers."""
        return self.seconds / max(1, workers)


def forecast(design: Design, keep: str, most: int = LOOKED_AT) -> Forecast:
    """The forecast from at most `most` variants of those with the same modes."""
    from netarium.measure.kept import kept
    from netarium.operate.runner import admit
    from netarium.store.room import room_of

    found = Forecast(len(design), len(design.variants))
    folders = []
    groups: dict[tuple[str, ...], list[int]] = {}
    for number, variant in enumerate(design.variants):
        groups.setdefault(variant.modes, []).append(number)
    for modes, numbers in groups.items():
        seconds = []
        for number in [numbers[place] for place in spread(len(numbers), most)]:
            variant = design.variants[number]
            try:
                trial = design.trial(number, variant.seeds[0], "simulate")
                plan = admit(trial)
            except (AdmissionRefused, TrialInvalid, MachineCannot) as refused:
                found.refused.append(f"{variant.text}: {str(refused).splitlines()[0]}")
                continue
            by_mode = {"simulate": plan.estimate.wall_s + OVERHEAD_S, "emulate": trial.duration / 1e12}
            found.by_variant[number] = by_mode["simulate"]
            seconds.append(sum(by_mode[mode] for mode in modes))
            folders.append(room_of(trial))
            columns = kept(design.campaign.metrics, plan.service_names, plan.graph.port_names)
            found.columns = max(found.columns, len(columns))
        runs = sum(len(design.variants[number].seeds) for number in numbers)
        found.seconds += runs * sum(seconds) / max(1, len(seconds))
    found.looked_at = len(folders) + len(found.refused)
    if folders:
        folder = sum(folders) / len(folders) if keep == KEEP_ALL else 0.0
        found.disk_bytes = int(len(design) * (ROW_BYTES + CELL_BYTES * found.columns + folder))
    return found


def spread(count: int, most: int) -> Sequence[int]:
    """At most `most` of the numbers below `count`, evenly spread."""
    if count <= most:
        return range(count)
    return sorted({round(index * (count - 1) / (most - 1)) for index in range(most)})
