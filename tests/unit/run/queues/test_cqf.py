"""Cyclic queuing and forwarding over whole paths: latency within its bound, whatever else the links carry."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from running import HOST, simulate

from netarium.compile.mechanisms import cqf as mechanism
from netarium.compile.mechanisms.terms import PortTerms
from netarium.describe.clock import Clock
from netarium.errors import TrialInvalid

CYCLE_PS = 100_000_000
CYCLE = "100 us"
MTU_PS = 12_304_000
"""1538 bytes at 1 Gbit/s."""


def path(
    delays_ps: list[int], queue: dict[str, Any], clocks: list[Clock | None] | None = None
) -> dict[str, Any]:
    """A row of nodes with links of these delays, the first and the last a host; a host with cross traffic at each router."""
    names = [f"n{k}" for k in range(len(delays_ps) + 1)]
    nodes: dict[str, Any] = {name: {"kind": "switch"} for name in names}
    nodes[names[0]], nodes[names[-1]] = dict(HOST), dict(HOST)
    for name, clock in zip(names, clocks or [], strict=False):
        if clock is not None:
            nodes[name]["clock"] = clock.model_dump()
    links = [
        {"endpoints": [a, b], "delay": f"{delay} ps"}
        for a, b, delay in zip(names, names[1:], delays_ps, strict=False)
    ]
    nodes |= {"x": HOST, "y": HOST}
    links += [
        {"endpoints": ["x", names[1]], "delay": "1 us"},
        {"endpoints": ["y", names[-2]], "delay": "1 us"},
    ]
    return {"nodes": nodes, "links": links, "defaults": {"rate": "1 Gbit/s", "queue": queue}}


def latencies(network: dict[str, Any], start_ps: int, count: int = 40) -> tuple[int, int]:
    """(least, largest) latency in ps of small packets with priority 7 at a gap that is no multiple of a cycle."""
    last = max(int(name[1:]) for name in network["nodes"] if name[0] == "n")
    tested = {"kind": "control_loop", "from": "n0", "to": f"n{last}", "period": "333333 ns", "size": 100}
    crowd = {"kind": "stream", "from": "x", "to": "y", "rate": "950 Mbit/s", "pattern": "poisson"}
    samples = simulate(
        {
            "duration": "60 ms",
            "network": network,
            "services": {
                "tested": {
                    **tested,
                    "size": "100 B",
                    "priority": 7,
                    "start": f"{start_ps} ps",
                    "count": count,
                },
                "crowd": crowd,
            },
        }
    )
    drops = dict(zip(samples.reasons, samples.drops.sum(axis=0).tolist(), strict=True))
    assert drops["DROP_LATE"] == 0
    assert samples.messages["sent"].sum() == 0
    assert samples.latency_count[0] > 1000
    return int(samples.latency_min_ps[0]), int(samples.latency_max_ps[0])


@settings(max_examples=8, deadline=None)
@given(st.integers(2, 6), st.integers(0, CYCLE_PS))
def test_latency_by_arrival_lies_within_one_cycle_of_the_hops(hops: int, start_ps: int) -> None:
    """(h - 1) T to (h + 1) T for h ports: links are short, and a dead time keeps what is sent in a cycle within it."""
    guard = {"guard": f"{MTU_PS + 1_000_000} ps"}
    delays = [1_000_000] * hops
    low, high = latencies(path(delays, {"kind": "cqf", "cycle_time": CYCLE, **guard}), start_ps, 10)
    ports = [PortTerms(10**9, delay_ps=delay) for delay in delays]
    terms = mechanism.CycleTerms(CYCLE_PS, "arrival", dead_ps=1_000_000)
    bound = mechanism.bound(ports, terms, 60 * 10**9, 128)
    assert (hops - 1) * CYCLE_PS <= bound.least_ps <= low
    assert high <= bound.latency_ps <= (hops + 1) * CYCLE_PS + 1_000_000


CLOCKS = st.sampled_from(
    [None, Clock(offset="2 us"), Clock(offset="-3 us", drift="20 ppm", sync="7 ms"), Clock(drift="-50 ppm")]
)


@settings(max_examples=10, deadline=None)
@given(st.data(), st.integers(3, 6), st.integers(0, CYCLE_PS))
def test_latency_by_label_varies_by_two_cycles_over_any_links(data: Any, hops: int, start_ps: int) -> None:
    lengths = st.sampled_from([0, 5_000_000, 99_999_999, 100_000_000, 730_000_000, 3_456_789_012])
    delays = [data.draw(lengths) for _ in range(hops)]
    clocks = [data.draw(CLOCKS) for _ in range(hops)]
    ports = [PortTerms(10**9, delay_ps=a, clock=b) for a, b in zip(delays, clocks, strict=True)]
    terms = mechanism.CycleTerms(CYCLE_PS)
    spec = mechanism.encode(ports, terms, 60 * 10**9)
    spec = spec.model_copy(update={"queues": max(spec.queues, 5)})  # the other links of the network need them
    network = path(delays, spec.model_dump(exclude_none=True), clocks)
    low, high = latencies(network, start_ps, 10)
    bound = mechanism.bound(ports, terms, 60 * 10**9, 128)
    assert bound.least_ps <= low
    assert high <= bound.latency_ps
    apart = sum(abs(clock.offset) + 4_000_000 for clock in (clocks[0], clocks[-1]) if clock)
    assert bound.variation_ps <= 2 * CYCLE_PS + apart


def test_without_cycles_the_same_packets_wait_far_longer() -> None:
    delays = [1_000_000] * 4
    low, high = latencies(path(delays, {"kind": "pfifo"}), 0)
    assert high - low > 400_000_000


def test_a_cycle_holds_what_was_reckoned_and_drops_the_rest() -> None:
    """86 % of a cycle of 100 us is left by the guard: 87.6 us for packets of 1538 bytes on the wire, so 7 of them."""
    network = path([0, 0, 0], {"kind": "cqf", "cycle_time": CYCLE})
    burst = {
        "kind": "control_loop",
        "from": "n0",
        "to": "n3",
        "period": "10 ms",
        "size": "1472 B",
        "priority": 7,
    }
    samples = simulate({"duration": "9 ms", "network": network, "services": {"burst": {**burst, "count": 9}}})
    drops = dict(zip(samples.reasons, samples.drops.sum(axis=0).tolist(), strict=True))
    assert drops["DROP_TAIL"] == 2
    assert samples.service_series["delivered_packets"][-1, 0] == 7


def test_room_and_load_of_a_cycle() -> None:
    port, terms = PortTerms(10**9), mechanism.CycleTerms(CYCLE_PS)
    assert mechanism.room_bits(port, terms) == pytest.approx(100_000 - 12_304, abs=1)
    stream = mechanism.StreamTerms(80e6, 1000, 1000)
    assert mechanism.cycle_load_bits([stream], port, CYCLE_PS) == pytest.approx(1.038 * (8000 + 8000))
    assert mechanism.holds([stream] * 5, port, terms)
    assert not mechanism.holds([stream] * 6, port, terms)


def test_too_few_buffers_for_a_link_are_refused() -> None:
    network = path([0, 130_000_000, 0], {"kind": "cqf", "cycle_time": CYCLE, "mapping": "label"})
    service = {"kind": "stream", "from": "n0", "to": "n3", "rate": "1 Mbit/s"}
    with pytest.raises(TrialInvalid, match="2 queues, expected at least 3 for this link"):
        simulate({"duration": "1 ms", "network": network, "services": {"s": service}})
