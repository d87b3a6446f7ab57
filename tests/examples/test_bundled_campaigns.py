"""The bundled campaigns: they load, every variant compiles, the traces are what their script makes, and what
docs/campaign-findings.md concludes holds in a few of their runs."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netarium.describe.design import Design
from netarium.operate.campaign import campaignfile

TRACES = Path(__file__).resolve().parents[2] / "examples" / "traces"
BUNDLED = ("congestion-shootout", "pantheon-like")
SHALLOW, BDP, DEEP = "limit=30 kB", "limit=250 kB", "limit=2 MB"
SHORT, LONG = "path=geant-18ms", "path=internode-202ms"


@pytest.fixture(scope="module")
def designs() -> dict[str, Design]:
    return {name: campaignfile.load(str(campaignfile.examples()[name])) for name in BUNDLED}


def test_both_are_bundled_and_have_the_trials_they_say(designs: dict[str, Design]) -> None:
    assert set(BUNDLED) <= set(campaignfile.examples())
    assert [len(designs[name]) for name in BUNDLED] == [1620, 360]


@pytest.mark.slow
@pytest.mark.parametrize("name", BUNDLED)
def test_every_variant_compiles(name: str, designs: dict[str, Design]) -> None:
    from netarium.operate.runner import admit

    for number in range(len(designs[name].variants)):
        assert admit(designs[name].trial(number, 1, "simulate")).digest


def test_the_traces_are_what_their_script_makes() -> None:
    script = runpy.run_path(str(TRACES / "make_cellular.py"))
    for name, (seed, scale) in script["TRACES"].items():
        made = script["opportunities"](seed, scale)
        kept = [int(line) for line in (TRACES / f"{name}.trace").read_text(encoding="ascii").split()]
        assert kept == made.tolist()
        assert made[0] >= 1
        assert (np.diff(made) >= 0).all()


def test_the_model_of_the_traces_has_its_spread() -> None:
    """Away from its ends the rate does a Brownian motion: its steps have a deviation of 200 per root second."""
    script = runpy.run_path(str(TRACES / "make_cellular.py"))
    rates = script["rates"](np.random.default_rng(11))
    inside = (rates[:-1] > 100) & (rates[:-1] < 900)
    steps = np.diff(rates)[inside]
    assert steps.std() / np.sqrt(script["TICK_S"]) == pytest.approx(script["MOTION"], rel=0.06)


def service(design: Design, *words: str, seed: int = 1) -> dict[str, Any]:
    """The services' metrics of the one variant whose text has all `words`."""
    from netarium.measure.measure import measure_services
    from netarium.operate.runner import admit
    from netarium.run.simulate import simulate

    (number,) = [i for i, v in enumerate(design.variants) if set(words) <= set(v.text.split(", "))]
    trial = design.trial(number, seed, "simulate")
    return measure_services(simulate(admit(trial)), trial)


@pytest.fixture(scope="module")
def shootout(designs: dict[str, Design]) -> Any:
    return lambda control, *words: service(designs["congestion-shootout"], f"congestion={control}", *words)


@pytest.fixture(scope="module")
def cellular(designs: dict[str, Design]) -> Any:
    return lambda control, *words: service(designs["pantheon-like"], f"congestion={control}", *words)


@pytest.mark.slow
@pytest.mark.parametrize(("path", "rtt_s"), [(SHORT, 0.0181), ("path=abilene-73ms", 0.0727)])
def test_reno_follows_the_inverse_square_root_of_loss(shootout: Any, path: str, rtt_s: float) -> None:
    """Mathis et al. 1997: 1.22 MSS / (RTT sqrt(p)); the first seconds and queueing are in the measured rate."""
    found = shootout("reno", path, BDP, "loss=1 %")["flow"]["goodput_bps"]
    assert found == pytest.approx(1.22 * 1448 * 8 / (rtt_s * 0.1), rel=0.25)


@pytest.mark.slow
def test_bbr_has_more_in_shallow_buffers_and_cubic_in_deep_ones(shootout: Any) -> None:
    """Cao et al. 2019."""
    shallow = {control: shootout(control, SHORT, SHALLOW, "loss=0 %")["flow"] for control in ("bbr", "cubic")}
    deep = {control: shootout(control, SHORT, DEEP, "loss=0 %")["flow"] for control in ("bbr", "cubic")}
    assert shallow["bbr"]["goodput_bps"] > 1.5 * shallow["cubic"]["goodput_bps"]
    assert shallow["bbr"]["retransmissions"] > 10 * shallow["cubic"]["retransmissions"]
    assert deep["cubic"]["goodput_bps"] > deep["bbr"]["goodput_bps"]
    assert deep["cubic"]["latency_s"]["p95"] > 4 * deep["bbr"]["latency_s"]["p95"]


@pytest.mark.slow
def test_bbr_ignores_random_loss_and_cubic_does_not(shootout: Any) -> None:
    """Cardwell et al. 2016: a factor of ten at 0.1 % on a long path."""
    cubic = [shootout("cubic", LONG, BDP, loss)["flow"]["goodput_bps"] for loss in ("loss=0 %", "loss=0.1 %")]
    bbr = [shootout("bbr", LONG, BDP, loss)["flow"]["goodput_bps"] for loss in ("loss=0 %", "loss=0.1 %")]
    assert cubic[0] > 5 * cubic[1]
    assert bbr[1] > 0.95 * bbr[0]


@pytest.mark.slow
def test_bbr_in_a_shallow_buffer_starves_others(shootout: Any) -> None:
    """Hock et al. 2017, Ware et al. 2019."""
    pages = {control: shootout(control, SHORT, SHALLOW, "loss=0 %")["web"] for control in ("bbr", "cubic")}
    assert pages["bbr"]["completion_s"]["p95"] > 5 * pages["cubic"]["completion_s"]["p95"]


@pytest.mark.slow
def test_deep_buffers_delay_by_seconds_and_codel_does_not(cellular: Any) -> None:
    """Winstein et al. 2013; Nichols and Jacobson 2012."""
    deep = {
        control: cellular(control, "link=synthetic-lte-b", "queue=deep-fifo")["flow"]
        for control in ("cubic", "bbr")
    }
    codel = cellular("cubic", "link=synthetic-lte-b", "queue=codel")["flow"]
    assert deep["cubic"]["latency_s"]["p95"] > 1
    assert codel["latency_s"]["p95"] < 0.1
    assert 0.8 * deep["cubic"]["goodput_bps"] < codel["goodput_bps"] < deep["cubic"]["goodput_bps"]
    assert deep["bbr"]["latency_s"]["p95"] < 0.25
    assert deep["bbr"]["goodput_bps"] == pytest.approx(deep["cubic"]["goodput_bps"], rel=0.02)
