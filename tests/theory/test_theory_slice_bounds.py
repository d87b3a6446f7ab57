"""Bounds of slices against packets: never exceeded over generated networks and adversarial arrivals, and nearly reached by
an adversary found by search; and against published formulas.

The packets run through an own store-and-forward simulation of a few lines: first come first served per port, hosts
shape, and a packet that finds no other slice's packet at its port waits for one largest frame of another class.
"""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass

import pytest

from netarium.compile.bounds import Arrival, Load, strict_service
from netarium.compile.graph import Graph, build_graph
from netarium.describe.network import Network

PACKET_BYTES, OVERHEAD_BYTES = 1500, 38
RATIO = 1 + OVERHEAD_BYTES / PACKET_BYTES
FAST, THOROUGH = 60, 3000
REACHED_ONE_PORT, REACHED_TANDEM, REACHED_MERGE = 0.999, 0.85, 0.75


@dataclass
class Source:
    """One slice: its arrival, and when its packets are offered (ps); what exceeds the token bucket waits at the source."""

    arrival: Arrival
    times_ps: list[float]


def network(draw: random.Random) -> Graph:
    """Four to eight routers joined at random, hosts behind some, rates from 1 to 10 Gbit/s."""
    count = draw.randint(4, 8)
    names = [f"n{i}" for i in range(count)]
    links = [(names[i], names[draw.randrange(i)]) for i in range(1, count)]
    links += [tuple(draw.sample(names, 2)) for _ in range(draw.randint(1, count))]
    hosts = [f"h{i}" for i in range(draw.randint(2, 5))]
    links += [(host, draw.choice(names)) for host in hosts]
    described = [{"endpoints": list(ends), "rate": f"{draw.choice([1, 2, 5, 10])} Gbit/s"} for ends in links]
    nodes = {name: {} for name in names} | {host: {"kind": "host"} for host in hosts}
    return build_graph(Network(nodes=nodes, links=described, defaults={"delay": "0 us"}))


def walk(draw: random.Random, graph: Graph) -> tuple[int, ...]:
    """A loop-free path at random; empty when it is stuck at once."""
    node = draw.randrange(graph.node_count)
    seen, ports = {node}, []
    for _ in range(draw.randint(1, 5)):
        onward = [p for p in graph.out_ports[node] if int(graph.head[p]) not in seen]
        if not onward or (ports and not graph.node_forwards[node]):
            break
        ports.append(draw.choice(onward))
        node = int(graph.head[ports[-1]])
        seen.add(node)
    return tuple(ports)


def arrivals_on(draw: random.Random, graph: Graph) -> list[Arrival]:
    """Slices whose rates fit their ports, with bursts of 1 to 12 packets."""
    left = [0.95 * rate for rate in graph.rate_bps.tolist()]
    found = []
    for _ in range(draw.randint(1, 10)):
        ports = walk(draw, graph)
        if not ports:
            continue
        most = min(left[port] for port in ports) / RATIO
        rate = int(most * draw.uniform(0.05, 0.6))
        if rate < 10**6:
            continue
        for port in ports:
            left[port] -= rate * RATIO
        burst = 8 * PACKET_BYTES * draw.randint(1, 12)
        found.append(Arrival(ports, rate, burst, (RATIO,) * len(ports)))
    return found


def bounds_of(graph: Graph, arrivals: list[Arrival]):
    load = Load.empty(graph)
    for arrival in arrivals:
        load = load.joined(arrival)
    return load.settled().bound_ps


def offered(draw: random.Random, arrival: Arrival, packets: int = 40) -> list[float]:
    """Bursts and pauses: at once, at the rate, or after a pause long enough to save up a burst."""
    gap = 8e12 * PACKET_BYTES / arrival.rate_bps
    now, times = draw.uniform(0, 20 * gap), []
    for _ in range(packets):
        times.append(now)
        now += draw.choice([0.0, 0.0, 0.0, gap, arrival.burst_bits * 1e12 / arrival.rate_bps])
    return times


def conforming(source: Source) -> list[float]:
    """When each packet may enter: the token bucket of the source, first come first served."""
    rate, depth = source.arrival.rate_bps / 1e12, float(source.arrival.burst_bits)
    tokens, last, allowed = depth, 0.0, []
    for time in source.times_ps:
        now = max(time, last)
        tokens = min(depth, tokens + (now - last) * rate)
        if tokens < 8 * PACKET_BYTES:
            now += (8 * PACKET_BYTES - tokens) / rate
            tokens = 8.0 * PACKET_BYTES
        tokens -= 8 * PACKET_BYTES
        last = now
        allowed.append(now)
    return allowed


def latest(graph: Graph, sources: list[Source]) -> list[float]:
    """Largest time of each slice in all its ports, ps, packet by packet."""
    frame_bits = 8 * (PACKET_BYTES + OVERHEAD_BYTES)
    sending = [frame_bits * 1e12 / rate for rate in graph.rate_bps.tolist()]
    free = [0.0] * graph.port_count
    queue: list[tuple[float, int, int, int, float]] = []
    count = 0
    for number, source in enumerate(sources):
        for time in conforming(source):
            heapq.heappush(queue, (time, count, number, 0, 0.0))
            count += 1
    largest = [0.0] * len(sources)
    tokens = [(float(s.arrival.burst_bits), 0.0) for s in sources]
    while queue:
        now, _, number, hop, waited = heapq.heappop(queue)
        ports = sources[number].arrival.ports
        if hop == len(ports):
            largest[number] = max(largest[number], waited)
            continue
        port = ports[hop]
        if not graph.node_forwards[graph.tail[port]]:  # a host's shaper holds what leaves to the bucket
            rate, depth = sources[number].arrival.rate_bps / 1e12, float(sources[number].arrival.burst_bits)
            left, since = tokens[number]
            start = max(now, free[port])
            left = min(depth, left + (start - since) * rate)
            start += max(0.0, (8 * PACKET_BYTES - left) / rate)
            tokens[number] = (max(left, 8.0 * PACKET_BYTES) - 8 * PACKET_BYTES, start)
            now = start
        else:
            start = free[port] if free[port] > now else now + sending[port]
        free[port] = start + sending[port]
        heapq.heappush(queue, (free[port], count, number, hop + 1, waited + free[port] - now))
        count += 1
    return largest


def check_network(seed: int) -> float:
    """The largest part of its bound that a slice of this network saw; asserts that none saw more."""
    draw = random.Random(seed)
    graph = network(draw)
    arrivals = arrivals_on(draw, graph)
    if not arrivals:
        return 0.0
    bounds = bounds_of(graph, arrivals)
    most = 0.0
    for _ in range(3):
        sources = [Source(arrival, offered(draw, arrival)) for arrival in arrivals]
        for seen, arrival in zip(latest(graph, sources), arrivals, strict=True):
            bound = bounds[list(arrival.ports)].sum()
            assert seen <= bound * (1 + 1e-9) + 1, f"seed {seed}"
            most = max(most, seen / bound)
    return most


def test_no_packet_is_later_than_its_bound() -> None:
    assert max(check_network(seed) for seed in range(FAST)) > 0.9  # and the test can tell: some come close


@pytest.mark.slow
def test_no_packet_is_later_than_its_bound_in_thousands_of_networks() -> None:
    assert max(check_network(seed) for seed in range(FAST, FAST + THOROUGH)) > 0.95


# --- how loose: an adversary that searches over phases ---


def searched(graph: Graph, arrivals: list[Arrival], steps: int, seed: int) -> float:
    """The largest part of the first slice's bound that hill climbing over phases and pauses reaches."""
    draw = random.Random(seed)
    bound = bounds_of(graph, arrivals)[list(arrivals[0].ports)].sum()

    def times(arrival: Arrival, phase: float) -> list[float]:
        """A burst at `phase`, then at the rate: greedy from there on."""
        gap, at_once = 8e12 * PACKET_BYTES / arrival.rate_bps, arrival.burst_bits // (8 * PACKET_BYTES)
        return [phase + max(0, i - at_once + 1) * gap for i in range(at_once + 10)]

    def seen(phases: list[float]) -> float:
        sources = [Source(each, times(each, phase)) for each, phase in zip(arrivals, phases, strict=True)]
        return latest(graph, sources)[0] / bound

    scale = float(bound)
    best = [draw.uniform(0, scale) for _ in arrivals]
    most = seen(best)
    for step in range(steps):
        width = scale * (0.5 if step % 3 == 0 else 0.05)
        beside = draw.choice(best)  # at the instant of another, a picosecond earlier or later
        moves = [0.0, draw.gauss(0, width)]
        tried = [
            max(0.0, draw.choice([phase + draw.choice(moves), beside + draw.choice([-1, 1])]))
            for phase in best
        ]
        value = seen(tried)
        if value >= most:
            best, most = tried, value
    return most


def routers(*links: str, fast: str = "10 Gbit/s") -> Graph:
    ends = [link.split("-") for link in links]
    nodes = {name: {} for pair in ends for name in pair}
    return build_graph(Network(nodes=nodes, links=[{"endpoints": pair} for pair in ends],
                               defaults={"delay": "0 us", "rate": fast}))  # fmt: skip


def burst(packets: int) -> int:
    return 8 * PACKET_BYTES * packets


def test_at_one_port_the_adversary_reaches_the_bound() -> None:
    graph = routers("a-b")
    arrivals = [Arrival((0,), 10**9, burst(k), (RATIO,)) for k in (3, 5, 8)]
    assert searched(graph, arrivals, steps=150, seed=1) >= REACHED_ONE_PORT


def test_on_a_tandem_with_merging_lines_it_comes_within_a_stated_part() -> None:
    graph = routers("a-m", "b-m", "c-m", "m-n", "n-d")
    first = Arrival((0, 6, 8), 10**9, burst(4), (RATIO,) * 3)
    others = [
        Arrival((2, 6, 8), 10**9, burst(6), (RATIO,) * 3),
        Arrival((4, 6), 2 * 10**9, burst(6), (RATIO,) * 2),
    ]
    assert searched(graph, [first, *others], steps=400, seed=1) >= REACHED_TANDEM


def test_where_lines_merge_again_and_again_it_comes_within_a_stated_part() -> None:
    graph = routers("a-m", "m-n", "n-o", "o-p", "x-m", "y-n", "z-o")
    first = Arrival((0, 2, 4, 6), 10**9, burst(4), (RATIO,) * 4)
    others = [
        Arrival((8, 2, 4), 10**9, burst(6), (RATIO,) * 3),
        Arrival((10, 4, 6), 10**9, burst(6), (RATIO,) * 3),
        Arrival((12, 6), 10**9, burst(6), (RATIO,) * 2),
    ]
    assert searched(graph, [first, *others], steps=400, seed=1) >= REACHED_MERGE


# --- published formulas ---


@pytest.mark.parametrize(
    ("burst_packets", "rate", "line", "port"), [(8, 3, 10, 5), (20, 1, 100, 10), (4, 2, 5, 4)]
)
def test_one_slice_over_a_faster_line_is_the_bound_of_rfc_2212(
    burst_packets: int, rate: int, line: int, port: int
) -> None:
    """RFC 2212: for p > R >= r the queueing delay is (b - M)/R x (p - R)/(p - r) + (M + Ctot)/R + Dtot (Le Boudec and
    Thiran, proposition 1.4.1), with M the frame that comes at once, p the rate of the line and Dtot the frame of others."""
    links = [
        {"endpoints": ["h", "m"], "rate": f"{line} Gbit/s"}, {"endpoints": ["m", "n"], "rate": f"{port} Gbit/s"},
    ]  # fmt: skip
    nodes = {"h": {"kind": "host"}, "m": {}, "n": {}}
    graph = build_graph(Network(nodes=nodes, links=links, defaults={"delay": "0 us"}))
    arrival = Arrival((0, 2), int(rate * 1e9 / RATIO), burst(burst_packets), (RATIO, RATIO))
    frame = 8 * (PACKET_BYTES + OVERHEAD_BYTES)
    r, p, capacity = arrival.rate_bps * RATIO, line * 1e9, port * 1e9
    b = burst(burst_packets) * RATIO + r * frame / p  # grown by a frame's time at the host
    expected = (b - frame) / capacity * (p - capacity) / (p - r) + frame / capacity + frame / capacity
    assert bounds_of(graph, [arrival])[2] == pytest.approx(expected * 1e12, rel=1e-9)


def test_the_delay_and_backlog_of_a_token_bucket_at_a_rate_latency_server() -> None:
    """Le Boudec and Thiran, section 1.4.1: D = T + b/R, B = b + r T."""
    graph = routers("a-b")
    arrival = Arrival((0,), 2 * 10**9, burst(7), (RATIO,))
    load = Load.empty(graph).joined(arrival).settled()
    latency_s = strict_service(graph).latency_ps[0] / 1e12
    assert load.bound_ps[0] == pytest.approx((latency_s + burst(7) * RATIO / 10e9) * 1e12)
    assert load.backlog_bits()[0] == pytest.approx(burst(7) * RATIO + 2e9 * RATIO * latency_s)


def test_a_ring_is_bounded_as_fixed_point_analysis_says() -> None:
    """Every D above F(D) is a bound (Thomas, Le Boudec and Mifdaoui, RTSS 2019): the one that is given is such a D."""
    graph = routers(*[f"n{i}-n{(i + 1) % 5}" for i in range(5)])
    load = Load.empty(graph)
    for i in range(5):
        ports = tuple(2 * ((i + k) % 5) for k in range(4))
        load = load.joined(Arrival(ports, 2 * 10**9, burst(5), (RATIO,) * 4))
    settled = load.settled()
    assert (settled.delays(settled.bound_ps) <= settled.bound_ps).all()
    assert not (settled.delays(settled.bound_ps * 0.99) <= settled.bound_ps * 0.99).all()
