"""A bound that an event breaks: the run fails, and keeps the packets around the violation, the same ones."""

from __future__ import annotations

from pathlib import Path

import dpkt

from netarium.describe.loader import loads
from netarium.operate import runner

TRIAL = """
trial: broken-bound
duration: 200 ms
network:
  nodes: {a: {kind: host}, m: {kind: router}, b: {kind: host}}
  links:
    - {endpoints: [a, m], rate: 100 Mbit/s, delay: 1 ms}
    - {endpoints: [m, b], rate: 100 Mbit/s, delay: 1 ms, name: last}
slices: {s: {from: a, to: b, bandwidth: 50 Mbit/s, latency: 30 ms}}
services: {voice: {kind: stream, from: a, to: b, rate: 40 Mbit/s, slice: s}}
events:
  - {kind: rate_change, at: 100 ms, link: last, rate: 10 Mbit/s}
  - {kind: rate_change, at: 110 ms, link: last, rate: 100 Mbit/s}
probes: {interval: 5 ms}
"""


def test_a_packet_beyond_the_bound_fails_the_run_and_is_kept(tmp_path: Path) -> None:
    outcome = runner.run(loads(TRIAL), runs=tmp_path)
    entry = outcome.document["slices"]["s"]
    assert outcome.exit_code == 1 and outcome.document["status"] == "failed"
    assert entry["observed"]["latency_s_max"] > entry["bound"]["latency_s"]
    assert any("above the computed bound" in reason for reason in entry["reasons"])
    found = entry["violation"]
    assert found["captured_ports"] == ["a->m", "m->b"]
    assert 0.09 <= found["from_s"] < found["to_s"] <= 0.115
    frames = dpkt.pcapng.Reader((outcome.folder / "captures" / "m-to-b.pcapng").open("rb"))
    times = [float(time) for time, _ in frames]
    assert times and found["from_s"] <= min(times) and max(times) <= found["to_s"]
    assert len(times) > 3


def test_a_run_within_its_bounds_keeps_nothing(tmp_path: Path) -> None:
    outcome = runner.run(loads(TRIAL.split("events:")[0]), runs=tmp_path)
    assert outcome.exit_code == 0
    assert "violation" not in outcome.document["slices"]["s"]
    assert not (outcome.folder / "captures").exists()
