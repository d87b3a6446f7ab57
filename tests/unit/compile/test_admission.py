"""Admission against a brute force over all paths, alternatives asked again, bounds against closed forms and
packets."""

import heapq
from dataclasses import replace
from math import ceil, inf, prod

import pytest
from drawings import draw, graphs
from hypothesis import given, settings
from hypothesis import strategies as st
from test_routing import simple_paths

from netarium.compile.admission import admit
from netarium.compile.bounds import Arrival, Load
from netarium.compile.graph import build_graph
from netarium.compile.ledger import Request
from netarium.describe.network import Network
from netarium.describe.slices import Slice
from netarium.errors import AdmissionRefused, TrialInvalid

GIGA = 10**9
MS = 10**9
US = 10**6
COMMON = settings(max_examples=35, deadline=None, derandomize=True)


def asked(name="s", source="a", target="b", gbps=1.0, **fields):
    return Request(name, source, target, int(gbps * GIGA), **{"mechanism": "strict", **fields})


def decide(graph, *requests, **options):
    return admit({request.name: request for request in requests}, graph, **options)


# --- the oracle: every simple path, its figures worked out the obvious way ---


def naive_bounds(graph, flows):
    """Worst-case delay of each flow [(ports, rate, burst bits, path MTU)] in each hop, ps; None without
    end. The flows that come over one link are held to what a link carries; a host's port shapes them."""
    delays = {port: 0.0 for ports, *_ in flows for port in ports}
    for _ in range(400):
        lines = {}
        for ports, rate, burst, mtu in flows:
            shift = 0.0
            for before, port in zip((None, *ports), ports, strict=False):
                wire = (mtu + int(graph.overhead_bytes[port])) / mtu
                bits, rates = lines.get((port, before), (0.0, 0.0))
                lines[port, before] = (bits + (burst + rate * shift / 1e12) * wire, rates + rate * wire)
                shift += delays[port]
        before_ps = dict(delays)
        for port in delays:
            delays[port] = naive_delay(graph, port, {q: v for (p, q), v in lines.items() if p == port})
        if all(abs(delays[port] - before_ps[port]) <= 1e-12 * delays[port] for port in delays):
            return delays
        if max(delays.values()) > 1e17:
            break
    return None


def naive_delay(graph, port, lines):
    """T + sup A(t)/C - t, ps: A looked at wherever a line has sent as much as its slices' bursts allow."""
    speed = int(graph.rate_bps[port])
    frame = 8 * int(graph.mtu_bytes[port] + graph.overhead_bytes[port])
    if not graph.node_forwards[graph.tail[port]]:
        return frame * 1e12 / speed

    def brings(t):
        total = 0.0
        for before, (bits, rate) in lines.items():
            own = bits + rate * t
            if before is not None:
                largest = 8 * int(graph.mtu_bytes[before] + graph.overhead_bytes[before])
                own = min(own, largest + int(graph.rate_bps[before]) * t)
            total += own
        return total

    bends = [0.0]
    for before, (bits, rate) in lines.items():
        if before is not None:
            largest = 8 * int(graph.mtu_bytes[before] + graph.overhead_bytes[before])
            bends.append(max(0.0, (bits - largest) / (int(graph.rate_bps[before]) - rate)))
    return (frame + max(brings(t) - speed * t for t in bends)) * 1e12 / speed


def naive_flow(graph, request, ports):
    mtu = min(int(graph.mtu_bytes[port]) for port in ports)
    return ports, request.bandwidth, 8 * (request.burst or 10 * mtu), mtu


def naive_fits(graph, placed, request, ports, share=0.95, slack=0):
    """Does `request` keep its promises on `ports` beside `placed` [(request, ports)], and they theirs?

    `slack` in ps decides at the edge: rounding must not make the oracle and the code differ.
    """
    everyone = [*placed, (request, ports)]
    flows = [naive_flow(graph, each, path) for each, path in everyone]
    used = {}
    for path, rate, _, mtu in flows:
        for port in path:
            used[port] = used.get(port, 0) + ceil(rate * (mtu + int(graph.overhead_bytes[port])) / mtu)
    if any(used[port] > int(int(graph.rate_bps[port]) * share) for port in ports):
        return False
    if flows[-1][2] < 8 * flows[-1][3]:
        return False
    if request.loss is not None and 1 - prod(1 - graph.loss_ratio[port] for port in ports) > request.loss:
        return False
    delays = naive_bounds(graph, flows)
    for each, path in everyone:
        waiting = inf if delays is None else sum(delays[port] for port in path)
        latency = waiting + sum(int(graph.delay_ps[port]) for port in path)
        soonest = sum(8e12 * (28 + int(graph.overhead_bytes[p])) / int(graph.rate_bps[p]) for p in path)
        if each.latency is not None and latency > each.latency + slack:
            return False
        if each.delay_variation is not None and waiting - soonest > each.delay_variation + slack:
            return False
    return True


@st.composite
def requests(draw_value, graph, most=4):
    """Slices between different nodes of a graph: bandwidths, bursts and promises around what fits."""
    names = st.sampled_from(graph.node_names)
    made = []
    for i in range(draw_value(st.integers(1, most))):
        a, b = draw_value(st.tuples(names, names).filter(lambda ends: ends[0] != ends[1]))
        made.append(
            Request(
                f"s{i}", a, b, draw_value(st.sampled_from([10**6, GIGA // 2, GIGA, 2 * GIGA, 3 * GIGA])),
                latency=draw_value(st.sampled_from([None, 1 * MS, 2 * MS, 3 * MS, 4100 * US, 5 * MS])),
                delay_variation=draw_value(st.sampled_from([None, None, 100 * US, 300 * US])),
                burst=draw_value(st.sampled_from([None, None, 500, 1500, 9000])),
                mechanism="strict",
            )
        )  # fmt: skip
    return made


@st.composite
def cases(draw_value):
    graph = draw_value(graphs(most_nodes=5, most_links=7, mtus=(1500, 1500, 9000)))
    return graph, draw_value(requests(graph))


def decided(graph, wanted):
    """The admission of those requests whose ends are joined; joined ones only, to look at refusals."""
    joined = [r for r in wanted if simple_paths(graph, graph.node(r.from_), graph.node(r.to))]
    return joined, decide(graph, *joined)


@COMMON
@given(cases())
def test_a_slice_is_admitted_if_and_only_if_some_path_fits(case):
    graph, wanted = case
    joined, admission = decided(graph, wanted)
    given_paths = {each.name: each.ports for each in admission.reservations}
    placed = []
    for request in joined:
        paths = simple_paths(graph, graph.node(request.from_), graph.node(request.to))
        if request.name in given_paths:
            ports = given_paths[request.name]
            assert ports in paths
            assert naive_fits(graph, placed, request, ports, slack=10)
            costs = graph.costs("delay")
            shorter = [path for path in paths if costs[list(path)].sum() < costs[list(ports)].sum()]
            assert not any(naive_fits(graph, placed, request, path, slack=-10) for path in shorter)
            placed.append((request, ports))
        else:
            assert not any(naive_fits(graph, placed, request, path, slack=-10) for path in paths)


@COMMON
@given(cases())
def test_every_alternative_is_accepted_when_asked_again(case):
    graph, wanted = case
    joined, admission = decided(graph, wanted)
    for refusal in admission.refusals:
        for alternative in refusal.alternatives:
            changed = [alternative.applied(r) if r.name == refusal.slice_name else r for r in joined]
            again = decide(graph, *changed)
            assert refusal.slice_name in {each.name for each in again.reservations}, str(alternative)


@COMMON
@given(cases())
def test_refused_for_bandwidth_alone_means_a_smaller_one_is_offered_and_it_is_the_largest(case):
    graph, wanted = case
    bare = [replace(r, latency=None, delay_variation=None, burst=None) for r in wanted]
    joined, admission = decided(graph, bare)
    given_paths = {each.name: each.ports for each in admission.reservations}
    for refusal in admission.refusals:
        position = [request.name for request in joined].index(refusal.slice_name)
        request = joined[position]
        before = [(r, given_paths[r.name]) for r in joined[:position] if r.name in given_paths]
        offers = [dict(each.changes)["bandwidth"] for each in refusal.alternatives]
        paths = simple_paths(graph, graph.node(request.from_), graph.node(request.to))

        def some_path_holds(bandwidth, before=before, request=request, paths=paths):
            bigger = replace(request, bandwidth=bandwidth)
            return any(naive_fits(graph, before, bigger, path) for path in paths)

        if not offers:
            assert not some_path_holds(1)
        else:
            assert some_path_holds(max(offers)) and not some_path_holds(max(offers) + max(offers) // 900 + 1)


@COMMON
@given(cases())
def test_the_latency_offered_is_the_smallest_of_all_paths(case):
    graph, wanted = case
    request = replace(wanted[0], latency=1 * MS, delay_variation=None)
    _, admission = decided(graph, [request])
    for refusal in admission.refusals:
        for alternative in refusal.alternatives:
            changes = dict(alternative.changes)
            if set(changes) == {"latency"}:
                smallest = replace(request, latency=changes["latency"] - changes["latency"] // 500)
                paths = simple_paths(graph, graph.node(request.from_), graph.node(request.to))
                assert not any(naive_fits(graph, [], smallest, path) for path in paths)


@COMMON
@given(cases())
def test_what_is_admitted_holds_together(case):
    graph, wanted = case
    _, admission = decided(graph, wanted)
    assert (admission.reserved_bps <= admission.reservable_bps).all()
    total = [0] * graph.port_count
    for each in admission.reservations:
        for port, reserved in zip(each.ports, each.reserved_bps, strict=True):
            total[port] += reserved
        assert each.latency_bound_ps is None or each.floor_ps <= each.latency_bound_ps
        if each.latency_promised_ps is not None:
            assert each.margin_ps is not None and each.margin_ps >= 0
        if each.variation_promised_ps is not None:
            assert each.variation_bound_ps is not None
            assert each.variation_bound_ps <= each.variation_promised_ps
    assert admission.reserved_bps.tolist() == total


@COMMON
@given(cases())
def test_the_bound_can_be_promised_and_a_ps_less_cannot(case):
    graph, wanted = case
    for request in wanted:
        _, admission = decided(graph, [replace(request, latency=None, delay_variation=None)])
        for slot in admission.reservations:
            bounds = {"latency": slot.latency_bound_ps, "delay_variation": slot.variation_bound_ps}
            again = replace(request, path=tuple(slot.nodes), **bounds)
            kept = decide(graph, again)
            assert kept.admitted and kept[request.name].margin_ps == 0
            if len(simple_paths(graph, graph.node(request.from_), graph.node(request.to))) == 1:
                for promise, bound in bounds.items():
                    refused = decide(graph, replace(again, **{promise: bound - 1})).refusals
                    assert [each.objective for each in refused] == [promise]


# --- single decisions, worked out by hand ---


def test_the_reservation_counts_headers_on_the_wire():
    graph = draw("a-m 10 Gbit/s 1 ms", "m-b 10 Gbit/s 1 ms")
    admission = decide(graph, asked(gbps=6.0))
    slot = admission["s"]
    assert slot.reserved_bps == (6_152_000_000, 6_152_000_000)  # 1538/1500
    assert slot.nodes == ("a", "m", "b") and slot.port_names == ("a->m", "m->b")
    assert admission.reserved_bps.tolist() == [6_152_000_000, 0, 6_152_000_000, 0]
    assert admission.reservable_bps.tolist() == [9_500_000_000] * 4
    assert slot.floor_ps == 2 * MS + 2 * 1_230_400  # 1538 B at 10 Gbit/s


def test_the_path_mtu_decides_the_overhead():
    network = Network(
        nodes={"a": {}, "m": {}, "b": {}},
        links=[{"endpoints": ["a", "m"], "mtu": "9000 B"}, {"endpoints": ["m", "b"], "mtu": "1500 B"}],
        defaults={"rate": "10 Gbit/s", "delay": "1 ms"},
    )
    slot = decide(build_graph(network), asked(gbps=1.5))["s"]
    assert slot.mtu_bytes == 1500 and slot.burst_bytes == 15_000
    assert slot.reserved_bps == (1_538_000_000, 1_538_000_000)


def test_one_port_one_slice_is_the_textbook_bound():
    """T + sigma / C: a frame of another class, then the burst (Le Boudec and Thiran, theorem 1.4.2)."""
    graph = draw("a-b 10 Gbit/s 1 ms")
    slot = decide(graph, asked(gbps=5.0, burst=3000))["s"]
    assert slot.latency_bound_ps == 1 * MS + (1538 + 2 * 1538) * 800  # 800 ps a byte
    assert slot.variation_bound_ps == (1538 + 2 * 1538) * 800 - (28 + 38) * 800


def test_a_burst_grows_by_rho_times_the_delay_of_each_hop():
    graph = draw("a-m 100 Gbit/s 1 ms", "m-b 10 Gbit/s 1 ms")
    first = (1538 + 1538) * 80.0
    grown = (1500 + 5e9 / 8 * first / 1e12) * 1538 / 1500
    over_line = (8 * grown - 8 * 1538) / (100e9 - 5e9 * 1538 / 1500)  # when the line has sent the burst, s
    second = (1538 + 1538) * 800 + over_line * (100e9 - 10e9) / 10e9 * 1e12
    slot = decide(graph, asked(gbps=5.0, burst=1500))["s"]
    assert slot.hop_delay_bound_ps == pytest.approx((first, second))
    assert slot.hop_burst_bound_bytes == pytest.approx((1500, 1500 + 5e9 / 8 * first / 1e12))


def test_slices_share_a_port_first_come_first_served():
    graph = draw("a-m 10 Gbit/s 1 ms", "c-m 10 Gbit/s 1 ms", "m-b 10 Gbit/s 1 ms")
    one = decide(graph, asked("one", gbps=1.0, burst=1500))["one"]
    both = decide(graph, asked("one", gbps=1.0, burst=1500), asked("two", "c", gbps=1.0, burst=15_000))
    assert both["one"].hop_delay_bound_ps[0] == one.hop_delay_bound_ps[0]
    at_once = 1538 * 800  # the other link's burst comes at the pace of that link, one frame at once
    assert one.hop_delay_bound_ps[1] + at_once <= both["one"].hop_delay_bound_ps[1]
    assert both["one"].hop_delay_bound_ps[1] < one.hop_delay_bound_ps[1] + 2 * 15_380 * 800
    assert both["one"].hop_delay_bound_ps[1] == both["two"].hop_delay_bound_ps[1]


def test_the_backlog_is_bursts_and_what_arrives_while_another_frame_is_sent():
    graph = draw("a-b 10 Gbit/s 1 ms")
    admission = decide(graph, asked(gbps=5.0, burst=3000))
    blocked = 1538 * 800e-12
    assert admission.backlog_bytes[0] == pytest.approx(2 * 1538 + 5e9 / 8 * 1538 / 1500 * blocked)
    assert admission.backlog_bytes[1] == 0


def test_a_path_around_is_taken_when_the_short_one_is_full():
    graph = draw("a-b 10 Gbit/s 1 ms", "a-m 10 Gbit/s 1 ms", "m-b 10 Gbit/s 1 ms")
    admission = decide(graph, asked("one", gbps=6.0), asked("two", gbps=6.0))
    assert admission["one"].nodes == ("a", "b")
    assert admission["two"].nodes == ("a", "m", "b")


def test_of_parallel_links_the_one_with_room_is_taken_also_on_a_stated_path():
    graph = draw("a-b", "a-b")
    admission = decide(graph, asked("one", gbps=6.0), asked("two", gbps=6.0, path=("a", "b")))
    assert admission["one"].port_names == ("a->b",)
    assert admission["two"].port_names == ("a->b#2",)


def test_a_refusal_names_the_link_what_is_left_and_what_would_do():
    graph = draw("a-m 100 Gbit/s 1 ms", "m-b 10 Gbit/s 1 ms")
    admission = decide(graph, asked("first", gbps=5.0), asked("second", gbps=6.0))
    refusal = admission.refusals[0]
    assert (refusal.objective, refusal.port_name) == ("bandwidth", "m->b")
    assert refusal.available == 9_500_000_000 - 5_126_666_667
    assert refusal.needed == 6_152_000_000
    assert refusal.excess == refusal.needed - refusal.available
    changes = [dict(each.changes) for each in refusal.alternatives]
    assert changes == [{"bandwidth": 4_265_000_000}]  # 4.3733 Gbit/s x 1500/1538, rounded down
    text = str(refusal)
    assert "m->b has 4.373 Gbit/s left of the 9.5 Gbit/s that slices may take (95% of 10 Gbit/s)" in text
    assert "6 Gbit/s of IP packets is 6.152 Gbit/s on the wire" in text and "1.779 Gbit/s too much" in text
    assert "the largest bandwidth on the wanted path: bandwidth: 4.265 Gbit/s" in text
    with pytest.raises(AdmissionRefused) as raised:
        admission.require()
    assert raised.value.exit_code == 3 and "m->b" in str(raised.value)


def test_a_refused_path_offers_another_and_the_widest():
    graph = draw("a-b 1 Gbit/s 1 ms", "a-m 10 Gbit/s 1 ms", "m-b 10 Gbit/s 1 ms")
    refusal = decide(graph, asked(gbps=2.0, path=("a", "b"))).refusals[0]
    assert [dict(each.changes) for each in refusal.alternatives] == [
        {"bandwidth": 926_500_000},
        {"path": ("a", "m", "b")},
    ]
    refusal = decide(graph, asked(gbps=20.0)).refusals[0]
    assert [dict(each.changes) for each in refusal.alternatives] == [
        {"bandwidth": 926_500_000, "path": ("a", "b")},
        {"bandwidth": 9_265_000_000},
    ]


def test_a_promise_below_the_propagation_is_refused_with_the_floor():
    graph = draw("a-b 10 Gbit/s 6 ms")
    refusal = decide(graph, asked(latency=5 * MS)).refusals[0]
    assert refusal.objective == "latency" and refusal.needed == 6 * MS + 1_230_400
    assert "propagation and transmission alone take 6.001 ms" in str(refusal)
    (alternative,) = [each for each in refusal.alternatives if "latency" in dict(each.changes)]
    assert dict(alternative.changes)["latency"] == 6_014_000_000


def test_the_smallest_latency_is_not_that_of_the_path_that_looks_shortest():
    """Two empty hops look shorter than one of 60 us, until the burst comes to the slow link."""
    graph = draw("a-m 10 Gbit/s 0 ms", "m-b 1 Gbit/s 0 ms", "a-b 10 Gbit/s 60 us")
    refusal = decide(graph, asked(gbps=0.5, latency=1 * US)).refusals[0]
    offers = [dict(each.changes) for each in refusal.alternatives]
    assert {"latency": 73_540_000} in offers  # 60 us + (1538 + 15380) x 800 ps, rounded up


def test_a_slice_that_would_break_an_earlier_promise_is_refused():
    graph = draw("a-b 10 Gbit/s 1 ms")
    tight = asked("tight", latency=1 * MS + 20 * US)
    refusal = decide(graph, tight, asked("loud", burst=100_000)).refusals[0]
    assert refusal.hurts == "tight" and refusal.objective == "latency"
    assert "for the earlier slice tight" in str(refusal)
    assert "burst" in {field for each in refusal.alternatives for field, _ in each.changes}


def test_loss_of_impairments_counts_against_the_promise():
    lossy = {"endpoints": ["a", "b"], "impairments": {"loss": "1 %"}}
    around = [{"endpoints": ["a", "m"], "delay": "9 ms"}, {"endpoints": ["m", "b"]}]
    stated = {"rate": "10 Gbit/s", "delay": "1 ms"}
    graph = build_graph(Network(nodes={n: {} for n in "abm"}, links=[lossy, *around], defaults=stated))
    assert decide(graph, asked(loss=0.02))["s"].nodes == ("a", "b")
    assert decide(graph, asked(loss=0.001))["s"].nodes == ("a", "m", "b")
    refusal = decide(graph, asked(loss=0.001, path=("a", "b"))).refusals[0]
    assert refusal.objective == "loss"
    changes = [dict(each.changes) for each in refusal.alternatives]
    assert {"path": ("a", "m", "b")} in changes and {"loss": 0.01} in changes


def test_jitter_without_a_largest_value_has_no_bound():
    jitter = {"jitter": {"delay": "1 us", "distribution": "normal"}}
    link = {"endpoints": ["a", "b"], "rate": "1 Gbit/s", "delay": "1 ms", "impairments": jitter}
    graph = build_graph(Network(nodes={"a": {}, "b": {}}, links=[link]))
    assert decide(graph, asked(gbps=0.1))["s"].latency_bound_ps is None
    refusal = decide(graph, asked(gbps=0.1, latency=90 * MS)).refusals[0]
    assert "has no worst case at a->b" in str(refusal) and refusal.alternatives == ()


def test_uniform_jitter_adds_to_latency_once_and_to_variation_twice():
    link = {"endpoints": ["a", "b"], "rate": "1 Gbit/s", "delay": "1 ms"}
    calm = decide(build_graph(Network(nodes={"a": {}, "b": {}}, links=[link])), asked(gbps=0.1))["s"]
    link["impairments"] = {"jitter": {"delay": "3 us"}}
    shaken = decide(build_graph(Network(nodes={"a": {}, "b": {}}, links=[link])), asked(gbps=0.1))["s"]
    assert shaken.latency_bound_ps - calm.latency_bound_ps == 3 * US
    assert shaken.variation_bound_ps - calm.variation_bound_ps == 6 * US


def test_slices_around_a_circle_have_a_bound_at_low_load_and_none_at_high_load():
    graph = draw(*[f"n{i}-n{(i + 1) % 6}" for i in range(6)])

    def around(gbps):
        paths = [tuple(f"n{(i + j) % 6}" for j in range(5)) for i in range(6)]
        return [asked(f"s{i}", p[0], p[-1], gbps, path=p) for i, p in enumerate(paths)]

    assert all(each.latency_bound_ps for each in decide(graph, *around(0.3)).reservations)
    full = decide(graph, *around(2.3))
    assert full.admitted and {each.latency_bound_ps for each in full.reservations} == {None}
    last = replace(around(2.3)[-1], latency=100 * MS)
    assert decide(graph, *around(2.3)[:-1], last).refusals[0].objective == "latency"


def test_mistakes_are_not_refusals_and_come_all_at_once():
    graph = draw("a-m", "m-b", "c-d")
    with pytest.raises(TrialInvalid) as raised:
        decide(
            graph,
            asked("one", target="bb"),
            asked("two", path=("a", "b")),
            asked("three", target="c"),
            asked("four", path=("m", "b")),
        )
    words = [str(problem) for problem in raised.value.problems]
    assert len(words) == 4
    assert words[0].startswith("slices.one.to: found node 'bb'") and "did you mean 'b'" in words[0]
    assert words[1].startswith("slices.two.path[1]: found 'b' after 'a', which no link joins")
    assert words[2].startswith("slices.three: found ends without a route") and "add a link" in words[2]
    assert words[3] == "slices.four.path: found a path from m to b, expected from a to b"


def test_the_slices_of_the_model_are_what_is_asked():
    graph = draw("a-b 100 Gbit/s 1 ms")
    express = Slice(**{"from": "a", "to": "b", "bandwidth": "50 Gbit/s", "latency": "10 ms", "loss": 0})
    admission = admit({"express": express}, graph)
    assert admission.admitted and admission["express"].margin_ps > 8 * MS
    assert admission.explain()[0].startswith(
        "express: 50 Gbit/s by strict along a, b; latency at most 1.001 ms"
    )


def test_the_share_is_a_parameter():
    graph = draw("a-b 10 Gbit/s 1 ms")
    assert decide(graph, asked(gbps=9.7), share=1.0).admitted
    assert not decide(graph, asked(gbps=9.7)).admitted


# --- packets: the bound holds for greedy sources beside a class that always has a frame under way ---


def conforming(arrival, tokens, now, bits):
    """(when a packet may leave a token bucket, what is in the bucket then)."""
    left, since = tokens
    left = min(float(arrival.burst_bits), left + (now - since) * arrival.rate_bps / 1e12)
    start = now if left >= bits else now + (bits - left) * 1e12 / arrival.rate_bps
    return start, (max(left, bits) - bits, start)


def largest_latency(graph, arrivals, seconds=0.002):
    """Simulated largest waiting time (all hops, without propagation) of each arrival, ps, packet by packet.

    Sources send their whole burst at once and then at their rate. Other traffic keeps every port busy: a
    slice's packet that finds no other slice's packet there waits for one largest frame.
    """
    packet = 1500
    queue = []
    for flow, arrival in enumerate(arrivals):
        at_once = arrival.burst_bits // (8 * packet)
        gap = 8e12 * packet / arrival.rate_bps
        for i in range(at_once + int(seconds * 1e12 / gap)):
            heapq.heappush(queue, (max(0, i - at_once + 1) * gap, len(queue), flow, 0, 0.0))
    free = [0.0] * graph.port_count
    tokens = [(float(arrival.burst_bits), 0.0) for arrival in arrivals]
    largest = [0.0] * len(arrivals)
    count = len(queue)
    while queue:
        now, _, flow, hop, waited = heapq.heappop(queue)
        if hop == len(arrivals[flow].ports):
            largest[flow] = max(largest[flow], waited)
            continue
        port = arrivals[flow].ports[hop]
        sending = 8e12 * (packet + int(graph.overhead_bytes[port])) / int(graph.rate_bps[port])
        blocked = 8e12 * int(graph.mtu_bytes[port] + graph.overhead_bytes[port]) / int(graph.rate_bps[port])
        start = free[port] if free[port] > now else now + blocked
        if not graph.node_forwards[graph.tail[port]]:  # a host's shaper: latency counts from here
            start, tokens[flow] = conforming(arrivals[flow], tokens[flow], max(now, free[port]), 8 * packet)
            now = start
        free[port] = start + sending
        count += 1
        heapq.heappush(queue, (free[port], count, flow, hop + 1, waited + free[port] - now))
    return largest


def loaded(graph, arrivals):
    """The load of all arrivals, brought to its bounds at once."""
    load = Load.empty(graph)
    for arrival in arrivals:
        load = load.joined(arrival)
    return load.settled()


def test_packets_reach_the_bound_of_one_port_exactly():
    graph = draw("a-b 10 Gbit/s 1 ms")
    arrivals = [
        Arrival((0,), GIGA, 8 * 1500 * 4, (1538 / 1500,)),
        Arrival((0,), GIGA, 8 * 1500 * 3, (1538 / 1500,)),
    ]
    assert max(largest_latency(graph, arrivals)) == pytest.approx(loaded(graph, arrivals).bound_ps[0])


@COMMON
@given(cases())
def test_starting_from_earlier_bounds_changes_nothing(case):
    graph, wanted = case
    _, admission = decided(graph, wanted)
    arrivals = [
        Arrival(r.ports, r.bandwidth_bps, 8 * r.burst_bytes, tuple(1 + 38 / r.mtu_bytes for _ in r.ports))
        for r in admission.reservations
    ]
    at_once = loaded(graph, arrivals).bound_ps
    for each in admission.reservations:
        assert each.hop_delay_bound_ps == pytest.approx(at_once[list(each.ports)].tolist(), rel=1e-8)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(graphs(most_nodes=5, most_links=8), st.data())
def test_packets_never_exceed_the_bound(graph, data):
    arrivals = []
    for _ in range(data.draw(st.integers(1, 4))):
        ends = data.draw(st.tuples(*[st.integers(0, graph.node_count - 1)] * 2))
        paths = simple_paths(graph, *ends)
        if paths:
            ports = data.draw(st.sampled_from(paths))
            burst = 8 * 1500 * data.draw(st.integers(1, 8))
            arrivals.append(Arrival(ports, GIGA // 5, burst, (1538 / 1500,) * len(ports)))
    bounds = loaded(graph, arrivals).bound_ps
    for seen, arrival in zip(largest_latency(graph, arrivals), arrivals, strict=True):
        assert seen <= bounds[list(arrival.ports)].sum() * (1 + 1e-9)


# --- every kind of request: mechanisms, times, protection ---


@st.composite
def cases_of_all_kinds(draw_value):
    graph = draw_value(graphs(most_nodes=5, most_links=8, mtus=(1500, 1500, 9000)))
    wanted = []
    for request in draw_value(requests(graph, most=5)):
        start = draw_value(st.sampled_from([0, 0, 10 * MS, 20 * MS]))
        length = draw_value(st.sampled_from([None, 10 * MS, 30 * MS]))
        wanted.append(
            replace(
                request,
                mechanism=draw_value(
                    st.sampled_from(["auto", "auto", "strict", "ats", "cbs", "cqf", "taprio"])
                ),
                protection=draw_value(st.sampled_from([False, False, False, True])),
                packet_size=draw_value(st.sampled_from([None, None, 100])),
                start=start,
                end=None if length is None else start + length,
            )
        )
    return graph, [replace(r, mechanism="auto") if r.protection else r for r in wanted]


@COMMON
@given(cases_of_all_kinds())
def test_every_alternative_of_every_kind_is_accepted_when_asked_again(case):
    graph, wanted = case
    joined, admission = decided(graph, wanted)
    for refusal in admission.refusals:
        for alternative in refusal.alternatives:
            changed = [alternative.applied(r) if r.name == refusal.slice_name else r for r in joined]
            again = decide(graph, *changed)
            assert refusal.slice_name in {each.name for each in again.reservations}, str(alternative)


@COMMON
@given(cases_of_all_kinds())
def test_what_is_admitted_of_every_kind_keeps_its_promises(case):
    graph, wanted = case
    _, admission = decided(graph, wanted)
    asked_of = {request.name: request for request in wanted}
    carried = {}
    for each in admission.paths:
        for port in each.ports[each.shaped_hops :]:
            assert carried.setdefault(port, each.mechanism) == each.mechanism
    for each in admission.reservations:
        request = asked_of[each.name]
        assert all(margin >= 0 for margin in admission.margins(each.name).values())
        assert request.mechanism in ("auto", each.mechanism)
        assert (each.second is not None) == request.protection


def test_a_later_time_is_offered_and_slices_share_capacity_in_turn():
    graph = draw("a-b 10 Gbit/s 1 ms")
    early = asked("early", gbps=6.0, latency=10 * MS, start=0, end=100 * MS)
    again = asked("again", gbps=6.0, latency=10 * MS, start=50 * MS, end=90 * MS)
    admission = decide(graph, early, again)
    changes = [dict(each.changes) for each in admission.refusals[0].alternatives]
    assert {"start": 110 * MS, "end": 150 * MS} in changes  # its last packets are under way for 10 ms
    moved = replace(again, start=110 * MS, end=150 * MS)
    assert decide(graph, early, moved).admitted
    assert not decide(graph, early, replace(moved, start=109 * MS)).admitted
    assert decide(graph, early, again, until_ps=140 * MS).refusals[0].alternatives[-1].what != "a later time"
