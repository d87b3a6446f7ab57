"""Activation of slices: the schedule of ITU-T Y.1564, and what its outcome does to a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from netarium.describe.loader import loads
from netarium.measure.activation import STEPS, schedule
from netarium.operate import activation, runner

TRIAL = """
trial: activated
duration: 50 ms
network:
  nodes: {a: {kind: host}, c: {kind: host}, m: {kind: router}, b: {kind: host}}
  links:
    - {endpoints: [a, m], rate: 100 Mbit/s, delay: 1 ms}
    - {endpoints: [c, m], rate: 100 Mbit/s, delay: 1 ms}
    - {endpoints: [m, b], rate: 100 Mbit/s, delay: 1 ms}
slices:
  one: {from: a, to: b, bandwidth: 40 Mbit/s, latency: 10 ms, delay_variation: 5 ms, LOSS, activation: true}
  two: {from: c, to: b, bandwidth: 30 Mbit/s, packet_size: 300 B, latency: 10 ms, activation: true}
services:
  voice: {kind: stream, from: a, to: b, rate: 20 Mbit/s, slice: one}
  sensor: {kind: stream, from: c, to: b, rate: 20 Mbit/s, packet_size: 300 B, slice: two}
"""


def test_every_slice_alone_in_four_steps_then_all_at_once() -> None:
    steps = schedule({"x": 10**9, "y": 10**6}, {"x": 1500, "y": 100}, 7)
    alone = [step for step in steps if step.alone]
    assert [(step.slice_name, step.share) for step in alone] == [(n, s) for n in "xy" for s in STEPS]
    for before, after in zip(alone, alone[1:], strict=False):
        apart = 7 if before.slice_name != after.slice_name else 0
        assert after.start_ps == before.stop_ps + apart
    together = [step for step in steps if not step.alone]
    assert {(step.start_ps, step.stop_ps) for step in together} == {
        (together[0].start_ps, together[0].stop_ps)
    }
    assert together[0].start_ps == alone[-1].stop_ps + 7
    assert [step.rate_bps for step in steps] == [
        *[10**9 * s // 100 for s in STEPS], *[10**6 * s // 100 for s in STEPS], 10**9, 10**6,
    ]  # fmt: skip


def test_slices_that_hold_are_activated_and_the_services_run(tmp_path: Path) -> None:
    outcome = runner.run(loads(TRIAL.replace("LOSS", "loss: 0")), runs=tmp_path)
    assert outcome.exit_code == 0
    for name, cir in (("one", 40e6), ("two", 30e6)):
        entry = outcome.document["slices"][name]["activation"]
        assert entry["passed"] and len(entry["steps"]) == 5
        for step in entry["steps"]:
            assert step["frame_loss_ratio"] == 0
            assert abs(step["information_rate_bps"] / (cir * step["share"] / 100) - 1) < 0.01
            assert (
                step["frame_transfer_delay_s_max"] <= outcome.document["slices"][name]["bound"]["latency_s"]
            )


@pytest.mark.parametrize("extra", ["", "mechanism: scheduled, period: 4 ms, "])
def test_slices_of_an_emulated_trial_are_tested_by_models_at_the_same_ports(extra: str) -> None:
    """Hosts that programs would run on send and receive test packets as models, with the outcome of a simulated trial."""
    text = TRIAL.replace("LOSS", "loss: 0").replace("activation:", f"{extra}activation:")
    simulated = loads(text)
    ping = "  ping: {kind: command, node: a, argv: [ping, -c, '1', b]}\n"
    real = loads(f"mode: emulate\n{text}{ping}")
    plan = runner.admit(real)
    assert plan.emulation is not None
    found = activation.activate(real, plan)
    assert found == activation.activate(simulated, runner.admit(simulated))
    assert all(each["passed"] for each in found.values()), found


def test_a_slice_that_does_not_hold_stops_the_run_before_its_services(tmp_path: Path) -> None:
    """The link is slower than it says: admission goes by what it says, the test by what it does."""
    trace = tmp_path / "slow.csv"
    trace.write_text("0 s,30 Mbit/s\n")
    slow = f"rate: 100 Mbit/s, rate_trace: {{file: {trace}, format: csv, loop: false}}"
    broken = TRIAL.replace("LOSS", "loss: 0").replace("[a, m], rate: 100 Mbit/s", f"[a, m], {slow}")
    outcome = runner.run(loads(broken), runs=tmp_path)
    assert outcome.exit_code == 1 and outcome.document["status"] == "failed"
    assert not outcome.document["slices"]["one"]["activation"]["passed"]
    assert outcome.document["slices"]["two"]["activation"]["passed"]
    assert "slice one was not activated: in the configuration test at 75 % of its rate" in str(
        outcome.error
    ) or ("at 100 % of its rate" in str(outcome.error))
    assert "services" not in outcome.document
    assert (outcome.folder / "stop.json").exists()
