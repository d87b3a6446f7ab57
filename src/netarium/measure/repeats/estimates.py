"""A value over several seeds with its 95 % interval: mean, median, and the share of yes among yes and no.

Mean: bias-corrected and accelerated bootstrap (Efron 1987; Efron and Tibshirani, An Introduction to the Bootstrap,
1993, section 14.3) from ten values on. Below, resampling covers far less than 95 %, so Student's t is used, which
is exact for normal values. Median: order statistics, exact for any continuous distribution (David and Nagaraja,
Order Statistics, 3rd ed., section 7.1), so there is none with fewer than six values. Share: Clopper and Pearson.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from netarium.measure.intervals import clopper_pearson

CONFIDENCE = 0.95
FEWEST_TO_RESAMPLE = 10
RESAMPLES = 9999
MANY, RESAMPLES_OF_MANY = 500, 1999  # so many groups at once have fewer resamples
AT_ONCE = 100  # groups whose resampled means are in memory together
SEED = 20121987  # of the resampling: the same values give the same interval

ONE, EQUAL = "one seed: no interval", "every seed gave the same value"
STUDENT, BOOTSTRAP, ORDER, EXACT = "Student t", "BCa bootstrap", "order statistics", "Clopper-Pearson"
TOO_FEW, NOTHING = "too few seeds for an interval", "not measured"


@dataclass(frozen=True)
class Estimate:
    """`value` of `n` seeds, between `low` and `high` with 95 % confidence; these are None without an interval.

    `method` names the interval, or says why there is none.
    """

    value: float
    low: float | None
    high: float | None
    n: int
    method: str

    @property
    def has_interval(self) -> bool:
        return self.low is not None and self.high is not None

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of zero; False without one."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)

    def negated(self) -> Estimate:
        """The same of the difference taken the other way round."""
        if self.low is None or self.high is None:
            return Estimate(-self.value, None, None, self.n, self.method)
        return Estimate(-self.value, -self.high, -self.low, self.n, self.method)


def mean(values: Iterable[float]) -> Estimate:
    """The mean of one group; NaN among `values` counts as not measured."""
    return means([np.asarray(list(values), dtype=float)])[0]


def means(groups: Sequence[np.ndarray]) -> list[Estimate]:
    """The mean of every group, each float64[n]; groups of the same size are resampled together."""
    kept = [_measured(group) for group in groups]
    found: list[Estimate | None] = [_without_resampling(values) for values in kept]
    sizes = {len(values) for values, estimate in zip(kept, found, strict=True) if estimate is None}
    for size in sorted(sizes):
        places = [i for i, values in enumerate(kept) if found[i] is None and len(values) == size]
        lows, highs = _bca(np.stack([kept[i] for i in places]))
        for i, low, high in zip(places, lows, highs, strict=True):
            found[i] = Estimate(float(kept[i].mean()), float(low), float(high), size, BOOTSTRAP)
    return [estimate for estimate in found if estimate is not None]


def median(values: Iterable[float]) -> Estimate:
    """The median with the narrowest symmetric interval of order statistics that covers 95 %."""
    ordered = np.sort(_measured(np.asarray(list(values), dtype=float)))
    n = len(ordered)
    if n < 2 or ordered[0] == ordered[-1]:
        return _of_one_value(ordered)
    middle, rank = float(np.median(ordered)), _values_outside(n)
    if rank < 0:
        return Estimate(middle, None, None, n, TOO_FEW)
    return Estimate(middle, float(ordered[rank]), float(ordered[n - 1 - rank]), n, ORDER)


@functools.cache
def _values_outside(n: int) -> int:
    """How many of `n` ordered values lie outside the interval of their median on each side; -1: no interval."""
    from scipy.stats import binom

    rank = int(binom.ppf((1 - CONFIDENCE) / 2, n, 0.5))
    return rank - 1 if binom.cdf(rank, n, 0.5) > (1 - CONFIDENCE) / 2 else rank


def share(hits: int, trials: int) -> Estimate:
    """The part of `trials` that were `hits`: 0 of n is not 0, n of n is not 1."""
    if trials == 0:
        return Estimate(float("nan"), None, None, 0, NOTHING)
    low, high = clopper_pearson(hits, trials, CONFIDENCE)
    return Estimate(hits / trials, low, high, trials, EXACT)


def _measured(values: np.ndarray) -> np.ndarray:
    return values[np.isfinite(values)]


def _of_one_value(values: np.ndarray) -> Estimate:
    """Of no value, of one, or of many that are all the same: nothing is known of how they spread."""
    if len(values) == 0:
        return Estimate(float("nan"), None, None, 0, NOTHING)
    return Estimate(float(values[0]), None, None, len(values), ONE if len(values) == 1 else EQUAL)


def _without_resampling(values: np.ndarray) -> Estimate | None:
    return None if len(values) >= FEWEST_TO_RESAMPLE and not _is_one_value(values) else student(values)


def _is_one_value(values: np.ndarray) -> bool:
    return len(values) < 2 or bool(np.ptp(values) <= 1e-12 * np.abs(values).max())


def student(values: np.ndarray) -> Estimate:
    """The mean of float64[n] with Student's interval, whatever n is: quick, and exact for normal values."""
    if _is_one_value(values):
        return _of_one_value(values)
    from scipy.special import stdtrit

    n, centre = len(values), float(values.mean())
    half = float(stdtrit(n - 1, (1 + CONFIDENCE) / 2) * values.std(ddof=1) / np.sqrt(n))
    return Estimate(centre, centre - half, centre + half, n, STUDENT)


def _bca(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the interval of each row's mean. matrix: float64[groups, n]; no row of equal values.

    All rows share their resamples, so that the means of many rows are one product of matrices.
    """
    from scipy.special import ndtr, ndtri

    groups, n = matrix.shape
    resamples = RESAMPLES if groups <= MANY else RESAMPLES_OF_MANY
    draws = np.random.default_rng(SEED).multinomial(n, np.full(n, 1 / n), size=resamples) / n
    ends = np.empty((2, groups))
    for start in range(0, groups, AT_ONCE):
        rows = matrix[start : start + AT_ONCE]
        centres = rows.mean(axis=1)
        means = np.sort(draws @ rows.T, axis=0)
        below = ((means < centres).mean(axis=0) + (means <= centres).mean(axis=0)) / 2
        deviations = rows - centres[:, None]  # minus those of the jackknife means, up to a factor
        skew = (deviations**3).sum(axis=1) / (6 * (deviations**2).sum(axis=1) ** 1.5)
        bias = ndtri(below)
        for end, probability in enumerate(((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)):
            z = bias + ndtri(probability)
            shares = ndtr(bias + z / (1 - skew * z))
            places = np.arange(rows.shape[0])
            at = shares * (resamples - 1)
            low = np.clip(at.astype(int), 0, resamples - 2)
            weight = at - low
            ends[end, start + places] = (1 - weight) * means[low, places] + weight * means[low + 1, places]
    return ends[0], ends[1]
