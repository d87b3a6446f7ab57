"""Lateness: quantiles from the histogram, and the figures of the record."""

from __future__ import annotations

import numpy as np
import pytest

from netarium.run.emulate.lateness import Lateness, quantile_s, summary
from netarium.run.kernel.observe import BIN_COUNT
from netarium.run.samples import latency_bin


def counted(values_ps: np.ndarray) -> np.ndarray:
    counts = np.zeros(BIN_COUNT, np.int64)
    np.add.at(counts, [latency_bin(int(value)) for value in values_ps], 1)
    return counts


def late(values_ps: np.ndarray) -> Lateness:
    counts = counted(values_ps)
    return Lateness(counts, counts, np.zeros_like(counts), counts.reshape(1, -1), {"read": 1.0, "idle": 3.0})


@pytest.mark.parametrize("q", [0.5, 0.99, 0.999, 1.0])
def test_quantiles_are_numpys_to_a_bin(q: float) -> None:
    values = np.random.default_rng(1).lognormal(17, 1.5, 5000).astype(np.int64)
    exact = np.quantile(values, q, method="inverted_cdf") / 1e12
    assert exact <= quantile_s(counted(values), q) <= exact * 1.016 + 1.1e-9


def test_nothing_was_late_when_nothing_was_written() -> None:
    assert summary(np.zeros(BIN_COUNT, np.int64)) == {
        "count": 0,
        "p50": 0.0,
        "p99": 0.0,
        "p999": 0.0,
        "max": 0.0,
    }


def test_figures_are_seconds_by_name() -> None:
    figures = late(np.full(10, 10**9)).figures()
    assert figures["frames"]["count"] == 10
    assert figures["frames"]["p50"] == pytest.approx(1e-3, rel=0.02)
    assert figures["over_time"]["count"] == [10]
