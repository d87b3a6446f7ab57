"""Holm's correction: p-values of many comparisons made together, so that one in twenty families errs at most.

Holm: A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6, 1979.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def adjusted(p_values: Sequence[float]) -> list[float]:
    """The p-values, in their order, raised so that each can be held against the level of the family."""
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p, kind="stable")
    factors = np.arange(len(p), 0, -1)
    raised = np.minimum(np.maximum.accumulate(p[order] * factors), 1.0)
    found = np.empty(len(p))
    found[order] = raised
    return found.tolist()
