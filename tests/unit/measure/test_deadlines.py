"""Deadlines and replication in the metrics: exact intervals, and a packet on several paths counted once."""

from __future__ import annotations

from math import comb

import pytest
from made_samples import Made, make

from netarium.describe.loader import loads
from netarium.measure.intervals import clopper_pearson
from netarium.measure.measure import measure_services

TRIAL = """\
trial: loops
duration: 20 s
network:
  nodes: {a: {kind: host}, b: {kind: host}}
  links: [{endpoints: [a, b], rate: 1 Gbit/s, delay: 1 ms}]
services:
  loop: {kind: control_loop, from: a, to: b, period: 2 ms, deadline: 1500 us}
  bulk: {kind: bulk, from: a, to: b}
"""


def tail(hits: int, trials: int, probability: float) -> float:
    """P(at least `hits` of `trials`), summed term by term."""
    return sum(
        comb(trials, k) * probability**k * (1 - probability) ** (trials - k) for k in range(hits, trials + 1)
    )


@pytest.mark.parametrize(("misses", "judged"), [(1, 200), (7, 50), (199, 200)])
def test_the_interval_of_misses_is_exact(misses: int, judged: int) -> None:
    """Clopper and Pearson: at the lower limit so many or more have probability 2.5 %, at the upper so few or fewer."""
    low, high = clopper_pearson(misses, judged)
    assert tail(misses, judged, low) == pytest.approx(0.025)
    assert 1 - tail(misses + 1, judged, high) == pytest.approx(0.025)


def measured(**messages: int) -> dict:
    trial = loads(TRIAL)
    samples = make(trial, {"loop": Made(goodput=1e6, header=28), "bulk": Made(goodput=1e6)})
    for name, value in messages.items():
        samples.messages[name][0] = value
    return measure_services(samples, trial)


def test_misses_of_a_control_loop() -> None:
    found = measured(judged=10_000, misses=3, longest_run=2)
    deadline = found["loop"]["deadline"]
    assert deadline["miss_ratio"] == 3e-4
    assert deadline["deadline_s"] == 0.0015
    assert (deadline["messages"], deadline["misses"], deadline["longest_run"]) == (10_000, 3, 2)
    assert found["bulk"]["deadline"] == {}


def test_none_of_n_is_not_nothing() -> None:
    low, high = measured(judged=10_000)["loop"]["deadline"]["miss_ratio_ci95"]
    assert low == 0
    assert high == pytest.approx(3.688e-4, rel=1e-3)


def test_a_replicated_packet_is_lost_when_no_copy_comes() -> None:
    plain = measured()["loop"]
    sent, delivered = plain["sent_packets"], plain["delivered_packets"]
    found = measured(paths=2, sent=delivered + 5, undecided=2)["loop"]
    assert found["lost_packets"] == 3
    assert found["loss"] == 3 / (delivered + 3)
    assert found["replication"]["copies_lost"] == plain["lost_packets"]
    assert found["replication"]["eliminated"] == plain["received_packets"] - delivered
    assert found["sent_packets"] == sent
