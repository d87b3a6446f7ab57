"""Where in a run a bound was exceeded, as closely as the samples tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from netarium.units import SECOND_PS

if TYPE_CHECKING:
    from netarium.run.samples import Samples


def violation(samples: Samples, services: Sequence[str], bound: Mapping[str, float]) -> dict[str, float]:
    """{from_s, to_s}: the sample interval in which the first packet beyond the bound arrived, with the time before it in
    which that packet was under way.

    Of a delay variation beyond its bound, the interval with the largest latency.
    """
    members = [samples.services.index(name) for name in services]
    windows = samples.window_latency[:, members]
    latest = np.where(windows["count"] > 0, windows["max_ps"], -1).max(axis=1)
    late = latest > bound.get("latency_s", np.inf) * SECOND_PS
    row = int(np.argmax(late)) if late.any() else int(np.argmax(latest))
    began = int(samples.starts_ps()[row]) - int(latest[row])
    return {"from_s": max(0, began) / SECOND_PS, "to_s": int(samples.times_ps[row]) / SECOND_PS}
