"""Effects of one parameter over all else: against the mean worked out by hand, and made interactions."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from netarium.measure.repeats.factors import effect

BLOCKS, SEEDS = ("shallow", "deep", "long"), range(1, 13)
GAIN = {"shallow": 5.0, "deep": -2.0, "long": 0.0}


def table(missing: set[tuple[str, str, int]] = frozenset()) -> tuple:  # type: ignore[assignment]
    """Rows of b at 10 and a at 10 + gain of the block, plus what the seed does to both and a little noise."""
    rng = np.random.default_rng(2)
    rows = []
    for level, block, seed in itertools.product("ab", BLOCKS, SEEDS):
        value = 10 + (GAIN[block] if level == "a" else 0) + 3 * np.sin(seed) + rng.normal(0, 0.3)
        if (level, block, seed) not in missing:
            rows.append((level, block, seed, value))
    levels, blocks, seeds, values = zip(*rows, strict=True)
    return list(levels), list(blocks), np.array(seeds), np.array(values)


def test_the_effect_is_the_mean_over_blocks_and_seeds() -> None:
    found = effect(*table(), "a", "b")
    assert found is not None
    levels, _, _, values = table()
    of_a = np.array(levels) == "a"
    assert found.overall.mean.value == pytest.approx(values[of_a].mean() - values[~of_a].mean())
    assert found.overall.n == len(SEEDS)
    assert found.overall.mean.value == pytest.approx(1.0, abs=0.2)


def test_what_the_seed_does_to_both_falls_out() -> None:
    found = effect(*table(), "a", "b")
    assert found is not None
    assert found.overall.spread < 0.5  # the seeds alone move values by 2


def test_blocks_are_counted_by_who_is_surely_ahead() -> None:
    found = effect(*table(), "a", "b")
    assert found is not None
    assert (found.ahead, found.behind, found.undecided, found.blocks) == (1, 1, 1, 3)


def test_a_missing_run_takes_its_partner_along() -> None:
    missing = {("b", "deep", seed) for seed in SEEDS if seed != 3}
    found = effect(*table(missing), "a", "b")
    assert found is not None
    assert found.overall.n == len(SEEDS)
    assert found.overall.mean.value == pytest.approx(
        (11 * 2.5 + 1) / 12, abs=0.2
    )  # deep counts in seed 3 only


def test_nothing_in_common_is_no_effect() -> None:
    missing = {("b", block, seed) for block in BLOCKS for seed in SEEDS}
    assert effect(*table(missing), "a", "b") is None


def test_values_that_were_not_measured_do_not_count() -> None:
    levels, blocks, seeds, values = table()
    values[0] = np.nan
    found = effect(levels, blocks, seeds, values, "a", "b")
    without = effect(*table({(levels[0], blocks[0], int(seeds[0]))}), "a", "b")
    assert found is not None
    assert without is not None
    assert found.ahead == without.ahead
