"""How many seeds it would take to be sure of a difference of the size that was seen.

Noether: Sample size determination for some common nonparametric tests, JASA 82, 1987, through the efficiency of
Wilcoxon's test against Student's (3/pi for normal differences: Lehmann, Nonparametrics, 1975, section 2.4).
"""

from __future__ import annotations

import math

from netarium.measure.repeats.pairs import ALPHA, Difference, fewest_for

POWER = 0.8
MOST = 100_000  # seeds; beyond, the difference is as good as none


def seeds_needed(found: Difference, comparisons: int = 1, power: float = POWER) -> int | None:
    """Seeds in all for which the test finds this difference with probability `power`, among `comparisons`.

    The level is ALPHA / comparisons, the hardest step of Holm's procedure. None when the means are equal, the
    spread is not known, or more than MOST would be needed.
    """
    if found.n < 2 or found.mean.value == 0 or math.isnan(found.spread):
        return None
    from scipy.special import ndtri

    level = ALPHA / max(1, comparisons)
    quantiles = float(ndtri(1 - level / 2) + ndtri(power))
    ratio = found.spread / abs(found.mean.value)
    if ratio > MOST:
        return None
    normal = (quantiles * ratio) ** 2 * math.pi / 3
    correction = float(ndtri(1 - level / 2)) ** 2 / 2  # of a spread that is estimated: Guenther 1981
    needed = max(math.ceil(normal + correction), fewest_for(level))
    return needed if needed <= MOST else None
