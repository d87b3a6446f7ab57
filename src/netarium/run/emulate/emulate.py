"""Run an emulated plan: hosts up, linktest, programs and engine together, hosts down; what everything said is collected.

The parts meet only here: `Machine` is what makes real hosts and runs programs on them, `Engine` is the engine in real time.
Both can be replaced, which is how tests do without either.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from netarium.compile.hosts import Program
from netarium.run.emulate.linktest import session
from netarium.run.emulate.linktest.judge import Finding
from netarium.run.emulate.outcome import Emulated
from netarium.run.samples import Samples
from netarium.units import SECOND_PS

LEAD_NS = 50_000_000
"""How far ahead the start of the trial is set once its servers are ready."""
NOT_STARTED = "not started"


class Programs(Protocol):
    """Programs under way. `failures`: a sentence for each that did not do as expected; `outcomes`: by name."""

    outcomes: Mapping[str, Any]

    @property
    def failures(self) -> list[str]: ...

    def wait_until_prepared(self, stop: Callable[[], bool]) -> None:
        """Until those that are to be there before the trial are ready, or cannot become so, or `stop()` says so."""

    def begin(self, start_ns: int) -> None:
        """Say when the trial begins: CLOCK_MONOTONIC."""


class Machine(Protocol):
    """Real hosts that are up. fds: (node, interface name) -> the engine's side of that interface."""

    @property
    def fds(self) -> Mapping[tuple[str, str], int]: ...

    def supervise(self, programs: tuple[Program, ...], folder: Path) -> AbstractContextManager[Programs]:
        """Run programs until the block ends: servers at once, others once the trial begins. Output in `folder`."""


class Engine(Protocol):
    """The engine in real time, ready to start (run/emulate/realtime.py)."""

    def drive(
        self, start_ns: int | None, progress: Callable[[Any], None] | None, stop: Callable[[], bool] | None
    ) -> None:
        """Run to the end of the plan, or until stop() says so. start_ns: CLOCK_MONOTONIC of virtual time 0."""

    def samples(self) -> Samples:
        """What was seen."""

    def close(self) -> None:
        """Let go of the interfaces."""


MakeEngine = Callable[[Any, Mapping[tuple[str, str], int]], Engine]
"""Of a plan and the descriptors of its interfaces; may take its time, because it compiles."""


class Company(Protocol):
    """Those with whom a trial is under way at once (run/emulate/together.py)."""

    def start_ns(self, lead_ns: int, prepare: Callable[[], None]) -> int:
        """CLOCK_MONOTONIC of virtual time 0, `lead_ns` or more after `prepare()` has returned and the others are ready."""

    def over(self) -> None:
        """The trial has run; may wait until others have."""


class Alone:
    """Nobody to wait for."""

    def start_ns(self, lead_ns: int, prepare: Callable[[], None]) -> int:
        prepare()
        return time.monotonic_ns() + lead_ns

    def over(self) -> None:
        pass


def emulate_trial(
    plan: Any,
    machine: Machine,
    make_engine: MakeEngine,
    folder: Path,
    *,
    progress: Callable[[Any], None] | None = None,
    stop: Callable[[], bool] | None = None,
    say: Callable[[str], None] | None = None,
    company: Company | None = None,
) -> Emulated:
    """Run a plan on real hosts that are up; folder: gets `programs/` and `linktest/` with what programs wrote.

    Ends early when the user says so, or when a program that others wait for has failed. Raises MachineCannot.
    """
    emulation = plan.emulation
    say = say or (lambda _: None)
    stop = stop or (lambda: False)
    company = company or Alone()
    findings, left = _before(plan, machine, make_engine, folder, stop, say, company)
    during = session.phase("during", plan)
    with closing(make_engine(plan, machine.fds)) as engine:
        probers: tuple[Program, ...] = ()
        if during is not None:
            probers = during.programs(emulation)
            left = [*left, *during.left_out]
        with machine.supervise((*emulation.programs, *probers), folder / "programs") as running:
            start_ns = company.start_ns(LEAD_NS, lambda: running.wait_until_prepared(stop))
            running.begin(start_ns)
            engine.drive(start_ns, progress, lambda: stop() or _hopeless(running.outcomes.values()))
        company.over()
        samples = engine.samples()
    outcomes = running.outcomes.values()
    if during is not None and not stop() and not _hopeless(outcomes):
        said = [one for one in outcomes if one.program in probers]
        findings += during.findings(said, emulation.tolerance_ps / SECOND_PS)
    own = tuple(one for one in outcomes if one.program.service >= 0)
    return Emulated(samples, own, tuple(findings), tuple(dict.fromkeys(left)))


def _before(
    plan: Any,
    machine: Machine,
    make_engine: MakeEngine,
    folder: Path,
    stop: Callable[[], bool],
    say: Callable[[str], None],
    company: Company,
) -> tuple[list[Finding], list[str]]:
    """(findings, what was left out) of the probes before the trial."""
    before = session.phase("before", plan)
    if before is None:
        return [], []
    say(f"linktest: {before.hosts} real hosts probe the network for {before.seconds:.1f} s")
    quiet = session.quiet(plan, before.seconds)
    with (
        closing(make_engine(quiet, machine.fds)) as engine,
        machine.supervise(before.programs(plan.emulation), folder / "linktest") as running,
    ):
        start_ns = company.start_ns(LEAD_NS, lambda: running.wait_until_prepared(stop))
        running.begin(start_ns)
        engine.drive(start_ns, None, stop)
    if stop():
        return [], list(before.left_out)
    found = before.findings(running.outcomes.values(), plan.emulation.tolerance_ps / SECOND_PS)
    return list(found), list(before.left_out)


def _hopeless(outcomes: Iterable[Any]) -> bool:
    """Whether a program waits for one that can no longer become ready."""
    return any(one.status == NOT_STARTED for one in outcomes)


def spoken(plan: Any, folder: Path) -> Any:
    """The plan with `{trial}`, `{run}` (the run's folder) and `{python}` replaced in the user's own commands."""
    import sys

    places = {
        "{trial}": str(plan.trial.folder.resolve()),
        "{run}": str(folder.resolve()),
        "{python}": sys.executable,
    }

    def said(word: str) -> str:
        for place, text in places.items():
            word = word.replace(place, text)
        return word

    programs = [
        replace(
            one,
            argv=tuple(map(said, one.argv)),
            env=tuple((key, said(value)) for key, value in one.env),
            cwd=said(one.cwd),
        )
        if one.role == "command"
        else one
        for one in plan.emulation.programs
    ]
    return replace(plan, emulation=replace(plan.emulation, programs=tuple(programs)))
