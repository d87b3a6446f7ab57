"""Interference: the same trial with every link of its slices full; the slices do not notice, best effort does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from netarium.compile.compile import compile_trial
from netarium.describe.loader import loads
from netarium.errors import TrialInvalid
from netarium.operate import interference, runner
from netarium.run.simulate import simulate

TRIAL = """
trial: calm
duration: 40 ms
network:
  nodes: {a: {kind: host}, m: {kind: router}, n: {kind: router}, b: {kind: host}}
  defaults: {queue: {kind: pfifo, limit: 20}}
  links:
    - {endpoints: [a, m], rate: 200 Mbit/s, delay: 1 ms}
    - {endpoints: [m, n], rate: 100 Mbit/s, delay: 1 ms}
    - {endpoints: [m, n], rate: 100 Mbit/s, delay: 1 ms}
    - {endpoints: [n, b], rate: 200 Mbit/s, delay: 1 ms}
slices:
  first: {from: a, to: b, bandwidth: 70 Mbit/s, latency: 6 ms, loss: 0}
  second: {from: a, to: b, bandwidth: 70 Mbit/s, latency: 6 ms, loss: 0}
services:
  voice: {kind: stream, from: a, to: b, rate: 20 Mbit/s, slice: first}
  other: {kind: stream, from: a, to: b, rate: 10 Mbit/s}
expect:
  - {metric: other.loss, at_most: 0.1}
  - {metric: voice.loss, at_most: 0}
  - {slice: first, certified: true}
  - {slice: second, certified: false}
"""


def test_every_link_of_the_slices_is_filled_parallel_ones_too() -> None:
    trial = loads(TRIAL)
    attack = interference.attacked(trial, runner.admit(trial))
    assert attack.ports == ("a->m", "m->n", "m->n#2", "n->b")
    added = {name: each for name, each in attack.trial.services.items() if name not in trial.services}
    assert [(each.path, each.rate) for each in added.values()] == [
        (("a", "m"), 200 * 10**6), (("m", "n"), 100 * 10**6), (("m", "n#2"), 100 * 10**6), (("n", "b"), 200 * 10**6),
    ]  # fmt: skip
    assert attack.dropped == ("other.loss at most 0.1",)
    assert len(attack.trial.expect) == 3


def test_the_second_of_parallel_links_is_full() -> None:
    trial = loads(TRIAL)
    samples = simulate(compile_trial(interference.attacked(trial, runner.admit(trial)).trial))
    for name in ("m->n", "m->n#2"):
        sent = samples.port_series[-1, samples.ports.index(name)]["sent_bytes"]
        assert sent * 8 > 0.95 * 100 * 10**6 * 0.04


def test_the_paths_of_protected_slices_are_both_filled() -> None:
    text = TRIAL.replace(
        "  second:", "  twice: {from: a, to: b, bandwidth: 5 Mbit/s, protection: true}\n  second:"
    )
    nodes = text.replace("n: {kind: router}, b", "n: {kind: router}, o: {kind: router}, b")
    ring = nodes.replace("    - {endpoints: [n, b]", "    - {endpoints: [m, o], rate: 100 Mbit/s, delay: 2 ms}\n"
                         "    - {endpoints: [o, n], rate: 100 Mbit/s, delay: 2 ms}\n    - {endpoints: [n, b]")  # fmt: skip
    trial = loads(ring)
    plan = runner.admit(trial)
    second = plan.admission["twice"].second
    assert set(second.port_names) <= set(interference.attacked(trial, plan).ports)


def test_a_trial_without_slices_has_nothing_to_interfere_with() -> None:
    trial = loads(TRIAL.split("slices:")[0] + "services: {x: {kind: bulk, from: a, to: b}}")
    with pytest.raises(TrialInvalid, match="leave --interfere out"):
        interference.attacked(trial, runner.admit(trial))


def test_both_runs_side_by_side(cli, folder: Path) -> None:
    (folder / "calm.trial.yml").write_text(TRIAL.replace("  - {slice: second, certified: false}\n", "").replace(
        "  second: {from: a, to: b, bandwidth: 70 Mbit/s, latency: 6 ms, loss: 0}\n", ""))  # fmt: skip
    result = cli("run", "calm.trial.yml", "--interfere", "--quiet", "--json")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    entry = document["slices"]["first"]
    assert entry["certified"] == [True, True]
    assert entry["interfered"]["latency_s_max"] <= entry["bound"]["latency_s"]
    assert entry["interfered"]["latency_s_max"] >= entry["before"]["latency_s_max"]
    assert (
        document["interfered"]["services"]["other"]["loss"]
        > 0.05
        > document["before"]["services"]["other"]["loss"]
    )


def test_as_a_table(cli, folder: Path) -> None:
    text = TRIAL.replace("  - {slice: second, certified: false}\n", "")
    (folder / "calm.trial.yml").write_text(
        text.replace("  second: {from: a, to: b, bandwidth: 70 Mbit/s, latency: 6 ms, loss: 0}\n", "")
    )
    result = cli("run", "calm.trial.yml", "--interfere", "--quiet")
    assert result.exit_code == 0, result.stderr
    for words in (
        "interfered",
        "first",
        "best effort",
        "interference on 3 links",
        "not judged under interference",
    ):
        assert words in result.stdout
