"""Hops between nodes, counted by the search for few nodes and by SciPy for many."""

from __future__ import annotations

import random

import numpy as np

from netarium.describe.topology.layout import _few_hops, _hops


def test_both_ways_of_counting_hops_agree() -> None:
    draw = random.Random(5)
    for n in (3, 8, 40):
        pairs = {(draw.randrange(b), b) for b in range(1, n)} | {(0, n - 1)}
        ends = [end for a, b in sorted(pairs) for end in ((a, b), (b, a))]
        row, column = np.array(ends).T
        assert (_few_hops(n, ends) == _hops(n, row, column, None)).all()
