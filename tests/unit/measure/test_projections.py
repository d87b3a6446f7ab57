"""Projections against sums that fit on paper: steady, finished, never started."""

from __future__ import annotations

import numpy as np
import pytest
from made_samples import SECOND, Made, interference_trial, make

from netarium.measure.projections import project

STATED = """\
projections:
  - {{service: guaranteed, size: {}, from: 10 s, line_rate: 100 Gbit/s, published: 1.64 h}}
"""


def test_the_rest_is_extrapolated_from_the_goodput_of_the_window() -> None:
    trial = interference_trial(STATED.format("1 TB"))
    rates = np.where(np.arange(200) < 100, 20e9, 40e9)
    (found,) = project(make(trial, {"guaranteed": Made(rates)}), trial)
    assert found["goodput_bps"] == pytest.approx(40e9, rel=1e-6)
    # 20 s bring 75 GB; 925 GB at 40 Gbit/s take 185 s more.
    assert found["completion_s"] == pytest.approx(20 + 185, rel=1e-6)
    assert found["simulated_share"] == pytest.approx(0.075, rel=1e-6)
    assert found["simulated_s"] == 20.0
    assert found["line_rate_s"] == 80.0
    assert found["published"] == "1.64 h"


def test_the_interval_is_that_of_the_goodput() -> None:
    trial = interference_trial(STATED.format("1 TB"))
    rates = 40e9 + 4e9 * np.random.default_rng(1).standard_normal(200)
    (found,) = project(make(trial, {"guaranteed": Made(rates)}), trial)
    low, high = found["goodput_bps_ci95"]
    assert low < found["goodput_bps"] < high
    shortest, longest = found["completion_s_ci95"]
    assert shortest < found["completion_s"] < longest
    assert (longest - 20) / (shortest - 20) == pytest.approx(high / low, rel=1e-6)


def test_a_volume_that_was_delivered_is_measured() -> None:
    trial = interference_trial(STATED.format("10 GB"))
    (found,) = project(make(trial, {"guaranteed": Made(40e9)}), trial)
    assert found["completion_s"] == pytest.approx(2.0, rel=1e-6)
    assert found["completion_s_ci95"] == [found["completion_s"]] * 2
    assert found["simulated_share"] == 1.0


def test_nothing_delivered_is_not_a_number() -> None:
    trial = interference_trial(STATED.format("10 GB"))
    (found,) = project(make(trial, {}), trial)
    assert found["completion_s"] is None
    assert found["completion_s_ci95"] is None


def test_a_window_is_cut_to_the_time_the_service_is_active() -> None:
    trial = interference_trial("projections: [{service: interferer, size: 1 TB, from: 2 s}]")
    (found,) = project(make(trial, {"interferer": Made(np.where(np.arange(200) >= 100, 48e9, 0))}), trial)
    assert found["window_s"] == [10.0, 20.0]
    assert found["completion_s"] == pytest.approx(8e12 / 48e9, rel=1e-5)
    assert trial.duration == 20 * SECOND
