"""Linktest: what it expects of a path, what probers send and stamp, what it finds of a network that is not as described."""

from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from netarium.compile.compile import compile_trial
from netarium.describe.loader import loads
from netarium.run.emulate.linktest import prober, schedule, session
from netarium.run.emulate.linktest.described import Described, describe, pairs_to_test
from netarium.run.emulate.linktest.judge import Finding, judge
from netarium.run.kernel.real import records

TOLERANCE_S = 0.001
TRIAL = """
trial: t
duration: 5 s
mode: emulate
network:
  nodes: {a: {kind: host}, b: {kind: host}, r: , s: }
  links:
    - {endpoints: [a, r], rate: 1 Gbit/s, delay: 1 ms}
    - {endpoints: [r, s], rate: 100 Mbit/s, delay: 5 ms, impairments: {loss: 1 %}}
    - {endpoints: [s, b], rate: 1 Gbit/s, delay: 1 ms, forward: {impairments: {jitter: {delay: 2 ms}}}}
services:
  x: {kind: command, node: a, argv: [ping, b], to: b}
"""


def plan(text: str = TRIAL) -> Any:
    return compile_trial(loads(text))


def path(**keys: Any) -> Described:
    plain = Described(
        src="a", dst="b", delay_s_min=0.01, delay_s_max=0.01, ps_per_byte_max=80_000.0, jitter_s=0.0, loss=0.0,
        rate_bps=100_000_000, overhead_bytes=38, queue_packets=1000, mtu_bytes=1500, changes=False,
    )  # fmt: skip
    return replace(plain, **keys)


def test_the_description_of_a_path_adds_up() -> None:
    asked = plan()
    pairs, left = pairs_to_test(asked.emulation)
    assert pairs == [("a", "b"), ("b", "a")] and not left
    (there, back), _ = describe(asked, pairs)
    bits = 8 * (100 + 38)
    by_hand = 0.007 + bits * (2 / 1e9 + 1 / 1e8)
    assert there.one_way_s(100) == pytest.approx((by_hand, by_hand), rel=1e-9)
    assert there.rate_bps == 100_000_000 and there.mtu_bytes == 1500
    assert (
        there.loss == pytest.approx(0.01) and there.jitter_s == pytest.approx(0.002) and back.jitter_s == 0.0
    )


def test_paths_through_a_routing_daemon_are_left_out_with_the_reason() -> None:
    text = TRIAL.replace("r: , s: ", "r: {real: true, routes: none}, s: ")
    asked = plan(text)
    found, left = describe(asked, pairs_to_test(asked.emulation)[0])
    assert not found and all("routing daemon" in text for text in left) and len(left) == 2


def test_pairs_are_limited_and_it_is_said() -> None:
    asked = plan()
    rule = asked.emulation.rules[0]
    many = replace(asked.emulation, rules=(rule, replace(rule, src=rule.dst, dst=rule.src)))
    assert len(pairs_to_test(many, most=1)[0]) == 2, "both ways of one pair"
    nodes = "a: {kind: host, real: true}, b: {kind: host, real: true}, c: {kind: host, real: true}"
    text = TRIAL.replace("a: {kind: host}, b: {kind: host}", nodes).replace(
        "    - {endpoints: [a, r]",
        "    - {endpoints: [c, r], rate: 1 Gbit/s, delay: 1 ms}\n    - {endpoints: [a, r]",
    )
    text = text.replace("argv: [ping, b], to: b}", "argv: [ping, b]}")
    pairs, left = pairs_to_test(plan(text).emulation, most=1)
    assert pairs == [("a", "b"), ("b", "a")] and left == ["1 more pairs of hosts were not tested"]


def test_the_engine_knows_the_probes_by_their_port() -> None:
    assert schedule.PORT == records.PROBE_PORT


def observed(
    plan_: schedule.Schedule,
    *,
    delay_s: float,
    rate_bps: float,
    loss: float = 0.0,
    pace_bps: float = 1e9,
    seed: int = 1,
) -> list[dict[str, Any]]:
    """What probers would print on a network with this delay, rate and loss; trains leave the sender at pace_bps."""
    draw = random.Random(seed)
    sent: dict[str, list[int]] = {}
    received: dict[str, list[tuple[int, int]]] = {}
    for one in plan_.streams:
        wire_bits = 8 * (one.payload_bytes + schedule.HEADERS_BYTES + one.pair.overhead_bytes)
        left = free = int(one.at_s * 1e9)
        for number in range(one.count):
            sent.setdefault(str(one.number), []).append(left)
            free = max(free, left) + int(wire_bits / rate_bps * 1e9)
            if draw.random() >= loss:
                received.setdefault(str(one.number), []).append((number, free + int(delay_s * 1e9)))
            left += int(one.gap_s * 1e9) if one.gap_s else int(wire_bits / pace_bps * 1e9)
    return [{"sent": sent, "received": received}]


def failed(findings: list[Finding]) -> set[str]:
    return {one.what for one in findings if one.passed is False}


def test_a_network_as_described_passes() -> None:
    asked = schedule.before([path()])
    found = judge(asked, observed(asked, delay_s=0.01, rate_bps=100e6), TOLERANCE_S)
    assert {one.what: one.passed for one in found} == {"delay_s": True, "loss": True, "rate_bps": True}
    rate = next(one for one in found if one.what == "rate_bps")
    assert rate.measured == pytest.approx(100e6, rel=0.001)


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ({"delay_s": 0.0125}, {"delay_s"}),
        ({"delay_s": 0.0075}, {"delay_s"}),
        ({"rate_bps": 80e6}, {"rate_bps"}),
        ({"rate_bps": 120e6}, {"rate_bps"}),
        ({"loss": 0.05}, {"loss"}),
    ],
)
def test_a_network_that_is_not_as_described_is_found(wrong: dict[str, float], what: set[str]) -> None:
    asked = schedule.before([path()])
    seen = observed(asked, **{"delay_s": 0.01, "rate_bps": 100e6, **wrong})
    assert failed(judge(asked, seen, TOLERANCE_S)) == what


def test_described_loss_may_vary_by_chance_and_no_more() -> None:
    asked = schedule.before([path(loss=0.2)])
    verdicts = [
        judge(asked, observed(asked, delay_s=0.01, rate_bps=100e6, loss=0.2, seed=seed), TOLERANCE_S)
        for seed in range(200)
    ]
    wrong = sum("loss" in failed(found) for found in verdicts)
    assert wrong <= 2, "one in a thousand is expected to be refused by chance"
    none = judge(asked, observed(asked, delay_s=0.01, rate_bps=100e6, loss=0.0), TOLERANCE_S)
    assert "loss" in failed(none), "a lossy path that loses nothing is not as described"


def test_described_loss_is_not_taken_for_a_lower_rate() -> None:
    """Lost behind the bottleneck or before it: the packets that are missing count in favour of the network."""
    asked = schedule.before([path(loss=0.1)])
    verdicts = [
        failed(judge(asked, observed(asked, delay_s=0.01, rate_bps=rate, loss=0.1, seed=seed), TOLERANCE_S))
        for rate in (100e6, 70e6)
        for seed in range(20)
    ]
    assert not any("rate_bps" in wrong for wrong in verdicts[:20])
    assert all("rate_bps" in wrong for wrong in verdicts[20:])


def test_a_sender_that_is_too_slow_is_not_held_against_the_network() -> None:
    asked = schedule.before([path()])
    seen = observed(asked, delay_s=0.01, rate_bps=100e6, pace_bps=70e6)
    (rate,) = [one for one in judge(asked, seen, TOLERANCE_S) if one.what == "rate_bps"]
    assert rate.passed is None and "fast enough" in rate.note


def test_while_the_trial_runs_queues_may_delay_and_lose_but_nothing_is_faster_than_described() -> None:
    asked = schedule.during([path()], 5.0)
    slower = judge(asked, observed(asked, delay_s=0.03, rate_bps=100e6, loss=0.1), TOLERANCE_S)
    assert not failed(slower)
    faster = judge(asked, observed(asked, delay_s=0.005, rate_bps=100e6), TOLERANCE_S)
    assert failed(faster) == {"delay_s"}
    moved = schedule.during([path(changes=True)], 5.0)
    assert not failed(judge(moved, observed(moved, delay_s=0.005, rate_bps=100e6), TOLERANCE_S))


def test_silence_is_a_finding() -> None:
    asked = schedule.before([path()])
    seen = observed(asked, delay_s=0.01, rate_bps=100e6, loss=1.0)
    assert failed(judge(asked, seen, TOLERANCE_S)) == {"delay_s", "loss", "rate_bps"}


def test_a_prober_stamps_what_leaves_and_what_arrives(tmp_path: Path) -> None:
    """On the loopback: every probe arrives, with the kernel's own stamps, in order of causality and within a second."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    sends = [["127.0.0.1", 7, 0.0, 20, 0.01, 64], ["127.0.0.1", 8, 0.1, 50, 0.0, 1472]]
    asked = {"port": port, "begin_s": 0.5, "until_s": 1.0, "sends": sends}
    argv = [sys.executable, "-I", "-S", prober.__file__, json.dumps(asked), str(time.monotonic())]
    printed = json.loads(subprocess.run(argv, capture_output=True, text=True, check=True, timeout=30).stdout)
    for stream, count in (("7", 20), ("8", 50)):
        left, arrived = printed["sent"][stream], dict(printed["received"][stream])
        assert len(left) == count and sorted(arrived) == list(range(count))
        assert all(0 <= arrived[number] - ns < 10**9 for number, ns in enumerate(left))


def test_the_quiet_plan_has_no_traffic_events_or_rules() -> None:
    text = (
        TRIAL
        + "  y: {kind: bulk, from: r, to: s, modelled: true}\nevents: [{at: 1 s, kind: link_down, link: r-s}]\n"
    )
    quiet = session.quiet(plan(text), 2.0)
    assert quiet.duration_ps == 2 * 10**12 and quiet.sample_times_ps.tolist() == [2 * 10**12]
    assert (quiet.arrays["sources"]["start_ps"] >= quiet.arrays["sources"]["stop_ps"]).all()
    assert not quiet.emulation.rules and not quiet.emulation.programs
    assert (quiet.arrays["actions"]["kind"] == -1).all()
    assert (plan(text).arrays["actions"]["kind"] != -1).any(), "the plan itself has events"


@pytest.mark.parametrize(
    ("asked", "before", "during"), [("both", 1, 1), ("before", 1, 0), ("during", 0, 1), ("none", 0, 0)]
)
def test_phases_are_those_asked_for(asked: str, before: int, during: int) -> None:
    text = TRIAL.replace("mode: emulate", f"mode: emulate\nemulate: {{linktest: {asked}}}")
    found = [session.phase(name, plan(text)) is not None for name in ("before", "during")]
    assert found == [bool(before), bool(during)]
