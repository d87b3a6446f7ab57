"""Two variants over the seeds that both have: the difference, how sure it is, and how large it is.

The seeds draw the same traffic and losses for both variants, so the differences are taken seed by seed; what a seed
does to both falls out. Test: Wilcoxon's signed ranks (Wilcoxon 1945), exact up to 50 pairs. Size: the
Hodges-Lehmann shift with its interval (Hollander, Wolfe, Chicken: Nonparametric Statistical Methods, 3rd ed.,
sections 3.1-3.3), and Cliff's delta (Cliff 1993) with the words of Romano et al. (2006).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netarium.measure.repeats import estimates
from netarium.measure.repeats.estimates import CONFIDENCE, Estimate

ALPHA = 1 - CONFIDENCE
EXACT_UP_TO = 50  # pairs; beyond, the normal approximation
WORDS = ((0.147, "negligible"), (0.33, "small"), (0.474, "medium"))


@dataclass(frozen=True)
class Difference:
    """`first` less `second` over `n` common seeds.

    mean: of the differences, with its interval. shift: Hodges-Lehmann. p: Wilcoxon, two-sided, of this comparison
    by itself. delta: Cliff's, in [-1, 1]. spread: standard deviation of the differences.
    """

    first_mean: float
    second_mean: float
    mean: Estimate
    shift: Estimate
    p: float
    delta: float
    spread: float
    n: int

    @property
    def share(self) -> float | None:
        """The mean difference as a part of the second's mean; None when that is zero."""
        return self.mean.value / abs(self.second_mean) if self.second_mean else None

    @property
    def size_in_words(self) -> str:
        """How far the two overlap: negligible, small, medium, large."""
        return next((word for limit, word in WORDS if abs(self.delta) < limit), "large")


def difference(first: np.ndarray, second: np.ndarray) -> Difference:
    """Compare two aligned arrays, float64[n] each, one value per common seed; NaN pairs do not count."""
    both = np.isfinite(first) & np.isfinite(second)
    a, b = first[both], second[both]
    d = a - b
    return Difference(
        float(a.mean()) if len(a) else float("nan"),
        float(b.mean()) if len(b) else float("nan"),
        estimates.mean(d),
        shift(d),
        signed_rank_p(d),
        cliffs_delta(a, b),
        float(d.std(ddof=1)) if len(d) > 1 else float("nan"),
        len(d),
    )


def signed_rank_p(differences: np.ndarray) -> float:
    """Two-sided p-value that the differences are symmetric around zero; 1 when none differs from zero."""
    kept = differences[differences != 0]
    if len(kept) < 2:
        return 1.0  # of one difference either sign is as likely
    from scipy.stats import wilcoxon

    ties = len(np.unique(np.abs(kept))) < len(kept)
    exact = len(kept) <= EXACT_UP_TO and not ties
    return float(wilcoxon(kept, method="exact" if exact else "auto").pvalue)


def fewest_for(alpha: float) -> int:
    """Pairs below which not even differences of one sign reach `alpha`: the least p is 2 / 2^n."""
    return int(np.ceil(1 - np.log2(alpha) - 1e-12))


def shift(differences: np.ndarray) -> Estimate:
    """Hodges-Lehmann: the median of the means of all pairs of differences; its interval inverts Wilcoxon's test."""
    n = len(differences)
    if n < 2 or np.ptp(differences) == 0:
        return estimates.mean(differences)
    rows, columns = np.triu_indices(n)
    walsh = np.sort((differences[rows] + differences[columns]) / 2)
    middle = float(np.median(walsh))
    outside = _outside(n, ALPHA / 2)
    if outside < 0:
        return Estimate(middle, None, None, n, estimates.TOO_FEW)
    return Estimate(middle, float(walsh[outside]), float(walsh[-1 - outside]), n, "signed ranks")


def _outside(n: int, tail: float) -> int:
    """How many Walsh averages lie beyond each end of the interval; -1 when n is too small for one."""
    if n > EXACT_UP_TO:
        from scipy.special import ndtri

        centre, deviation = n * (n + 1) / 4, np.sqrt(n * (n + 1) * (2 * n + 1) / 24)
        return int(np.floor(centre + ndtri(tail) * deviation))
    return int(np.searchsorted(np.cumsum(rank_sum_probabilities(n)), tail, side="right")) - 1


def rank_sum_probabilities(n: int) -> np.ndarray:
    """float64[n(n+1)/2 + 1]: of every sum of positive ranks, when each sign is a toss of a coin."""
    ways = np.ones(1)
    for rank in range(1, n + 1):
        longer = np.zeros(len(ways) + rank)
        longer[: len(ways)] += ways / 2
        longer[rank:] += ways / 2
        ways = longer
    return ways


def cliffs_delta(a: np.ndarray, b: np.ndarray) -> float:
    """How much more often a value of `a` is above one of `b` than below, over all pairs; NaN if one is empty."""
    if len(a) == 0 or len(b) == 0:
        return float("nan")
    ordered = np.sort(b)
    below = np.searchsorted(ordered, a, side="left")
    above = len(b) - np.searchsorted(ordered, a, side="right")
    return float((below - above).sum()) / (len(a) * len(b))
