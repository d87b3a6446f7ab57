"""Projections: how long a volume would take, from what a service delivered and its goodput in a window.

    completion = end of the window - start + (size - delivered until then) / goodput in the window

What was simulated counts as it was; the rest is extrapolated, as a straight line. Its interval is that of the
mean goodput (batch means, see intervals.py): how steady the goodput was in this run, not what another path,
hour or seed would give. A volume that the run delivered whole is not extrapolated at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from netarium.measure import intervals
from netarium.measure.series import Curve, active_interval_ps, flows_of, service_curve
from netarium.units import SECOND_PS

if TYPE_CHECKING:
    from netarium.describe.projections import Projection
    from netarium.describe.trial import Trial
    from netarium.run.samples import Samples


def project(samples: Samples, trial: Trial) -> list[dict[str, Any]]:
    """One entry per projection of the trial, in its order; keys and units as in docs/metrics.md."""
    return [_project(entry, samples, trial) for entry in trial.projections]


def _project(entry: Projection, samples: Samples, trial: Trial) -> dict[str, Any]:
    index = samples.services.index(entry.service)
    flows = flows_of(samples, index)
    curve = service_curve(samples, index, "delivered_bytes", flows)
    start_ps, stop_ps = active_interval_ps(samples, trial.services[entry.service], index, flows)
    from_ps = start_ps if entry.from_ is None else max(entry.from_, start_ps)
    to_ps = stop_ps if entry.to is None else min(entry.to, stop_ps)
    goodput, interval = _goodput(curve, samples, from_ps, to_ps)
    delivered = min(float(curve.at(to_ps)), float(entry.size))
    return {
        "service": entry.service,
        "label": entry.label,
        "size_bytes": entry.size,
        "window_s": [from_ps / SECOND_PS, to_ps / SECOND_PS],
        "goodput_bps": goodput,
        "goodput_bps_ci95": None if interval is None else list(interval),
        "simulated_s": (to_ps - start_ps) / SECOND_PS,
        "simulated_share": delivered / entry.size,
        **_completion(curve, entry.size, start_ps, to_ps, goodput, interval),
        "line_rate_bps": entry.line_rate,
        "line_rate_s": None if entry.line_rate is None else entry.size * 8 / entry.line_rate,
        "published": entry.published,
    }


def _goodput(
    curve: Curve, samples: Samples, from_ps: int, to_ps: int
) -> tuple[float | None, tuple[float, float] | None]:
    """Mean goodput of the window in bit/s and its 95 % interval; None where there is none."""
    if to_ps <= from_ps:
        return None, None
    inside = samples.times_ps[(samples.times_ps > from_ps) & (samples.times_ps < to_ps)]
    edges = np.concatenate([[from_ps], inside, [to_ps]])
    rates = np.diff(curve.at(edges)) * 8 * SECOND_PS / np.diff(edges)
    return float(curve.rise(from_ps, to_ps)) * 8 * SECOND_PS / (to_ps - from_ps), intervals.batch_means(
        rates.tolist()
    )


def _completion(
    curve: Curve,
    size_bytes: int,
    start_ps: int,
    to_ps: int,
    goodput: float | None,
    interval: tuple[float, float] | None,
) -> dict[str, Any]:
    """Seconds from the start of the service to the last byte, and their 95 % interval."""
    left_bits = (size_bytes - float(curve.at(to_ps))) * 8
    if left_bits <= 0:
        # From the first instant that has the volume back to where it rose to it.
        after = int(np.argmax(curve.values >= size_bytes))
        reached = curve.times_ps[max(after - 1, 0) : after + 1].astype(np.float64)
        at_ps = float(np.interp(size_bytes, curve.values[max(after - 1, 0) : after + 1], reached))
        seconds = (at_ps - start_ps) / SECOND_PS
        return {"completion_s": seconds, "completion_s_ci95": [seconds, seconds]}
    if not goodput:
        return {"completion_s": None, "completion_s_ci95": None}
    before = (to_ps - start_ps) / SECOND_PS
    bounds = None
    if interval is not None and interval[0] > 0:
        bounds = [before + left_bits / interval[1], before + left_bits / interval[0]]
    return {"completion_s": before + left_bits / goodput, "completion_s_ci95": bounds}
