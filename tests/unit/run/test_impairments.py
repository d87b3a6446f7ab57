"""Impairments: rates within exact binomial bounds, bursts and spreads against closed forms, netem's rules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from netarium.describe.impairments import Impairments
from netarium.run.kernel import records as r
from netarium.run.kernel.impairments import (
    IMPAIRMENT,
    corrupted,
    duplicated,
    encode,
    extra_delay_ps,
    lost,
    normal_quantile,
)
from netarium.run.kernel.jit import kernel
from netarium.run.kernel.memory import Memory, as_sim

MS = 10**9
PACKETS = 200_000
CONFIDENCE = 1e-6
"""Chance that a correct implementation fails a test (once and for all: the draws are fixed)."""


@kernel(entry=True)
def judge_all(address: Any, out: Any, delay_ps: int) -> None:
    """Columns of out: lost, corrupted, duplicated, extra delay of each packet."""
    sim = as_sim(address)
    impairment = sim.impairments[0]
    stream = sim.streams[0]
    for k in range(len(out)):
        out[k, 0] = lost(impairment, stream)
        out[k, 1] = corrupted(impairment, stream)
        out[k, 2] = duplicated(impairment, stream)
        out[k, 3] = extra_delay_ps(impairment, stream, delay_ps)


@kernel(entry=True)
def quantiles(u: Any, out: Any) -> None:
    for k in range(len(u)):
        out[k] = normal_quantile(u[k])


def judged(delay_ps: int = 10 * MS, packets: int = PACKETS, **spec: Any) -> np.ndarray:
    return judged_with_draws(delay_ps, packets, **spec)[0]


def judged_with_draws(delay_ps: int, packets: int, **spec: Any) -> tuple[np.ndarray, int]:
    """The columns of judge_all, and the random numbers taken."""
    impairments = np.zeros(1, IMPAIRMENT)
    encode(impairments.view(np.recarray)[0], Impairments(**spec), 0)
    streams = np.zeros(1, r.STREAM)
    streams["key"] = 99
    memory = Memory(impairments=impairments, streams=streams)
    out = np.zeros((packets, 4), np.int64)
    judge_all(memory.handle, out, delay_ps)
    return out, int(memory.streams[0].count)


def assert_rate(hits: int, of: int, probability: float) -> None:
    """hits lie in the two-sided binomial interval."""
    low, high = stats.binom.interval(1 - CONFIDENCE, of, probability)
    assert low <= hits <= high, f"{hits} of {of}, expected {probability}"


@pytest.mark.parametrize("probability", [0.0, 0.001, 0.1, 0.9, 1.0])
def test_independent_loss_corruption_and_duplication_have_their_rates(probability: float) -> None:
    out = judged(loss=probability, corrupt=probability, duplicate=probability)
    for column in range(3):
        assert_rate(int(out[:, column].sum()), PACKETS, probability)
    assert not out[:, 3].any()


def test_independent_losses_have_no_memory() -> None:
    hit = judged(loss=0.1)[:, 0]
    after_a_loss = hit[1:][hit[:-1] == 1]
    assert_rate(int(after_a_loss.sum()), len(after_a_loss), 0.1)


def test_nothing_is_drawn_for_what_is_not_asked() -> None:
    draws = {
        0: {},
        1: {"loss": 0.3},
        2: {"loss": {"kind": "gilbert_elliott", "p": 0.1, "r": 0.1}},
        3: {"duplicate": 0.1, "corrupt": 0.1, "jitter": {"delay": "1 ms"}},
        4: {"loss": 0.3, "duplicate": 0.1, "corrupt": 0.1, "reorder": {"probability": 0.0001}},
    }
    assert {judged_with_draws(0, 100, **spec)[1] for spec in draws.values()} == {100 * n for n in draws}


@pytest.mark.parametrize(
    ("p", "r_", "h", "k"), [(0.01, 0.25, 0.0, 1.0), (0.002, 0.05, 0.3, 0.999), (0.5, 0.5, 0.0, 1.0)]
)
def test_gilbert_elliott_has_its_stationary_loss_and_bursts(p: float, r_: float, h: float, k: float) -> None:
    """Loss: (p (1-h) + r (1-k)) / (p + r). With h=0, k=1 a burst is geometric of mean 1/r."""
    loss = {"kind": "gilbert_elliott", "p": p, "r": r_, "h": h, "k": k}
    hit = judged(loss=loss, packets=1_000_000)[:, 0]
    expected = (p * (1 - h) + r_ * (1 - k)) / (p + r_)
    # variance of a sum over a two-state chain with second eigenvalue 1 - p - r
    bad = p / (p + r_)
    chain = (1 - p - r_) / (p + r_)
    variance = expected * (1 - expected) + 2 * chain * bad * (1 - bad) * (k - h) ** 2
    assert abs(hit.mean() - expected) < 5 * np.sqrt(variance / len(hit))
    if h == 0 and k == 1:
        edges = np.flatnonzero(np.diff(hit))
        lengths = np.diff(edges)[::2] if hit[0] == 0 else np.diff(edges)[1::2]
        deviation = np.sqrt(1 - r_) / r_ / np.sqrt(len(lengths))
        assert abs(lengths.mean() - 1 / r_) < 5 * deviation
        assert_rate(int((lengths == 1).sum()), len(lengths), r_)


def test_gilbert_elliott_judges_before_it_changes_state() -> None:
    """netem: the first packet finds the good state, even if it leaves at once."""
    hit = judged(loss={"kind": "gilbert_elliott", "p": 1.0, "r": 1.0}, packets=6)[:, 0]
    assert hit.tolist() == [0, 1] * 3


def test_periodic_loss_is_every_nth() -> None:
    hit = judged(loss={"kind": "periodic", "every": 7}, packets=70)[:, 0]
    assert np.flatnonzero(hit).tolist() == list(range(6, 70, 7))


@pytest.mark.parametrize(
    ("distribution", "law"),
    [
        ("uniform", stats.uniform(-MS, 2 * MS)),
        ("normal", stats.norm(0, MS)),
        ("pareto", stats.pareto(3, loc=-1.5 * MS / 0.75**0.5, scale=MS / 0.75**0.5)),
    ],
)
def test_jitter_follows_its_distribution(distribution: str, law: Any) -> None:
    """Kolmogorov-Smirnov below 4 standard deviations, where netem's tables end and so does ours."""
    extra = judged(jitter={"delay": "1 ms", "distribution": distribution})[:, 3]
    assert extra.max() <= 4 * MS
    body = extra[extra < 4 * MS]
    statistic, _ = stats.kstest(body, lambda x: law.cdf(x) / law.cdf(4 * MS))
    assert statistic < np.sqrt(-0.5 * np.log(CONFIDENCE / 2) / len(body))
    assert_rate(len(extra) - len(body), len(extra), law.sf(4 * MS))


def test_jitter_never_makes_the_delay_negative() -> None:
    extra = judged(delay_ps=MS // 2, jitter={"delay": "1 ms", "distribution": "normal"})[:, 3]
    assert extra.min() == -MS // 2


@pytest.mark.parametrize("rho", [0.25, 0.9])
def test_jitter_correlation_is_netems(rho: float) -> None:
    """x' = (1-rho) u + rho x: autocorrelation rho, variance (1-rho)/(1+rho) of the uncorrelated one."""
    extra = judged(jitter={"delay": "1 ms", "correlation": rho})[100:, 3] / MS
    assert abs(np.corrcoef(extra[1:], extra[:-1])[0, 1] - rho) < 0.01
    assert extra.var() == pytest.approx((1 - rho) / (1 + rho) / 3, rel=0.03)
    assert abs(extra.mean()) < 0.02


def test_reordered_packets_skip_the_whole_delay() -> None:
    extra = judged(delay_ps=7 * MS, reorder={"probability": 0.25}, jitter={"delay": "1 ms"})[:, 3]
    ahead = extra == -7 * MS
    assert_rate(int(ahead.sum()), PACKETS, 0.25)
    assert (np.abs(extra[~ahead]) <= MS).all()


def test_reordering_with_a_gap_takes_every_nth() -> None:
    ahead = judged(reorder={"probability": 1.0, "gap": 5}, packets=50)[:, 3] < 0
    assert np.flatnonzero(ahead).tolist() == list(range(4, 50, 5))


def test_reordering_with_a_gap_and_a_probability_waits_for_both() -> None:
    """netem: from the gap-th packet on each has its chance, then the count begins again."""
    ahead = judged(reorder={"probability": 0.5, "gap": 4})[:, 3] < 0
    gaps = np.diff(np.flatnonzero(ahead))
    assert gaps.min() == 4
    assert gaps.mean() == pytest.approx(3 + 1 / 0.5, rel=0.02)


def test_normal_quantile_is_the_inverse_of_the_normal_distribution() -> None:
    u = np.concatenate([np.linspace(1e-6, 1 - 1e-6, 4001), [1e-14, 0.02424, 0.02426, 0.97574, 0.97576]])
    out = np.zeros(len(u))
    quantiles(u, out)
    assert np.allclose(out, stats.norm.ppf(u), rtol=2e-9, atol=2e-9)
    ends = np.zeros(2)
    quantiles(np.array([0.0, 1.0 - 2.0**-53]), ends)
    assert (np.abs(ends) == 8.0).all()
