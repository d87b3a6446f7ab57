"""A trial as a network to keep up: compiled for as long as it may stay, with the engine to drive it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from netarium.operate import runner
from netarium.operate.networks import Drive, LoadEngine

if TYPE_CHECKING:
    from pathlib import Path

    from netarium.compile.hosts import Emulation
    from netarium.compile.plan import Plan
    from netarium.describe.trial import Trial
    from netarium.run.emulate.realtime import Engine

LONGEST = "24 h"
"""How long a network stays up when nobody takes it down, unless --set duration says otherwise."""


def plan_of(request: runner.Request) -> tuple[Trial, Plan]:
    """The trial, emulated, and its plan. Raises TrialInvalid, AdmissionRefused or MachineCannot."""
    stated = any(change.partition("=")[0].strip() == "duration" for change in request.changes)
    if not stated:
        request = dataclasses.replace(request, changes=(*request.changes, f"duration={LONGEST}"))
    trial = runner.load(dataclasses.replace(request, mode="emulate"))
    return trial, runner.admit(trial)


def spoken(plan: Plan, emulation: Emulation, folder: Path) -> Emulation:
    """The emulation with the places of the user's commands filled in; {run} is the folder that they write to."""
    from netarium.run.emulate import emulate

    said: Plan = emulate.spoken(dataclasses.replace(plan, emulation=emulation), folder)
    assert said.emulation is not None
    return said.emulation


def engine(plan: Plan) -> LoadEngine:
    """What drives a plan in real time. Loading it may compile the kernel, which takes seconds; its clock starts after that."""

    @contextmanager
    def load(fds: Mapping[tuple[str, str], int]) -> Iterator[Drive]:
        from netarium.run.emulate.realtime import Engine

        loaded = Engine(plan, fds)
        try:
            yield lambda start_ns, stop: _drive(loaded, start_ns, stop)
        finally:
            loaded.close()

    return load


def _drive(loaded: Engine, start_ns: int, stop: Callable[[], bool]) -> None:
    """What was sampled is let go: nothing is recorded of a network that is kept up."""
    loaded.run(start_ns, None, stop)
