"""Slices with planned windows: an independent check of schedules, the solver, alternatives, bookings, and the engine."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import product
from math import lcm

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netarium.compile import admission as admitting
from netarium.compile.admission import admit
from netarium.compile.compile import compile_trial
from netarium.compile.graph import Graph, build_graph
from netarium.compile.ledger import Request
from netarium.compile.mechanisms import solver
from netarium.compile.mechanisms.scheduled import Planned, Taken, Window, first_release
from netarium.describe.clock import Clock
from netarium.describe.loader import loads
from netarium.describe.network import Network
from netarium.describe.slices import Slice
from netarium.errors import AdmissionRefused, TrialInvalid
from netarium.measure.certify import certify
from netarium.run.simulate import simulate

US, MS, SECOND = 10**6, 10**9, 10**12
WITH_SOLVER = pytest.mark.skipif(not solver.available(), reason="OR-Tools has no wheel for this Python")
PERIODS = (250 * US, 500 * US, 1 * MS, 2 * MS)


# --- the oracle: every repetition of every window, one by one, in true time ---


def extremes(clock: Clock | None, duration_ps: int) -> tuple[float, float]:
    """Least and largest error of a clock, from its definition."""
    if clock is None:
        return 0.0, 0.0
    span = duration_ps if clock.sync is None else min(clock.sync, duration_ps)
    errors = [clock.offset + share * span * clock.drift / 1e9 for share in (0, 0.5, 1)]
    return min(errors), max(errors)


def check_schedule(graph: Graph, found: admitting.Admission, duration_ps: int) -> None:
    """No two slices at a port at a time, every message fits, and every packet is there before its window opens."""
    at_port: dict[int, list[tuple[int, int, str]]] = {}
    planned = [each for each in found.reservations if each.planned is not None]
    whole = lcm(*(each.planned.period_ps for each in planned)) if planned else 1
    for each in planned:
        assert [window.port for window in each.planned.windows] == list(each.ports)
        for window in each.planned.windows:
            for turn in range(whole // each.planned.period_ps):
                begin = (each.release_ps + window.arrives_ps + turn * each.planned.period_ps) % whole
                end = begin + window.closes_ps - window.arrives_ps
                times = [(begin, end)] if end <= whole else [(begin, whole), (0, end - whole)]
                at_port.setdefault(window.port, []).extend((a, b, each.name) for a, b in times)
        wire = [
            8 * (each.packet_bytes + int(graph.overhead_bytes[p])) * SECOND / int(graph.rate_bps[p])
            for p in each.ports
        ]
        packets = -(-each.burst_bytes // each.packet_bytes)
        assert packets * each.packet_bytes * 8 * SECOND >= each.bandwidth_bps * each.planned.period_ps
        clocks = graph.clocks_of_ports()
        for window, sending in zip(each.planned.windows, wire, strict=True):
            drift = abs(clocks[window.port].drift) / 1e9 if clocks[window.port] else 0.0
            assert window.closes_ps - window.opens_ps >= packets * sending * (1 + drift)
        for (here, after), sending in zip(
            zip(each.planned.windows, each.planned.windows[1:], strict=False), wire, strict=False
        ):
            slow = extremes(clocks[here.port], duration_ps)
            next_ = extremes(clocks[after.port], duration_ps)
            last_of_first = here.opens_ps - slow[0] + sending + int(graph.delay_ps[here.port])
            assert last_of_first <= after.opens_ps - next_[1]
            quickest = (
                8 * (28 + int(graph.overhead_bytes[here.port])) * SECOND / int(graph.rate_bps[here.port])
            )
            assert (
                here.opens_ps - slow[1] + quickest + int(graph.delay_ps[here.port]) + next_[0]
                >= after.arrives_ps
            )
    for times in at_port.values():
        times.sort()
        for (_, end, one), (begin, _, two) in zip(times, times[1:], strict=False):
            assert end <= begin, (one, two)


def small_network(seed: int) -> Graph:
    """A ring or a line of switches with hosts, with clocks that err, and one slow or fast link."""
    draw = random.Random(seed)
    switches = draw.randint(1, 4)
    nodes = {f"s{i}": {"kind": "switch"} for i in range(switches)}
    links = [{"endpoints": [f"s{i}", f"s{i + 1}"]} for i in range(switches - 1)]
    if switches > 2 and draw.random() < 0.5:
        links.append({"endpoints": [f"s{switches - 1}", "s0"]})
    for i in range(draw.randint(2, 6)):
        nodes[f"h{i}"] = {"kind": "host"}
        links.append({"endpoints": [f"h{i}", f"s{draw.randrange(switches)}"]})
    for node in nodes.values():
        if draw.random() < 0.6:
            drift = draw.randint(-50, 50)
            node["clock"] = {
                "offset": f"{draw.randint(-500, 500)} ns",
                "drift": f"{drift} ppm",
                "sync": "10 ms",
            }
    for link in links:
        link |= {"rate": draw.choice(["100 Mbit/s", "1 Gbit/s", "1 Gbit/s", "2.5 Gbit/s"]), "delay": "700 ns"}
    return build_graph(Network.model_validate({"nodes": nodes, "links": links}))


def periodic(draw: random.Random, graph: Graph, number: int) -> Request:
    hosts = [name for name in graph.node_names if name.startswith("h")]
    a, b = draw.sample(hosts, 2)
    period, size = draw.choice(PERIODS), draw.choice([64, 200, 800, 2500])
    return Request(
        f"p{number}", a, b, 8 * size * SECOND // period, period=period, mechanism="scheduled",
        latency=draw.choice([None, 100 * US, 500 * US]), delay_variation=draw.choice([None, 5 * US, 300 * US]),
    )  # fmt: skip


@pytest.mark.slow
@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 10**6))
def test_schedules_hold_for_all_and_alternatives_are_accepted(seed: int) -> None:
    """Every admitted slice keeps its promise whatever was admitted later, by the naive check of the whole schedule; every
    alternative of a refused one is accepted when the whole is asked again."""
    draw, graph = random.Random(seed), small_network(seed)
    requests = {f"p{i}": periodic(draw, graph, i) for i in range(draw.randint(2, 12))}
    found = admit(requests, graph, until_ps=SECOND)
    check_schedule(graph, found, SECOND)
    for each in found.reservations:
        asked = requests[each.name]
        assert asked.latency is None or each.latency_bound_ps <= asked.latency
        assert asked.delay_variation is None or each.variation_bound_ps <= asked.delay_variation
    for refusal in found.refusals[:2]:
        assert refusal.reason
        for change in refusal.alternatives:
            changed = {
                name: change.applied(each) if name == refusal.slice_name else each
                for name, each in requests.items()
            }
            again = admit(changed, graph, until_ps=SECOND)
            assert refusal.slice_name not in {each.slice_name for each in again.refusals}, change
            check_schedule(graph, again, SECOND)


# --- where windows lie ---


def plan(period: int, *windows: tuple[int, int]) -> Planned:
    """Windows at ports 0, 1, …: (arrives, closes)."""
    return Planned(period, tuple(Window(port, a, a, b) for port, (a, b) in enumerate(windows)), 0, 0, 0)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.data())
def test_the_first_release_is_the_first_that_a_search_one_by_one_finds(data: st.DataObject) -> None:
    def some(period: int) -> tuple[int, int]:
        begin = data.draw(st.integers(0, 2 * period))
        return begin, begin + data.draw(st.integers(1, max(1, period // 3)))

    periods = st.sampled_from([6, 8, 12, 24])
    own = data.draw(periods)
    asked = plan(own, *(some(own) for _ in range(2)))
    taken: dict[int, list[Taken]] = {0: [], 1: []}
    for _ in range(data.draw(st.integers(0, 5))):
        period = data.draw(periods)
        taken[data.draw(st.integers(0, 1))].append(Taken(*some(period), period))

    def free(release: int) -> bool:
        for window in asked.windows:
            mine = {
                (release + t + turn * own) % 24
                for t in range(window.arrives_ps, window.closes_ps)
                for turn in range(24 // own)
            }
            for other in taken[window.port]:
                theirs = {
                    (t + turn * other.period_ps) % 24
                    for t in range(other.begin_ps, other.end_ps)
                    for turn in range(24 // other.period_ps)
                }
                if mine & theirs:
                    return False
        return True

    assert first_release(asked, taken) == next((release for release in range(own) if free(release)), None)


@WITH_SOLVER
def test_the_solver_finds_a_schedule_exactly_where_there_is_one() -> None:
    """Against all releases of small periods, tried one by one."""
    draw = random.Random(3)
    sure = {True: 0, False: 0}
    for _ in range(60):
        plans = {}
        for name in "abc":
            period = draw.choice([6, 12, 12])
            begins = [draw.randrange(period) for _ in range(2)]
            plans[name] = plan(period, *((begin, begin + draw.randint(1, period // 3)) for begin in begins))

        def meets(releases: dict[str, int], plans: dict[str, Planned] = plans) -> bool:
            taken: dict[int, list[Taken]] = {}
            for name, each in plans.items():
                for window in each.windows:
                    mine = {
                        (releases[name] + t + turn * each.period_ps) % 24
                        for t in range(window.arrives_ps, window.closes_ps)
                        for turn in range(24 // each.period_ps)
                    }
                    if mine & set(taken.get(window.port, [])):
                        return True
                    taken.setdefault(window.port, []).extend(mine)  # type: ignore[arg-type]
            return False

        ranges = [range(each.period_ps) for each in plans.values()]
        possible = any(not meets(dict(zip(plans, each, strict=True))) for each in product(*ranges))
        found = solver.together(plans, {})
        assert (found is not None) == possible
        assert found is None or not meets(found)
        sure[possible] += 1
    assert min(sure.values()) >= 5


# --- what admission says ---

CELL = """
trial: cell
duration: 40 ms
network:
  defaults: {rate: 1 Gbit/s, delay: 500 ns}
  nodes:
    plc: {kind: host, CLOCK0}
    s1: {kind: switch, CLOCK1}
    s2: {kind: switch, CLOCK2}
    a1: {kind: host}
    a2: {kind: host}
    x: {kind: host}
    y: {kind: host}
  links:
    - {endpoints: [plc, s1]}
    - {endpoints: [s1, s2]}
    - {endpoints: [s2, a1]}
    - {endpoints: [s2, a2], rate: 100 Mbit/s}
    - {endpoints: [s1, x]}
    - {endpoints: [s2, y]}
slices:
  one: {from: plc, to: a1, bandwidth: 864 kbit/s, period: 1 ms, latency: 20 us, delay_variation: 5 us, loss: 0}
  two: {from: plc, to: a2, bandwidth: 6 Mbit/s, period: 2 ms, packet_size: 500 B, latency: 300 us, mechanism: scheduled}
  back: {from: a1, to: plc, bandwidth: 3456 kbit/s, period: 250 us, delay_variation: 5 us, loss: 0}
services:
  loop1: {kind: control_loop, from: plc, to: a1, period: 1 ms, deadline: 30 us, size: 80 B, slice: one}
  loop2: {kind: stream, from: plc, to: a2, rate: 5 Mbit/s, packet_size: 500 B, slice: two}
  loop3: {kind: control_loop, from: a1, to: plc, period: 250 us, deadline: 30 us, size: 80 B, slice: back}
  noise: {kind: stream, from: x, to: y, rate: 1.2 Gbit/s}
  more: {kind: stream, from: plc, to: a1, rate: 700 Mbit/s, pattern: poisson}
  storm: {kind: stream, from: y, to: a1, rate: 900 Mbit/s, pattern: poisson}
"""


def cell(*clocks: str, **changes: str) -> str:
    text = CELL
    for number in range(3):
        text = text.replace(f"CLOCK{number}", clocks[number] if clocks else "location: [0, 0]")
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return text


def test_windows_are_planned_only_where_nothing_simpler_keeps_the_promise() -> None:
    changes = {
        "latency: 20 us, delay_variation: 5 us, loss: 0": "latency: 200 us",
        "mechanism: scheduled": "loss: 0",
    }
    plan_ = compile_trial(
        loads(cell(**changes, **{"period: 250 us, delay_variation: 5 us": "period: 250 us"}))
    )
    assert {each.mechanism for each in plan_.admission.reservations} == {"strict"}
    plan_ = compile_trial(loads(cell()))
    assert {each.mechanism for each in plan_.admission.reservations} == {"scheduled"}


@pytest.mark.parametrize(
    ("network", "asked", "says"),
    [
        ({}, {"period": None}, "a schedule needs the period"),
        ({}, {"from_": "s1"}, "a schedule begins at a host, and s1 forwards"),
        ({"impairments": {"jitter": {"delay": "1 us"}}}, {}, "has jitter"),
        ({}, {"period": 3 * US, "bandwidth": 100 * 10**6, "packet_size": 64}, "take longer"),
    ],
)
def test_a_refusal_says_why_there_is_no_schedule(network: dict, asked: dict, says: str) -> None:
    kinds = {"p": "host", "s1": "switch", "s2": "switch", "q": "host"}
    clock = {"clock": {"drift": "100 ppm", "sync": "125 ms"}}
    nodes = {name: {"kind": kind, **(clock if name == "s2" else {})} for name, kind in kinds.items()}
    links = [
        {"endpoints": ends, "rate": "1 Gbit/s", "delay": "1 us"}
        for ends in (["p", "s1"], ["s1", "s2"], ["s2", "q"])
    ]
    links[1] |= network
    graph = build_graph(Network.model_validate({"nodes": nodes, "links": links}))
    request = Request("w", "p", "q", 864_000, period=MS, mechanism="scheduled")
    found = admit({"w": replace(request, **asked)}, graph, until_ps=SECOND)
    (refusal,) = found.refusals
    assert refusal.objective == "schedule"
    import re

    assert re.search(says, refusal.reason)


def test_a_promise_that_no_schedule_keeps_is_answered_with_the_one_that_it_keeps() -> None:
    """Asked for less than the schedule takes, by itself or by what admission chooses, the slice is told what it would be."""
    for mechanism in ("scheduled", "auto"):
        changes = {"latency: 20 us, delay_variation: 5 us, loss: 0": f"latency: 4 us, mechanism: {mechanism}"}
        with pytest.raises(
            AdmissionRefused, match="the smallest latency that can be promised: latency: 4.005"
        ):
            compile_trial(loads(cell(**changes)))


def test_a_period_and_what_does_not_go_with_it() -> None:
    with pytest.raises(ValueError, match="a period: the time between its messages"):
        Slice.model_validate({"from": "a", "to": "b", "bandwidth": "1 Mbit/s", "mechanism": "scheduled"})
    with pytest.raises(TrialInvalid, match="a message is bandwidth x period"):
        loads(cell(**{"period: 1 ms": "period: 1 ms, burst: 1 kB"}))


def line() -> Graph:
    """Four switches in a line with two hosts each, slow links and small packets."""
    nodes = {f"s{i}": {"kind": "switch"} for i in range(4)} | {f"h{i}": {"kind": "host"} for i in range(8)}
    ends = [[f"s{i}", f"s{i + 1}"] for i in range(3)] + [[f"h{i}", f"s{i // 2}"] for i in range(8)]
    links = [{"endpoints": each, "rate": "100 Mbit/s", "delay": "1 us", "mtu": "200 B"} for each in ends]
    return build_graph(Network.model_validate({"nodes": nodes, "links": links}))


def crowd(seed: int) -> dict[str, Request]:
    """Messages in several packets that fill much of several links, of periods that only some orders fit together."""
    draw = random.Random(seed)
    found = {}
    for i in range(22):
        period, size = draw.choice((1000, 1500, 2000, 3000)) * US, draw.choice((500, 900, 1700))
        a, b = draw.sample(range(8), 2)
        bandwidth = 8 * size * SECOND // period
        found[f"c{i}"] = Request(f"c{i}", f"h{a}", f"h{b}", bandwidth, period=period, mechanism="scheduled")
    return found


@WITH_SOLVER
def test_the_solver_admits_what_does_not_fit_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    graph, requests = line(), crowd(2)
    both = admit(requests, graph, until_ps=SECOND)
    check_schedule(graph, both, SECOND)
    assert both.admitted
    monkeypatch.setattr(solver, "available", lambda: False)
    simple = admit(requests, graph, until_ps=SECOND)
    check_schedule(graph, simple, SECOND)
    assert simple.refusals
    for refusal in simple.refusals:
        assert refusal.objective == "schedule"
        assert "the solver (extra `solver`) is not installed" in refusal.reason


# --- the engine ---

CLOCKS = [
    ("location: [0, 0]",) * 3,
    (
        "clock: {offset: 400 ns, drift: 30 ppm, sync: 10 ms}",
        "clock: {offset: -300 ns}",
        "clock: {drift: -20 ppm, sync: 10 ms}",
    ),
    (
        "clock: {offset: -700 ns}",
        "clock: {offset: 500 ns, drift: 40 ppm, sync: 5 ms}",
        "clock: {offset: -100 ns}",
    ),
]


@pytest.mark.parametrize("clocks", CLOCKS)
def test_no_packet_is_later_than_its_schedule_says_beside_full_links(clocks: tuple[str, ...]) -> None:
    plan_ = compile_trial(loads(cell(*clocks)))
    check_schedule(plan_.graph, plan_.admission, plan_.duration_ps)
    samples = simulate(plan_)
    certificates = certify(samples, plan_.trial)
    for each in plan_.admission.reservations:
        found = certificates[each.name]
        assert found["certified"] is True, found["reasons"]
        assert found["observed"]["latency_s_max"] <= each.latency_bound_ps / 1e12
        assert found["observed"]["delay_variation_s"] <= each.variation_bound_ps / 1e12
        assert found["observed"]["loss"] == 0
    assert samples.service_series[-1, samples.services.index("noise")]["received_packets"] > 0
    assert samples.service_series[-1, samples.services.index("more")]["received_packets"] > 0


def test_an_adversary_comes_close_to_the_bound() -> None:
    """Clocks at the ends of what they may show, messages at any time: 99.9 % of the latency, 38 % of the variation, in which
    the smallest packet there could be counts."""
    draw = random.Random(1)
    largest = spread = 0.0
    for turn in range(8):
        signs = [draw.choice([-1, 1]) for _ in range(3)] if turn > 1 else [2 * turn - 1, 1, 1 - 2 * turn]
        clocks = [f"clock: {{drift: {sign * 100} ppm, sync: 8 ms}}" for sign in signs]
        plan_ = compile_trial(
            loads(cell(*clocks, **{"loop3: {kind": f"loop3: {{start: {draw.randint(0, 10**6)} ns, kind"}))
        )
        found = certify(simulate(plan_), plan_.trial)
        bounds = {each.name: each for each in plan_.admission.reservations}
        largest = max(
            largest, found["one"]["observed"]["latency_s_max"] / bounds["one"].latency_bound_ps * 1e12
        )
        spread = max(
            spread, found["back"]["observed"]["delay_variation_s"] / bounds["back"].variation_bound_ps * 1e12
        )
    assert 0.99 <= largest <= 1, largest
    assert 0.35 <= spread <= 1, spread
