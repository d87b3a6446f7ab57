"""Ways, failures and impairments in whole trials: which way packets go, what is lost, late or twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from running import HOST, line, simulate

from netarium.run.samples import Samples
from netarium.units import SECOND_PS

ENDS = {"from": "s0", "to": "d0"}
STREAM = ENDS | {"kind": "stream", "rate": "12 Mbit/s"}
"""A packet of 1500 bytes each millisecond."""
MS_PS = SECOND_PS // 1000


def dropped(samples: Samples, reason: str) -> dict[str, int]:
    """Packets dropped for a reason, by port."""
    column = samples.drops[:, samples.reasons.index(f"DROP_{reason}")]
    return {port: int(n) for port, n in zip(samples.ports, column, strict=True) if n}


def sent(samples: Samples, port: str) -> int:
    return int(samples.port_totals["sent_packets"][samples.ports.index(port)])


def curve(samples: Samples, key: str = "delivered_packets", service: int = 0) -> np.ndarray:
    return np.diff(samples.service_series[key][:, service], prepend=0)


def square(routing: str = "ecmp") -> dict[str, Any]:
    """s0 - a - (b | c) - d - d0: two equal ways."""
    links = [("s0", "a"), ("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("d", "d0")]
    return {
        "nodes": {"s0": HOST, "d0": HOST} | {name: {} for name in "abcd"},
        "links": [{"endpoints": list(ends), "rate": "1 Gbit/s", "delay": "1 ms"} for ends in links],
        "routing": {"kind": routing, "reconvergence": "50 ms"},
    }


def run(network: dict[str, Any], services: dict[str, Any], **rest: Any) -> Samples:
    return simulate({"duration": "1 s", "network": network, "services": services, **rest})


# -- ways


def test_ecmp_spreads_flows_and_keeps_each_on_one_way() -> None:
    flows = {"f": {**STREAM, "count": 200, "rate": "600 kbit/s"}}
    spread = run(square(), flows)
    assert sent(spread, "a->b") + sent(spread, "a->c") == sent(spread, "s0->a")
    assert 0.35 < sent(spread, "a->b") / sent(spread, "s0->a") < 0.65
    alone = run(square(), {"f": STREAM})
    ways = sorted([sent(alone, "a->b"), sent(alone, "a->c")])
    assert ways == [0, pytest.approx(sent(alone, "s0->a"), abs=1)]
    shortest = run(square("shortest_path"), flows)
    assert sorted([sent(shortest, "a->b"), sent(shortest, "a->c")]) == [0, sent(shortest, "s0->a")]


@pytest.mark.parametrize("by", ["b", "c"])
def test_an_explicit_path_is_taken(by: str) -> None:
    samples = run(square(), {"f": {**STREAM, "path": ["s0", "a", by, "d", "d0"]}})
    other = {"b": "c", "c": "b"}[by]
    assert (sent(samples, f"a->{by}") > 990, sent(samples, f"a->{other}")) == (True, 0)


def test_parallel_links_share_flows_and_stand_in_for_each_other() -> None:
    network = line("1 Gbit/s")
    network["links"] += [{"endpoints": ["a", "b"], "rate": "1 Gbit/s", "delay": "1 ms"}]
    network["routing"] = {"reconvergence": "0.1 s"}
    down = [{"at": "0.5 s", "kind": "link_down", "link": "a-b#2"}]
    samples = run(
        network, {"f": {**STREAM, "count": 40, "rate": "600 kbit/s", "pattern": "poisson"}}, events=down
    )
    first, second = sent(samples, "a->b"), sent(samples, "a->b#2")
    lost = dropped(samples, "LINK_DOWN")["a->b#2"]
    assert second == pytest.approx(500, abs=220)
    assert lost == pytest.approx(second / 5, abs=45)
    assert first + second + lost == pytest.approx(sent(samples, "s0->a"), abs=5)


# -- failures


@pytest.mark.parametrize("event", ["node", "link"])
def test_a_failure_cuts_until_routes_have_changed(event: str) -> None:
    """The way in use fails for 0.4 s; the other carries all after 50 ms, and both are as before in the end."""
    path = run(square("shortest_path"), {"f": STREAM})
    used = "b" if sent(path, "a->b") else "c"
    other = {"b": "c", "c": "b"}[used]
    what = {"node": used} if event == "node" else {"link": ["a", used]}
    events = [
        {"at": "0.3 s", "kind": f"{event}_down", **what},
        {"at": "0.7 s", "kind": f"{event}_up", **what},
    ]
    samples = run(square("shortest_path"), {"f": STREAM}, events=events, probes={"interval": "10 ms"})
    lost = sum(dropped(samples, "LINK_DOWN").values())
    under_way = 2 if event == "node" else 1
    assert lost == pytest.approx(50 + under_way, abs=2)
    assert sent(samples, f"a->{other}") == pytest.approx(400, abs=2)
    arrived = curve(samples)
    assert arrived[32:35].sum() == 0
    assert arrived[36:].tolist() == pytest.approx([10] * 64, abs=1)


def test_a_failure_without_another_way_loses_all_and_tcp_comes_back() -> None:
    events = [
        {"at": "0.3 s", "kind": "node_down", "node": "b"},
        {"at": "0.6 s", "kind": "node_up", "node": "b"},
    ]
    services = {"t": ENDS | {"kind": "bulk", "size": "9 MB"}}
    samples = run(line("50 Mbit/s"), services, events=events, duration="3 s", probes={"interval": "50 ms"})
    assert samples.flows["delivered_bytes"][0] == 9_000_000
    assert samples.flows["timeouts"][0] >= 1
    assert curve(samples)[7:12].sum() == 0


# -- classes


QUEUES = {
    "prio": {"kind": "prio"},
    "drr": {
        "kind": "drr",
        "classes": {
            "gold": {"weight": 3, "priorities": [6]},
            "rest": {"weight": 1},
        },
    },
    "htb": {
        "kind": "htb",
        "classes": {
            "gold": {"rate": "6 Mbit/s", "ceil": "8 Mbit/s", "priorities": [6]},
            "rest": {"rate": "1 Mbit/s"},
        },
        "default": "rest",
    },
}


@pytest.mark.parametrize(
    ("kind", "gold", "rest"),
    [
        ("prio", 10e6 * 1500 / 1538, 0.0),
        ("drr", 7.5e6 * 1500 / 1538, 2.5e6 * 1500 / 1538),
        ("htb", 8e6, 1e6),
    ],
)
def test_priority_chooses_the_class(kind: str, gold: float, rest: float) -> None:
    """Two streams of 12 Mbit/s share 10 Mbit/s (IP bytes: 1500 of 1538)."""
    services = {"gold": {**STREAM, "priority": 6}, "rest": STREAM}
    samples = run(line("10 Mbit/s", queue=QUEUES[kind]), services, probes={"interval": "0.5 s"})
    second_half = np.diff(samples.service_series["delivered_packets"], axis=0)[0] * 1500 * 8 * 2
    assert second_half == pytest.approx([gold, rest], rel=0.02, abs=1.3e5)


# -- impairments


def impaired(**impairments: Any) -> Samples:
    """4000 packets in a second over one impaired link."""
    network = line("100 Mbit/s", "20 ms", forward={"impairments": impairments})
    return run(network, {"f": {**STREAM, "rate": "8 Mbit/s", "packet_size": "250 B", "stop": "0.9 s"}})


def binomial(samples: Samples, probability: float) -> Any:
    count = samples.service_series["sent_packets"][-1, 0]
    return pytest.approx(count * probability, abs=4 * np.sqrt(count * probability * (1 - probability)))


def test_loss_has_its_probability() -> None:
    samples = impaired(loss="5 %")
    assert dropped(samples, "IMPAIRMENT")["a->b"] == binomial(samples, 0.05)


def test_bursts_of_loss_have_their_share() -> None:
    """Gilbert-Elliott: the bad state holds p / (p + r) of the packets; a burst is 1 / r packets long."""
    samples = impaired(loss={"kind": "gilbert_elliott", "p": 0.02, "r": 0.2})
    assert dropped(samples, "IMPAIRMENT")["a->b"] / 3600 == pytest.approx(0.02 / 0.22, rel=0.35)


def test_periodic_loss_is_exact() -> None:
    samples = impaired(loss={"kind": "periodic", "every": 10})
    assert dropped(samples, "IMPAIRMENT") == {"a->b": 360}


def test_corrupted_packets_cross_the_network_and_are_dropped_by_their_host() -> None:
    samples = impaired(corrupt="5 %")
    lost = dropped(samples, "CORRUPTED")
    assert lost == {"b->d0": binomial(samples, 0.05)}
    assert sent(samples, "b->d0") == 3600
    assert samples.flows["delivered_packets"][0] == 3600 - lost["b->d0"]


def test_duplicates_arrive_and_count_once_as_goodput() -> None:
    samples = impaired(duplicate="5 %")
    copies = sent(samples, "b->d0") - 3600
    assert copies == pytest.approx(180, abs=4 * np.sqrt(171))
    assert samples.service_series["received_packets"][-1, 0] == 3600 + copies
    assert samples.flows["delivered_packets"][0] == 3600


def test_jitter_spreads_the_latency() -> None:
    """20 ms +- 5 ms, uniform."""
    samples = impaired(jitter={"delay": "5 ms"})
    least, largest = samples.latency_min_ps[0] / MS_PS, samples.latency_max_ps[0] / MS_PS
    assert 15.0 < least < 15.1
    assert 24.9 < largest < 25.1
    assert samples.latency_sum_ps[0] / samples.latency_count[0] / MS_PS == pytest.approx(20.02, abs=0.2)


def test_reordered_packets_skip_the_delay() -> None:
    samples = impaired(reorder={"probability": 0.25})
    counts, edges = samples.latency_counts[0], samples.latency_edges_ps
    early = counts[: np.searchsorted(edges, MS_PS)].sum()
    assert early == pytest.approx(900, abs=4 * np.sqrt(3600 * 0.25 * 0.75))
    assert counts.sum() == 3600


def test_tcp_delivers_everything_through_all_impairments_at_once() -> None:
    all_ = {
        "loss": "1 %",
        "corrupt": "0.5 %",
        "duplicate": "1 %",
        "jitter": {"delay": "1 ms"},
        "reorder": {"probability": 0.01},
    }
    network = line("100 Mbit/s", "5 ms", impairments=all_)
    samples = run(network, {"t": ENDS | {"kind": "bulk", "size": "500 kB"}}, duration="10 s")
    assert samples.flows["delivered_bytes"][0] == 500_000
    assert samples.flows["retransmissions"][0] > 2


def test_impairments_come_and_go_with_events() -> None:
    events = [
        {"at": "0.3 s", "kind": "impairment", "link": "a-b", "impairments": {"loss": "50 %"}},
        {"at": "0.6 s", "kind": "impairment", "link": "a-b", "impairments": {}},
    ]
    samples = run(line("100 Mbit/s"), {"f": STREAM}, events=events, probes={"interval": "0.1 s"})
    arrived = curve(samples)
    assert arrived[[0, 1, 2, 6, 7, 8, 9]].tolist() == pytest.approx([100] * 7, abs=2)
    assert arrived[3:6].sum() == pytest.approx(150, abs=4 * np.sqrt(75))
