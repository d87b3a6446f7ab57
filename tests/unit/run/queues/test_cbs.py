"""The credit-based shaper: credit in examples worked by hand, and the rate it holds a class to."""

from __future__ import annotations

import pytest
from queue_bench import offer

from netarium.compile.mechanisms import cbs as mechanism
from netarium.compile.mechanisms.terms import PortTerms
from netarium.describe import queues as d
from netarium.run.kernel.queues import cbs

PORT = PortTerms(10**9, overhead_bytes=0)
QUARTER = {"kind": "cbs", "idleslope": "250 Mbit/s"}
"""sendslope is 750 Mbit/s: sending a packet costs three times what waiting as long gains."""


def test_a_burst_leaves_at_idleslope() -> None:
    got = offer(d.Cbs(idleslope="250 Mbit/s"), [(0, 1000)] * 5)
    assert got.begins_ps == [0, 32_000_000, 64_000_000, 96_000_000, 128_000_000]


def test_credit_saved_during_interference_is_spent_back_to_back() -> None:
    """Best effort holds the class back for 12 us: credit 12 us x 250 Mbit/s = 3000 bits. A packet of 500 bytes is sent in 4 us
    and costs 3000 bits. So the second leaves right behind the first, and the third when a debt of 3000 bits is paid."""
    rows = [(0, 1500, 0), (1, 500, 7), (1, 500, 7), (1, 500, 7)]
    got = offer(d.Mqprio(queues={7: QUARTER}), rows)
    assert got.left == [0, 1, 2, 3]
    first, second, third = got.begins_ps[1:]
    assert (first, second) == (12_000_000, pytest.approx(16_000_000, abs=1))
    assert third == pytest.approx(32_000_000, abs=10)


def test_an_idle_class_keeps_debt_and_loses_credit() -> None:
    alone = offer(d.Cbs(idleslope="250 Mbit/s"), [(0, 1000), (8_000_000, 1000), (500_000_000, 1000)])
    assert alone.begins_ps == [0, 32_000_000, 500_000_000]
    saved = [(0, 1500, 0), (1, 100, 7), (100_000_000, 1000, 7), (100_000_000, 1000, 7)]
    later = offer(d.Mqprio(queues={7: QUARTER}), saved)
    assert later.begins_ps[-1] - later.begins_ps[-2] == 32_000_000


def test_limits_of_credit() -> None:
    rows = [(0, 1500, 0), *[(1, 500, 7)] * 3]
    capped = offer(d.Mqprio(queues={7: {**QUARTER, "hicredit": "0 B"}}), rows)
    assert capped.begins_ps[1:3] == [12_000_000, 28_000_000]
    forgiving = offer(d.Cbs(idleslope="250 Mbit/s", locredit="125 B"), [(0, 1000)] * 3)
    assert forgiving.begins_ps == [0, 12_000_000, 24_000_000]


def test_credit_stays_within_the_limits_of_the_standard() -> None:
    """IEEE 802.1Q annex L.1: hiCredit = idleSlope x maxInterferenceSize / C, loCredit = sendSlope x maxFrameSize / C."""
    high, low = mechanism.credit_limits_bits(PORT, 250e6, 1000, 1500)
    assert (high, low) == (3000.0, -6000.0)
    got = offer(d.Mqprio(queues={7: QUARTER}), [(0, 1500, 0), (1, 1000, 7)])
    state = got.memory.queues[1 + 7].i
    credit_bits = state[cbs.CREDIT] / 2 ** int(state[cbs.SHIFT]) * 250e6 / 1e12
    assert credit_bits == pytest.approx(high + low, abs=0.1)


def test_two_classes_and_best_effort_share_as_reserved() -> None:
    rows = [(0, 1000, priority) for _ in range(200) for priority in (7, 6, 0)]
    half = {"kind": "cbs", "idleslope": "500 Mbit/s"}
    got = offer(d.Mqprio(queues={7: QUARTER, 6: half}), rows)
    sent = [sum(rows[p][2] == k for p, at in got.departures if at < 800_000_000) for k in (7, 6, 0)]
    assert sent == pytest.approx([25, 50, 25], abs=2)
