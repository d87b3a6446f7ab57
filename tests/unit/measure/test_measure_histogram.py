"""Percentiles from bins against sorting the values; confidence intervals against SciPy and tables."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netarium.measure import intervals
from netarium.measure.histogram import later_than, percentiles_ps
from netarium.measure.measure import nearest_rank
from netarium.run.samples import latency_bin, log_linear_edges_ps

EDGES = log_linear_edges_ps()


def binned(values: list[int]) -> np.ndarray:
    counts = np.zeros(len(EDGES) - 1, np.int64)
    for value in values:
        counts[latency_bin(value)] += 1
    return counts


@settings(max_examples=60)
@given(
    st.lists(st.integers(min_value=0, max_value=2**46), min_size=1, max_size=200),
    st.sampled_from([0.001, 0.5, 0.9, 0.99, 0.999, 1.0]),
)
def test_a_percentile_is_within_its_stated_error(values: list[int], quantile: float) -> None:
    exact = nearest_rank(np.sort(np.array(values)), quantile)
    (found,) = percentiles_ps(binned(values), EDGES, [quantile], min(values), max(values))
    assert abs(found - exact) <= max(exact / 128, 512) * (1 + 1e-9)
    assert min(values) <= found <= max(values)


@given(st.lists(st.integers(min_value=0, max_value=100), min_size=1, max_size=50), st.floats(0.01, 1.0))
def test_nearest_rank_is_the_smallest_value_that_enough_do_not_exceed(
    values: list[int], quantile: float
) -> None:
    ranked = np.sort(np.array(values))
    found = nearest_rank(ranked, quantile)
    enough = quantile * len(values) - 1e-9
    assert sum(v <= found for v in values) >= enough
    assert all(sum(v <= other for v in values) < enough for other in set(values) if other < found)


def test_later_than_counts_only_what_is_certainly_late() -> None:
    counts = binned([10**9, 2 * 10**9, 2 * 10**9])
    assert later_than(counts, EDGES, 15 * 10**8) == 2
    assert later_than(counts, EDGES, 2 * 10**9) == 0


@pytest.mark.parametrize(("hits", "trials"), [(0, 10), (1, 10), (5, 10), (10, 10), (3, 100_000), (250, 1000)])
def test_clopper_pearson_agrees_with_scipy(hits: int, trials: int) -> None:
    from scipy.stats import binomtest

    expected = binomtest(hits, trials).proportion_ci(0.95, method="exact")
    assert intervals.clopper_pearson(hits, trials) == pytest.approx((expected.low, expected.high), rel=1e-6)


def test_no_hit_of_n_is_the_rule_of_three() -> None:
    assert intervals.upper_limit(0, 10_000, 0.05) == pytest.approx(3 / 10_000, rel=0.01)
    needed = intervals.trials_to_prove(1e-6, 0.05)
    assert needed == pytest.approx(3e6, rel=0.01)
    assert intervals.upper_limit(0, needed, 0.05) <= 1e-6 < intervals.upper_limit(0, needed - 2, 0.05)


def test_nothing_known_is_the_whole_range() -> None:
    assert intervals.clopper_pearson(0, 0) == (0.0, 1.0)


def test_batch_means_cover_the_mean_of_a_correlated_series() -> None:
    random = np.random.default_rng(7)
    covered = 0
    for _ in range(200):
        noise, series = random.standard_normal(400), np.zeros(400)
        for i in range(1, 400):
            series[i] = 0.5 * series[i - 1] + noise[i]
        low, high = intervals.batch_means((5 + series[:]).tolist())
        covered += low <= 5 <= high
    assert 0.88 <= covered / 200 <= 0.99


def test_batch_means_need_two_values_a_batch() -> None:
    assert intervals.batch_means([1.0] * 39) is None
    assert intervals.batch_means([1.0] * 40) == (1.0, 1.0)


def test_student_t_is_the_tables() -> None:
    from scipy.special import stdtrit

    assert pytest.approx(stdtrit(intervals.BATCHES - 1, 0.975)) == intervals.STUDENT_T_975_19
