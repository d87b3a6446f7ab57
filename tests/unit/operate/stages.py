"""An engine for tests of the runner: hand-made samples, in steps that can be interrupted or made to fail."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "measure"))

from made_samples import Made, make  # noqa: E402

from netarium.describe.trial import Trial  # noqa: E402
from netarium.run.samples import Samples  # noqa: E402

STEPS = 10


@dataclass
class Estimate:
    events: int = 1000
    packet_hops: int = 2000
    memory_bytes: int = 10**6
    wall_s: float = 0.1


@dataclass
class Now:
    virtual_ps: int
    duration_ps: int
    packet_hops: int
    wall_s: float


class Engine:
    """Replaces compile_trial and simulate. `at` maps a step to what happens there; goodput is in bit/s."""

    def __init__(self) -> None:
        self.at: dict[int, Callable[[], object]] = {}
        self.refuses: BaseException | None = None
        self.goodput = 8e6
        self.reached = 0

    def compile_trial(self, trial: Trial) -> SimpleNamespace:
        if self.refuses is not None:
            raise self.refuses
        return SimpleNamespace(
            trial=trial,
            digest="p" * 64,
            admission=SimpleNamespace(reservations=()),
            emulation=None,
            assumptions=("queue not stated: pfifo of 1000 packets (2 links)",),
            estimate=Estimate(),
        )

    def simulate(self, plan: SimpleNamespace, *, progress=None, stop=None, **_: object) -> Samples:
        trial = plan.trial
        for step in range(1, STEPS + 1):
            self.at.get(step, lambda: None)()
            self.reached = step
            progress(Now(trial.duration * step // STEPS, trial.duration, 1000 * step, 0.1 * step))
            if stop():
                break
        made = make(trial, {name: Made(goodput=self.goodput) for name in trial.services}, instants=STEPS)
        if self.reached < STEPS:
            made.times_ps = made.times_ps * self.reached // STEPS
        return made


def press(number: signal.Signals = signal.SIGINT) -> None:
    """Ctrl-C."""
    os.kill(os.getpid(), number)


def install(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Let the runner call a new engine of this kind."""
    fake = Engine()
    compiling, simulating = ModuleType("compile"), ModuleType("simulate")
    compiling.compile_trial, simulating.simulate = fake.compile_trial, fake.simulate
    monkeypatch.setitem(sys.modules, "netarium.compile.compile", compiling)
    monkeypatch.setitem(sys.modules, "netarium.run.simulate", simulating)
    monkeypatch.setattr("netarium.operate.enginecache.compiled", lambda: True)
    return fake
