"""DCTCP keeps the queue near its threshold; BBR keeps the rate under random loss and the queue short."""

from __future__ import annotations

import numpy as np
import pytest
from running import line, simulate
from test_theory_reno import MSS
from test_theory_shares import goodput_bps

from netarium.run.samples import Samples

WIRE = 1538


@pytest.mark.parametrize(
    ("flows", "threshold"),
    [
        pytest.param(1, 20, marks=pytest.mark.slow),
        (2, 20),
        pytest.param(2, 40, marks=pytest.mark.slow),
        pytest.param(10, 40, marks=pytest.mark.slow),
    ],
)
def test_dctcp_queue(flows: int, threshold: int) -> None:
    """Alizadeh et al., "Data center TCP", SIGCOMM 2010, equations 5 to 10: the queue moves between K + N - A and
    K + N, with A = sqrt(2 N (C RTT + K)) / 2, at the full rate and without a loss when K > C RTT / 7."""
    rate, rtt_s = 1e9, 404e-6
    marks = {"kind": "codel", "limit": 2000, "target": "1 s", "interval": "2 s"}
    marks["ce_threshold"] = f"{threshold * WIRE * 8 / rate * 1e6:.3f} us"
    network = line("1 Gbit/s", "200 us", pairs=flows, forward={"queue": marks})
    services = {
        f"x{i}": {
            "kind": "bulk",
            "from": f"s{i}",
            "to": f"d{i}",
            "start": f"{7 * i} ms",
            "transport": {"kind": "tcp", "congestion": "dctcp", "delayed_ack": False},
        }
        for i in range(flows)
    }
    trial = {"duration": "2 s", "network": network, "services": services, "probes": {"interval": "397 us"}}
    samples = simulate(trial)
    port = samples.ports.index("a->b")
    queue = samples.port_series["queue_packets"][len(samples.times_ps) // 3 :, port]
    swing = 0.5 * np.sqrt(2 * flows * (rate * rtt_s / (8 * WIRE) + threshold))
    low, high = np.percentile(queue, [2, 98])
    whole = max(3, flows / 2)  # windows are whole segments: half a segment each flow
    assert threshold + flows - swing - whole <= low and high <= threshold + flows + 3, (low, high, swing)
    assert samples.drops[port].sum() == 0
    rates = goodput_bps(samples, 0.7)
    assert rates.sum() > 0.995 * rate * MSS / WIRE
    assert rates.sum() ** 2 / (flows * (rates**2).sum()) > 0.95


def path(congestion: str, loss: float, duration: str = "30 s", packets: int = 830) -> Samples:
    """One transfer, 100 Mbit/s, RTT 100 ms, a queue of one bandwidth-delay product, random loss of the data."""
    network = line("100 Mbit/s", "50 ms", queue={"kind": "pfifo", "limit": packets})
    if loss:
        network["links"][1]["forward"] = {"impairments": {"loss": loss}}
    bulk = {"kind": "bulk", "from": "s0", "to": "d0", "transport": {"kind": "tcp", "congestion": congestion}}
    return simulate({"duration": duration, "network": network, "services": {"x": bulk}})


def used(samples: Samples, from_s: float = 5) -> float:
    """Goodput as a share of what the link can carry."""
    return float(goodput_bps(samples, from_s)[0]) / (100e6 * MSS / WIRE)


@pytest.mark.parametrize("loss", [0.01, 0.02, 0.05])
def test_bbr_under_random_loss(loss: float) -> None:
    """Cardwell et al., "BBR", ACM Queue 2016, figure 8 (100 Mbit/s, 100 ms): close to (1 - p) of the rate up to a few
    per cent of loss; CUBIC falls to a tenth of it at a thousandth of loss and to 2 % at one per cent."""
    assert used(path("bbr", loss)) > 0.9 * (1 - loss)
    assert used(path("cubic", loss)) < 0.05


def test_bbr_queue() -> None:
    """Cardwell et al., section on steady state: full rate, and RTTs near the least but for one phase in eight that
    probes with a quarter more; a loss-based control fills the queue."""
    bbr, cubic = path("bbr", 0), path("cubic", 0)
    assert used(bbr) > 0.95 and used(cubic) > 0.95

    def steady_queue(samples: Samples) -> float:
        port = samples.ports.index("a->b")
        return float(samples.port_series["queue_packets"][len(samples.times_ps) // 4 :, port].mean())

    assert steady_queue(bbr) < 0.1 * 830
    assert steady_queue(cubic) > 0.4 * 830
