"""Time-aware gates: windows by hand, the guard band, clocks that are off, a rate over many cycles."""

from __future__ import annotations

import pytest
from queue_bench import offer

from netarium.describe import queues as d
from netarium.describe.clock import Clock
from netarium.run.kernel.queues.site import Site

US = 1_000_000


def gated(*entries: tuple[list[int], str], **more: object) -> d.Taprio:
    listed = [{"gates": gates, "interval": interval} for gates, interval in entries]
    return d.Taprio(num_tc=2, map=[0] * 7 + [1] * 9, sched_entries=listed, **more)


CELL = gated(([1], "100 us"), ([0], "400 us"))


def test_each_class_waits_for_its_gate() -> None:
    rows = [(10 * US, 1000, 0), (10 * US, 1000, 7), (150 * US, 1000, 7)]
    got = offer(CELL, rows)
    assert got.departures == [(1, 10 * US), (0, 100 * US), (2, 500 * US)]


def test_a_packet_begins_only_if_it_ends_before_the_gate_closes() -> None:
    """A packet of 1000 bytes takes 8 us: the last instant is 92 us, to the picosecond."""
    assert offer(CELL, [(92 * US, 1000, 7)]).begins_ps == [92 * US]
    assert offer(CELL, [(92 * US + 1, 1000, 7)]).begins_ps == [500 * US]
    assert offer(CELL, [(488 * US, 1500, 0)]).begins_ps == [488 * US]
    assert offer(CELL, [(488 * US + 1, 1500, 0)]).begins_ps == [600 * US]
    assert offer(CELL, [(488 * US + 1, 1500, 0), (488 * US + 1, 64, 0)]).left == [0, 1]


def test_neighbouring_entries_are_one_window_and_windows_cross_the_end_of_the_cycle() -> None:
    spec = gated(([1], "10 us"), ([0, 1], "10 us"), ([0], "20 us"), ([1], "10 us"))
    assert offer(spec, [(9 * US, 1250, 7)]).begins_ps == [9 * US]
    assert offer(spec, [(45 * US, 1250, 7)]).begins_ps == [45 * US]
    assert offer(spec, [(62 * US, 1250, 7)]).begins_ps == [90 * US]


def test_a_larger_packet_than_the_class_may_send_is_dropped() -> None:
    got = offer(gated(([1], "5 us"), ([0], "400 us"), max_sdu={1: "500 B"}), [(0, 500, 7), (0, 501, 7)])
    assert got.drops == {"DROP_OVERSIZE": 1}
    assert got.departures == [(0, 0)]


@pytest.mark.parametrize(
    ("clock", "opens"),
    [
        (Clock(offset="3 us"), 497 * US),
        (Clock(offset="-3 us"), 503 * US),
        (Clock(drift="1000 ppm"), 499_500_500),
        (Clock(drift="-1000 ppm"), 500_500_501),
    ],
)
def test_gates_go_by_the_clock_of_the_node(clock: Clock, opens: int) -> None:
    got = offer(CELL, [(200 * US, 1000, 7)], site=Site(clock=clock))
    assert got.begins_ps == [pytest.approx(opens, abs=1)]


def test_base_time_moves_the_cycle() -> None:
    moved = gated(([1], "100 us"), ([0], "400 us"), base_time="30 us")
    assert offer(moved, [(0, 1000, 7)]).begins_ps == [30 * US]
    assert offer(moved, [(121 * US, 1000, 7)]).begins_ps == [121 * US]
    assert offer(moved, [(123 * US, 1000, 7)]).begins_ps == [530 * US]


def test_a_class_gets_the_part_of_the_cycle_that_its_windows_are() -> None:
    rows = [(0, 1250, 7 * (k % 2)) for k in range(800)]
    got = offer(CELL, rows)
    sent = [sum(rows[p][2] == priority for p, at in got.departures if at < 5000 * US) for priority in (7, 0)]
    assert sent == [100, 400]
