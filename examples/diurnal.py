"""Arrivals that swell and ebb: a Poisson process whose rate follows a sine. An example of a workload of one's own;
see docs/kinds/services/user.md."""

import math

from netarium.run.kernel.rng import next_exponential, next_uniform

PER_SECOND = 120.0  # mean arrivals per second
SWING = 0.9  # of the mean, up and down
PERIOD_S = 2.0
MEAN_BYTES = 50_000.0


def next_arrival(source, stream, now_ps):
    """Sends something now, or nothing; returns the picoseconds until it wants to be asked again."""
    level = 1.0 + SWING * math.sin(2.0 * math.pi * now_ps / (PERIOD_S * 1e12))
    # Thinning (Lewis and Shedler, 1979): candidates at the highest rate, each taken with the share of the present one.
    if next_uniform(stream) * (1.0 + SWING) < level:
        source.i[0] = int(next_exponential(stream, MEAN_BYTES)) + 1  # bytes
        source.i[1] += 1  # the next of the pairs
    return int(next_exponential(stream, 1e12 / (PER_SECOND * (1.0 + SWING)))) + 1
