"""Random small trials: every packet is accounted for, every byte arrives in order, nothing is stuck.

`simulate` checks the sums itself (Samples.check: sent = delivered + dropped + in flight, per service and in
all); these tests add what must hold beside.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from running import HOST, line, simulate

from netarium.run.samples import Samples

NODES = ("a", "b", "c", "d")
EASY = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
"""The same trials every time. No shrinking: it runs hundreds of trials, and a failing one is small already."""
MORE = settings(EASY, max_examples=40)

RATES = st.integers(1_000_000, 40_000_000).map("{} bit/s".format)
DELAYS = st.integers(0, 20_000_000).map("{} ns".format)
DROPPING: st.SearchStrategy[Any] = st.sampled_from(
    [
        {"kind": "pfifo", "limit": 5},
        {"kind": "bfifo", "limit": "9 kB"},
        {"kind": "codel", "target": "1 ms", "interval": "10 ms", "ecn": True},
        {"kind": "fq_codel", "limit": 20, "flows": 4},
        {"kind": "red", "limit": "30 kB", "min": "4 kB", "max": "12 kB", "probability": 0.1, "ecn": True},
        {"kind": "pie", "target": "2 ms", "tupdate": "2 ms"},
        {"kind": "prio", "child": {"kind": "pfifo", "limit": 4}},
        {"kind": "drr", "classes": {"x": {"weight": 1, "priorities": [0, 1]}, "y": {"weight": 2.5}}},
        {"kind": "tbf", "rate": "2 Mbit/s", "burst": "4 kB", "limit": "20 kB"},
        {
            "kind": "htb",
            "classes": {"x": {"rate": "1 Mbit/s", "ceil": "2 Mbit/s"}, "y": {"rate": "500 kbit/s"}},
        },
    ]
)
IMPAIRMENTS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "loss": st.sampled_from(["1 %", "10 %", {"kind": "gilbert_elliott", "p": 0.02, "r": 0.3}]),
        "jitter": st.sampled_from([{"delay": "3 ms"}, {"delay": "1 ms", "distribution": "pareto"}]),
        "reorder": st.just({"probability": 0.05}),
        "duplicate": st.just("3 %"),
        "corrupt": st.just("2 %"),
    },
)
TRANSPORTS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"kind": st.just("tcp"), "congestion": st.sampled_from(["reno", "cubic", "bbr", "dctcp"])},
    optional={
        "sack": st.booleans(),
        "pacing": st.booleans(),
        "delayed_ack": st.sampled_from([False, {"every": 3, "timeout": "20 ms"}]),
        "initial_window": st.integers(1, 40),
        "receive_buffer": st.just("20 kB"),
        "mss": st.integers(64, 1448),
    },
)


@st.composite
def networks(draw: st.DrawFn, lossless: bool) -> dict[str, Any]:
    """A connected network of four routers, each with a host; three to six links between them."""
    tree = [(NODES[i], NODES[draw(st.integers(0, i - 1))]) for i in range(1, len(NODES))]
    more = draw(st.lists(st.tuples(st.sampled_from(NODES), st.sampled_from(NODES)), max_size=3))
    pairs = tree + [pair for pair in more if pair[0] != pair[1]]
    links: list[dict[str, Any]] = []
    for number, pair in enumerate(pairs):
        link: dict[str, Any] = {"name": f"l{number}", "endpoints": list(pair)}
        link |= {"rate": draw(RATES), "delay": draw(DELAYS)}
        link["queue"] = {"kind": "pfifo", "limit": 100_000} if lossless else draw(DROPPING)
        if not lossless:
            link["impairments"] = draw(IMPAIRMENTS)
        links.append(link)
    for node in NODES:
        rate, queue = draw(RATES), {"kind": "pfifo", "limit": 100_000}
        links.append({"endpoints": [f"h{node}", node], "rate": rate, "delay": "10 us", "queue": queue})
    hosts = {f"h{node}": HOST for node in NODES}
    routing = {
        "kind": draw(st.sampled_from(["ecmp", "shortest_path"])),
        "metric": "hops",
        "reconvergence": "50 ms",
    }
    return {"nodes": hosts | {node: {} for node in NODES}, "links": links, "routing": routing}


@st.composite
def ends(draw: st.DrawFn) -> dict[str, str]:
    source, sink = draw(st.permutations(NODES))[:2]
    return {"from": f"h{source}", "to": f"h{sink}"}


@st.composite
def transfers(draw: st.DrawFn) -> dict[str, Any]:
    size = draw(st.integers(1, 60_000))
    service = {"kind": "bulk", **draw(ends()), "size": f"{size} B", "transport": draw(TRANSPORTS)}
    return service | {"start": f"{draw(st.integers(0, 300))} ms", "priority": draw(st.integers(0, 15))}


@st.composite
def others(draw: st.DrawFn) -> dict[str, Any]:
    """Services that are not a single transfer."""
    kinds: list[dict[str, Any]] = [
        {"kind": "stream", "rate": "800 kbit/s", "packet_size": "400 B", "pattern": "poisson"},
        {"kind": "stream", "rate": "5 Mbit/s", "pattern": "on_off", "on": "20 ms", "off": "20 ms"},
        {"kind": "stream", "rate": "1 Mbit/s", "packet_size": "700 B", "transport": {"kind": "tcp"}},
        {"kind": "request_response", "sizes": "9 kB", "arrivals": "15 /s"},
        {"kind": "bulk", "stop": "0.9 s", "streams": 2},
    ]
    return {**draw(st.sampled_from(kinds)), **draw(ends()), "priority": draw(st.integers(0, 15))}


@st.composite
def failures(draw: st.DrawFn, links: int) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(0, 3))):
        at, lasts = draw(st.integers(50, 900)), draw(st.integers(1, 400))
        kind, key = draw(st.sampled_from([("link", f"l{draw(st.integers(0, links - 1))}"), ("node", "d")]))
        events.append({"at": f"{at} ms", "kind": f"{kind}_down", kind: key})
        events.append({"at": f"{at + lasts} ms", "kind": f"{kind}_up", kind: key})
    if draw(st.booleans()):
        events.append({"at": "300 ms", "kind": "rate_change", "link": "l0", "rate": "700 kbit/s"})
        events.append({"at": "600 ms", "kind": "impairment", "link": "l1", "impairments": draw(IMPAIRMENTS)})
    return events


def in_order(samples: Samples) -> None:
    """What holds of any run beside Samples.check."""
    flows = samples.flows
    limited = flows["size_bytes"] > 0
    assert (flows["delivered_bytes"][limited] <= flows["size_bytes"][limited]).all()
    ended = limited & (flows["end_ps"] >= 0)
    assert (flows["delivered_bytes"][ended] == flows["size_bytes"][ended]).all()
    assert (flows["end_ps"][ended] > flows["start_ps"][ended]).all()
    unfinished = limited & (flows["end_ps"] < 0)
    assert (flows["delivered_bytes"][unfinished] < flows["size_bytes"][unfinished]).all()
    assert (flows["delivered_packets"] <= flows["sent_packets"]).all()
    series = samples.service_series[-1]
    for name in ("sent_packets", "delivered_packets", "retransmissions"):
        sums = np.bincount(flows["service"], weights=flows[name], minlength=len(samples.services))
        copies = series[name] - sums.astype(int)
        assert (copies >= 0).all() if name == "sent_packets" else (copies == 0).all(), name


@MORE
@given(st.data())
def test_anything_is_conserved(data: st.DataObject) -> None:
    network = data.draw(networks(lossless=False))
    services = data.draw(st.lists(st.one_of(transfers(), others()), min_size=1, max_size=5))
    trial = {
        "duration": "1.5 s",
        "seed": data.draw(st.integers(1, 1000)),
        "network": network,
        "services": {f"s{i}": service for i, service in enumerate(services)},
        "events": data.draw(failures(len(network["links"]) - len(NODES))),
        "probes": {"interval": "100 ms"},
    }
    in_order(simulate(trial))


@EASY
@given(networks(lossless=True), st.lists(transfers(), min_size=1, max_size=6), st.integers(1, 1000))
def test_transfers_on_a_lossless_network_finish(network: Any, services: list[Any], seed: int) -> None:
    """Every byte is delivered, nothing is dropped, and in the end no packet is left anywhere."""
    trial = {
        "duration": "60 s",
        "seed": seed,
        "network": network,
        "services": {f"s{i}": service for i, service in enumerate(services)},
    }
    samples = simulate(trial)
    in_order(samples)
    assert (samples.flows["end_ps"] > 0).all()
    assert not samples.conservation["dropped"] and samples.conservation["in_flight"] == 0
    assert (samples.service_series["active_flows"][-1] == 0).all()
    if network["routing"]["kind"] == "shortest_path":  # of several ways the first is taken as the ideal
        took = samples.flows["end_ps"] - samples.flows["start_ps"]
        assert (samples.flows["ideal_ps"] <= took + 1000).all(), "faster than alone on the empty path"


@EASY
@given(networks(lossless=False), st.lists(transfers(), min_size=1, max_size=4), st.data())
def test_transfers_finish_in_spite_of_losses_and_failures(
    network: Any, services: list[Any], data: st.DataObject
) -> None:
    """What is lost is sent again for as long as it takes: after every failure has ended, every transfer ends."""
    trial = {
        "duration": "1000 s",
        "network": network,
        "services": {f"s{i}": service for i, service in enumerate(services)},
        "events": data.draw(failures(len(network["links"]) - len(NODES))),
    }
    samples = simulate(trial)
    in_order(samples)
    assert (samples.flows["end_ps"] > 0).all()
    assert samples.conservation["in_flight"] == 0


@pytest.mark.parametrize("size", [1, 1448, 1449, 14_480, 13_000])
@pytest.mark.parametrize("kind", ["bulk", "request_response"])
def test_the_ideal_is_the_time_alone_on_the_empty_path(kind: str, size: int) -> None:
    """What slowdown divides by: reached, to two microseconds of the fast links, where the first window is enough."""
    network = line("10 Mbit/s", "3 ms", overhead="20 B")
    network["links"][1]["backward"] = {"rate": "1 Mbit/s", "delay": "17 ms"}
    ends = {"from": "s0", "to": "d0", "transport": {"kind": "tcp", "initial_window": 100}}
    service = {"kind": "bulk", "size": f"{size} B", **ends}
    if kind == "request_response":
        service = {
            "kind": kind,
            "sizes": {"fixed": f"{size} B"},
            "request": "200 B",
            "arrivals": "1 /s",
            **ends,
        }
    samples = simulate({"duration": "10 s", "network": network, "services": {"x": service}})
    flow = samples.flows[0]
    assert 0 < flow["size_bytes"] == flow["delivered_bytes"] == size
    overheads_ps = (-(-size // 1448) - 1) * 20 * 800_000  # of all packets but the last, at the narrow link
    assert flow["end_ps"] - flow["start_ps"] - flow["ideal_ps"] == pytest.approx(overheads_ps, abs=2e6)
