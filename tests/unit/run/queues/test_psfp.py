"""Filtering and policing: the arrival curve holds whatever is offered; gates, sizes and blocked streams by hand."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from queue_bench import offer
from test_queues_naive import arrivals, sizes_between
from test_tsn_naive import RATES, rates

from netarium.compile.mechanisms import psfp as mechanism
from netarium.compile.mechanisms.terms import StreamTerms
from netarium.describe import queues as d
from netarium.run.kernel.queues.site import Site

SITE = Site(services={"a": (0, 1)})
US = 1_000_000


def policed(**entry: Any) -> d.Psfp:
    return d.Psfp(streams=[{"services": "a", **entry}])


@settings(max_examples=60, deadline=None)
@given(arrivals(10), rates(*RATES[:3]), sizes_between(1500, 6000), st.booleans(), st.booleans())
def test_what_passes_keeps_to_its_curve(
    rows: list[tuple[int, ...]], cir: str, cbs: str, excess: bool, strict: bool
) -> None:
    more = {"eir": cir, "ebs": "2 kB"} if excess else {}
    spec = policed(meter={"cir": cir, "cbs": cbs, "drop_on_yellow": strict, **more})
    got = offer(spec, rows, 10**12, site=SITE)
    rate_bps, burst_bytes = mechanism.bound(spec.streams[0].meter)
    passed = sorted(got.left)
    for i, first in enumerate(passed):
        total = 0
        for p in passed[i:]:
            total += rows[p][1]
            assert total <= burst_bytes + rate_bps * (rows[p][0] - rows[first][0]) / 8e12 + 1e-6
    assert sum(got.drops.values()) + len(got.left) == len(rows)


def test_a_stream_gate_by_hand() -> None:
    entries = [
        {"gate": "open", "interval": "10 us", "maxoctets": "2 kB"},
        {"gate": "close", "interval": "90 us"},
    ]
    gate = {"base_time": "5 us", "sched_entries": entries}
    rows = [
        (0, 100),
        (5 * US, 1000),
        (6 * US, 1001),
        (7 * US, 1000),
        (8 * US, 64),
        (105 * US, 1500),
        (115 * US, 64),
    ]
    got = offer(policed(gate=gate), rows, site=SITE)
    assert got.left == [1, 3, 5]
    assert got.drops == {"DROP_GATE": 4}
    rate_bps, burst_bytes = mechanism.gate_bound(policed(gate=gate).streams[0].gate, 10**9)
    assert (rate_bps, burst_bytes) == (8 * 1250 / 100e-6, 1250)


def test_a_gate_that_was_hit_while_closed_may_stay_closed() -> None:
    entries = [{"gate": "open", "interval": "10 us"}, {"gate": "close", "interval": "10 us"}]
    gate = {"sched_entries": entries, "closed_due_to_invalid_rx": True}
    assert offer(policed(gate=gate), [(0, 64), (12 * US, 64), (20 * US, 64)], site=SITE).left == [0]


def test_sizes_and_blocked_streams() -> None:
    rows = [(0, 64), (US, 101), (2 * US, 64)]
    assert offer(policed(max_sdu="100 B"), rows, site=SITE).drops == {"DROP_OVERSIZE": 1}
    blocked = offer(policed(max_sdu="100 B", blocked_due_to_oversize=True), rows, site=SITE)
    assert blocked.drops == {"DROP_OVERSIZE": 1, "DROP_POLICER": 1}
    red = {"cir": "1 bit/s", "cbs": "100 B", "mark_all_frames_red": True}
    assert offer(policed(meter=red), [(0, 60), (0, 60), (0, 30)], site=SITE).left == [0]


def test_other_streams_pass() -> None:
    got = offer(policed(max_sdu="1 B"), [(0, 64, 0, 0, 0, 0, 1)], site=SITE, flows=[(0, 0), (1, 0)])
    assert got.left == [0]


def test_the_mechanism_gives_a_meter_to_each_stream() -> None:
    spec = mechanism.encode(
        [StreamTerms(1e6, 3000, 1500, name="x"), StreamTerms(2e6, 1500, 100, name="y")], "pfifo"
    )
    assert [(entry.slices, entry.meter.cir, entry.meter.cbs) for entry in spec.streams] == [
        (("x",), 10**6, 3000),
        (("y",), 2 * 10**6, 1500),
    ]
