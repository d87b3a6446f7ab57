"""Means, medians and shares over seeds: against scipy, closed forms, and how often the intervals hold the truth."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from netarium.measure.repeats import estimates
from netarium.measure.repeats.estimates import mean, means, median, share

FINITE = st.floats(-1e9, 1e9, allow_nan=False)


def test_one_seed_has_no_interval_and_says_so() -> None:
    for found in (mean([3.0]), median([3.0])):
        assert (found.value, found.low, found.high, found.n) == (3.0, None, None, 1)
        assert found.method == "one seed: no interval"
        assert not found.excludes_zero


def test_nothing_measured_is_not_zero() -> None:
    found = mean([math.nan, math.nan])
    assert math.isnan(found.value)
    assert (found.n, found.method) == (0, "not measured")


def test_equal_values_have_no_interval_of_width_zero() -> None:
    """Deterministic trials give the same value with every seed; that says nothing about how values spread."""
    found = mean([2.5e9] * 20)
    assert (found.value, found.low, found.n) == (2.5e9, None, 20)
    assert found.method == "every seed gave the same value"


def test_what_was_not_measured_does_not_count() -> None:
    assert mean([1.0, math.nan, 2.0, 3.0]) == mean([1.0, 2.0, 3.0])


@pytest.mark.parametrize("n", [2, 3, 5, 9])
def test_few_values_have_students_interval(n: int) -> None:
    values = np.random.default_rng(n).normal(10, 2, n)
    found = mean(values)
    expected = stats.t.interval(0.95, n - 1, values.mean(), stats.sem(values))
    assert (found.low, found.high) == pytest.approx(expected)
    assert found.method == "Student t"


def test_many_values_have_the_bca_interval() -> None:
    """The endpoints computed by hand from resamples of our own: Efron and Tibshirani 1993, (14.9) to (14.15)."""
    values = np.random.default_rng(4).lognormal(0, 0.7, 20)
    found = mean(values)
    resampled = np.random.default_rng(5).choice(values, (200_000, 20)).mean(axis=1)
    z0 = stats.norm.ppf((resampled < values.mean()).mean())
    jackknife = (values.sum() - values) / 19
    deviations = jackknife.mean() - jackknife
    a = (deviations**3).sum() / (6 * (deviations**2).sum() ** 1.5)
    z = z0 + stats.norm.ppf([0.025, 0.975])
    expected = np.quantile(resampled, stats.norm.cdf(z0 + z / (1 - a * z)))
    assert (found.low, found.high) == pytest.approx(expected, rel=0.01)
    assert found.method == "BCa bootstrap"


def test_groups_are_as_if_alone_but_for_the_draws_and_the_same_every_time() -> None:
    rng = np.random.default_rng(1)
    groups = [rng.normal(100 * k, 5, size) for k, size in enumerate((20, 1, 20, 12, 5, 0, 12), 1)]
    together = means(groups)
    assert repr(together) == repr(means(groups))
    for group, found in zip(groups, together, strict=True):
        alone = mean(group)
        assert (found.n, found.method) == (alone.n, alone.method)
        if found.has_interval:
            width = alone.high - alone.low  # type: ignore[operator]
            assert found.low == pytest.approx(alone.low, abs=0.05 * width)
            assert found.high == pytest.approx(alone.high, abs=0.05 * width)


@settings(max_examples=30, deadline=None)
@given(st.lists(FINITE, min_size=0, max_size=25))
def test_an_interval_holds_its_value(values: list[float]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for found in (mean(values), median(values)):
            if found.has_interval:
                assert found.low <= found.value <= found.high  # type: ignore[operator]


@pytest.mark.parametrize("n", range(2, 40))
def test_the_interval_of_a_median_is_the_narrowest_that_covers(n: int) -> None:
    """Ranks k and n + 1 - k hold the median with probability 1 - 2 P(Binomial(n, 1/2) < k)."""
    found = median(range(n))
    if found.low is None:
        assert n < 6
        assert found.method == "too few seeds for an interval"
        return
    k = int(found.low) + 1
    assert 1 - 2 * stats.binom.cdf(k - 1, n, 0.5) >= 0.95 > 1 - 2 * stats.binom.cdf(k, n, 0.5)
    assert found.high == n - k


def test_a_share_is_exact() -> None:
    expected = stats.binomtest(18, 20).proportion_ci(0.95, "exact")
    found = share(18, 20)
    assert (found.value, found.low, found.high) == pytest.approx((0.9, expected.low, expected.high))
    assert share(0, 20).high == pytest.approx(1 - 0.025 ** (1 / 20))
    assert share(20, 20).low == pytest.approx(0.025 ** (1 / 20))
    assert share(0, 0).method == "not measured"


SPREADS = {
    "normal": (lambda rng, shape: rng.normal(0, 1, shape), 0.0, 0.0),
    "exponential": (lambda rng, shape: rng.exponential(1, shape), 1.0, math.log(2)),
    "lognormal": (lambda rng, shape: rng.lognormal(0, 1, shape), math.exp(0.5), 1.0),
}
COVERS = {  # at least; the bootstrap's known shortfall with few and skew values is in docs/campaign-report.md
    ("normal", 5): 0.935, ("normal", 10): 0.88, ("normal", 20): 0.915, ("normal", 40): 0.93,
    ("exponential", 20): 0.90, ("exponential", 40): 0.92, ("lognormal", 20): 0.85, ("lognormal", 40): 0.88,
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("spread", "n"), COVERS)
def test_how_often_the_mean_is_inside(spread: str, n: int) -> None:
    draw, truth, _ = SPREADS[spread]
    groups = list(draw(np.random.default_rng(n), (1500, n)))
    inside = np.mean([found.low <= truth <= found.high for found in means(groups)])
    assert COVERS[spread, n] <= inside <= 0.97, inside


@pytest.mark.slow
@pytest.mark.parametrize("n", [6, 11, 20, 50])
@pytest.mark.parametrize("spread", SPREADS)
def test_the_median_is_inside_at_least_as_often_as_promised(spread: str, n: int) -> None:
    draw, _, truth = SPREADS[spread]
    found = [median(values) for values in draw(np.random.default_rng(n), (3000, n))]
    inside = np.mean([each.low <= truth <= each.high for each in found])
    assert inside >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / 3000)


def test_resampling_is_worth_it_from_its_least_number_on() -> None:
    assert mean(np.arange(float(estimates.FEWEST_TO_RESAMPLE))).method == "BCa bootstrap"
    assert mean(np.arange(estimates.FEWEST_TO_RESAMPLE - 1.0)).method == "Student t"


@pytest.mark.parametrize("n", [10, 20, 60])
@pytest.mark.parametrize("spread", SPREADS)
def test_the_interval_is_scipys(spread: str, n: int) -> None:
    """`scipy.stats.bootstrap`, with resamples of its own: the ends agree to the noise of resampling."""
    values = SPREADS[spread][0](np.random.default_rng(n), n)
    found = mean(values)
    theirs = stats.bootstrap((values,), np.mean, n_resamples=9999, method="BCa", rng=np.random.default_rng(3))
    width = theirs.confidence_interval.high - theirs.confidence_interval.low
    assert found.low == pytest.approx(theirs.confidence_interval.low, abs=0.05 * width)
    assert found.high == pytest.approx(theirs.confidence_interval.high, abs=0.05 * width)


def test_many_groups_have_the_same_intervals_with_fewer_resamples() -> None:
    groups = list(np.random.default_rng(9).normal(0, 1, (estimates.MANY + 1, 12)))
    many, few = means(groups), means(groups[:5])
    for one, other in zip(many[:5], few, strict=True):
        width = other.high - other.low  # type: ignore[operator]
        assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=0.15 * width)
