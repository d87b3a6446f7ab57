"""Makes the synthetic cellular traces of this folder: python examples/traces/make_cellular.py (needs NumPy).

The model is the one by which Sprout forecasts cellular links: packets leave in a Poisson process whose rate does a
Brownian motion of 200 packets/s per root second between 0 and 1,000 packets/s; at 0 it stays, and escapes once a
second on average. Winstein, Sivaraman, Balakrishnan: Stochastic Forecasts Achieve High Throughput and Low Delay over
Cellular Networks, NSDI 2013, section 3.1. The rate moves in steps of 20 ms, Sprout's tick.

No operator's network was measured: the traces are draws of the model. `synthetic-3g` has a quarter of the rates.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

RATE_MAX, MOTION, ESCAPE = 1000.0, 200.0, 1.0  # packets/s, packets/s per root second, escapes per second
TICK_S, SECONDS = 0.02, 40
TRACES = {"synthetic-lte-a": (11, 1.0), "synthetic-lte-b": (12, 1.0), "synthetic-3g": (13, 0.25)}


def rates(draw: np.random.Generator) -> np.ndarray:
    """Packets per second in every tick, beginning in the middle of the range."""
    found = np.empty(round(SECONDS / TICK_S))
    rate = RATE_MAX / 2
    for tick in range(len(found)):
        step = MOTION * np.sqrt(TICK_S) * draw.normal()
        if rate > 0:
            rate = min(max(rate + step, 0.0), RATE_MAX)
        elif draw.random() < -np.expm1(-ESCAPE * TICK_S):
            rate = abs(step)
        found[tick] = rate
    return found


def opportunities(seed: int, scale: float) -> np.ndarray:
    """Milliseconds at which 1504 bytes may leave, from 1 on, in order; the last one is the end of the trace."""
    draw = np.random.default_rng(seed)
    counts = draw.poisson(rates(draw) * scale * TICK_S)
    starts = np.arange(len(counts)) * TICK_S * 1000
    times = np.repeat(starts, counts) + draw.uniform(0, TICK_S * 1000, counts.sum())
    return np.append(np.sort(np.floor(times).astype(int) + 1), SECONDS * 1000)


def main() -> None:
    folder = Path(__file__).parent
    for name, (seed, scale) in TRACES.items():
        times = opportunities(seed, scale)
        (folder / f"{name}.trace").write_text("".join(f"{time}\n" for time in times), encoding="ascii")


if __name__ == "__main__":
    main()
