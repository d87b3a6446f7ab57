"""Frames steered to other cores: when, by what the kernel then says, and that all is as before at the end."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netarium.run.emulate import load, pacer
from netarium.run.emulate.steering import INTERFACES_MAX, Steering, core_of, mask_of, steering_file
from netarium.run.emulate.tap import open_tap

with_taps = pytest.mark.skipif(
    os.geteuid() != 0 or not os.path.exists("/dev/net/tun"),
    reason="network namespaces and TAP devices need root",
)
several_cores = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one core only")


@given(st.sets(st.integers(0, 200), min_size=1))
def test_a_mask_has_a_bit_for_each_core(cores: set[int]) -> None:
    groups = mask_of(cores).decode().split(",")
    assert all(len(group) == 8 for group in groups)
    bits = int("".join(groups), 16)
    assert {core for core in range(256) if bits >> core & 1} == cores


def test_the_core_of_a_thread_that_keeps_to_one() -> None:
    thread, before = threading.get_native_id(), os.sched_getaffinity(0)
    core = max(before)
    try:
        os.sched_setaffinity(0, {core})
        assert core_of(thread) == core
    finally:
        os.sched_setaffinity(0, before)


def test_what_a_machine_counts_only_grows() -> None:
    assert 0 <= load.backlog_drops() <= load.backlog_drops()
    assert 0 < load.idle_s() <= load.idle_s()


@pytest.fixture
def tap() -> Iterator[int]:
    """A TAP device in this thread's own network namespace, which is that of the machine."""
    fd = open_tap(None, f"steer{os.getpid() % 10**6}", "02:00:00:00:00:07", 1500, False)
    yield fd
    os.close(fd)


@pytest.fixture
def engine() -> Iterator[int]:
    """The number of a thread that waits."""
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    yield thread.native_id or 0
    over.set()
    thread.join()


def receiving(tap: int) -> int:
    """The cores that the kernel says receive its frames, as bits."""
    file = steering_file(tap)
    try:
        with open(f"/proc/self/fd/{file}", encoding="ascii") as said:
            return int(said.read().replace(",", ""), 16)
    finally:
        os.close(file)


@with_taps
@several_cores
def test_a_busy_engine_keeps_its_core_and_the_others_receive(tap: int, engine: int) -> None:
    steering, before = Steering(), os.sched_getaffinity(engine)
    assert receiving(tap) == 0
    steering.look(engine, 0.9, 0.8, {tap: 1})
    assert steering.steered_s > 0, "also where no other look follows"
    (own,) = os.sched_getaffinity(engine)
    assert receiving(tap) == sum(1 << core for core in os.sched_getaffinity(0) - {own})
    steering.look(engine, 0.5, 0.0, {tap: 1})
    assert receiving(tap), "still busy enough"
    steering.look(engine, 0.2, 1.0, {tap: 1})
    assert receiving(tap) == 0
    assert os.sched_getaffinity(engine) == before
    assert steering.steered_s == steering.steered_s > 0, "and no longer"


@with_taps
@several_cores
@pytest.mark.parametrize(
    ("busy", "spare", "count"),
    [(0.6, 0.9, 1), (0.95, 0.1, 1), (0.95, 0.9, 0), (0.95, 0.9, INTERFACES_MAX + 1)],
)
def test_nothing_is_steered_without_need_or_room(
    tap: int, engine: int, busy: float, spare: float, count: int
) -> None:
    steering = Steering()
    steering.look(engine, busy, spare, {tap + n: 1 for n in range(count)})
    assert receiving(tap) == 0


@with_taps
@several_cores
def test_interfaces_that_go_are_let_go_and_those_that_come_are_steered(engine: int) -> None:
    """Also where the second one gets the first one's number, as it does here."""
    steering = Steering()
    first = open_tap(None, f"one{os.getpid() % 10**6}", "02:00:00:00:00:08", 1500, False)
    steering.look(engine, 0.9, 0.8, {first: "first run"})
    os.close(first)
    second = open_tap(None, f"two{os.getpid() % 10**6}", "02:00:00:00:00:09", 1500, False)
    try:
        steering.look(engine, 0.9, 0.0, {second: "second run"})
        assert receiving(second) > 0
        steering.close()
        assert receiving(second) == 0
    finally:
        steering.close()
        os.close(second)


@several_cores
def test_where_it_cannot_be_the_engine_goes_on_as_before(engine: int) -> None:
    """What is no TAP device has no receiving side to steer."""
    steering, before = Steering(), os.sched_getaffinity(engine)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        steering.look(engine, 0.9, 0.8, {ours.fileno(): 1})
        steering.look(engine, 0.9, 0.8, {ours.fileno(): 1})
    assert os.sched_getaffinity(engine) == before
    assert steering.steered_s == 0


def test_the_pacer_says_how_busy_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """One second, of which the engine slept 0.25 and waited awake 0.15, and the machine's cores were idle for 1.1."""
    clock, idle, said = [100.0], [50.0], []
    monkeypatch.setattr(pacer.time, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(pacer, "idle_s", lambda: idle[0])
    made = pacer.Pacer()
    try:
        monkeypatch.setattr(made._steering, "look", lambda *words: said.append(words))
        made.look_at_load()
        assert not said, "too soon"
        clock[0], idle[0] = 101.0, 51.1
        made.row.idle_ns += 250_000_000
        made.row.spun_ns += 150_000_000
        made.look_at_load()
    finally:
        made.close()
    ((thread, busy, spare, taps),) = said
    assert (thread, taps) == (0, {})
    assert (busy, spare) == (pytest.approx(0.6), pytest.approx(0.7))
