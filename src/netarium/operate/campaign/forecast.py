"""What a campaign will take, before it runs: trials, time and disk, from the plans of some of its variants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from netarium.errors import AdmissionRefused, MachineCannot, TrialInvalid
from netarium.operate.campaign.keeping import KEEP_ALL
from netarium.units import SECOND_PS

if TYPE_CHECKING:
    from netarium.describe.design import Design

LOOKED_AT = 24
"""Variants whose plans are made for a forecast, evenly spread over the campaign."""
OVERHEAD_S = 0.004
"""Of a trial beside its engine: making it ready, sampling, measuring, recording (docs/performance.md)."""
ASIDE_S = 0.2
"""Of an emulated trial beside its run: hosts and programs up and down, measuring, recording (measured)."""
ROW_BYTES, CELL_BYTES = 150, 6
"""Of a row in a compressed part, and of each metric in it (measured)."""


@dataclass
class Forecast:
    """What a campaign will take. seconds: of simulating, before it is divided by the workers; emulated_s: of trials in real
    time, before it is divided by those at once; emulated: their number."""

    trials: int
    variants: int
    seconds: float = 0.0
    emulated_s: float = 0.0
    emulated: int = 0
    disk_bytes: int = 0
    columns: int = 0
    refused: list[str] = field(default_factory=list)
    """Variants looked at that admission refuses, with the reason."""
    looked_at: int = 0
    by_variant: dict[int, float] = field(default_factory=dict)

    def wall_s(self, workers: int, at_once: int = 1) -> float:
        """Time to completion with so many workers, and so many emulated trials at once."""
        batches = -(-self.emulated // at_once)
        in_real_time_s = self.emulated_s / max(1, self.emulated) * batches
        return self.seconds / max(1, workers) + in_real_time_s + self.emulated * ASIDE_S


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
        seconds, emulated = [], []
        for number in [numbers[place] for place in spread(len(numbers), most)]:
            variant = design.variants[number]
            try:
                trial = design.trial(number, variant.seeds[0], "simulate")
                plan = admit(trial)
            except (AdmissionRefused, TrialInvalid, MachineCannot) as refused:
                found.refused.append(f"{variant.text}: {str(refused).splitlines()[0]}")
                continue
            found.by_variant[number] = plan.estimate.wall_s + OVERHEAD_S
            seconds.append(found.by_variant[number])
            emulated.append(trial.duration / SECOND_PS)
            folders.append(room_of(trial))
            columns = kept(design.campaign.metrics, plan.service_names, plan.graph.port_names)
            found.columns = max(found.columns, len(columns))
        runs = sum(len(design.variants[number].seeds) for number in numbers)
        if "simulate" in modes:
            found.seconds += runs * sum(seconds) / max(1, len(seconds))
        if "emulate" in modes:
            found.emulated += runs
            found.emulated_s += runs * sum(emulated) / max(1, len(emulated))
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
