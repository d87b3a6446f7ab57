"""Every mechanism that admission gives slices: the bound holds, packet by packet, under interference."""

from __future__ import annotations

from dataclasses import replace

import pytest

from netarium.compile.admission import admit
from netarium.compile.compile import compile_trial
from netarium.compile.graph import build_graph
from netarium.compile.ledger import Request
from netarium.describe.loader import loads
from netarium.describe.network import Network
from netarium.errors import AdmissionRefused, TrialInvalid
from netarium.measure.certify import certify
from netarium.run.simulate import simulate

TRIAL = """
trial: mechanisms
duration: 80 ms
network:
  nodes:
    a: {kind: host}
    c: {kind: host}
    m: {kind: router, CLOCK}
    n: {kind: router}
    b: {kind: host}
    d: {kind: host}
  links:
    - {endpoints: [a, m], rate: 1 Gbit/s, delay: 10 us}
    - {endpoints: [c, m], rate: 1 Gbit/s, delay: 10 us}
    - {endpoints: [m, n], rate: 1 Gbit/s, delay: 500 us}
    - {endpoints: [n, b], rate: 1 Gbit/s, delay: 10 us}
    - {endpoints: [n, d], rate: 1 Gbit/s, delay: 10 us}
slices:
  one: {from: a, to: b, bandwidth: 60 Mbit/s, burst: 4 kB, latency: 20 ms, MECHANISM}
  two: {from: c, to: b, bandwidth: 100 Mbit/s, burst: 6 kB, packet_size: 300 B, latency: 20 ms, MECHANISM}
services:
  loop: {kind: control_loop, from: a, to: b, period: 200 us, size: 1200 B, slice: one}
  voice: {kind: stream, from: c, to: b, rate: 90 Mbit/s, packet_size: 300 B, slice: two}
  noise: {kind: stream, from: m, to: n, rate: 1 Gbit/s}
  storm: {kind: stream, from: n, to: b, rate: 1 Gbit/s}
  other: {kind: bulk, from: a, to: d}
"""


def trial(mechanism: str, clock: str = "location: [0, 0]", **changes: str):
    text = TRIAL.replace("MECHANISM", f"mechanism: {mechanism}").replace("CLOCK", clock)
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return loads(text)


@pytest.mark.parametrize("mechanism", ["strict", "ats", "cbs", "cqf", "taprio"])
@pytest.mark.parametrize("clock", ["location: [0, 0]", "clock: {offset: 3 us, drift: 20 ppm}"])
def test_the_bound_of_each_mechanism_holds_beside_full_links(mechanism: str, clock: str) -> None:
    plan = compile_trial(trial(mechanism, clock))
    samples = simulate(plan)
    certificates = certify(samples, plan.trial)
    for each in plan.admission.reservations:
        assert each.mechanism == mechanism
        found = certificates[each.name]
        assert found["certified"] is True, found["reasons"]
        assert found["observed"]["latency_s_max"] <= each.latency_bound_ps / 1e12
        assert found["observed"]["delay_variation_s"] <= each.variation_bound_ps / 1e12
    noise = samples.service_series[-1, samples.services.index("noise")]
    assert noise["received_packets"] > 0


def test_cycles_keep_the_jitter_of_a_path_below_two_of_them() -> None:
    plan = compile_trial(trial("cqf"))
    for each in plan.admission.reservations:
        frames = 2 * 1538 * 8000  # and a frame each at the source's port and the last
        assert each.variation_bound_ps <= 2 * each.cycle_ps + frames


def test_cycles_reach_further_than_waits_that_add_up() -> None:
    """Over fifteen ports strict priority waits for a largest frame at each, 17 us in all; cycles do not add up."""
    routers = [f"r{i}" for i in range(15)]
    nodes = {name: {} for name in routers} | {"a": {"kind": "host"}, "b": {"kind": "host"}}
    names = ["a", *routers, "b"]
    links = [{"endpoints": list(ends)} for ends in zip(names, names[1:], strict=False)]
    defaults = {"rate": "10 Gbit/s", "delay": "5 ms"}
    graph = build_graph(Network.model_validate({"nodes": nodes, "links": links, "defaults": defaults}))
    asked = Request("s", "a", "b", 10**8, delay_variation=20 * 10**6, packet_size=200, burst=1500)
    (found,) = admit({"s": asked}, graph, until_ps=10**12).reservations
    assert found.mechanism == "cqf"
    assert found.cycle_ps == 9 * 10**6
    assert found.variation_bound_ps <= 20 * 10**6
    # a promise that is too small is answered with that of the shortest cycle
    asked = replace(asked, mechanism="cqf", delay_variation=10**6)
    (refusal,) = admit({"s": asked}, graph, until_ps=10**12).refusals
    (change,) = [each for each in refusal.alternatives if "smallest delay variation" in each.what]
    (again,) = admit({"s": change.applied(asked)}, graph, until_ps=10**12).reservations
    assert again.variation_bound_ps < 15 * 10**6


def test_a_port_has_one_mechanism_and_the_refusal_says_so() -> None:
    changes = {"packet_size: 300 B, latency: 20 ms, mechanism: cbs": "packet_size: 300 B, mechanism: ats"}
    with pytest.raises(AdmissionRefused) as raised:
        compile_trial(trial("cbs", **changes))
    (refusal,) = raised.value.refusals
    assert refusal.objective == "mechanism"
    assert "m->n serves slices by cbs, and a port has one mechanism" in str(refusal)
    assert ("mechanism", "cbs") in {change for each in refusal.alternatives for change in each.changes}
    again = {"packet_size: 300 B, latency: 20 ms, mechanism: cbs": "packet_size: 300 B, mechanism: cbs"}
    assert compile_trial(trial("cbs", **again)).admission.admitted


def test_auto_takes_what_is_needed_and_no_more() -> None:
    plan = compile_trial(trial("auto"))
    assert {each.mechanism for each in plan.admission.reservations} == {"strict"}


def test_nothing_else_may_have_the_priority_of_slices() -> None:
    with pytest.raises(TrialInvalid, match="another: it is that of slices by cbs"):
        compile_trial(
            trial("cbs", **{"{kind: bulk, from: a, to: d}": "{kind: bulk, from: a, to: d, priority: 7}"})
        )
    with pytest.raises(TrialInvalid, match="tcp in a slice by cbs without a return slice by cbs"):
        compile_trial(trial("cbs", **{"from: a, to: d}": "from: a, to: b, slice: one}"}))


def test_slices_in_turn_share_what_they_could_not_share_at_once() -> None:
    """Two slices of 70 % of a link, one after the other; beyond its end a slice lets nothing pass."""
    text = """
trial: turns
duration: 60 ms
network:
  nodes: {a: {kind: host}, m: {kind: router}, b: {kind: host}}
  defaults: {rate: 100 Mbit/s, delay: 1 ms}
  links: [{endpoints: [a, m]}, {endpoints: [m, b]}]
slices:
  early: {from: a, to: b, bandwidth: 70 Mbit/s, latency: 5 ms, loss: 0, end: 20 ms}
  late: {from: a, to: b, bandwidth: 70 Mbit/s, latency: 5 ms, loss: 0, start: 25 ms}
services:
  one: {kind: stream, from: a, to: b, rate: 60 Mbit/s, stop: 20 ms, slice: early}
  two: {kind: stream, from: a, to: b, rate: 60 Mbit/s, start: 25 ms, slice: late}
"""
    plan = compile_trial(loads(text))
    certificates = certify(simulate(plan), plan.trial)
    assert {name: each["certified"] for name, each in certificates.items()} == {"early": True, "late": True}
    with pytest.raises(AdmissionRefused, match="a later time"):
        compile_trial(
            loads(text.replace("latency: 5 ms, loss: 0, start: 25 ms}", "latency: 5 ms, start: 20 ms}"))
        )
    slices, frame_ps = plan.arrays["slices"], 8 * 1538 * 10**4
    assert slices["end_ps"].tolist()[0] == 21 * 10**9 + frame_ps + 1  # the first link's time behind its end
    assert slices["start_ps"].tolist() == [0, 25 * 10**9]
