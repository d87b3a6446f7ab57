"""Runs that are under way at once: one thread paces them, each by itself; trials meet before they start and after they end."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from on_sockets import Session, running, udp4

from bench.real_hosts import line, real_plan
from netarium.errors import MachineCannot
from netarium.run.emulate.pacer import FEW, QUANTUM_SHARE, Pacer
from netarium.run.emulate.together import APART_NS, Meeting, Together

IDLE = {"kind": "stream", "from": "a", "to": "b", "rate": "8 kbit/s"}


def plan(delay: str = "10 ms", duration: str = "30 s", start: str = "29 s") -> Any:
    trial = {
        "duration": duration,
        "network": line("1 Gbit/s", delay),
        "services": {"s": IDLE | {"start": start}},
    }
    return real_plan(trial, ("a", "b"), rules=[("s", "a", "b")])


@pytest.fixture
def pacer() -> Iterator[Pacer]:
    made = Pacer()
    yield made
    made.close()


def delivered(session: Session) -> int:
    assert session.samples is not None
    return session.samples.conservation["delivered"]


def test_each_run_keeps_its_own_frames_and_its_own_delay(pacer: Pacer) -> None:
    """What one run's host sends reaches that run's other host alone, by that run's delay."""
    took = {}
    with contextlib.ExitStack() as stack:
        sessions = [stack.enter_context(running(plan(delay), pacer=pacer)) for delay in ("5 ms", "60 ms")]
        for session in sessions:
            began = time.monotonic()
            session.wires["a"].send(udp4(b"for my own network"))
            assert session.wires["b"].receive() is not None
            took[session] = time.monotonic() - began
        assert all(session.wires["b"].receive(0.05) is None for session in sessions)
    first, second = (took[session] for session in sessions)
    assert 0.005 <= first < 0.06 <= second < 0.2
    assert [delivered(session) for session in sessions] == [1, 1]


def test_a_run_that_ends_leaves_the_others_under_way_and_later_ones_can_enter(pacer: Pacer) -> None:
    with running(plan(), pacer=pacer) as lasting:
        with running(plan(duration="200 ms", start="199 ms"), pacer=pacer) as short:
            assert short.engine.ended.wait(3.0)
            short.wires["a"].send(udp4(b"too late"))
            lasting.wires["a"].send(udp4(b"in time"))
            assert lasting.wires["b"].receive() is not None
        assert short.samples is not None and short.samples.engine["real_time"]["read_frames"] == 0
        with running(plan(), pacer=pacer) as late:
            for session in (late, lasting):
                session.wires["a"].send(udp4(b"both"))
                assert session.wires["b"].receive() is not None
    assert [delivered(session) for session in (lasting, late)] == [2, 1]


def test_a_run_that_fails_fails_alone(pacer: Pacer, monkeypatch: pytest.MonkeyPatch) -> None:
    """It came back for something that it cannot be given: the error reaches its caller, the others go on."""

    def cannot(_: int) -> None:
        raise MachineCannot("no more room")

    with running(plan(), pacer=pacer) as well:
        with pytest.raises(MachineCannot, match="no more room"), running(plan(), pacer=pacer) as ill:
            monkeypatch.setattr(ill.engine, "serve", cannot)
            ill.engine.memory.pool[
                0
            ].free_count = 0  # as if all packets were under way: it has to ask for more
            ill.wires["a"].send(udp4(b"one too many"))
            assert ill.engine.ended.wait(3.0)
        well.wires["a"].send(udp4(b"well"))
        assert well.wires["b"].receive() is not None
    assert delivered(well) == 1


def test_many_runs_share_turns_a_part_of_their_tolerance_apart(pacer: Pacer) -> None:
    """More than a few wake together: everything arrives, and two looks at the interfaces are that far apart at least."""
    with contextlib.ExitStack() as stack:
        sessions = [stack.enter_context(running(plan(), pacer=pacer)) for _ in range(FEW + 2)]
        tolerance_ps = sessions[0].engine.tolerance_ps
        assert pacer.row.quantum_ns == QUANTUM_SHARE * tolerance_ps / 1000
        for session in sessions:
            session.wires["a"].send(udp4(b"hello"))
        assert all(session.wires["b"].receive() is not None for session in sessions)
        unread_s = sessions[-1].engine.lateness().figures()["unread"]
    assert [delivered(session) for session in sessions] == [1] * len(sessions)
    assert unread_s["count"] == 0, "before the run has ended nothing is subtracted"
    after = sessions[-1].engine.lateness().figures()["unread"]
    assert after["count"] > 0 and after["p50"] >= QUANTUM_SHARE * tolerance_ps / 1e12


def test_who_leaves_a_meeting_is_not_waited_for() -> None:
    meeting = Meeting(3)
    starts: list[int] = []
    threads = [threading.Thread(target=lambda: starts.append(meeting.wait(50_000_000))) for _ in range(2)]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    assert not starts
    asked_ns = time.monotonic_ns()
    meeting.leave()
    for thread in threads:
        thread.join(3.0)
    first, second = sorted(starts)
    assert first >= asked_ns + 50_000_000
    assert second - first == APART_NS


def test_nothing_is_measured_while_a_trial_runs() -> None:
    """Preparing is for one at a time, starting for all together, and measuring waits until the last has run."""
    together = Together(3)
    at_desk, most, running_now, measured_while = [0], [0], [0], []
    lock = threading.Lock()

    def desk(change: int) -> None:
        with lock:
            at_desk[0] += change
            most[0] = max(most[0], at_desk[0])

    def work(seconds: float) -> None:
        with together.member() as member:
            desk(1)
            time.sleep(0.02)
            desk(-1)
            start_ns = member.start_ns(1_000_000, lambda: None)
            with lock:
                running_now[0] += 1
            time.sleep(max(0.0, start_ns / 1e9 - time.monotonic()) + seconds)
            with lock:
                running_now[0] -= 1
            member.over()
            measured_while.append(running_now[0])

    threads = [threading.Thread(target=work, args=(seconds,)) for seconds in (0.0, 0.1, 0.2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5.0)
    together.close()
    assert most[0] == 1
    assert measured_while == [0, 0, 0]
