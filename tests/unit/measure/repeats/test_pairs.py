"""Differences of two variants: against scipy, obvious versions and tables; Holm; power by simulation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from netarium.measure.repeats import holm, pairs, power
from netarium.measure.repeats.direction import better

DARWIN = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]) / 8
"""Height of cross- less self-fertilised maize, inches: Darwin 1876, as printed in Fisher 1935, section 16."""


def walsh(differences: np.ndarray) -> list[float]:
    both = itertools.combinations_with_replacement(differences, 2)
    return sorted((a + b) / 2 for a, b in both)


def test_the_shift_is_the_median_of_the_walsh_averages() -> None:
    found = pairs.shift(DARWIN)
    assert found.value == pytest.approx(np.median(walsh(DARWIN)))
    assert found.low < found.value < found.high  # type: ignore[operator]


@pytest.mark.parametrize("n", [6, 9, 15, 23])
def test_the_interval_of_the_shift_is_what_the_test_does_not_reject(n: int) -> None:
    """A shift inside the interval has p > 0.05 in the exact test, one outside has not."""
    differences = np.random.default_rng(n).normal(1, 2, n)
    found = pairs.shift(differences)
    width = found.high - found.low  # type: ignore[operator]
    for at, rejected in ((found.low, False), (found.high, False), (found.low - width, True)):
        inward = 1e-9 * width * np.sign(found.value - at)
        p = stats.wilcoxon(differences - (at + inward), method="exact").pvalue
        assert bool(p <= 0.05) is rejected
    just_out = stats.wilcoxon(differences - (found.low - 1e-9 * width), method="exact").pvalue
    assert just_out <= 0.05


def test_no_interval_where_no_test_can_reject() -> None:
    assert pairs.shift(np.array([1.0, 2.0, 3.0, 4.0, 5.0])).low is None
    assert pairs.shift(np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])).low == 1.0


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_the_signed_ranks_are_counted_right(n: int) -> None:
    found = pairs.rank_sum_probabilities(n)
    sums = [sum(r for r, s in zip(range(1, n + 1), signs, strict=True) if s)
            for signs in itertools.product((0, 1), repeat=n)]  # fmt: skip
    assert found == pytest.approx(np.bincount(sums) / 2**n)


def test_many_pairs_have_nearly_the_exact_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    differences = np.random.default_rng(3).normal(0, 1, 80)
    approximate = pairs.shift(differences)
    monkeypatch.setattr(pairs, "EXACT_UP_TO", 100)
    exact = pairs.shift(differences)
    assert (approximate.low, approximate.high) == pytest.approx((exact.low, exact.high), abs=0.01)


def test_the_p_value_is_the_exact_one() -> None:
    assert pairs.signed_rank_p(np.zeros(12)) == 1.0
    differences = np.array([0.3, 1.1, -0.2, 2.5, 1.9, 0.7])
    ranks = stats.rankdata(np.abs(differences))
    seen = ranks[differences < 0].sum()
    every = [sum(r for r, s in zip(ranks, signs, strict=True) if s)
             for signs in itertools.product((0, 1), repeat=6)]  # fmt: skip
    expected = 2 * np.mean(np.array(every) <= seen)
    assert pairs.signed_rank_p(differences) == pytest.approx(expected)


@pytest.mark.parametrize("alpha", [0.05, 0.01, 0.05 / 53])
def test_fewer_pairs_than_this_can_never_be_sure(alpha: float) -> None:
    fewest = pairs.fewest_for(alpha)
    assert 2 / 2**fewest <= alpha < 2 / 2 ** (fewest - 1)
    assert (
        pairs.signed_rank_p(np.arange(1.0, fewest + 1)) <= alpha < pairs.signed_rank_p(np.arange(1.0, fewest))
    )


VALUES = st.lists(st.integers(0, 5).map(float), min_size=1, max_size=12)


@settings(deadline=None)
@given(VALUES, VALUES)
def test_cliffs_delta_counts_all_pairs(a: list[float], b: list[float]) -> None:
    naive = sum((x > y) - (x < y) for x in a for y in b) / (len(a) * len(b))
    assert pairs.cliffs_delta(np.array(a), np.array(b)) == pytest.approx(naive)


def test_a_difference_is_of_the_common_seeds_only() -> None:
    first = np.array([1.0, 2.0, np.nan, 4.0])
    second = np.array([0.0, np.nan, 2.0, 2.0])
    found = pairs.difference(first, second)
    assert (found.n, found.mean.value, found.first_mean, found.second_mean) == (2, 1.5, 2.5, 1.0)
    assert found.share == 1.5


def test_one_common_seed_is_never_sure() -> None:
    found = pairs.difference(np.array([5.0]), np.array([1.0]))
    assert found.mean.low is None
    assert found.p == 1.0
    assert power.seeds_needed(found) is None


@pytest.mark.parametrize(
    ("delta", "word"), [(0.0, "negligible"), (0.2, "small"), (-0.4, "medium"), (1.0, "large")]
)
def test_effects_have_words(delta: float, word: str) -> None:
    some = pairs.difference(np.arange(3.0), np.arange(3.0))
    assert pairs.Difference(**{**vars(some), "delta": delta}).size_in_words == word


def naive_holm(p: list[float]) -> list[float]:
    """Adjusted p: the least level at which the step-down procedure, run in full, still rejects."""
    levels = sorted({min(1.0, value * k) for value in p for k in range(1, len(p) + 1)} | {1.0})

    def rejected(alpha: float) -> set[int]:
        found: set[int] = set()
        for step, index in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
            if p[index] * (len(p) - step) > alpha * (1 + 1e-12):
                break
            found.add(index)
        return found

    return [next((a for a in levels if i in rejected(a)), 1.0) for i in range(len(p))]


@settings(deadline=None)
@given(st.lists(st.floats(0.0, 1.0).map(lambda p: round(p, 4)), min_size=1, max_size=7, unique=True))
def test_holm_is_the_step_down_procedure(p: list[float]) -> None:
    assert holm.adjusted(p) == pytest.approx(naive_holm(p))


def test_holm_of_his_own_kind_of_table() -> None:
    assert holm.adjusted([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@pytest.mark.slow
@pytest.mark.parametrize(("effect", "comparisons"), [(0.4, 1), (0.7, 1), (0.6, 10)])
def test_as_many_seeds_as_said_find_the_difference_as_often_as_said(effect: float, comparisons: int) -> None:
    rng = np.random.default_rng(8)
    seen = rng.normal(0, 1, 4000)
    seen = (seen - seen.mean()) / seen.std(ddof=1) + effect  # a sample of exactly this effect
    needed = power.seeds_needed(pairs.difference(seen, np.zeros(4000)), comparisons)
    trials = [pairs.signed_rank_p(rng.normal(effect, 1, needed)) for _ in range(1200)]
    assert np.mean(np.array(trials) <= 0.05 / comparisons) == pytest.approx(0.8, abs=0.045)


def test_a_great_difference_still_takes_as_many_seeds_as_a_test_needs() -> None:
    found = pairs.difference(np.array([100.0, 101.0, 100.5]), np.array([1.0, 1.5, 1.2]))
    assert power.seeds_needed(found) == 6
    assert power.seeds_needed(found, comparisons=53) == pairs.fewest_for(0.05 / 53)


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("flow.goodput", 1), ("flow.goodput_bps", 1), ("web.completion.p99", -1), ("web.completed_flows", 1),
        ("flow.latency_s.p95", -1), ("links.a->b.utilisation", 1), ("links.a->b.queue_bytes_max", -1),
        ("links.loss.core->b.utilisation", 1), ("flow.lost_packets", -1), ("flow.jain", 1),
        ("flow.sent_packets", 0), ("loss.flows", 0), ("web.slowdown.p99", -1),
    ],
)  # fmt: skip
def test_what_is_better(metric: str, expected: int) -> None:
    assert better(metric) == expected
