"""Programs that are made ready before the trial: they start when they are due, as any other would, or leave nothing behind."""

from __future__ import annotations

import os
import sys
import time

import pytest
from test_real_programs import clock_ps, program, python, run_until

from netarium.run.emulate.processes import Supervisor
from netarium.units import SECOND_PS

SHOWS = (
    "import os, sys; print(sorted(os.environ)); print(os.readlink('/proc/self/fd/0'), sorted(os.listdir('/proc/self/fd')));"
    "print(sys.argv)"
)


def prepare(supervisor: Supervisor, limit_s: float = 10.0) -> None:
    """Polls at an instant before the trial until everything is prepared."""
    until = time.monotonic() + limit_s
    supervisor.poll(-SECOND_PS)
    while supervisor.preparing:
        assert time.monotonic() < until
        supervisor.wait(0.05)
        supervisor.poll(-SECOND_PS)


def test_a_held_program_is_as_one_that_is_not(supervise):
    """The same environment, descriptors and arguments: no shell's hand is seen in them."""
    words = ("$HOME", "a  b", "*", ";", "")
    argv = (sys.executable, "-c", SHOWS, *words)
    plain, held = supervise(program("a", *argv)), supervise(program("a", *argv))
    run_until(plain)
    prepare(held)
    assert held.outcomes["a"].status == "waiting"
    run_until(held)
    texts = [(one.outcomes["a"].folder / "stdout").read_text() for one in (plain, held)]
    if os.path.realpath("/bin/sh").endswith("dash"):  # bash adds variables of its own
        assert texts[0] == texts[1]
    assert texts[0].splitlines()[1:] == texts[1].splitlines()[1:]
    assert held.outcomes["a"].status == "done"


def test_it_waits_for_its_start_and_is_there_at_once(supervise):
    code = "import time; print(time.monotonic())"
    supervisor = supervise(python("a", code, start_ps=SECOND_PS // 2))
    prepare(supervisor)
    assert supervisor.pids() == {} and not supervisor.idle
    (one,) = run_until(supervisor).values()
    assert one.status == "done" and one.started_ps >= SECOND_PS // 2


def test_a_variable_that_a_shell_would_drop_is_not_lost(supervise):
    code = "import os; print(os.environ['a.b'])"
    supervisor = supervise(python("a", code, env=(("a.b", "here"),)))
    prepare(supervisor)
    (one,) = run_until(supervisor).values()
    assert (one.folder / "stdout").read_text() == "here\n"


def test_its_exit_code_and_signal_are_its_own(supervise):
    supervisor = supervise(
        python("a", "import sys; sys.exit(3)", exit_code=3),
        python("b", "import time; time.sleep(60)", stop_ps=SECOND_PS // 5),
    )
    prepare(supervisor)
    found = run_until(supervisor)
    assert (found["a"].status, found["a"].exit_code) == ("done", 3)
    assert (found["b"].status, found["b"].signal) == ("stopped", 15)


def test_what_never_starts_is_gone(supervise):
    supervisor = supervise(
        program("a", "sleep", "60", start_ps=100 * SECOND_PS), program("b", "true", after=("a",))
    )
    prepare(supervisor)
    began = time.monotonic()
    supervisor.stop(clock_ps(began))
    assert not supervisor.idle, "two sandboxes are still to end"
    found = run_until(supervisor)
    assert {one.status for one in found.values()} == {"not started"}
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("wait_s", [0.0, 0.3])
def test_a_held_program_that_is_killed_has_failed(supervise, wait_s):
    supervisor = supervise(python("a", "print('here')"))
    prepare(supervisor)
    supervisor._held["a"].kill()
    time.sleep(wait_s)
    (one,) = run_until(supervisor).values()
    assert one.status == "failed" and "SIGKILL" in one.reason
