"""Clocks of nodes: readings against exact fractions, and the reverse exact to the picosecond."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_tsn import Clock as NaiveClock

from netarium.compile.mechanisms import clock as mechanism
from netarium.describe.clock import Clock
from netarium.errors import TrialInvalid
from netarium.run.kernel.jit import kernel
from netarium.run.kernel.memory import Memory, as_sim
from netarium.run.kernel.queues.clock import CLOCK, encode, reading_ps, true_ps

DAYS_PS = 100 * 86_400 * 10**12
CLOCKS = st.builds(
    Clock,
    offset=st.integers(-(10**12), 10**12).map(lambda ps: f"{ps} ps"),
    drift=st.integers(-1_000_000, 1_000_000).map(lambda ppb: f"{ppb} ppb"),
    sync=st.none() | st.integers(1, 10**13).map(lambda ps: f"{ps} ps"),
)


@kernel(entry=True)
def both(address, now_ps):
    """(reading at a time, first time with that reading)."""
    clock = as_sim(address).clocks[0]
    shown = reading_ps(clock, now_ps)
    return shown, true_ps(clock, shown)


def ask(clock: Clock, now_ps: int) -> tuple[int, int]:
    """(reading of a clock at a time, first time with that reading), of the kernel."""
    clocks = np.zeros(1, CLOCK)
    encode(clocks[0], clock)
    memory = Memory(clocks=clocks)
    shown, first = both(memory.handle, now_ps)
    return int(shown), int(first)


@settings(deadline=None)
@given(CLOCKS, st.integers(0, DAYS_PS))
def test_readings_and_their_reverse(clock: Clock, now_ps: int) -> None:
    shown, first = ask(clock, now_ps)
    naive = NaiveClock(clock)
    assert shown == naive.reading(now_ps)
    assert first <= now_ps
    assert naive.reading(first) >= shown
    assert naive.reading(first - 1) < shown


@settings(deadline=None)
@given(CLOCKS, st.integers(0, 10**15), st.integers(1, 10**15))
def test_no_reading_leaves_the_stated_error(clock: Clock, now_ps: int, more_ps: int) -> None:
    low, high = mechanism.bound(clock, now_ps + more_ps)
    shown, _ = ask(clock, now_ps)
    assert low - 1 <= shown - now_ps <= high
    assert mechanism.apart_ps(clock, None, now_ps + more_ps) >= abs(shown - now_ps) - 1


def test_ten_ppm_over_a_second_are_ten_microseconds() -> None:
    assert ask(Clock(drift="10 ppm"), 10**12)[0] == 10**12 + 10_000_000
    corrected = Clock(offset="-1 us", drift="10 ppm", sync="100 ms")
    errors = [ask(corrected, k * 50_000_000_000)[0] - k * 50_000_000_000 for k in range(5)]
    assert errors == [-1_000_000, -500_000, 0, -500_000, -1_000_000]
    assert Fraction(mechanism.bound(corrected, 10**12)[1]) == 0


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"drift": 5}, "found 5, expected a drift with its unit"),
        ({"drift": "2000 ppm"}, "found 2000 ppm, expected at most 1000 ppm"),
        ({"drift": "0.5 ppb"}, "a drift in whole ppb"),
        ({"offset": "2 s"}, "found 2 s, expected at most 1 s"),
        ({"offset": "-1 parsec"}, "a time in ps"),
        ({"sync": "0 s"}, "a time above 0"),
    ],
)
def test_clocks_that_cannot_be(given: dict[str, object], told: str) -> None:
    with pytest.raises(TrialInvalid, match="found") as raised:
        Clock(**given)
    assert told in str(raised.value)


def test_a_clock_is_written_as_it_was_read() -> None:
    clock = Clock(offset="-1500 ps", drift="-250 ppb", sync="125 ms")
    assert Clock(**clock.model_dump()) == clock
    assert clock.model_dump() == {"offset": "-1.5 ns", "drift": "-250 ppb", "sync": "125 ms"}
