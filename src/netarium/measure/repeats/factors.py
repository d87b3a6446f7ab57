"""The effect of one swept parameter: two of its values, everything else equal, over all else that was swept.

A *block* is one setting of everything but the parameter and the seed. Within a block and a seed the two values are
compared; the mean over the blocks of one seed is one number, and the seeds are the sample (what they draw is
independent). The interval is about this grid of blocks, not about others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netarium.measure.repeats import estimates
from netarium.measure.repeats.pairs import Difference, difference


@dataclass(frozen=True)
class Effect:
    """`first` against `second` of one parameter.

    overall: over the seeds, each the mean over its blocks. ahead, behind, undecided: blocks in which the interval of
    the difference is above zero, below it, or holds it (each block by itself, at 95 %).
    """

    first: str
    second: str
    overall: Difference
    ahead: int
    behind: int
    undecided: int

    @property
    def blocks(self) -> int:
        return self.ahead + self.behind + self.undecided


def effect(
    levels: Sequence[str],
    blocks: Sequence[str],
    seeds: np.ndarray,
    values: np.ndarray,
    first: str,
    second: str,
) -> Effect | None:
    """Compare two levels; all arguments have one entry per run. None without one common block and seed.

    Where a run is missing in one of the two, its partner does not count either.
    """
    a, b = _by_place(levels, blocks, seeds, values, first), _by_place(levels, blocks, seeds, values, second)
    common = sorted(a.keys() & b.keys())
    if not common:
        return None
    pairs = np.array([(a[place], b[place]) for place in common])
    per_seed = _means_by([seed for _, seed in common], pairs)
    overall = difference(per_seed[:, 0], per_seed[:, 1])
    ahead, behind, undecided = _signs([block for block, _ in common], pairs[:, 0] - pairs[:, 1])
    return Effect(first, second, overall, ahead, behind, undecided)


def _by_place(
    levels: Sequence[str], blocks: Sequence[str], seeds: np.ndarray, values: np.ndarray, level: str
) -> dict[tuple[str, int], float]:
    """(block, seed) -> value of the runs with this level that were measured."""
    rows = zip(levels, blocks, seeds, values, strict=True)
    return {(b, int(s)): float(v) for at, b, s, v in rows if at == level and np.isfinite(v)}


def _means_by(keys: Sequence[int], pairs: np.ndarray) -> np.ndarray:
    """float64[keys, 2]: the mean of the pairs of every key."""
    unique, inverse = np.unique(np.asarray(keys), return_inverse=True)
    sums = np.zeros((len(unique), 2))
    np.add.at(sums, inverse, pairs)
    return sums / np.bincount(inverse)[:, None]


def _signs(blocks: Sequence[str], differences: np.ndarray) -> tuple[int, int, int]:
    """In how many blocks the first is surely ahead, surely behind, and neither, by Student's intervals."""
    names, places = np.unique(np.asarray(blocks, dtype=str), return_inverse=True)
    found = [_surely(estimates.student(differences[places == index])) for index in range(len(names))]
    ahead, behind = found.count(1), found.count(-1)
    return ahead, behind, len(found) - ahead - behind


def _surely(estimate: estimates.Estimate) -> int:
    """1, -1, or 0 when zero is inside; the same difference at several seeds is as sure as these trials can be."""
    if estimate.excludes_zero or estimate.method == estimates.EQUAL:
        return int(np.sign(estimate.value))
    return 0
