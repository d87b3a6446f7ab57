"""Metrics of services and links against sums that fit on paper."""

from __future__ import annotations

import numpy as np
import pytest
from made_samples import MS, SECOND, Made, interference_trial, make

from netarium.describe.loader import loads
from netarium.measure.measure import measure_links, measure_services, slowdown_by_size
from netarium.measure.series import active_interval_ps, service_curve
from netarium.run.samples import FLOWS

LATE = np.arange(200) >= 100


def web_trial():
    return loads(
        """\
trial: web
duration: 2 s
network:
  nodes: {a: {kind: host}, b: {kind: host}}
  links: [{endpoints: [a, b], rate: 1 Gbit/s, delay: 1 ms}]
services:
  web: {kind: request_response, from: a, to: b, sizes: websearch, arrivals: 100 /s}
  file: {kind: bulk, from: a, to: b, size: 10 MB}
"""
    )


def test_goodput_is_over_the_time_the_service_is_active() -> None:
    trial = interference_trial()
    made = make(trial, {"interferer": Made(np.where(LATE, 48e9, 0))})
    found = measure_services(made, trial)["interferer"]
    assert found["active_s"] == [10.0, 20.0]
    assert found["goodput_bps"] == pytest.approx(48e9, rel=1e-6)
    assert found["throughput_bps"] == pytest.approx(48e9 * 1500 / 1472, rel=1e-6)


def test_a_service_that_never_ran_has_nothing_rather_than_zero_latency() -> None:
    trial = interference_trial()
    found = measure_services(make(trial, {}), trial)["best_effort"]
    assert found["goodput_bps"] == 0.0
    assert found["latency_s"] == {}
    assert found["rtt_s"] == {}
    assert found["loss"] is None
    assert found["delay_variation_s"] is None
    assert found["jain"] is None


def test_the_service_starts_to_rise_where_its_first_flow_starts() -> None:
    trial = interference_trial(**{"start: 10 s": "start: 10050 ms"})
    made = make(trial, {"interferer": Made(np.where(LATE, 48e9, 0))})
    curve = service_curve(made, 2, "delivered_bytes")
    assert curve.at(10_050 * MS) == 0
    assert curve.at(10_100 * MS) == made.service_series["delivered_bytes"][100, 2]


def test_a_finished_transfer_is_measured_until_it_finished() -> None:
    trial = web_trial()
    goodput = np.where(np.arange(200) < 50, 80e6, 0)  # 0.5 s at 80 Mbit/s = 5 MB
    size = int(np.rint(80e6 * 0.01 / 8 / 1448)) * 1448 * 50
    made = make(trial, {"file": Made(goodput, flows=[(0, 495 * MS, size, 0)])})
    found = measure_services(made, trial)["file"]
    assert found["active_s"] == [0.0, 0.495]
    assert found["goodput_bps"] == pytest.approx(size * 8 / 0.495)
    assert found["completed_flows"] == 1
    assert found["completion_s"]["p50"] == pytest.approx(0.495)


def test_requests_are_measured_until_the_service_stops() -> None:
    trial = web_trial()
    made = make(trial, {"web": Made(1e6, flows=[(0, 10 * MS, 1448, 5 * MS)])})
    assert active_interval_ps(made, trial.services["web"], 0) == (0, 2 * SECOND)


def test_loss_leaves_out_what_is_still_in_flight() -> None:
    trial = interference_trial()
    made = make(
        trial, {"interferer": Made(np.where(LATE, 48e9, 0), lost=np.where(LATE, 10, 0), in_flight=5000)}
    )
    found = measure_services(made, trial)["interferer"]
    assert found["lost_packets"] == 1000
    assert found["in_flight_packets"] == 5000
    assert found["loss"] == pytest.approx(1000 / (found["sent_packets"] - 5000))
    low, high = found["loss_ci95"]
    assert low < found["loss"] < high


def test_latency_has_exact_extremes_and_mean() -> None:
    trial = interference_trial()
    made = make(trial, {"guaranteed": Made(48e9, latency_ps=(6_610_000_001, 6_610_000_777))})
    found = measure_services(made, trial)["guaranteed"]["latency_s"]
    assert found["min"] == 6_610_000_001 / SECOND
    assert found["max"] == 6_610_000_777 / SECOND
    assert found["min"] <= found["mean"] <= found["p50"] <= found["p99"] <= found["p999"] <= found["max"]


def naive_jain(values: list[float]) -> float:
    return sum(values) ** 2 / (len(values) * sum(v * v for v in values))


def test_jain_is_over_the_goodputs_of_the_flows() -> None:
    trial = web_trial()
    flows = [(0, 1 * SECOND, 100_000, 0), (0, 2 * SECOND, 100_000, 0), (SECOND, 1500 * MS, 100_000, 0)]
    made = make(trial, {"web": Made(1.2e6, flows=flows)})
    made.flows["delivered_bytes"][-2] = 100_000  # the last web flow carries the rounding
    found = measure_services(made, trial)["web"]
    assert found["jain"] == pytest.approx(naive_jain([1e5, 5e4, 2e5]), rel=0.05)


def test_slowdown_is_completion_over_the_ideal() -> None:
    trial = web_trial()
    flows = [(0, (i + 1) * MS, 1448, MS) for i in range(100)]
    made = make(trial, {"web": Made(1e6, flows=flows)})
    found = measure_services(made, trial)["web"]
    assert found["slowdown"] == {"p50": 50.0, "p95": 95.0, "p99": 99.0}
    assert found["completion_s"]["p99"] == pytest.approx(0.099)


def test_slowdown_by_size_has_bins_of_equally_many_flows() -> None:
    random = np.random.default_rng(1)
    flows = np.zeros(1003, FLOWS)
    flows["delivered_bytes"] = random.integers(1, 10**7, 1003)
    flows["ideal_ps"], flows["end_ps"] = MS, random.integers(1, 50, 1003) * MS
    flows["end_ps"][:3] = -1
    rows = slowdown_by_size(flows)
    assert [row["flows"] for row in rows] == [100] * 10
    for row, after in zip(rows, rows[1:], strict=False):
        assert row["size_bytes_min"] <= row["size_bytes_max"] <= after["size_bytes_min"]
    first = flows[(flows["end_ps"] >= 0) & (flows["delivered_bytes"] <= rows[0]["size_bytes_max"])]
    assert rows[0]["p50"] == np.sort(first["end_ps"] / MS)[49]


def test_links_are_measured_on_the_wire() -> None:
    trial = interference_trial()
    made = make(trial, {"guaranteed": Made(48e9, lost=1)})
    first, second = (measure_links(made)[name] for name in made.ports[:2])
    packets = made.service_series["received_packets"][-1, 0]
    assert first["throughput_bps"] == pytest.approx(packets * 1538 * 8 / 20)
    assert first["utilisation"] == pytest.approx(packets * 1538 * 8 / 20 / 100e9)
    assert first["drops"] == {"DROP_TAIL": 200}
    assert second["queue_packets_mean"] == 3.0
    assert second["queue_bytes_mean"] == 4500.0
    assert (second["queue_bytes_max"], second["queue_packets_max"]) == (6000, 4)
    assert second["marks"] == 199
    assert second["queue_wait_s_mean"] is None
