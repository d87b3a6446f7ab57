"""Rates that change become the kernel's trace records: from a file that a link names, or from events."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netarium.run.kernel.tracefile import RateTrace, changes, read
from netarium.run.kernel.traces import TRACE

Trace = tuple[Any, NDArray[Any]]
"""A TRACE record and its points, TRACE_POINT[n]; `first` is set where the points of all traces are joined."""


def follow_file(path: str | Path, spec: Any, overhead_bytes: int, where: str) -> Trace:
    """The trace of a file (spec: describe.links.RateTrace) for a port with that overhead on the wire.

    Raises TrialInvalid with every mistake of the file and its line.
    """
    return _encoded(read(path, spec.format, spec.loop, where), overhead_bytes)


def follow_changes(rate_bps: int, later: Sequence[tuple[int, int]]) -> Trace:
    """A rate that is `rate_bps` at first and then changes, each change (time_ps, rate_bps)."""
    return _encoded(changes(rate_bps, later), 0)


def _encoded(trace: RateTrace, overhead_bytes: int) -> Trace:
    record = np.zeros(1, TRACE)[0]
    trace.encode(record, 0, overhead_bytes)
    return record, trace.points
