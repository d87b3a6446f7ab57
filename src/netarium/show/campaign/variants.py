"""Every variant with its intervals, and the one that leads against the others, seed by seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netarium.measure.repeats import estimates, holm, pairs, power
from netarium.measure.repeats.estimates import Estimate
from netarium.measure.repeats.pairs import ALPHA, Difference
from netarium.show.campaign.trials import Group, Trials

METRICS = 24  # of a campaign that keeps more, the first ones; the others are in its table
MET, CERTIFIED = "verdict.expect", "verdict.certified"


@dataclass(frozen=True)
class Summary:
    """One variant: its trials, how many were measured, means by metric, shares of verdicts that were passed."""

    group: Group
    count: int
    measured: int
    means: dict[str, Estimate]
    medians: dict[str, Estimate]
    met: Estimate | None
    certified: Estimate | None


@dataclass(frozen=True)
class Comparison:
    """`first` less `second` in one metric; `p` is corrected for all comparisons made with it (Holm).

    seeds_needed: in all, to be sure of a difference of this size; None when no number would do.
    """

    first: Group
    second: Group
    found: Difference
    p: float
    comparisons: int
    seeds_needed: int | None

    @property
    def is_sure(self) -> bool:
        return self.p <= ALPHA


def summaries(trials: Trials, metrics: Sequence[str] | None = None) -> list[Summary]:
    """All variants, best in the leading metric first; in the order of the sweep where that has no direction."""
    names = trials.metrics[:METRICS] if metrics is None else list(metrics)
    groups = trials.groups
    values = {name: trials.values(name) for name in names}
    means = {name: estimates.means([values[name][g.rows] for g in groups]) for name in names}
    found = [
        Summary(
            group,
            len(group.rows),
            int(trials.measured[group.rows].sum()),
            {name: means[name][index] for name in names},
            {name: estimates.median(values[name][group.rows]) for name in names},
            _passed(trials, group, MET),
            _passed(trials, group, CERTIFIED),
        )
        for index, group in enumerate(groups)
    ]
    return ranked(trials, found)


def ranked(trials: Trials, found: list[Summary]) -> list[Summary]:
    """Best first by the mean of the leading metric; what was not measured last."""
    lead = trials.lead
    if lead is None or not found or lead not in found[0].means:
        return found
    sign = trials.direction(lead) or 0

    def place(summary: Summary) -> tuple[bool, float]:
        value = summary.means[lead].value
        return (not np.isfinite(value), -sign * value if np.isfinite(value) else 0.0)

    return sorted(found, key=place)


def _passed(trials: Trials, group: Group, column: str) -> Estimate | None:
    """The share of trials whose verdict is yes, of those that have one; None when no trial of the campaign has."""
    if column not in trials.table.column_names or trials.table[column].null_count == trials.count:
        return None
    verdicts = [trials.table[column][int(row)].as_py() for row in group.rows]
    judged = [verdict for verdict in verdicts if verdict is not None]
    return estimates.share(sum(judged), len(judged))


@dataclass(frozen=True)
class Lead:
    """The first variant against all others: how many it is surely ahead of, and the nearest of the rest."""

    compared: int
    sure: int
    nearest: Comparison | None

    @property
    def undecided(self) -> int:
        return self.compared - self.sure


def lead(trials: Trials, metric: str, order: Sequence[Group]) -> Lead:
    """The first of `order` compared with each other one over the seeds both have, corrected for their number."""
    first, others = trials.by_seed(order[0], metric), [trials.by_seed(group, metric) for group in order[1:]]
    differences = [_differences(first, other) for other in others]
    p_values = holm.adjusted([pairs.signed_rank_p(each) for each in differences])
    undecided = [index for index, p in enumerate(p_values) if p > ALPHA]
    if not undecided:
        return Lead(len(others), len(others), None)
    at = min(
        undecided, key=lambda index: abs(differences[index].mean()) if len(differences[index]) else np.inf
    )
    found, count = aligned(first, others[at]), len(others)
    needed = power.seeds_needed(found, count)
    nearest = Comparison(order[0], order[1 + at], found, p_values[at], count, needed)
    return Lead(count, count - len(undecided), nearest)


def _differences(first: dict[int, float], second: dict[int, float]) -> np.ndarray:
    return np.array([first[seed] - second[seed] for seed in sorted(first.keys() & second.keys())])


def aligned(first: dict[int, float], second: dict[int, float]) -> Difference:
    """The difference over the seeds that both have."""
    common = sorted(first.keys() & second.keys())
    return pairs.difference(np.array([first[s] for s in common]), np.array([second[s] for s in common]))
