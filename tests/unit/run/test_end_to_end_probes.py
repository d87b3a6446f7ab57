"""Probes in whole trials: only what is asked for gets a series, from the run to what is shown of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from running import described, line, simulate

from netarium.compile.compile import compile_trial
from netarium.measure.document import metrics_document
from netarium.operate import runner
from netarium.run.samples import Samples
from netarium.show import record, report, tables

BULKS = {"kind": "bulk", "from": "s0", "to": "d0", "count": 3}
ASKED = {"kind": "request_response", "from": "d0", "to": "s0", "sizes": "2 kB", "arrivals": "400 /s"}
SERVICES = {"few": BULKS, "many": ASKED}


def trial(**probes: Any) -> dict[str, Any]:
    return {"duration": "0.2 s", "network": line("20 Mbit/s"), "services": SERVICES, "probes": probes}


def tracked(samples: Samples) -> list[int]:
    """Tracked flows of each service."""
    return np.bincount(samples.flows["service"][samples.tracked], minlength=2).tolist()


@pytest.mark.parametrize("wanted", ["all", "none", 0, 1, 2, 5, 6, 20, 1000])
def test_a_limit_of_flows_is_shared_out(wanted: Any) -> None:
    samples = simulate(trial(flows=wanted))
    begun = np.bincount(samples.flows["service"], minlength=2).tolist()
    assert begun[0] == 3
    assert begun[1] > 40
    shares = {"none": [0, 0], 0: [0, 0], 1: [1, 0], 2: [1, 1], 5: [3, 2], 6: [3, 3], 20: [3, 17]}
    assert tracked(samples) == shares.get(wanted, begun)
    numbers = samples.flows["number"][samples.tracked]
    many = samples.flows["service"][samples.tracked] == 1
    assert np.sort(numbers[many]).tolist() == list(range(many.sum()))


def test_the_series_of_a_flow_does_not_depend_on_the_others_tracked() -> None:
    everything, some = simulate(trial(flows="all")), simulate(trial(flows=7))
    columns = np.searchsorted(everything.tracked, some.tracked)
    assert everything.tracked[columns].tolist() == some.tracked.tolist()
    assert (everything.flow_series[:, columns] == some.flow_series).all()
    assert everything.flow_series["delivered_bytes"][-1].sum() == everything.flows["delivered_bytes"].sum()


@pytest.mark.parametrize("names", [["a->b"], ["b->a", "s0->a"], []])
def test_only_listed_ports_have_a_series(names: list[str]) -> None:
    everything, some = simulate(trial()), simulate(trial(ports=names))
    assert sorted(some.ports[port] for port in some.watched) == sorted(names)
    assert some.ports == everything.ports
    assert (some.port_totals == everything.port_totals).all()
    assert (some.port_series == everything.port_series[:, some.watched]).all()


def test_ports_of_an_expectation_have_a_series() -> None:
    expect = [
        {"metric": "links.b->d0.utilisation", "from": "0.1 s", "at_most": 1},
        {"metric": "links.a->b.marks", "at_most": 0},
    ]
    asked = described({**trial(ports=["a->s0"]), "expect": expect})
    plan = compile_trial(asked)
    assert {plan.graph.port_names[port] for port in plan.watched_ports} == {"a->s0", "a->b", "b->d0"}
    document = metrics_document(simulate({**trial(ports=["a->s0"]), "expect": expect}), asked, run="x")
    assert [entry["met"] for entry in document["expect"]] == [True, True]


@pytest.mark.parametrize("names", [["a->b"], []])
def test_the_record_and_what_is_shown_have_them_too(names: list[str], tmp_path: Path) -> None:
    outcome = runner.run(described(trial(ports=names, flows=2)), runs=tmp_path)
    written = record.read(outcome.folder)
    assert (list(written.series_ports.names) if written.series_ports else []) == names
    assert len(written.series_flows.names) == 2
    assert set(outcome.document["links"]) == {"s0->a", "a->s0", "a->b", "b->a", "b->d0", "d0->b"}
    assert outcome.document["links"]["b->a"]["queue_bytes_mean"] is None
    assert tables.summary(written)
    assert "a-&gt;b" in report.html(written) or "a->b" in report.html(written)
