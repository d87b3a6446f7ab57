"""What each swept parameter does to a metric, everything else equal: its best value against each of the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netarium.measure.repeats import factors, holm, power
from netarium.measure.repeats.factors import Effect
from netarium.measure.repeats.pairs import ALPHA
from netarium.show.campaign.trials import Parameter, Trials


@dataclass(frozen=True)
class Contrast:
    """One value of a parameter against another; `p` is corrected for the comparisons of this parameter (Holm)."""

    parameter: Parameter
    metric: str
    effect: Effect
    p: float
    comparisons: int
    seeds_needed: int | None

    @property
    def is_sure(self) -> bool:
        return self.p <= ALPHA


def of_parameter(trials: Trials, parameter: Parameter, metric: str) -> list[Contrast]:
    """The best value of the parameter (over all else) against each other one, nearest first.

    Where neither more nor less is better the highest comes first. Empty when no two values have a setting in common.
    """
    levels, values = trials.levels(parameter), trials.values(metric)
    blocks = trials.blocks(apart_from=[parameter])
    best = best_level(parameter, levels, values, trials.direction(metric) or 1)
    if best is None:
        return []
    found = [
        effect
        for level in parameter.levels
        if level != best
        and (effect := factors.effect(levels, blocks, trials.seeds, values, best, level)) is not None
    ]
    p_values = holm.adjusted([effect.overall.p for effect in found])
    contrasts = [
        Contrast(parameter, metric, effect, p, len(found), power.seeds_needed(effect.overall, len(found)))
        for effect, p in zip(found, p_values, strict=True)
    ]
    return sorted(contrasts, key=lambda each: abs(each.effect.overall.mean.value))


def best_level(parameter: Parameter, levels: np.ndarray, values: np.ndarray, sign: int) -> str | None:
    """The value of the parameter whose trials have the best mean; None when nothing was measured."""
    kept = np.isfinite(values)
    means = {level: values[kept & (levels == level)] for level in parameter.levels}
    present = {level: float(found.mean()) for level, found in means.items() if len(found)}
    return max(present, key=lambda level: sign * present[level]) if present else None


def of_campaign(trials: Trials, metric: str) -> list[list[Contrast]]:
    """One list per parameter that has few enough values, in the order of the sweep; parameters without any left out.

    Worked out once per metric: sentences, tables and figures all ask for it.
    """
    if metric not in trials.effects:
        every = (
            of_parameter(trials, parameter, metric)
            for parameter in trials.parameters
            if parameter.is_compared
        )
        trials.effects[metric] = [contrasts for contrasts in every if contrasts]
    return trials.effects[metric]
