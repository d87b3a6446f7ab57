"""The 13,000 km: the bound is below 20 us of jitter, and the run keeps within it; without the mechanism it does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_bundled_trials import run

from netarium.compile.mechanisms import cqf
from netarium.compile.mechanisms.terms import PortTerms
from netarium.describe.loader import loads
from netarium.operate import trialfile, variants

SMALLEST_BYTES = 36 + 28


def bound() -> cqf.Bound:
    """From west to east, every port that the flows cross, with the clocks of the trial."""
    file, _ = variants.split(trialfile.find("deterministic-13000km"), None)
    trial = loads(file.text, folder=file.folder)
    network = trial.network.expand()
    ports = {port.name: port for port in network.ports()}
    nodes = ["west", *(f"r{k:02}" for k in range(14)), "east"]
    terms = [
        PortTerms(port.rate, port.mtu, port.overhead, port.delay, network.nodes[port.source].clock)
        for port in (ports[f"{a}->{b}"] for a, b in zip(nodes, nodes[1:], strict=False))
    ]
    return cqf.bound(terms, cqf.CycleTerms(9_000_000), trial.duration, SMALLEST_BYTES)


def test_the_bound_is_below_twenty_microseconds() -> None:
    found = bound()
    assert found.variation_ps < 20_000_000
    assert 65 * 10**9 < found.least_ps < found.latency_ps < 66 * 10**9


@pytest.mark.slow
def test_the_run_keeps_within_the_bound(tmp_path: Path) -> None:
    service = run(tmp_path, "deterministic-13000km")["services"]["deterministic"]
    found = bound()
    assert found.least_ps / 1e12 <= service["latency_s"]["min"]
    assert service["latency_s"]["max"] <= found.latency_ps / 1e12
    assert service["flows"] == 10_000
    assert service["lost_packets"] == 0


@pytest.mark.slow
def test_without_the_mechanism_jitter_is_thirty_times_as_large(tmp_path: Path) -> None:
    service = run(tmp_path, "deterministic-13000km", "--variant", "without")["services"]["deterministic"]
    assert service["delay_variation_s"] > 30 * 20e-6
