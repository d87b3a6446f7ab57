"""Bounds of the mechanisms against figures worked out by hand, and parameters that are refused."""

from __future__ import annotations

from math import inf

import pytest

from netarium.compile.mechanisms import ats, cbs, cqf, mqprio, taprio
from netarium.compile.mechanisms.terms import PortTerms, StreamTerms, rate_latency
from netarium.describe.clock import Clock

PORT = PortTerms(100_000_000, overhead_bytes=42)
"""Fast Ethernet as in IEEE 802.1BA: an IP packet of 1500 bytes is 1542 on the wire, 123.36 us."""
US = 1e6
AUDIO = StreamTerms(20e6, 1458, 1458, 1458)
"""1500 bytes on the wire, 120 us."""


def test_class_a_of_the_avb_example() -> None:
    """Idleslope 75 %: class A waits for one packet of best effort, then has 75 Mbit/s."""
    bound = cbs.bound(PORT, [AUDIO], 75e6)
    assert bound.latency_ps == pytest.approx((123.36 + 12000 / 75) * US)
    assert bound.least_ps == pytest.approx(120 * US)
    assert bound.backlog_bytes == pytest.approx(1500 + AUDIO.wire_rate_bps(PORT) * 123.36e-6 / 8)


def test_class_b_waits_for_what_class_a_saved() -> None:
    """De Azua and Boyer: (L_N + L_A + L_N x idleslope_A / sendslope_A) / C with 50 % for A: 123.36 + 120 + 123.36 us."""
    bound = cbs.bound(PORT, [AUDIO], 25e6, above=(50e6, 1458))
    assert bound.latency_ps == pytest.approx((2 * 123.36 + 120 + 12000 / 25) * US)


def test_reservations_beyond_three_quarters_are_refused() -> None:
    with pytest.raises(ValueError, match="more than 75 %"):
        cbs.encode([AUDIO] * 4, [], PORT, {})
    assert cbs.bound(PORT, [AUDIO] * 4, 70e6).latency_ps == inf


def test_strict_priority_by_hand() -> None:
    """Above: 20.58 Mbit/s and 12000 bits on the wire; below: 12336 bits. Left: 79.42 Mbit/s after 24336 bits."""
    left = 100e6 - 20e6 * 1500 / 1458
    bound = mqprio.bound(PORT, [AUDIO], [AUDIO])
    assert bound.latency_ps == pytest.approx((12000 + 12336 + 12000) / left * 1e12)
    assert mqprio.bound(PORT, [AUDIO], [AUDIO] * 5).latency_ps == inf
    assert mqprio.bound(PORT, [AUDIO], below_bytes=0).latency_ps == pytest.approx(120 * US)


def test_asynchronous_shaping_by_hand() -> None:
    """Two streams of 12000 bits: one may be before the other, and one packet of best effort before both."""
    assert ats.bound(PORT, [AUDIO, AUDIO]).latency_ps == pytest.approx((123.36 + 120 + 120) * US)
    assert ats.bound(PORT, [AUDIO] * 5).latency_ps == inf


def test_rate_latency() -> None:
    assert rate_latency(PORT, [AUDIO], 10e6, 0).latency_ps == inf
    assert rate_latency(PORT, [AUDIO], 100e6, 50 * US).latency_ps == pytest.approx(170 * US)


def test_a_slot_of_tdma_by_hand() -> None:
    """A window of 240 us in 1 ms holds two packets of 120 us. A burst comes when the second has just ceased to fit, 880 us
    before the next window; a third packet waits for one window more."""
    spec = taprio.encode([(0, 240_000_000, 1)], 10**9, {7: 1}, num_tc=2)
    light = StreamTerms(1e6, 1458, 1458, 1458)
    assert taprio.bound(spec, PORT, 1, [light]).latency_ps == pytest.approx((1000 - 120 + 120) * US, abs=10)
    two = [light, light]
    assert taprio.bound(spec, PORT, 1, two).latency_ps == pytest.approx((1000 - 120 + 240) * US, abs=10)
    three = [light, light, light]
    assert taprio.bound(spec, PORT, 1, three).latency_ps == pytest.approx((2000 - 120 + 120) * US, abs=10)


def test_a_schedule_is_written_as_entries() -> None:
    spec = taprio.encode([(10, 30, 2), (30, 50, 1)], 100, {5: 1, 6: 2}, num_tc=3, base_ps=7)
    assert [(entry.gates, entry.interval) for entry in spec.sched_entries] == [
        (1, 10),
        (4, 20),
        (2, 20),
        (1, 50),
    ]
    assert (spec.base_time, spec.cycle_ps) == (7, 100)
    assert spec.class_of == (0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    assert taprio.windows_of(spec, 2) == [(10, 30, False)]
    with pytest.raises(ValueError, match="overlap"):
        taprio.encode([(10, 30, 1), (20, 50, 1)], 100, {})


def test_cycles_over_a_long_link() -> None:
    """1000 km are 5 ms, or 500 cycles of 10 us: what is sent in cycle c may have come when cycle c + 500 ends."""
    span = PortTerms(100_000_000_000, delay_ps=5_000_000_000)
    terms = cqf.CycleTerms(10_000_000)
    shifts, buffers = cqf.path_shifts([span] * 14, terms, 10**12)
    assert (shifts, buffers) == ([501] * 13, 2)
    bound = cqf.bound([span] * 14, terms, 10**12, 100)
    assert bound.variation_ps == pytest.approx(2 * 10_000_000 - span.sending_ps(100))
    off = PortTerms(100_000_000_000, delay_ps=5_000_000_000, clock=Clock(offset="-1 us"))
    shifts, buffers = cqf.path_shifts([span, off, span], terms, 10**12)
    assert (shifts, buffers) == ([501, 502], 3)


def test_clocks_that_drift_apart_need_more_buffers_and_in_the_end_too_many() -> None:
    drifting = PortTerms(10**11, clock=Clock(drift="99 ppm"))
    steady = PortTerms(10**11)
    terms = cqf.CycleTerms(10_000_000)
    assert cqf.path_shifts([steady, drifting], terms, 10**12)[1] == 13
    with pytest.raises(ValueError, match="drift further apart than 64 cycles"):
        cqf.encode([steady, drifting], terms, 10**13)


def test_a_queue_of_classes_holds_twice_its_backlog() -> None:
    queue = mqprio.encode({1: [AUDIO], 2: [AUDIO]}, PORT, {6: 2, 5: 1})
    held = mqprio.bound(PORT, [AUDIO], [AUDIO]).backlog_bytes
    assert queue.queues[1].limit == int(2 * held) + 2 * 1458
    assert queue.class_of[5:7] == (1, 2)
