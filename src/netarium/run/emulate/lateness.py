"""How late the engine was: what it was late with, and for how long. What follows is for measure/emulation.py to say."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from netarium.run.samples import log_linear_edges_ps

QUANTILES = {"p50": 0.5, "p99": 0.99, "p999": 0.999}


@dataclass
class Lateness:
    """Histograms over the bins of samples.log_linear_edges_ps, and where the engine's time went.

    frames: by how much a frame was written to its host after the instant at which it was due. events: by how much a turn of
    the engine began after the first event that was due in it. unread: for how long nobody looked whether hosts had sent, turn
    by turn. over_time: frames, one row a sample interval. time_s: seconds spent in read, engine, write, idle (asleep), spin
    (awake, waiting) and, where one thread paces several runs, for the others; longest_s: the most at once, where waking is what
    a sleep took too long. refused: frames that hosts' kernels dropped unread; overrun: those that they dropped because they
    came too fast while they were steered to other cores, for steered_s (steering.py). stolen_s: CPU time that a hypervisor
    took from this machine meanwhile.
    """

    frames: np.ndarray
    events: np.ndarray
    unread: np.ndarray
    over_time: np.ndarray
    time_s: dict[str, float] = field(default_factory=dict)
    longest_s: dict[str, float] = field(default_factory=dict)
    refused: int = 0
    overrun: int = 0
    steered_s: float = 0.0
    stolen_s: float = 0.0

    def figures(self) -> dict[str, object]:
        """For the record: seconds, named."""
        return {
            "frames": summary(self.frames),
            "events": summary(self.events),
            "unread": summary(self.unread),
            "over_time": {
                name: [summary(row)[name] for row in self.over_time]
                for name in ("p50", "p99", "max", "count")
            },
            "time_s": self.time_s,
            "longest_s": self.longest_s,
            "refused_frames": self.refused,
            "overrun_frames": self.overrun,
            "steered_s": self.steered_s,
            "stolen_s": self.stolen_s,
        }


def quantile_s(counts: np.ndarray, q: float) -> float:
    """The q-quantile of a histogram, s: the upper edge of the bin that holds it (1.6 % at most above it); 0 when empty."""
    total = int(counts.sum())
    if not total:
        return 0.0
    rank = max(1, int(np.ceil(q * total)))
    return float(log_linear_edges_ps()[int(np.searchsorted(np.cumsum(counts), rank)) + 1]) / 1e12


def summary(counts: np.ndarray) -> dict[str, float]:
    """Count, p50, p99, p999 and max of a histogram, s."""
    figures: dict[str, float] = {"count": int(counts.sum())}
    figures.update({name: quantile_s(counts, q) for name, q in QUANTILES.items()})
    figures["max"] = quantile_s(counts, 1.0)
    return figures
