"""A phase of linktest from its plan to its findings: which programs to run, and what their output says."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from netarium.compile.hosts import Program
from netarium.run.emulate.linktest import schedule
from netarium.run.emulate.linktest.described import describe, pairs_to_test
from netarium.run.emulate.linktest.judge import Finding, judge
from netarium.run.kernel.records import NONE
from netarium.units import SECOND_PS

START_S = 0.5
"""From when the probers are started to when their schedule begins: they are Python, and many."""
START_S_PER_PROBER = 0.02
END_S = 0.3
"""Between the last of the probes and the end of the trial, so that probers can report."""
PHASES = {"before": ("before", "both"), "during": ("during", "both")}


@dataclass(frozen=True)
class Phase:
    """One phase: its schedule, and what was left out of it, with the reason."""

    schedule: schedule.Schedule
    left_out: tuple[str, ...]
    hosts: int
    lead_s: float
    """Seconds that the probers get to start."""

    @property
    def seconds(self) -> float:
        """Seconds that the phase takes, from the start of its probers."""
        return self.lead_s + self.schedule.seconds

    def programs(self, emulation: Any) -> tuple[Program, ...]:
        """The probers; they begin as long after the start of the trial as they need to be up."""
        return tuple(schedule.programs(self.schedule, emulation, self.lead_s))

    def findings(self, outcomes: Iterable[Any], tolerance_s: float) -> tuple[Finding, ...]:
        """What the probers printed, judged. A prober that did not end well is a finding of its own that did not pass."""
        printed, broken = [], []
        for one in outcomes:
            try:
                printed.append(json.loads((one.folder / "stdout").read_text(encoding="utf-8")))
            except (OSError, ValueError, TypeError):
                note = f"the prober did not report: {one.reason or one.status}"
                node = one.program.node
                broken.append(Finding(self.schedule.phase, node, node, "report", None, None, False, note))
        return (*broken, *judge(self.schedule, printed, tolerance_s))


def phase(name: str, plan: Any) -> Phase | None:
    """The phase "before" or "during" of a plan; None when it was not asked for, or there is no pair to test."""
    emulation = plan.emulation
    if emulation.linktest not in PHASES[name]:
        return None
    pairs, more = pairs_to_test(emulation)
    described, left = describe(plan, pairs)
    if not described:
        return None
    hosts = len({end for pair in described for end in (pair.src, pair.dst)})
    lead_s = START_S + START_S_PER_PROBER * hosts
    if name == "before":
        return Phase(schedule.before(described), (*more, *left), hosts, lead_s)
    left_s = plan.duration_ps / SECOND_PS - lead_s - END_S
    if left_s <= 0:
        return None
    return Phase(schedule.during(described, left_s), (*more, *left), hosts, lead_s)


def quiet(plan: Any, seconds: float) -> Any:
    """The same network and hosts without traffic, events and services, for the probes before the trial."""
    duration_ps = int(seconds * SECOND_PS)
    arrays = {name: array.copy() for name, array in plan.arrays.items()}
    sources, actions = arrays["sources"], arrays["actions"]
    sources["start_ps"] = sources["stop_ps"] = duration_ps
    actions["kind"] = NONE
    return replace(
        plan,
        arrays=arrays,
        duration_ps=duration_ps,
        sample_times_ps=np.array([duration_ps], np.int64),
        captures=(),
        emulation=replace(plan.emulation, rules=(), programs=()),
    )
