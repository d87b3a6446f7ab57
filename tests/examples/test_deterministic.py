"""The 13,000 km: admission chooses cycles with a bound below 20 us of jitter, and the run keeps within it."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_bundled_trials import run

from netarium.compile.compile import compile_trial
from netarium.compile.plan import Plan
from netarium.describe.loader import loads
from netarium.operate import trialfile, variants

SLICES = ("grid", "surgery", "synchrotron", "exchange")


def plan() -> Plan:
    file, _ = variants.split(trialfile.find("deterministic-13000km"), None)
    return compile_trial(loads(file.text, folder=file.folder))


def test_admission_chooses_cycles_with_a_bound_below_twenty_microseconds() -> None:
    """Two cycles, a frame at the source's port, and what the clocks of the first and the last router are apart."""
    found = plan()
    assert [each.name for each in found.admission.reservations] == list(SLICES)
    for each in found.admission.reservations:
        assert (each.mechanism, each.cycle_ps) == ("cqf", 9_000_000)
        assert each.variation_bound_ps is not None and each.latency_bound_ps is not None
        frame_ps, apart_ps = 723_040, 1_000_000
        assert 2 * each.cycle_ps < each.variation_bound_ps < 2 * each.cycle_ps + frame_ps + apart_ps
        assert each.variation_bound_ps < 20_000_000
        assert 65 * 10**9 < each.latency_bound_ps < 66 * 10**9


@pytest.mark.slow
def test_the_run_keeps_within_the_bound(tmp_path: Path) -> None:
    services = run(tmp_path, "deterministic-13000km")["services"]
    for each in plan().admission.reservations:
        service = services[f"{each.name}_flows"]
        assert service["latency_s"]["max"] <= each.latency_bound_ps / 1e12
        assert 5e-6 < service["delay_variation_s"] <= each.variation_bound_ps / 1e12
        assert service["flows"] == 2_500
        assert service["lost_packets"] == 0
    assert services["unprotected"]["delay_variation_s"] > 20 * service["delay_variation_s"]


@pytest.mark.slow
def test_without_the_slices_jitter_is_five_times_what_they_promise(tmp_path: Path) -> None:
    services = run(tmp_path, "deterministic-13000km", "--variant", "without")["services"]
    for name in SLICES:
        assert services[f"{name}_flows"]["delay_variation_s"] > 5 * 20e-6
