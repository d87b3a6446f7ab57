"""No packet exceeds the bound of its mechanism, over generated arrivals that keep to their buckets; bounds are not loose."""

from __future__ import annotations

from typing import Any

import pytest
from adversary import PORT, Sender, meet, merged
from hypothesis import given, settings
from hypothesis import strategies as st
from queue_bench import offer

from netarium.compile.mechanisms import ats, cbs, mqprio, taprio
from netarium.compile.mechanisms.terms import StreamTerms
from netarium.describe import queues as d
from netarium.describe.clock import Clock
from netarium.run.kernel.queues.site import Ingress, Site

HIGH = StreamTerms(100e6, 3000, 1500, 64, name="high", is_slice=False)
MIDDLE = StreamTerms(150e6, 2000, 1000, 200, name="middle", is_slice=False)
OTHER = StreamTerms(50e6, 4000, 1500, 1500, name="other", is_slice=False)
FLOOD = StreamTerms(1e9, 15_000, 1500, 1500)
"""Best effort that fills the port."""


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_strict_priority(data: Any) -> None:
    senders = [Sender(HIGH, 2), Sender(MIDDLE, 1), Sender(OTHER, 1), Sender(FLOOD, 0)]
    rows = data.draw(merged(senders))
    queue = d.Mqprio(num_tc=3)
    top = meet(queue, rows, 2)
    bound = mqprio.bound(PORT, [HIGH])
    assert top.latency_ps <= bound.latency_ps
    assert top.backlog_bytes <= bound.backlog_bytes
    below = mqprio.bound(PORT, [MIDDLE, OTHER], [HIGH])
    middle = meet(queue, rows, 1)
    assert middle.latency_ps <= below.latency_ps
    assert middle.backlog_bytes <= below.backlog_bytes


def test_strict_priority_is_nearly_reached() -> None:
    rows = [
        (0, 1500, 0),
        (1, 1500, 2),
        (1, 1500, 2),
        (1, 1000, 1),
        (1, 1000, 1),
        (1, 1500, 1),
        (1, 1500, 1),
        (1, 1000, 1),
    ]
    found = meet(d.Mqprio(num_tc=3), rows, 1).latency_ps
    bound = mqprio.bound(PORT, [MIDDLE, OTHER], [HIGH]).latency_ps
    assert found <= bound <= 1.3 * found


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_credit_based_shaper(data: Any) -> None:
    queue = cbs.encode([HIGH], [MIDDLE, OTHER], PORT, {7: cbs.CLASS_A, 6: cbs.CLASS_B})
    rows = data.draw(merged([Sender(HIGH, 7), Sender(MIDDLE, 6), Sender(OTHER, 6), Sender(FLOOD, 0)]))
    slopes = [queue.queues[k].idleslope for k in (cbs.CLASS_A, cbs.CLASS_B)]
    for priority, bound in (
        (7, cbs.bound(PORT, [HIGH], slopes[0])),
        (6, cbs.bound(PORT, [MIDDLE, OTHER], slopes[1], above=(slopes[0], HIGH.largest_bytes))),
    ):
        found = meet(queue, rows, priority)
        assert found.latency_ps <= bound.latency_ps
        assert found.backlog_bytes <= bound.backlog_bytes


def test_the_credit_based_bound_is_reached_but_for_the_last_packet() -> None:
    """A burst of class A behind a packet of best effort: T = L / C, then b / idleslope, of which the last packet's
    share is not waited for: it may end in debt."""
    queue = cbs.encode([HIGH], [], PORT, {7: cbs.CLASS_A})
    found = meet(queue, [(0, 1500, 0), (1, 1500, 7), (1, 1500, 7)], 7).latency_ps
    bound = cbs.bound(PORT, [HIGH], queue.queues[cbs.CLASS_A].idleslope).latency_ps
    assert bound - found == pytest.approx(1500 * 8 / 100e6 * 1e12)


WINDOWS = st.sampled_from(
    [
        [(0, 100_000_000, 1)],
        [(20_000_000, 60_000_000, 1), (200_000_000, 280_000_000, 1)],
        [(0, 30_000_000, 1), (370_000_000, 400_000_000, 1)],
    ]
)


@settings(max_examples=80, deadline=None)
@given(
    st.data(),
    WINDOWS,
    st.sampled_from([None, Clock(offset="7 us", drift="-100 ppm"), Clock(drift="900 ppm")]),
)
def test_time_aware_gates(data: Any, windows: list[Any], clock: Clock | None) -> None:
    queue = taprio.encode(windows, 400_000_000, {7: 1}, num_tc=2)
    slow = StreamTerms(30e6, 3000, 1500, 200)
    rows = data.draw(merged([Sender(slow, 7), Sender(FLOOD, 0)]))
    port = taprio.PortTerms(PORT.rate_bps, overhead_bytes=0, clock=clock)
    found = meet(queue, rows, 7, Site(clock=clock))
    bound = taprio.bound(queue, port, 1, [slow])
    assert found.latency_ps <= bound.latency_ps
    assert found.backlog_bytes <= bound.backlog_bytes


def test_the_bound_of_gates_is_reached() -> None:
    """A window of 100 us in 400 us. The burst comes when 12 us less a picosecond are left: nothing fits any more."""
    queue = taprio.encode([(0, 100_000_000, 1)], 400_000_000, {7: 1}, num_tc=2)
    slow = StreamTerms(30e6, 3000, 1500, 1500)
    found = meet(queue, [(88_000_001, 1500, 7), (88_000_001, 1500, 7)], 7).latency_ps
    bound = taprio.bound(queue, PORT, 1, [slow]).latency_ps
    assert found == 311_999_999 + 24_000_000
    assert 0 <= bound - found <= 5


def test_gates_shared_with_lower_classes_and_gates_that_are_not_ones_own() -> None:
    shared = d.Taprio(
        num_tc=2,
        sched_entries=[{"gates": [0, 1], "interval": "100 us"}, {"gates": [0], "interval": "300 us"}],
    )
    slow = StreamTerms(30e6, 3000, 1500, 1500)
    own = taprio.encode([(0, 100_000_000, 1)], 400_000_000, {7: 1}, num_tc=2)
    assert taprio.bound(shared, PORT, 1, [slow]).latency_ps > taprio.bound(own, PORT, 1, [slow]).latency_ps
    rows = [(76_000_001, 1500, 0), (88_000_001, 1500, 1), (88_000_001, 1500, 1), (399_999_999, 1500, 0)]
    assert meet(shared, rows, 1).latency_ps <= taprio.bound(shared, PORT, 1, [slow]).latency_ps
    with pytest.raises(ValueError, match="entry 0 is open for a class above 0"):
        taprio.bound(shared, PORT, 0, [slow])
    assert taprio.bound(own, PORT, 1, [StreamTerms(300e6, 3000, 1500)]).latency_ps == float("inf")


NAMES = {"high": (0, 1), "middle": (1, 1), "other": (2, 1), "flood": (3, 1)}
ATS_SITE = Site(services=NAMES, ingresses=(Ingress(1, 0), Ingress(2, 0)))
FLOWS = [(0, 0), (1, 0), (2, 0), (3, 0)]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_asynchronous_shaping(data: Any) -> None:
    """Streams that keep to their buckets on arrival are eligible at once, and meet the bound of the class."""
    queue = d.Mqprio(num_tc=2, queues={1: ats.encode([HIGH, MIDDLE, OTHER])})
    senders = [Sender(HIGH, 1, 1), Sender(MIDDLE, 1, 2), Sender(OTHER, 1, 0), Sender(FLOOD, 0)]
    rows = data.draw(merged(senders))
    bound = ats.bound(PORT, [HIGH, MIDDLE, OTHER])
    found = meet(queue, rows, 1, ATS_SITE, FLOWS)
    assert found.latency_ps <= bound.latency_ps + 10
    assert found.backlog_bytes <= bound.backlog_bytes + 1


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_regulator_behind_a_fifo_adds_nothing_to_its_worst_case(data: Any) -> None:
    """Two ports in a row: from arrival at the first until eligible at the second is no longer than the first's bound
    (Le Boudec, theorem 5). The second port is so fast that packets leave it when they are eligible."""
    senders = [Sender(HIGH, 1), Sender(MIDDLE, 1), Sender(OTHER, 1), Sender(FLOOD, 0)]
    rows = data.draw(merged(senders))
    first = meet(d.Mqprio(num_tc=2), rows, 1)
    arrivals = sorted((end, *rows[p][1:6], rows[p][6], 1, p) for p, end in first.ends_ps.items())
    second = offer(
        ats.encode([HIGH, MIDDLE, OTHER]), [row[:8] for row in arrivals], 10**12, site=ATS_SITE, flows=FLOWS
    )
    bound = mqprio.bound(PORT, [HIGH, MIDDLE, OTHER]).latency_ps
    assert len(second.left) == len(arrivals)
    for k, begins in second.departures:
        assert begins - rows[arrivals[k][8]][0] <= bound + 100_000  # a few packets at 1 Tbit/s before it


def test_bounds_of_hops_add_up_and_bursts_do_not_grow() -> None:
    hop = ats.bound(PORT, [HIGH, MIDDLE])
    path = ats.path_bound([(PORT, hop)] * 3)
    assert path.latency_ps == pytest.approx(3 * hop.latency_ps)
    assert path.backlog_bytes == hop.backlog_bytes
