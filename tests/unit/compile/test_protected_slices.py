"""Protected slices: two paths that share nothing but the access, both reserved; a cut fibre costs no packet."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netarium.compile.admission import admit
from netarium.compile.compile import compile_trial
from netarium.compile.graph import build_graph
from netarium.compile.ledger import Request
from netarium.describe.loader import loads
from netarium.describe.network import Network
from netarium.errors import TrialInvalid
from netarium.measure.certify import certify
from netarium.run.simulate import simulate

RING = """
trial: protected
duration: 100 ms
network:
  nodes: {a: {kind: host}, m: {}, n: {}, o: {}, p: {}, b: {kind: host}}
  links:
    - {endpoints: [a, m], rate: 1 Gbit/s, delay: 10 us}
    - {endpoints: [m, n], rate: 1 Gbit/s, delay: 1 ms}
    - {endpoints: [n, o], rate: 1 Gbit/s, delay: 1 ms, name: cut}
    - {endpoints: [m, p], rate: 1 Gbit/s, delay: 3 ms}
    - {endpoints: [p, o], rate: 1 Gbit/s, delay: 3 ms}
    - {endpoints: [o, b], rate: 1 Gbit/s, delay: 10 us}
slices:
  safe: {from: a, to: b, bandwidth: 50 Mbit/s, packet_size: 500 B, latency: 8 ms, loss: 0, protection: PROTECTION}
services:
  loop: {kind: control_loop, from: a, to: b, period: 1 ms, deadline: 8 ms, slice: safe}
  voice: {kind: stream, from: a, to: b, rate: 30 Mbit/s, packet_size: 500 B, slice: safe}
  noise: {kind: bulk, from: a, to: b}
events:
  - {kind: link_down, at: 50 ms, link: cut}
"""


def run(protection: bool, mechanism: str = "strict"):
    by = f"{str(protection).lower()}, mechanism: {mechanism}"
    plan = compile_trial(
        loads(RING.replace("PROTECTION", by + (", period: 1 ms" if mechanism == "scheduled" else "")))
    )
    samples = simulate(plan)
    return plan, samples, certify(samples, plan.trial)["safe"]


@pytest.mark.parametrize("mechanism", ["strict", "cbs", "taprio", "scheduled"])
def test_a_cut_costs_a_protected_slice_nothing(mechanism: str) -> None:
    plan, samples, certificate = run(protection=True, mechanism=mechanism)
    slot = plan.admission["safe"]
    assert slot.mechanism == slot.second.mechanism == mechanism
    assert slot.nodes == ("a", "m", "n", "o", "b") and slot.second.nodes == ("a", "m", "p", "o", "b")
    assert certificate["certified"] is True, certificate["reasons"]
    assert certificate["observed"]["latency_s_max"] <= slot.latency_bound_ps / 1e12
    assert certificate["observed"]["delay_variation_s"] <= slot.variation_bound_ps / 1e12
    assert certificate["observed"]["delay_variation_s"] > 3.9e-3  # the slow path took over
    if mechanism != "scheduled":
        assert plan.admission.reserved_bps[plan.graph.port_index["a->m"]] == 2 * slot.wire_bps


@pytest.mark.parametrize("mechanism", ["ats", "cqf"])
def test_mechanisms_with_one_path_are_told(mechanism: str) -> None:
    with pytest.raises(TrialInvalid, match=f"{mechanism}, which has a slice on one path, and protection"):
        loads(RING.replace("PROTECTION", f"true, mechanism: {mechanism}"))


def test_the_same_cut_breaks_an_unprotected_one() -> None:
    _, _, certificate = run(protection=False)
    assert certificate["certified"] is False
    assert any("loss" in reason for reason in certificate["reasons"])


def test_what_cannot_be_sent_twice_is_told() -> None:
    text = RING.replace("PROTECTION", "true")
    with pytest.raises(TrialInvalid, match="bulk over tcp in slice safe, which has protection"):
        compile_trial(loads(text.replace("from: a, to: b}", "from: a, to: b, slice: safe}")))
    fast = text.replace("rate: 30 Mbit/s, packet_size: 500 B", "rate: 600 Mbit/s, packet_size: 500 B")
    with pytest.raises(TrialInvalid, match="at most 256 packets"):
        compile_trial(loads(fast.replace("bandwidth: 50 Mbit/s", "bandwidth: 400 Mbit/s")))


def test_without_two_paths_the_refusal_says_so() -> None:
    links = [{"endpoints": ["a", "m"]}, {"endpoints": ["m", "b"]}]
    graph = build_graph(
        Network(nodes={n: {} for n in "amb"}, links=links, defaults={"rate": "1 Gbit/s", "delay": 0})
    )
    (refusal,) = admit({"s": Request("s", "a", "b", 10**6, protection=True)}, graph).refusals
    assert refusal.objective == "protection"
    assert "a, m, b would hold it alone" in str(refusal)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(4, 7), st.data())
def test_two_paths_share_neither_router_nor_link(count: int, data: st.DataObject) -> None:
    pairs = [(i, j) for i in range(count) for j in range(i + 1, count)]
    chosen = data.draw(st.lists(st.sampled_from(pairs), min_size=count, max_size=12, unique=True))
    nodes = {f"n{i}": {} for i in range(count)} | {"x": {"kind": "host"}, "y": {"kind": "host"}}
    ends = [("x", "n0"), ("y", f"n{count - 1}"), *[(f"n{i}", f"n{j}") for i, j in chosen]]
    links = [{"endpoints": list(pair)} for pair in ends]
    graph = build_graph(Network(nodes=nodes, links=links, defaults={"rate": "1 Gbit/s", "delay": "1 ms"}))
    try:
        admission = admit({"s": Request("s", "x", "y", 10**6, protection=True)}, graph)
    except TrialInvalid:
        return
    for slot in admission.reservations:
        assert slot.ports[0] == slot.second.ports[0] and slot.ports[-1] == slot.second.ports[-1]
        assert not set(slot.nodes[2:-2]) & set(slot.second.nodes[2:-2])
        assert not set(slot.ports[1:-1]) & set(slot.second.ports[1:-1])
