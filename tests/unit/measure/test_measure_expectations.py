"""Expectations: values over windows, limits, and what an unknown name is answered with."""

from __future__ import annotations

import numpy as np
import pytest
from made_samples import MS, Made, interference_trial, make

from netarium.catalog import COMMAND_METRICS, PORT_METRICS, SERVICE_METRICS
from netarium.describe.expect import Expect
from netarium.measure.document import metrics_document
from netarium.measure.expectations import evaluate_expectations, in_words
from netarium.measure.names import UnknownMetric, resolve

LATE = np.arange(200) >= 100
TRIAL = interference_trial()
MADE = make(
    TRIAL,
    {
        "guaranteed": Made(48.3e9, late={150: 9 * MS}),
        "best_effort": Made(np.where(LATE, 0.4e9, 41e9), lost=np.where(LATE, 30, 0)),
        "interferer": Made(np.where(LATE, 49e9, 0), flows=[(10_000 * MS, -1, -1, 0)]),
    },
)
DOCUMENT = metrics_document(MADE, TRIAL, run="quick-otter")


def evaluated(**given) -> dict:
    return evaluate_expectations([Expect(**given)], MADE, DOCUMENT, DOCUMENT["slices"])[0]


def value(metric: str, **window) -> float | None:
    return evaluated(metric=metric, at_least=0, **window)["value"]


def test_goodput_over_a_window() -> None:
    found = evaluated(metric="best_effort.goodput", from_="12 s", at_most="1 Gbit/s")
    assert found["met"]
    assert found["value"] == pytest.approx(0.4e9, rel=1e-3)
    assert found["text"] == "best_effort.goodput from 12 s at most 1 Gbit/s"
    assert (found["limit"], found["unit"]) == (1e9, "bit/s")
    assert value("best_effort.goodput", from_="5 s", to="15 s") == pytest.approx(20.7e9, rel=1e-3)


def test_a_window_may_fall_between_sample_instants() -> None:
    inside = value("best_effort.goodput", from_="9970 ms", to="10030 ms")
    assert inside == pytest.approx((41e9 + 0.4e9) / 2, rel=1e-3)


def test_without_to_the_window_ends_with_the_service() -> None:
    trial = interference_trial(
        **{"kind: bulk, from: telescope, to: campus}": "kind: bulk, from: telescope, to: campus, stop: 15 s}"}
    )
    made = make(trial, {"best_effort": Made(np.where(np.arange(200) < 150, 40e9, 0))})
    document = metrics_document(made, trial, run="r")
    expect = [Expect(metric="best_effort.goodput", from_="10 s", at_least="39 Gbit/s")]
    assert evaluate_expectations(expect, made, document, {})[0]["value"] == pytest.approx(40e9, rel=1e-3)


def test_latency_over_a_window_takes_the_intervals_it_touches() -> None:
    assert value("guaranteed.latency.max") == pytest.approx(9e-3)
    assert value("guaranteed.latency.max", from_="1 s", to="15 s") == pytest.approx(7.01e-3)
    assert value("guaranteed.latency.max", from_="15050 ms", to="15060 ms") == pytest.approx(9e-3)
    assert value("guaranteed.latency.min", from_="15 s", to="16 s") == pytest.approx(7e-3)


def test_loss_over_a_window() -> None:
    assert value("best_effort.loss", to="10 s") == 0
    assert value("best_effort.lost_packets", from_="15 s", to="16 s") == pytest.approx(300)
    packets = 10 * round(0.4e9 * 0.1 / 8 / 1448)
    assert value("best_effort.loss", from_="15 s", to="16 s") == pytest.approx(300 / (packets + 300))


def test_links_over_a_window() -> None:
    port = MADE.ports[0]
    rate = (MADE.port_series["sent_bytes"][-1, 0] - MADE.port_series["sent_bytes"][149, 0]) * 8 / 5
    assert value(f"links.{port}.throughput", from_="15 s") == pytest.approx(rate)
    assert value(f"links.{port}.utilisation", from_="15 s") == pytest.approx(rate / 100e9)
    assert value(f"links.{port}.drops", from_="15 s") == pytest.approx(1500)
    assert value(f"links.{port}.drops") == 3000


def test_nothing_measured_is_not_met_and_says_so() -> None:
    found = evaluated(metric="guaranteed.completion.p99", at_most="1 s")
    assert (found["met"], found["value"], found["reason"]) == (False, None, "nothing was measured")


def test_a_window_after_the_run_is_not_met() -> None:
    found = evaluated(metric="guaranteed.goodput", from_="20 s", at_most="1 Gbit/s")
    assert not found["met"]
    assert found["reason"] == "the window is empty: the run ended before it"


@pytest.mark.parametrize(
    ("limits", "met"),
    [
        ({"at_least": "48 Gbit/s"}, True),
        ({"at_least": "49 Gbit/s"}, False),
        ({"at_most": "48 Gbit/s"}, False),
        ({"at_least": "48 Gbit/s", "at_most": "49 Gbit/s"}, True),
        ({"at_least": "48.5 Gbit/s", "at_most": "49 Gbit/s"}, False),
        ({"equals": "48 Gbit/s"}, False),
        ({"equals": "48 Gbit/s", "within": "1 %"}, True),
        ({"equals": "48 Gbit/s", "within": "0.5 %"}, False),
        ({"equals": "48 Gbit/s", "within": "400 Mbit/s"}, True),
        ({"equals": "48 Gbit/s", "within": "200 Mbit/s"}, False),
    ],
)
def test_limits(limits: dict, met: bool) -> None:
    assert evaluated(metric="guaranteed.goodput", **limits)["met"] is met


def test_a_limit_is_met_by_its_own_value_in_floating_point() -> None:
    exact = DOCUMENT["services"]["guaranteed"]["goodput_bps"]
    assert evaluated(metric="guaranteed.goodput", equals=exact * (1 + 1e-12))["met"]


def test_a_slice() -> None:
    found = evaluated(slice="express", certified=True)
    assert not found["met"]  # one packet took 9 ms: more variation than promised
    assert "delay_variation" in found["reason"]
    assert evaluated(slice="express", certified=False)["met"]


def test_every_metric_of_the_catalogue_has_its_place_in_the_document() -> None:
    for family, table, owner, prefix in (
        ("services", SERVICE_METRICS, "guaranteed", ""),
        ("links", PORT_METRICS, MADE.ports[0], "links."),
    ):
        for word, entry in table.items():
            metric = resolve(f"{prefix}{owner}.{word}", MADE.services, MADE.ports)
            place = DOCUMENT[family][owner]
            if word in COMMAND_METRICS:  # only where a program ran
                continue
            assert metric.path[0] in place, word
            if not word.startswith(("completion", "slowdown", "deadline")):
                assert value(f"{prefix}{owner}.{word}") is not None, word
                assert (
                    not entry.windowed or value(f"{prefix}{owner}.{word}", from_="5 s", to="9 s") is not None
                )


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("guarantee.goodput", "did you mean 'guaranteed.goodput'?"),
        ("guaranteed.godput", "did you mean 'goodput'?"),
        ("guaranteed.latency", "there are latency.min, latency.p50"),
        ("guaranteed.latency.p98", "there are latency.min, latency.p50, latency.p90"),
        ("guaranteed.latncy.p99", "did you mean 'latency.p99'?"),
        ("links.guiyang->campu.utilisation", "did you mean 'links.guiyang->campus.utilisation'?"),
        ("links.guiyang->campus.utilization", "did you mean 'utilisation'?"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(name: str, hint: str) -> None:
    with pytest.raises(UnknownMetric) as raised:
        resolve(name, MADE.services, MADE.ports)
    assert f"found {name!r}, expected" in str(raised.value)
    assert hint in str(raised.value)


@pytest.mark.parametrize(
    ("number", "unit", "text"),
    [
        (48e9, "bit/s", "48 Gbit/s"),
        (0.01, "s", "10 ms"),
        (1500, "B", "1.5 kB"),
        (0.001, "ratio", "0.1 %"),
        (7, "", "7"),
    ],
)
def test_values_in_words(number: float, unit: str, text: str) -> None:
    assert in_words(number, unit) == text
