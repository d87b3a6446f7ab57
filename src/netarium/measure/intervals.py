"""Confidence intervals: exact ones for counts, batch means for averages of a series.

Clopper and Pearson 1934 (exact binomial); batch means: Law, Simulation Modeling and Analysis, 5th ed.,
section 9.5.3.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

BATCHES = 20
STUDENT_T_975_19 = 2.093024054408263  # quantile 0.975 of Student's t with BATCHES - 1 degrees of freedom


def clopper_pearson(hits: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Two-sided exact interval for a probability of which `hits` of `trials` were seen.

    The trials are taken to be independent; losses in bursts make the true interval wider.
    """
    alpha = 1 - confidence
    return lower_limit(hits, trials, alpha / 2), upper_limit(hits, trials, alpha / 2)


def lower_limit(hits: int, trials: int, alpha: float) -> float:
    """One-sided lower limit: below it, `hits` or more would be seen with less than `alpha`."""
    if hits == 0:
        return 0.0
    if hits == trials:
        return alpha ** (1 / trials)
    from scipy.special import betaincinv

    return float(betaincinv(hits, trials - hits + 1, alpha))


def upper_limit(hits: int, trials: int, alpha: float) -> float:
    """One-sided upper limit; with no hit it is 1 - alpha**(1/trials), about 3/trials (the rule of three)."""
    if trials == 0 or hits == trials:
        return 1.0
    if hits == 0:
        return -math.expm1(math.log(alpha) / trials)
    from scipy.special import betaincinv

    return float(betaincinv(hits + 1, trials - hits, 1 - alpha))


def trials_to_prove(probability: float, alpha: float) -> int:
    """How many trials without a hit prove a probability of at most this (rule of three: 3/p)."""
    return math.ceil(math.log(alpha) / math.log1p(-probability))


def batch_means(values: Sequence[float]) -> tuple[float, float] | None:
    """95 % interval for the mean of a correlated series: Student's t over the means of 20 equal batches.

    None with fewer than two values per batch. Values that do not fill the last batch are left out at the
    front.
    """
    size = len(values) // BATCHES
    if size < 2:
        return None
    kept = values[len(values) - size * BATCHES :]
    means = [math.fsum(kept[i * size : (i + 1) * size]) / size for i in range(BATCHES)]
    mean = math.fsum(means) / BATCHES
    variance = math.fsum((m - mean) ** 2 for m in means) / (BATCHES - 1)
    half = STUDENT_T_975_19 * math.sqrt(variance / BATCHES)
    return mean - half, mean + half
