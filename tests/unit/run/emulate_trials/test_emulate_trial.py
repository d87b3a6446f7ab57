"""The order of an emulated run, with a machine and an engine that pretend: what starts when, what is kept, what ends it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from netarium.compile.compile import compile_trial
from netarium.compile.hosts import Program
from netarium.describe.loader import loads
from netarium.run.emulate.emulate import LEAD_NS, emulate_trial, spoken
from netarium.run.emulate.outcomes import DONE, FAILED, NOT_STARTED, Outcome

TRIAL = """
trial: t
duration: 3 s
mode: emulate
network:
  nodes: {a: {kind: host}, b: {kind: host}}
  links: [{endpoints: [a, b], rate: 100 Mbit/s, delay: 1 ms}]
services:
  ping: {kind: command, node: a, argv: [ping, b], to: b}
  bulk: {kind: bulk, from: a, to: b}
"""
EMPTY = json.dumps({"sent": {}, "received": {}})


@dataclass
class FakeMachine:
    """Notes what it is asked for; programs end with the status of `statuses`, DONE if none is stated."""

    statuses: dict[str, str] = field(default_factory=dict)
    fds: dict[tuple[str, str], int] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    programs: list[tuple[Program, ...]] = field(default_factory=list)

    @contextmanager
    def supervise(self, programs: tuple[Program, ...], folder: Path) -> Iterator[Any]:
        self.log.append(f"start {folder.name}")
        self.programs.append(programs)
        outcomes = {}
        for program in programs:
            place = folder / program.name
            place.mkdir(parents=True)
            (place / "stdout").write_text(EMPTY)
            status = self.statuses.get(program.name, DONE)
            outcomes[program.name] = Outcome(program, status=status, folder=place)
        yield SimpleNamespace(
            outcomes=outcomes, wait_until_prepared=lambda stop: None, begin=lambda start_ns: None
        )
        self.log.append(f"stop {folder.name}")


@dataclass
class FakeEngine:
    """Runs in no time; asks once whether to stop."""

    machine: FakeMachine
    plan: Any
    stopped: bool = False

    def drive(self, start_ns: int, progress: Any, stop: Callable[[], bool]) -> None:
        assert start_ns > time.monotonic_ns(), "virtual time 0 lies ahead"
        self.machine.log.append(f"engine {self.plan.duration_ps / 1e12:.1f} s")
        self.stopped = stop()

    def samples(self) -> Any:
        return SimpleNamespace(plan=self.plan, stopped=self.stopped)

    def close(self) -> None:
        self.machine.log.append("close")


def emulated(text: str, tmp_path: Path, machine: FakeMachine, **more: Any) -> Any:
    plan = compile_trial(loads(text))
    return emulate_trial(plan, machine, lambda plan, fds: FakeEngine(machine, plan), tmp_path, **more)


def test_linktest_comes_before_and_during_and_everything_is_closed(tmp_path: Path) -> None:
    machine, said = FakeMachine(), []
    result = emulated(TRIAL, tmp_path, machine, say=said.append)
    kinds = [line.split()[0] for line in machine.log]
    assert kinds == ["start", "engine", "stop", "close", "start", "engine", "stop", "close"]
    assert (
        machine.log[0] == "start linktest"
        and machine.log[4] == "start programs"
        and "engine 3.0 s" in machine.log
    )
    assert "2 real hosts probe" in said[0]
    roles = [{program.role for program in programs} for programs in machine.programs]
    assert roles == [{"linktest"}, {"command", "server", "client", "linktest"}]
    assert {one.program.name for one in result.outcomes} == {"ping", "bulk.server0", "bulk.client0"}
    phases = {finding.phase for finding in result.findings}
    assert phases == {"before", "during"} and not any(finding.passed for finding in result.findings), (
        "nothing was probed"
    )


def test_without_linktest_there_is_one_run(tmp_path: Path) -> None:
    machine = FakeMachine()
    text = TRIAL.replace("mode: emulate", "mode: emulate\nemulate: {linktest: none}")
    result = emulated(text, tmp_path, machine)
    assert (
        machine.log == ["start programs", "engine 3.0 s", "stop programs", "close"] and result.findings == ()
    )


def test_a_program_that_can_never_start_ends_the_run_early(tmp_path: Path) -> None:
    machine = FakeMachine({"ping": FAILED, "bulk.client0": NOT_STARTED})
    result = emulated(TRIAL, tmp_path, machine)
    assert result.samples.stopped
    assert not [finding for finding in result.findings if finding.phase == "during"], (
        "half a phase says nothing"
    )


def test_a_failed_program_alone_does_not_end_the_run(tmp_path: Path) -> None:
    assert not emulated(TRIAL, tmp_path, FakeMachine({"ping": FAILED})).samples.stopped


def test_the_user_can_stop_it(tmp_path: Path) -> None:
    result = emulated(TRIAL, tmp_path, FakeMachine(), stop=lambda: True)
    assert result.samples.stopped and result.findings == ()


def test_a_prober_that_says_nothing_is_a_finding(tmp_path: Path) -> None:
    class Silent(FakeMachine):
        @contextmanager
        def supervise(self, programs: tuple[Program, ...], folder: Path) -> Iterator[Any]:
            with super().supervise(programs, folder) as running:
                for one in running.outcomes.values():
                    (one.folder / "stdout").write_text("")
                yield running

    result = emulated(TRIAL, tmp_path, Silent())
    reports = [finding for finding in result.findings if finding.what == "report"]
    assert {finding.src for finding in reports} == {"a", "b"} and all(
        finding.passed is False for finding in reports
    )
    assert "did not report" in reports[0].sentence()


def test_placeholders_are_filled_in_only_in_the_users_commands(tmp_path: Path) -> None:
    import sys

    text = TRIAL.replace(
        "argv: [ping, b]", 'argv: ["{python}", "{trial}/x/", "{run}/y"], env: {HERE: "{trial}"}'
    )
    (tmp_path / "x").mkdir()
    plan = spoken(compile_trial(loads(text, folder=tmp_path)), tmp_path / "run")
    ping = next(one for one in plan.emulation.programs if one.name == "ping")
    assert ping.argv == (sys.executable, f"{tmp_path}/x/", f"{tmp_path}/run/y") and ping.env == (
        ("HERE", str(tmp_path)),
    )
    client = next(one for one in plan.emulation.programs if one.name == "bulk.client0")
    assert client.argv[0] == "iperf3"


def test_the_trial_starts_once_its_servers_are_ready(tmp_path: Path) -> None:
    """However long they take: the start lies ahead of their being ready, and programs learn it before the engine runs."""
    told: list[Any] = []

    class Slow(FakeMachine):
        @contextmanager
        def supervise(self, programs: tuple[Program, ...], folder: Path) -> Iterator[Any]:
            with super().supervise(programs, folder) as running:
                running.wait_until_prepared = lambda stop: (time.sleep(0.3), told.append(time.monotonic_ns()))
                running.begin = told.append
                yield running

    class Noting(FakeEngine):
        def drive(self, start_ns: int, progress: Any, stop: Callable[[], bool]) -> None:
            told.append(start_ns)
            super().drive(start_ns, progress, stop)

    text = TRIAL.replace("mode: emulate", "mode: emulate\nemulate: {linktest: none}")
    machine = Slow()
    emulate_trial(compile_trial(loads(text)), machine, lambda plan, fds: Noting(machine, plan), tmp_path)
    ready_ns, begun_ns, run_ns = told
    assert ready_ns < begun_ns == run_ns <= ready_ns + 2 * LEAD_NS
