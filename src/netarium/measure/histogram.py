"""Figures from latency histograms: exact minimum, mean and maximum, percentiles with a stated error.

A percentile is the nearest-rank one (the smallest value that at least q·n values do not exceed), given as the
middle of its bin and never outside [minimum, maximum]. With 64 bins per octave a bin is at most 1/64 of its
lower edge wide, so a percentile is off by at most 1/128 (0.8 %), or by half a linear bin (0.5 ns) below 66
ns.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from netarium.units import SECOND_PS

if TYPE_CHECKING:
    from netarium.run.samples import Samples

PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}
RELATIVE_ERROR = 1 / 128


def percentiles_ps(
    counts: np.ndarray, edges_ps: np.ndarray, quantiles: Iterable[float], low_ps: int, high_ps: int
) -> list[float]:
    """Nearest-rank percentiles, ps. counts: int64[B]; edges_ps: int64[B+1]; low, high: the exact extremes."""
    filled = np.flatnonzero(counts)
    cumulative = np.cumsum(counts[filled])
    found = []
    for quantile in quantiles:
        rank = max(1, math.ceil(quantile * int(cumulative[-1]) - 1e-9))
        index = int(filled[np.searchsorted(cumulative, rank)])
        middle = (float(edges_ps[index]) + float(edges_ps[index + 1])) / 2
        found.append(min(max(middle, float(low_ps)), float(high_ps)))
    return found


def summary_s(samples: Samples, what: str, service: int) -> dict[str, float]:
    """min, p50 … p999, max, mean (s) of `latency` or `rtt` of one service; empty without packets."""
    count = int(getattr(samples, f"{what}_count")[service])
    if count == 0:
        return {}
    low, high = (int(getattr(samples, f"{what}_{key}_ps")[service]) for key in ("min", "max"))
    mean = float(getattr(samples, f"{what}_sum_ps")[service]) / count
    counts = getattr(samples, f"{what}_counts")[service]
    found = percentiles_ps(counts, samples.latency_edges_ps, PERCENTILES.values(), low, high)
    figures = {name: value / SECOND_PS for name, value in zip(PERCENTILES, found, strict=True)}
    return {"min": low / SECOND_PS} | figures | {"max": high / SECOND_PS, "mean": mean / SECOND_PS}


def later_than(counts: np.ndarray, edges_ps: np.ndarray, limit_ps: int) -> int:
    """How many packets were certainly later than `limit_ps`: those in bins that start above it."""
    return int(counts[edges_ps[:-1] > limit_ps].sum())
