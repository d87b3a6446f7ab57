"""Reno's goodput under random and periodic loss: Mathis's square-root law and the formula of Padhye et al."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from running import line, simulate
from test_theory_shares import goodput_bps

MSS = 1448
RTT_S = 0.05004


def lossy(loss: Any, congestion: str, duration: str, **transport: Any) -> dict[str, Any]:
    """One transfer over a link too fast to matter, with loss in the direction of the data; RTT 50 ms."""
    return {
        "duration": duration,
        "network": line("10 Gbit/s", "25 ms", access="10 Gbit/s", forward={"impairments": {"loss": loss}}),
        "services": {
            "x": {
                "kind": "bulk",
                "from": "s0",
                "to": "d0",
                "transport": {"kind": "tcp", "congestion": congestion, **transport},
            }
        },
        "probes": {"interval": "1 s"},
    }


def window(
    loss: Any, congestion: str = "reno", duration: str = "400 s", seeds: int = 4, **transport: Any
) -> float:
    """Mean window in segments: goodput times RTT, without the first 20 s."""
    trial = lossy(loss, congestion, duration, **transport)
    rates = [goodput_bps(simulate(trial, seed=seed), 20)[0] for seed in range(1, seeds + 1)]
    return float(np.mean(rates)) * RTT_S / (8 * MSS)


def pftk(p: float, rto_s: float = 0.25) -> float:
    """Window of Padhye et al. (SIGCOMM 1998, eq. 30, approximate model), b = 1: bytes are counted, not ACKs."""
    slow = rto_s / RTT_S * min(1.0, 3 * np.sqrt(3 * p / 8)) * p * (1 + 32 * p * p)
    return 1 / (np.sqrt(2 * p / 3) + slow)


@pytest.mark.parametrize("acks", [True, False], ids=["delayed acks", "every packet"])
@pytest.mark.parametrize(
    ("loss", "duration", "seeds"),
    [
        pytest.param(1e-4, "1500 s", 2, marks=pytest.mark.slow),
        pytest.param(3e-4, "800 s", 2, marks=pytest.mark.slow),
        (1e-3, "400 s", 2),
        (3e-3, "400 s", 2),
        (1e-2, "400 s", 2),
    ],
)
def test_random_loss(loss: float, duration: str, seeds: int, acks: bool) -> None:
    """Within 10 % of PFTK; where losses are rare enough that no window has two, of Mathis's law for random loss too
    (Mathis, Semke, Mahdavi, Ott, CCR 1997, table 1: C = 1.31). Reno here counts bytes, so delayed ACKs change nothing."""
    measured = window(loss, duration=duration, seeds=seeds, delayed_ack=acks)
    assert measured == pytest.approx(pftk(loss), rel=0.1)
    if loss <= 1e-3:
        assert measured == pytest.approx(1.31 / np.sqrt(loss), rel=0.1)


@pytest.mark.parametrize("loss", [pytest.param(1e-4, marks=pytest.mark.slow), 1e-3])
def test_periodic_loss(loss: float) -> None:
    """Every n-th packet lost: W = C / sqrt(p) with C = sqrt(3/2) (Mathis et al., table 1, periodic)."""
    measured = window({"kind": "periodic", "every": round(1 / loss)}, seeds=1)
    assert measured == pytest.approx(np.sqrt(1.5 / loss), rel=0.1)


def test_the_window_follows_the_square_root() -> None:
    """A hundredth of the loss, ten times the window."""
    few, many = (window({"kind": "periodic", "every": every}, seeds=1) for every in (10_000, 100))
    assert few / many == pytest.approx(10, rel=0.25)
