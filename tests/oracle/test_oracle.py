"""The compiled engine against tests/naive.py: every packet leaves every link at the same picosecond.

Trials are drawn with fixed seeds so that no two things happen at the same picosecond (rates, delays and
starts are odd numbers), where the order would be a matter of taste.
"""

from __future__ import annotations

from typing import Any

import naive
import numpy as np
import pytest
from running import captured, described, line, simulate

from netarium.run.samples import latency_bin

QUEUES: dict[str, Any] = {
    "pfifo": {"kind": "pfifo", "limit": 30},
    "bfifo": {"kind": "bfifo", "limit": "20 kB"},
    "prio": {"kind": "prio", "child": {"kind": "pfifo", "limit": 12}},
    "prio of bfifo": {
        "kind": "prio",
        "bands": 4,
        "priomap": [3, 0, 1, 2] * 4,
        "child": {"kind": "bfifo", "limit": "9 kB"},
    },
    "codel": {"kind": "codel", "target": "2 ms", "interval": "11 ms"},
    "prio of codel": {"kind": "prio", "child": {"kind": "codel", "target": "2 ms", "interval": "11 ms"}},
}
DEEP: dict[str, Any] = {
    "pfifo": {"kind": "pfifo", "limit": 10_000},
    "prio": {"kind": "prio", "child": {"kind": "pfifo", "limit": 10_000}},
    "codel": {"kind": "codel", "target": "5 s", "interval": "9 s"},
}
PAIRS = 3


def network(draw: np.random.Generator, queue: dict[str, Any]) -> dict[str, Any]:
    """Three pairs of hosts over one narrow link with `queue`; odd rates and delays."""
    described = line(f"{draw.integers(9_000_000, 11_000_000)} bit/s", pairs=PAIRS, queue=queue)
    for link in described["links"]:
        link["delay"] = f"{draw.integers(10**7, 10**9)} ps"
        if link["endpoints"] != ["a", "b"]:
            link["rate"] = f"{draw.integers(10**9, 2 * 10**9)} bit/s"
            link["queue"] = {"kind": "pfifo", "limit": 10_000}
    described["links"][PAIRS]["delay"] = f"{draw.integers(2 * 10**10, 3 * 10**10)} ps"
    return described


def streams(draw: np.random.Generator) -> dict[str, Any]:
    """Constant and Poisson streams that together offer 1.3 times what the narrow link carries."""
    return {
        f"u{i}": {
            "kind": "stream",
            "from": f"s{i % PAIRS}",
            "to": f"d{i % PAIRS}",
            "rate": f"{draw.integers(1_500_000, 3_500_000)} bit/s",
            "packet_size": f"{draw.integers(64, 1500)} B",
            "pattern": "poisson" if i % 2 else "constant",
            "start": f"{draw.integers(1, 10**9)} ps",
            "stop": f"{draw.integers(7 * 10**11, 10**12)} ps",
            "priority": int(draw.integers(0, 16)),
        }
        for i in range(5)
    }


def windows(draw: np.random.Generator) -> dict[str, Any]:
    """Senders of a fixed window, some of which fill the narrow link."""
    acks: list[Any] = [False, {"every": 2, "timeout": "37 ms"}, {"every": 3, "timeout": "29 ms"}]
    return {
        f"w{i}": {
            "kind": "bulk",
            "from": f"s{i % PAIRS}",
            "to": f"d{i % PAIRS}",
            "size": f"{draw.integers(90_000, 300_000)} B",
            "start": f"{draw.integers(1, 10**10)} ps",
            "priority": int(draw.integers(0, 16)),
            "transport": {
                "congestion": "reno",
                "send_buffer": f"{1448 * window} B",
                "initial_window": 30,
                "delayed_ack": acks[i % 3],
            },
        }
        for i, window in enumerate(draw.integers(6, 16, PAIRS))
    }


def trial_of(seed: int, queue: dict[str, Any], services: list[Any], capture: bool) -> dict[str, Any]:
    draw = np.random.default_rng(seed)
    net = network(draw, queue)
    probes: dict[str, Any] = {"interval": "2 s"}
    if capture:
        # The narrow link and the senders' own stay as they are without a capture.
        ends = [("b", f"d{i}") for i in range(PAIRS)] + [("a", f"s{i}") for i in range(PAIRS)]
        probes["capture"] = [{"port": f"{a}->{b}"} for a, b in ends]
    chosen: dict[str, Any] = {}
    for each in services:
        chosen |= each(draw)
    return {"duration": "2 s", "seed": seed, "network": net, "services": chosen, "probes": probes}


def agree(plain: dict[str, Any], capture: bool) -> naive.Result:
    """Run a trial in both engines; all that can be compared is equal."""
    trial = described(plain)
    expected = naive.simulate(trial)
    samples, packets = captured(trial)
    for port, rows in packets.items():
        assert rows == expected.ports[port].left, port
    assert len(packets) == (2 * PAIRS if capture else 0)
    for index, port in enumerate(samples.ports):
        assert samples.port_totals["sent_packets"][index] == len(expected.ports[port].left), port
        assert samples.drops[index].sum() == expected.ports[port].queue.dropped, port
    for index, name in enumerate(samples.services):
        latencies = expected.latencies[name]
        assert samples.latency_count[index] == len(latencies) > 0
        assert samples.latency_sum_ps[index] == sum(latencies)
        assert (samples.latency_min_ps[index], samples.latency_max_ps[index]) == (
            min(latencies),
            max(latencies),
        )
        bins = np.bincount(
            [latency_bin(each) for each in latencies], minlength=samples.latency_counts.shape[1]
        )
        assert (bins == samples.latency_counts[index]).all()
    return expected


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("capture", [True, False], ids=["every packet", "totals"])
@pytest.mark.parametrize("queue", QUEUES)
def test_streams(queue: str, capture: bool, seed: int) -> None:
    expected = agree(trial_of(seed, QUEUES[queue], [streams], capture), capture)
    assert expected.ports["a->b"].queue.dropped > 20, "the queue had to drop"


@pytest.mark.parametrize("seed", [3, 4])
@pytest.mark.parametrize("queue", DEEP)
def test_windows(queue: str, seed: int) -> None:
    expected = agree(trial_of(seed, DEEP[queue], [windows], True), True)
    narrow = [kind for _, kind, _ in expected.ports["a->b"].left]
    assert narrow.count("data") > 200 and narrow.count("syn") == PAIRS


@pytest.mark.parametrize("capture", [True, False], ids=["every packet", "totals"])
@pytest.mark.parametrize("queue", DEEP)
def test_streams_and_windows_together(queue: str, capture: bool) -> None:
    agree(trial_of(5, DEEP[queue], [windows, streams], capture), capture)


def test_the_oracle_can_tell() -> None:
    """A queue that is one packet longer is seen."""
    trial = trial_of(1, QUEUES["pfifo"], [streams], False)
    expected = naive.simulate(described(trial, network__links=trial["network"]["links"]))
    trial["network"]["links"][PAIRS]["queue"] = {"kind": "pfifo", "limit": 31}
    samples = simulate(trial)
    assert samples.latency_sum_ps.sum() != sum(map(sum, expected.latencies.values()))
