"""The programs of a run: each started when it is due and what it waits for is ready, watched, stopped, judged.

`poll(now_ps)` does all that is due and never waits, so that tests need no clock; overseer.py calls it from its thread.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from netarium.compile.hosts import NEVER_PS, Program, RealHost
from netarium.errors import MachineCannot
from netarium.run.emulate import needs, outcomes, sandbox
from netarium.run.emulate.outcomes import Outcome, place_of, seconds_text
from netarium.run.emulate.process import HELD, SIGNALLED, Process
from netarium.run.emulate.readiness import file_exists, port_listens
from netarium.run.emulate.sandbox import Sandbox
from netarium.units import SECOND_PS

STOP_GRACE_PS = 3 * SECOND_PS
"""A program that has not ended so long after its stop signal is killed."""
LOOK_FIRST_PS, LOOK_LAST_PS = SECOND_PS // 100, SECOND_PS // 5
"""How often readiness is looked at: the wait doubles from the first to the last."""
TURN_S = 0.01
_SIGNALS_MAX = 64


@dataclass
class _Running:
    """A program that has been started and has not ended."""

    outcome: Outcome
    process: Process
    look_ps: int = 0
    look_wait_ps: int = LOOK_FIRST_PS
    stopping_ps: int = NEVER_PS
    stop_sent: bool = False
    reason: str = ""


class Supervisor:
    """Runs programs on hosts. After an error of one, the others go on until `stop`; `failures` says what went wrong."""

    def __init__(
        self,
        programs: tuple[Program, ...],
        hosts: Mapping[str, RealHost],
        netns_fds: Mapping[str, int],
        box: Sandbox,
        folder: Path,
    ) -> None:
        """hosts, netns_fds: by node. folder: gets a folder for each program, with its output."""
        self.outcomes = {
            program.name: Outcome(program, folder=folder / quote(program.name, safe=" "))
            for program in programs
        }
        self._hosts, self._netns_fds, self._box = hosts, netns_fds, box
        self._waiting = [program.name for program in sorted(programs, key=lambda one: one.start_ps)]
        self._held: dict[str, Process] = {}
        """Of those that wait: the ones whose sandbox is made."""
        self._dropped: list[Process] = []
        """Held ones that are not needed any more and have not ended yet."""
        self._running: dict[str, _Running] = {}
        self._selector = selectors.DefaultSelector()
        self._stopping = False
        self.start_ns = 0
        """CLOCK_MONOTONIC at the start of the trial, once it is known: programs may be told."""

    def check(self) -> None:
        """Raise MachineCannot, with every program that cannot be started as described, before anything is."""
        problems = [text for outcome in self.outcomes.values() for text in self._problems(outcome.program)]
        if problems:
            raise MachineCannot("\n".join(problems))

    @property
    def failures(self) -> list[str]:
        """One sentence for every program that failed, with its place in the trial."""
        return [
            f"{one.where}: {one.program.name if one.program.role != 'command' else 'it'} {one.reason}"
            for one in self.outcomes.values()
            if one.status in (outcomes.FAILED, outcomes.NOT_STARTED)
        ]

    @property
    def idle(self) -> bool:
        """Nothing runs and nothing waits to run."""
        return not self._running and not self._waiting and not self._dropped

    @property
    def preparing(self) -> bool:
        """Before the trial: whether a program that is to be there by then is not ready yet and may become so, or a
        sandbox is being made for a later one."""
        return not all(process.is_prepared for process in self._held.values()) or any(
            one.program.start_ps < 0
            and one.ready_ps == NEVER_PS
            and one.status in (outcomes.WAITING, outcomes.RUNNING)
            for one in self.outcomes.values()
        )

    def shift(self, by_ps: int) -> None:
        """The clock has been set: every time noted so far moves with it."""
        for one in self.outcomes.values():
            for name in ("started_ps", "ready_ps", "ended_ps"):
                if (noted := getattr(one, name)) != NEVER_PS:
                    setattr(one, name, noted + by_ps)
        for running in self._running.values():
            running.look_ps += by_ps
            if running.stopping_ps != NEVER_PS:
                running.stopping_ps += by_ps

    def poll(self, now_ps: int) -> list[Outcome]:
        """Do everything that is due; the outcomes of programs that ended. Always call it from the same thread."""
        self._pump(0)
        if now_ps < 0 and not self._stopping:
            self._hold()
        self._start_due(now_ps)
        for running in list(self._running.values()):
            self._watch(running, now_ps)
        self._dropped = [process for process in self._dropped if not self._is_gone(process)]
        return [
            self._end(running, now_ps)
            for running in list(self._running.values())
            if running.process.ended() is not None
        ]

    def wait(self, seconds: float) -> None:
        """Wait until a program writes or ends, at most so long."""
        self._pump(seconds)

    def fileno(self) -> int:
        """A descriptor that can be read when a program has written or ended."""
        return self._selector.fileno()

    def due_ps(self, now_ps: int) -> int:
        """When to poll again if until then no program writes or ends."""
        due = [self._start_due_ps(name, now_ps) for name in self._waiting]
        due += [self._watch_due_ps(running, now_ps) for running in self._running.values()]
        return min(due, default=NEVER_PS)

    def stop(self, now_ps: int) -> None:
        """The trial is over: end every program, the last started first. What still waits does not start."""
        self._stopping = True
        for name in self._waiting:
            self.outcomes[name].status = outcomes.NOT_STARTED
            self.outcomes[
                name
            ].reason = f"was not started before {seconds_text(now_ps)}: {self._obstacle(name)}"
            self._drop(name)
        self._waiting.clear()
        for running in reversed(self._running.values()):
            self._begin_stop(running, now_ps, "")

    def kill(self, now_ps: int) -> list[Outcome]:
        """End everything at once, and wait until it is gone."""
        self.stop(now_ps)
        ended = []
        for running in list(self._running.values()):
            while running.process.ended() is None:
                running.process.kill()
                self._pump(TURN_S)
            ended.append(self._end(running, now_ps))
        while self._dropped:
            self._pump(TURN_S)
            self._dropped = [process for process in self._dropped if not self._is_gone(process)]
        return ended

    def pids(self) -> dict[str, int]:
        """The programs that run, by their process number on this machine."""
        found = {name: running.process.program for name, running in self._running.items()}
        return {name: pid for name, pid in found.items() if pid is not None}

    # -- before

    def _problems(self, program: Program) -> list[str]:
        where, argv = place_of(program), sandbox.spoken(program)
        host = self._hosts.get(program.node)
        if host is None:
            return [f"{where}.node: {program.node!r} is no real host"]
        problems = []
        path = self._box.environment(host, program.env)["PATH"]
        if shutil.which(argv[0], path=path) is None:
            looked = "" if "/" in argv[0] else f" in {path}"
            problems.append(
                f"{where}.argv[0]: this machine has no program {argv[0]!r}{looked}; install it, or write its path"
            )
        if program.memory_bytes is not None and shutil.which(needs.PRLIMIT, path=path) is None:
            problems.append(
                f"{where}.memory: this machine has no {needs.PRLIMIT}, which sets limits; apt install util-linux"
            )
        if program.cwd and not os.path.isdir(program.cwd):
            problems.append(f"{where}.cwd: there is no folder {program.cwd!r} on this machine")
        missing = [path for path in program.writable if not os.path.exists(path)]
        problems += [
            f"{where}.writable: there is no {path!r} on this machine; make it first" for path in missing
        ]
        return problems

    # -- starting

    def _start_due(self, now_ps: int) -> None:
        for name in list(self._waiting):
            outcome = self.outcomes[name]
            lost = [other for other in outcome.program.after if self._lost(other)]
            if lost:
                outcome.status = outcomes.NOT_STARTED
                outcome.reason = (
                    f"was not started: it comes after {lost[0]}, which {self.outcomes[lost[0]].reason}"
                )
            elif now_ps < outcome.program.start_ps or not all(map(self._satisfied, outcome.program.after)):
                continue
            else:
                self._start(outcome, now_ps)
            self._drop(name)
            self._waiting.remove(name)

    def _satisfied(self, name: str) -> bool:
        other = self.outcomes[name]
        return (
            other.ready_ps != NEVER_PS if other.program.ready is not None else other.status == outcomes.DONE
        )

    def _lost(self, name: str) -> bool:
        """Whether a program can no longer become what others wait for."""
        other = self.outcomes[name]
        if other.status in (outcomes.FAILED, outcomes.NOT_STARTED):
            return not (other.program.ready is not None and other.ready_ps != NEVER_PS)
        return other.status in (outcomes.DONE, outcomes.STOPPED) and not self._satisfied(name)

    def _obstacle(self, name: str) -> str:
        program = self.outcomes[name].program
        waiting = [other for other in program.after if not self._satisfied(other)]
        return (
            f"it waited for {', '.join(waiting)}"
            if waiting
            else f"its start is {seconds_text(program.start_ps)}"
        )

    def _hold(self) -> None:
        """Before the trial: make the sandboxes of what starts later, so that it starts when it is due."""
        for name in self._waiting:
            program = self.outcomes[name].program
            if name not in self._held and program.start_ps >= 0 and sandbox.may_be_held(program):
                with contextlib.suppress(OSError):  # then it is made when it is due, or the error is told
                    self._held[name] = held = self._made(self.outcomes[name], held=True)
                    self._selector.register(held.gate, selectors.EVENT_READ, held)

    def _let_go(self, name: str) -> Process | None:
        process = self._held.pop(name, None)
        if process is not None:
            self._is_prepared(process)
            process.go()
        return process

    def _is_prepared(self, process: Process) -> None:
        """Look no more for a held program to be prepared."""
        if not process.is_prepared:
            self._selector.unregister(process.gate)
            process.is_prepared = True

    def _drop(self, name: str) -> None:
        """A program that was held does not start any more."""
        process = self._held.pop(name, None)
        if process is not None:
            self._is_prepared(process)
            process.kill()
            self._selector.register(process.pidfd, selectors.EVENT_READ, None)
            self._dropped.append(process)

    def _is_gone(self, process: Process) -> bool:
        if process.ended() is None:
            process.kill()  # it may have had no number 1 yet
            return False
        self._selector.unregister(process.pidfd)
        process.close()
        return True

    def _made(self, outcome: Outcome, *, held: bool) -> Process:
        """A program's process, in its sandbox. Raises OSError."""
        program, host = outcome.program, self._hosts[outcome.program.node]
        assert outcome.folder is not None
        own = outcome.folder / "files"
        own.mkdir(parents=True, exist_ok=True)
        argv = self._box.argv(
            host,
            (*(HELD if held else ()), *sandbox.limited(program, self.start_ns)),
            program.cwd or str(own.resolve()),
            writable=(*program.writable, str(own.resolve())),
        )
        environment = self._box.environment(host, program.env)
        wanted = program.ready.line if program.ready is not None else ""
        return Process(argv, environment, self._netns_fds[program.node], outcome.folder, wanted, held=held)

    def _start(self, outcome: Outcome, now_ps: int) -> None:
        program = outcome.program
        try:
            process = self._let_go(program.name) or self._made(outcome, held=False)
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            outcome.status, outcome.reason = outcomes.FAILED, f"could not be started: {place}{error.strerror}"
            return
        outcome.status, outcome.started_ps = outcomes.RUNNING, now_ps
        if program.ready is None:
            outcome.ready_ps = now_ps
        self._running[program.name] = _Running(outcome, process, now_ps)
        for stream in (process.stdout, process.stderr):
            self._selector.register(stream.read_fd, selectors.EVENT_READ, stream)
        self._selector.register(process.pidfd, selectors.EVENT_READ, None)

    # -- watching

    def _pump(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            if isinstance(key.data, Process):
                self._is_prepared(key.data)
            elif key.data is not None:
                key.data.pump()
                if not key.data.open:
                    self._selector.unregister(key.fileobj)

    def _watch(self, running: _Running, now_ps: int) -> None:
        outcome = running.outcome
        program = outcome.program
        if outcome.ready_ps == NEVER_PS and running.stopping_ps == NEVER_PS:
            self._look(running, now_ps)
        if running.stopping_ps == NEVER_PS and now_ps >= program.stop_ps:
            self._begin_stop(running, now_ps, "")
        if running.stopping_ps == NEVER_PS and now_ps - outcome.started_ps > program.time_limit_ps:
            self._begin_stop(
                running, now_ps, f"ran longer than its time_limit of {seconds_text(program.time_limit_ps)}"
            )
        if running.stopping_ps != NEVER_PS:
            self._press(running, now_ps)

    def _look(self, running: _Running, now_ps: int) -> None:
        outcome, ready = running.outcome, running.outcome.program.ready
        assert ready is not None
        if ready.line:
            is_ready = running.process.wrote_wanted
        elif now_ps < running.look_ps:
            is_ready = False
        else:
            running.look_ps = now_ps + running.look_wait_ps
            running.look_wait_ps = min(2 * running.look_wait_ps, LOOK_LAST_PS)
            if ready.port:
                is_ready = port_listens(running.process.pid, ready.port)
            else:
                init = running.process.init
                is_ready = init is not None and file_exists(init, ready.file)
        if is_ready:
            outcome.ready_ps = now_ps
        elif now_ps - outcome.started_ps > ready.within_ps:
            sign = (
                f"port {ready.port}"
                if ready.port
                else f"line {ready.line!r}"
                if ready.line
                else f"file {ready.file!r}"
            )
            self._begin_stop(
                running, now_ps, f"was not ready within {seconds_text(ready.within_ps)}: no {sign}"
            )

    def _start_due_ps(self, name: str, now_ps: int) -> int:
        program = self.outcomes[name].program
        if program.start_ps > now_ps:
            return program.start_ps
        return (
            now_ps
            if all(map(self._satisfied, program.after)) or any(map(self._lost, program.after))
            else NEVER_PS
        )

    def _watch_due_ps(self, running: _Running, now_ps: int) -> int:
        outcome, program = running.outcome, running.outcome.program
        if running.stopping_ps != NEVER_PS:
            return running.stopping_ps + STOP_GRACE_PS if running.stop_sent else now_ps + LOOK_FIRST_PS
        due = [program.stop_ps, outcome.started_ps + program.time_limit_ps]
        if outcome.ready_ps == NEVER_PS and program.ready is not None:
            due += [outcome.started_ps + program.ready.within_ps]
            due += [] if program.ready.line else [running.look_ps]
        return min(due) + 1

    # -- ending

    def _begin_stop(self, running: _Running, now_ps: int, reason: str) -> None:
        if running.stopping_ps == NEVER_PS:
            running.stopping_ps, running.reason = now_ps, reason
            self._press(running, now_ps)

    def _press(self, running: _Running, now_ps: int) -> None:
        """Send the stop signal, as soon as there is a program to get it; after the grace, kill."""
        if now_ps - running.stopping_ps > STOP_GRACE_PS:
            running.process.kill()
        elif not running.stop_sent:
            number = signal.Signals[f"SIG{running.outcome.program.stop_signal}"]
            running.stop_sent = running.process.signal(number)

    def _end(self, running: _Running, now_ps: int) -> Outcome:
        outcome, process = running.outcome, running.process
        code = process.ended()
        assert code is not None
        for stream in (process.stdout, process.stderr):
            if stream.open:
                self._selector.unregister(stream.read_fd)
        self._selector.unregister(process.pidfd)
        process.close()
        del self._running[outcome.program.name]
        outcome.ended_ps, outcome.cut_bytes = now_ps, process.cut_bytes
        if SIGNALLED < code <= SIGNALLED + _SIGNALS_MAX and code != outcome.program.exit_code:
            outcome.signal = code - SIGNALLED
        else:
            outcome.exit_code = code
        self._judge(outcome, running, code)
        return outcome

    def _judge(self, outcome: Outcome, running: _Running, code: int) -> None:
        expected, ready = outcome.program.exit_code, outcome.program.ready
        if running.reason:
            outcome.status, outcome.reason = outcomes.FAILED, running.reason
        elif running.stopping_ps != NEVER_PS:
            outcome.status = outcomes.STOPPED
            return
        elif expected is not None and code != expected:
            outcome.status = outcomes.FAILED
            outcome.reason = f"{_how(outcome)}, where exit code {expected} was expected"
        elif ready is not None and outcome.ready_ps == NEVER_PS:
            outcome.status = outcomes.FAILED
            outcome.reason = f"{_how(outcome)} before it was ready"
        else:
            outcome.status = outcomes.DONE
            return
        if running.process.last_words:
            outcome.reason += f"; its last words: {running.process.last_words}"


def _how(outcome: Outcome) -> str:
    if outcome.signal is None:
        return f"ended with exit code {outcome.exit_code}"
    known = {one.value: one.name for one in signal.Signals}
    return f"was ended by {known.get(outcome.signal, f'signal {outcome.signal}')}"
