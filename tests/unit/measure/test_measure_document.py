"""The metrics document: the names other programs read, JSON without loss, and why a run fails."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from made_samples import MS, Made, interference_trial, make

from netarium.catalog import PORT_METRICS, SERVICE_METRICS
from netarium.measure.document import failures, metrics_document

EXPECT = """\
expect:
  - {metric: guaranteed.goodput, from: 12 s, at_least: 48 Gbit/s}
  - {slice: express, certified: true}
"""


def document(made: Made | None = None, extra: str = EXPECT, **given) -> dict:
    trial = interference_trial(extra)
    services = {"guaranteed": made or Made(48.3e9), "best_effort": Made(np.linspace(41e9, 0, 200), lost=1)}
    return metrics_document(make(trial, services), trial, run="quick-otter", **given)


def test_the_keys_of_the_design_are_there() -> None:
    found = document(digests={"plan": "p" * 64}, assumptions=["mtu not stated: 1.5 kB (2 links)"])
    assert {"format", "trial", "run", "mode", "status", "seed", "digests", "engine", "conservation"} <= set(
        found
    )
    assert {"services", "links", "slices", "expect", "assumptions"} <= set(found)
    assert (found["format"], found["trial"], found["run"], found["mode"]) == (
        1,
        "interference",
        "quick-otter",
        "simulate",
    )
    assert set(found["digests"]) == {"plan", "kernel", "samples"}
    service = found["services"]["guaranteed"]
    assert {"kind", "flows", "goodput_bps", "latency_s", "loss", "retransmissions"} <= set(service)
    assert {"min", "p50", "p99", "max"} <= set(service["latency_s"])
    assert {"utilisation", "queue_bytes_max", "drops"} <= set(found["links"]["telescope->guiyang"])
    certificate = found["slices"]["express"]
    assert {"admitted", "bound", "observed", "certified", "reasons"} <= set(certificate)
    assert {"text", "met", "value"} <= set(found["expect"][0])
    assert set(found["conservation"]) == {"sent", "delivered", "in_flight", "dropped"}


def test_it_is_json_without_nan() -> None:
    found = document()
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_numpy_numbers_of_the_engine_become_plain() -> None:
    trial = interference_trial()
    made = make(trial, {"guaranteed": Made(48.3e9)})
    made.engine = {"events": np.int64(7), "wall_s": np.float64(1.5)}
    made.conservation["sent"] = np.int64(made.conservation["sent"])
    made.conservation["dropped"] = {"DROP_TAIL": np.int64(0)}
    found = metrics_document(made, trial, run="r")
    assert json.loads(json.dumps(found))["engine"] == {"events": 7, "wall_s": 1.5}


def test_a_good_run_succeeds() -> None:
    assert document()["status"] == "succeeded"


def test_an_expectation_that_fails_fails_the_run() -> None:
    found = document(Made(40e9), extra=EXPECT)
    assert found["status"] == "failed"
    said = failures(found)
    assert any(text.startswith("slice express not delivered: bandwidth") for text in said)
    assert "expected guaranteed.goodput from 12 s at least 48 Gbit/s, found 40 Gbit/s" in said


def test_a_slice_without_expectation_fails_the_run_too() -> None:
    assert document(Made(40e9), extra="")["status"] == "failed"


def test_a_slice_expected_to_fail_does_not_fail_the_run() -> None:
    found = document(Made(40e9), extra="expect:\n  - {slice: express, certified: false}\n")
    assert found["status"] == "succeeded"


def test_a_packet_later_than_the_bound_fails_the_run() -> None:
    kept = document(bounds={"express": {"latency_s": 0.0071}})
    assert kept["slices"]["express"]["certified"] is True
    assert kept["slices"]["express"]["bound"] == {"latency_s": 0.0071}
    broken = document(
        Made(48.3e9, late={50: 7 * MS + 20_000_000}), bounds={"express": {"latency_s": 0.00701}}
    )
    certificate = broken["slices"]["express"]
    assert (certificate["certified"], broken["status"]) == (False, "failed")
    assert certificate["reasons"] == ["latency: observed 7.02 ms, above the computed bound of 7.01 ms"]


def test_variation_has_a_bound_too() -> None:
    broken = document(bounds={"express": {"delay_variation_s": 9e-6}})
    assert broken["slices"]["express"]["reasons"] == [
        "delay variation: observed 10 us, above the computed bound of 9 us"
    ]


def test_a_bound_does_not_hold_for_traffic_above_the_reservation() -> None:
    greedy = document(Made(60e9), bounds={"express": {"latency_s": 0.00701 - 1e-6}})
    certificate = greedy["slices"]["express"]
    assert certificate["excess_share"] > 0.1
    assert certificate["certified"] is None
    assert "the services sent more than was reserved" in certificate["reasons"][-1]


def test_the_page_of_metrics_names_every_metric_and_key() -> None:
    page = (Path(__file__).parents[3] / "docs" / "metrics.md").read_text(encoding="utf-8")
    found = document()
    keys = {
        *found,
        *found["services"]["guaranteed"],
        *found["links"]["telescope->guiyang"],
        *found["slices"]["express"],
    }
    missing = [key for key in keys - {"kind", "services", "terms"} if f"`{key}`" not in page]
    missing += [word for word in (*SERVICE_METRICS, *PORT_METRICS) if f"`{word.split('.')[0]}" not in page]
    assert not missing
