"""Waiting times against queueing theory: M/D/1 and M/M/1, and what a token bucket lets pass.

Means are over independent runs; the theory must lie in their 99.9 % confidence interval (Student's t), and
the interval must be narrow enough to mean something.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from running import captured, described, line, simulate
from scipy import stats

from netarium.run.samples import Samples

WIRE_BYTES = 1000 + 38
RATE_BPS = 10**9
CONFIDENCE = 0.999


def interval(values: list[float]) -> tuple[float, float]:
    """Mean and half-width of the confidence interval of independent values."""
    spread = stats.sem(values) * stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1)
    return float(np.mean(values)), float(spread)


def waiting_s(samples: Samples) -> float:
    """Mean time a packet waited at the narrow link before its transmission."""
    port = samples.port_totals[samples.ports.index("a->b")]
    return float(port["queue_time_ps"] / port["sent_packets"]) * 1e-12


def poisson(load: float) -> dict[str, Any]:
    """Fixed-size packets as a Poisson process over one narrow link behind one that is a thousand times faster."""
    rate = round(load * RATE_BPS * 1000 / WIRE_BYTES)
    stream = {"kind": "stream", "from": "s0", "to": "d0", "pattern": "poisson", "packet_size": "1000 B"}
    return {
        "duration": "1 s",
        "network": line(f"{RATE_BPS} bit/s", access="1000 Gbit/s", queue={"kind": "pfifo", "limit": 100_000}),
        "services": {"x": {**stream, "rate": f"{rate} bit/s"}},
    }


@pytest.mark.parametrize(
    "load", [pytest.param(0.5, marks=pytest.mark.slow), 0.8, pytest.param(0.9, marks=pytest.mark.slow)]
)
def test_m_d_1(load: float) -> None:
    """Mean wait rho * S / (2 (1 - rho)) (Pollaczek and Khinchine; Kleinrock, Queueing Systems 1, eq. 5.77)."""
    measured = [waiting_s(simulate(poisson(load), seed=seed)) for seed in range(1, 13)]
    mean, half = interval(measured)
    expected = load * (8 * WIRE_BYTES / RATE_BPS) / (2 * (1 - load))
    assert half < 0.1 * expected
    assert abs(mean - expected) < half, (
        f"{mean * 1e6:.4f} us, theory {expected * 1e6:.4f} +- {half * 1e6:.4f}"
    )


def exponential_packets(folder: Path, seed: int, load: float, count: int, mean_bytes: int) -> None:
    """A list of packets with exponential sizes (rounded up to a byte) at the instants of a Poisson process."""
    draw = np.random.default_rng(seed)
    sizes = np.maximum(np.ceil(draw.exponential(mean_bytes, count)), 29)
    gap_s = 8 * mean_bytes / RATE_BPS / load
    times = np.cumsum(draw.exponential(gap_s, count))
    rows = (f"{time:.12f},{int(size)}" for time, size in zip(times, sizes, strict=True))
    (folder / "packets.csv").write_text("\n".join(rows))


def test_m_m_1(tmp_path: Path) -> None:
    """Mean wait rho * S / (1 - rho), and a time in the system that is exponential (Kleinrock, eq. 3.26, 5.118)."""
    load, mean_bytes, count = 0.7, 4000, 40_000
    service_s = 8 * mean_bytes / RATE_BPS
    waits, shares = [], []
    network = line(
        f"{RATE_BPS} bit/s",
        "0 s",
        access="1000 Gbit/s",
        queue={"kind": "pfifo", "limit": 10**6},
        overhead="0 B",
    )
    network["defaults"] = {"mtu": "65535 B"}
    for seed in range(1, 13):
        exponential_packets(tmp_path, seed, load, count, mean_bytes)
        trial = {
            "duration": "2 s",
            "network": network,
            "services": {"x": {"kind": "replay", "file": "packets.csv", "from": "s0", "to": "d0"}},
        }
        samples = simulate(trial, tmp_path)
        assert samples.latency_count[0] == count
        waits.append(waiting_s(samples))
        shares.append(beyond(samples, [service_s / (1 - load) * k for k in (0.5, 1, 2, 4)]))
    mean, half = interval(waits)
    expected = load * service_s / (1 - load)
    assert half < 0.1 * expected
    assert abs(mean - expected) < half, (
        f"{mean * 1e6:.3f} us, theory {expected * 1e6:.3f} +- {half * 1e6:.3f}"
    )
    for k, column in zip((0.5, 1, 2, 4), np.array(shares).T, strict=True):
        mean, half = interval(list(column))
        assert abs(mean - math.exp(-k)) < half + 0.01, f"P(T > {k} E[T]) = {mean:.4f} +- {half:.4f}"


def beyond(samples: Samples, times_s: list[float]) -> list[float]:
    """Share of the packets that took longer than each time, besides 2 us of propagation."""
    edges = samples.latency_edges_ps[:-1] * 1e-12 - 2e-6
    counts = samples.latency_counts[0]
    return [float(counts[edges >= time].sum() / counts.sum()) for time in times_s]


@pytest.mark.parametrize("burst", [3000, 15_000, 60_000])
def test_token_bucket(burst: int) -> None:
    """tbf: in any time t at most burst + rate * t bytes leave; while it is never empty, all of rate * t does."""
    rate = 20_000_000
    offered = {"kind": "stream", "from": "s0", "to": "d0", "pattern": "on_off", "on": "20 ms", "off": "30 ms"}
    shaper = {"kind": "tbf", "rate": f"{rate} bit/s", "burst": f"{burst} B", "limit": "10 MB"}
    trial = {
        "duration": "2 s",
        "network": line("1 Gbit/s", forward={"queue": shaper}),
        "services": {
            "big": {**offered, "rate": "60 Mbit/s", "packet_size": "1500 B"},
            "small": {**offered, "rate": "12 Mbit/s", "packet_size": "117 B"},
        },
        "probes": {"capture": [{"port": "a->b"}]},
    }
    _, packets = captured(described(trial), number="size_bytes")
    level, last, least, total = float(burst), 0.0, float(burst), 0
    for time_ps, _, size in packets["a->b"]:
        began = time_ps * 1e-12 - 8 * (size + 38) / 1e9
        level = min(float(burst), level + (began - last) * rate / 8) - size
        least, last, total = min(least, level), began, total + size
    assert least > -1.0, f"{-least:.1f} bytes more than the bucket allows"
    assert least < 200, "the bucket was never used up"
    assert total > 500_000
