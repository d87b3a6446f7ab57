"""Shares of links: max-min by fair queueing, and what Reno makes of different round-trip times."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from running import HOST, line, simulate

from netarium.run.samples import Samples


def goodput_bps(samples: Samples, from_s: float, to_s: float | None = None) -> np.ndarray:
    """Bytes delivered in order per second of each service, bit/s, between two instants."""
    times = samples.times_ps * 1e-12
    first = int(np.searchsorted(times, from_s))
    last = len(times) - 1 if to_s is None else int(np.searchsorted(times, to_s))
    delivered = samples.service_series["delivered_bytes"]
    return 8.0 * (delivered[last] - delivered[first]) / (times[last] - times[first])


def max_min(
    capacities: dict[str, float], ways: dict[str, list[str]], demand: dict[str, float]
) -> dict[str, float]:
    """Progressive filling (Bertsekas and Gallager, Data Networks, section 6.5.2)."""
    rates = dict.fromkeys(ways, 0.0)
    active = set(ways)
    while active:
        rooms = [demand[flow] - rates[flow] for flow in active]
        for link, capacity in capacities.items():
            users = [flow for flow in ways if link in ways[flow]]
            sharing = [flow for flow in users if flow in active]
            if sharing:
                rooms.append((capacity - sum(rates[flow] for flow in users)) / len(sharing))
        for flow in active:
            rates[flow] += min(rooms)
        full = {
            link
            for link, capacity in capacities.items()
            if sum(rates[flow] for flow in ways if link in ways[flow]) > capacity * (1 - 1e-9)
        }
        active = {f for f in active if rates[f] < demand[f] * (1 - 1e-9) and not full & set(ways[f])}
    return rates


def test_drr_weights() -> None:
    """Three floods in classes of weights 1, 2 and 3.5, and one that wants less than its share: exact to a round."""
    classes = {
        "one": {"weight": 1, "priorities": [1]},
        "two": {"weight": 2, "priorities": [2]},
        "three": {"weight": 3.5, "priorities": [3]},
        "little": {"weight": 3.5, "priorities": [4]},
    }
    rates = {"one": 90, "two": 60, "three": 90, "little": 5}
    services = {
        name: {
            "kind": "stream",
            "from": "s0",
            "to": "d0",
            "rate": f"{rates[name]} Mbit/s",
            "packet_size": size,
            "priority": classes[name]["priorities"][0],
        }
        for name, size in zip(classes, ("1500 B", "700 B", "977 B", "500 B"), strict=True)
    }
    network = line("100 Mbit/s", overhead="0 B", forward={"queue": {"kind": "drr", "classes": classes}})
    samples = simulate({"duration": "2 s", "network": network, "services": services})
    header = np.array([28 / 1500, 28 / 700, 28 / 977, 28 / 500])
    rate = goodput_bps(samples, 0.5) / (1 - header)
    assert rate[3] == pytest.approx(5e6, rel=1e-3)
    assert rate[:3] == pytest.approx(95e6 * np.array([1, 2, 3.5]) / 6.5, rel=2e-3)


HOPS = {"n0->n1": 30e6, "n1->n2": 20e6, "n2->n3": 50e6}
WAYS = {"long": (0, 3), "first": (0, 1), "second": (1, 2), "third": (2, 3), "late": (1, 3), "modest": (2, 3)}


def parking_lot(queue: dict[str, Any], delay: str = "1 ms") -> dict[str, Any]:
    """Three links in a row, one host per flow at each end of its way."""
    nodes: dict[str, Any] = {f"n{i}": {} for i in range(4)}
    links = [
        {"endpoints": list(name.split("->")), "rate": f"{rate:.0f} bit/s", "delay": delay, "queue": queue}
        for name, rate in HOPS.items()
    ]
    for flow, (first, last) in WAYS.items():
        nodes |= {f"{flow}-in": HOST, f"{flow}-out": HOST}
        links += [
            {"endpoints": [f"{flow}-in", f"n{first}"], "rate": "1 Gbit/s", "delay": "10 us"},
            {"endpoints": [f"n{last}", f"{flow}-out"], "rate": "1 Gbit/s", "delay": "10 us"},
        ]
    return {"nodes": nodes, "links": links, "defaults": {"overhead": "0 B"}}


def wire(flow: str) -> list[str]:
    return [f"n{i}->n{i + 1}" for i in range(*WAYS[flow])]


def one_class_each() -> dict[str, Any]:
    """A drr class for every flow, by its priority, deep enough for a transfer to be always backlogged."""
    deep = {"kind": "pfifo", "limit": 200}
    return {
        "kind": "drr",
        "classes": {flow: {"weight": 1, "priorities": [i], "queue": deep} for i, flow in enumerate(WAYS)},
    }


def test_floods_get_fair_shares_of_each_link_by_drr() -> None:
    """Floods do not slow down for a later link: at each link the max-min shares of what arrives there."""
    demand = dict.fromkeys(WAYS, 60e6) | {"modest": 4e6}
    services = {
        flow: {
            "kind": "stream",
            "from": f"{flow}-in",
            "to": f"{flow}-out",
            "rate": f"{demand[flow]:.0f} bit/s",
            "packet_size": "1500 B",
            "priority": i,
        }
        for i, flow in enumerate(WAYS)
    }
    network = parking_lot(one_class_each())
    samples = simulate({"duration": "2 s", "network": network, "services": services})
    rates = dict(zip(samples.services, goodput_bps(samples, 0.5) * 1500 / 1472, strict=True))
    for link, capacity in HOPS.items():
        ways = {flow: [link] for flow in WAYS if link in wire(flow)}
        demand |= max_min({link: capacity}, ways, demand)
    assert rates == pytest.approx(demand, rel=5e-3)


@pytest.mark.parametrize(
    ("queue", "delay", "within"),
    [(one_class_each(), "5 ms", 0.02), ({"kind": "fq_codel"}, "500 us", 0.05)],
    ids=["drr", "fq_codel"],
)
def test_transfers_over_fair_queues_share_max_min(queue: dict[str, Any], delay: str, within: float) -> None:
    """Reno slows down to its narrowest share, so the rates are those of progressive filling over the whole network."""
    services: dict[str, Any] = {
        flow: {
            "kind": "bulk",
            "from": f"{flow}-in",
            "to": f"{flow}-out",
            "priority": i,
            "transport": {"kind": "tcp", "congestion": "reno"},
        }
        for i, flow in enumerate(WAYS)
    }
    samples = simulate({"duration": "20 s", "network": parking_lot(queue, delay), "services": services})
    rates = dict(zip(samples.services, goodput_bps(samples, 5) * 1500 / 1448, strict=True))
    ways = {flow: wire(flow) for flow in WAYS}
    assert rates == pytest.approx(max_min(HOPS, ways, dict.fromkeys(WAYS, 1e12)), rel=within)


@pytest.mark.parametrize("queue", ["pfifo", "red"])
def test_reno_favours_short_round_trips(queue: str) -> None:
    """Two Reno flows, one queue: their rates go with RTT to the power -a, 1 <= a <= 2 (Lakshman and Madhow, "The
    performance of TCP/IP for networks with high bandwidth-delay products and random loss", IEEE/ACM ToN 1997). A little
    Poisson traffic keeps the two from moving in step (Floyd and Jacobson, "On traffic phase effects", 1992)."""
    red = {"kind": "red", "limit": "150 kB", "min": "15 kB", "max": "60 kB", "probability": 0.1}
    network = line(
        "20 Mbit/s", "5 ms", pairs=2, queue=red if queue == "red" else {"kind": "pfifo", "limit": 25}
    )
    network["links"][1]["delay"] = "20 ms"
    bulk = {"kind": "bulk", "transport": {"kind": "tcp", "congestion": "reno"}}
    services: dict[str, Any] = {
        name: {**bulk, "from": f"s{i}", "to": f"d{i}"} for i, name in enumerate(("near", "far"))
    }
    noise = {"kind": "stream", "from": "s0", "to": "d0", "rate": "1 Mbit/s", "pattern": "poisson"}
    services["noise"] = {**noise, "packet_size": "500 B"}
    samples = simulate({"duration": "400 s", "network": network, "services": services})
    near, far, _ = goodput_bps(samples, 20)
    rtt = samples.rtt_sum_ps[:2] / samples.rtt_count[:2]
    power = np.log(near / far) / np.log(rtt[1] / rtt[0])
    assert 0.9 < power < 2.1, (
        f"rates {near / 1e6:.2f} and {far / 1e6:.2f} Mbit/s, RTTs {rtt * 1e-9} ms, a = {power:.2f}"
    )
