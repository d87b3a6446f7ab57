"""What disciplines promise: shares, rates, bursts, order of service; policing, shaping, draining."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from typing import Any

import both_modes
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from queue_bench import offer

from netarium.describe import queues as d
from netarium.run.kernel import records as r
from netarium.run.kernel.jit import INTERPRETED, kernel
from netarium.run.kernel.memory import Memory, as_sim
from netarium.run.kernel.queues import policer, tokens
from netarium.run.kernel.queues.build import QueueTable, build
from netarium.run.kernel.queues.dispatch import dequeue, drain, enqueue
from netarium.run.kernel.queues.shaper import ShapedSlice, Shaper
from netarium.run.kernel.queues.strict import Strict

RATE = 10**9
PACKET_PS = 12_000_000
"""A full packet at 1 Gbit/s."""
MS = 10**9


def backlog(*streams: tuple[int, int], count: int = 2000, size: int = 1500) -> list[tuple[int, ...]]:
    """`count` packets of each (priority, band), all at time 0, taking turns."""
    return [(0, size, priority, band) for _ in range(count) for priority, band in streams]


def sent_bytes(rows: list[tuple[int, ...]], got: Any, until_ps: int) -> Counter[int]:
    """Bytes that began before `until_ps`, by priority."""
    total: Counter[int] = Counter()
    for p, at in got.departures:
        if at < until_ps:
            total[rows[p][2]] += rows[p][1]
    return total


@settings(max_examples=12, deadline=None)
@given(st.lists(st.sampled_from([500, 1500, 2000, 6000]), min_size=2, max_size=4), st.integers(300, 1500))
@example([500, 6000, 6000, 500], 300)  # the last class has not had its first turn
def test_drr_shares_are_its_weights_within_a_quantum_and_a_packet(quanta: list[int], size: int) -> None:
    """Shreedhar and Varghese, lemma 2: after any rounds, sent = rounds x quantum within one packet."""
    spec = d.Drr(
        classes={
            f"c{k}": {"quantum": f"{q} B", "priorities": [k], "queue": {"kind": "pfifo", "limit": 10**6}}
            for k, q in enumerate(quanta)
        }
    )
    rows = backlog(*((k, 0) for k in range(len(quanta))), count=200, size=size)
    got = offer(spec, rows, RATE, check=False)
    least = 200 * size * min(quanta) // max(quanta) * len(quanta) // 2
    sent = sent_bytes(rows, got, least * 8000)
    for j in range(len(quanta)):
        for k in range(len(quanta)):
            apart = abs(sent[j] / quanta[j] - sent[k] / quanta[k])
            assert apart <= 1 + size / quanta[j] + size / quanta[k]


def test_drr_goes_on_beside_a_class_that_holds_its_packets_back() -> None:
    """The other class needs five quanta for a packet, and must not wait for the shaped one."""
    spec = d.Drr(
        classes={
            "slow": {"quantum": "1500 B", "priorities": [0], "queue": FIRM},
            "fast": {"quantum": "300 B", "priorities": [1], "queue": {"kind": "pfifo", "limit": 100}},
        }
    )
    rows = backlog((0, 0), (1, 0), count=20)
    got = offer(spec, rows, RATE)
    fast = [at for p, at in got.departures if rows[p][2] == 1]
    assert fast == [PACKET_PS * k for k in range(1, 21)]
    slow = [at for p, at in got.departures if rows[p][2] == 0]
    assert all(b - a >= 1000 * PACKET_PS for a, b in pairwise(slow))


FIRM = {"kind": "tbf", "rate": "1 Mbit/s", "burst": "1500 B", "limit": "1 MB"}
HTB = d.Htb(
    classes={
        "gold": {
            "rate": "600 Mbit/s",
            "ceil": "1 Gbit/s",
            "burst": "3 kB",
            "priorities": [0],
            "queue": "pfifo",
        },
        "silver": {
            "rate": "300 Mbit/s",
            "ceil": "500 Mbit/s",
            "burst": "3 kB",
            "priorities": [1],
            "queue": "pfifo",
        },
        "bronze": {"rate": "100 Mbit/s", "burst": "3 kB", "queue": "pfifo"},
    }
)


@pytest.mark.parametrize(
    ("busy", "expected"),
    [
        ({0, 1, 2}, {0: 600, 1: 300, 2: 100}),
        ({0, 1}, {0: 667, 1: 333}),  # 100 to lend, shared as the rates 600 and 300
        ({1, 2}, {1: 500, 2: 100}),  # held at their ceilings, the rest of the link idle
        ({0, 2}, {0: 900, 2: 100}),
        ({2}, {2: 100}),
    ],
)
def test_htb_gives_rates_lends_the_rest_and_holds_ceilings(busy: set[int], expected: dict[int, int]) -> None:
    """Mbit/s over 40 ms of full load; a class may be off by its burst and two packets."""
    rows = [(at, 1500, priority) for at in range(0, 40 * MS, PACKET_PS) for priority in sorted(busy)]
    spec = HTB.model_copy(
        update={
            "classes": {
                name: each.model_copy(update={"queue": d.Pfifo(limit=10**6)})
                for name, each in HTB.classes.items()
            }
        }
    )
    got = offer(spec, rows, RATE, check=False)
    sent = sent_bytes(rows, got, 40 * MS)
    assert sent.keys() == expected.keys()
    for priority, mbps in expected.items():
        assert sent[priority] == pytest.approx(mbps * 10**6 / 8 * 0.04, abs=3000 + 2 * 1500 + 2000)


@pytest.mark.parametrize("order", [(100, 200), (200, 100), (100, 100, 200)])
def test_htb_shares_what_is_left_as_the_rates(order: tuple[int, ...]) -> None:
    """Classes that may borrow the whole link, all busy: each gets its part of 1 Gbit/s in proportion to its rate."""
    fifo = {"kind": "pfifo", "limit": 10**6}
    spec = d.Htb(
        classes={
            f"c{k}": {
                "rate": f"{mbps} Mbit/s",
                "ceil": "1 Gbit/s",
                "burst": "3 kB",
                "priorities": [k],
                "queue": fifo,
            }
            for k, mbps in enumerate(order)
        }
    )
    rows = backlog(*((k, 0) for k in range(len(order))), count=2000)
    sent = sent_bytes(rows, offer(spec, rows, RATE, check=False), 20 * MS)
    for k, mbps in enumerate(order):
        assert sent[k] == pytest.approx(1e9 / 8 * 0.02 * mbps / sum(order), abs=3000 + 2 * 3000)


def test_htb_lends_to_smaller_prio_first() -> None:
    fifo = {"kind": "pfifo", "limit": 10**6}
    each = {"rate": "100 Mbit/s", "ceil": "1 Gbit/s", "burst": "3 kB", "queue": fifo}
    spec = d.Htb(classes={"a": {**each, "prio": 1, "priorities": [0]}, "b": {**each, "prio": 0}})
    rows = backlog((0, 0), (1, 0), count=2000)
    sent = sent_bytes(rows, offer(spec, rows, RATE, check=False), 20 * MS)
    assert sent[0] == pytest.approx(100e6 / 8 * 0.02, abs=6000)
    assert sent[1] == pytest.approx(900e6 / 8 * 0.02, abs=6000)


def conforms(times: list[int], sizes: list[int], rate_bps: int, burst: int) -> bool:
    """Whether no interval carries more than burst + rate x length; a packet counts when it begins."""
    level, last = 0, 0
    for at, size in zip(times, sizes, strict=True):
        level = max(0, level - (at - last) * rate_bps) + size * 8 * 10**12
        last = at
        if level > burst * 8 * 10**12:
            return False
    return True


ANY_RATE = st.integers(10**6, 9 * 10**8)
JAGGED = st.lists(
    st.tuples(st.sampled_from([0, 1, 5 * 10**6, 10**8]), st.integers(40, 1500)), min_size=1, max_size=60
)


@settings(max_examples=60, deadline=None)
@given(JAGGED, ANY_RATE, st.integers(1500, 8000))
def test_tbf_never_exceeds_rate_and_burst_and_wastes_nothing(
    gaps: list[tuple[int, int]], rate: int, burst: int
) -> None:
    at = np.cumsum([gap for gap, _ in gaps])
    rows = [(int(t), size) for t, (_, size) in zip(at, gaps, strict=True)]
    spec = d.Tbf(rate=f"{rate} bit/s", burst=f"{burst} B", limit="1 GB")
    got = offer(spec, rows, 10**12)
    sizes = [rows[p][1] for p in got.left]
    assert got.left == list(range(len(rows)))
    assert conforms(got.begins_ps, sizes, rate, burst)
    # a little earlier (2 ps, and rounding that adds up), each packet would have broken the rules
    for k, (p, begin) in enumerate(got.departures):
        early = begin - 2 - begin // 10**7
        clear = k == 0 or early >= got.begins_ps[k - 1] + 8 * sizes[k - 1]
        if early >= rows[p][0] and clear:
            assert not conforms([*got.begins_ps[:k], early], sizes[: k + 1], rate, burst)


@kernel(entry=True)
def police_all(address: Any, rows: Any, verdicts: Any) -> None:
    sim = as_sim(address)
    for k in range(len(rows)):
        verdicts[k] = policer.police(sim.slices[0], rows[k, 1], rows[k, 0])


def policed(times: list[int], sizes: list[int], rate: int, burst: int) -> tuple[list[bool], Any]:
    slices = np.zeros(1, policer.SLICE)
    policer.encode(slices.view(np.recarray)[0], rate, burst)
    memory = Memory(slices=slices)
    verdicts = np.zeros(len(times), np.int64)
    police_all(memory.handle, np.array([times, sizes], np.int64).T.copy(), verdicts)
    return verdicts.astype(bool).tolist(), memory.slices[0]


@settings(max_examples=60, deadline=None)
@given(JAGGED, ANY_RATE, st.integers(100, 8000))
def test_the_policer_passes_what_conforms_and_nothing_else(
    gaps: list[tuple[int, int]], rate: int, burst: int
) -> None:
    times = np.cumsum([gap for gap, _ in gaps]).tolist()
    sizes = [size for _, size in gaps]
    verdicts, record = policed(times, sizes, rate, burst)
    passed: list[int] = []
    for k, verdict in enumerate(verdicts):
        with_it = [*passed, k]
        exact = conforms([times[j] for j in with_it], [sizes[j] for j in with_it], rate, burst)
        assert exact or not verdict
        if exact and not verdict:  # rounding, against the packet: never more than one part in a million
            assert not conforms(
                [times[j] for j in with_it], [sizes[j] for j in with_it], rate * (1 - 1e-6), burst - 0.01
            )
        passed = with_it if verdict else passed
    assert record.conforming_packets == len(passed)
    assert record.policed_bytes == sum(sizes) - sum(sizes[k] for k in passed)


@settings(max_examples=40, deadline=None)
@given(JAGGED, ANY_RATE, st.integers(1500, 8000))
def test_what_a_shaper_sends_its_policer_passes(gaps: list[tuple[int, int]], rate: int, burst: int) -> None:
    """Two slices that take the whole port together, and a full best-effort queue in their way."""
    at = np.cumsum([gap for gap, _ in gaps])
    rows = sorted(
        [(int(t), size, 0, 1 + k % 2) for k, (t, (_, size)) in enumerate(zip(at, gaps, strict=True))]
        + [(0, 1500, 0, 0)] * 30
    )
    spec = Shaper(
        (ShapedSlice(1, rate, burst, 10**9), ShapedSlice(2, RATE - rate, burst, 10**9)), d.Pfifo(limit=1000)
    )
    got = offer(spec, rows, RATE)
    for band, share in ((1, rate), (2, RATE - rate)):
        mine = [(t, rows[p][1]) for p, t in got.departures if rows[p][3] == band]
        verdicts, _ = policed([t for t, _ in mine], [size for _, size in mine], share, burst)
        assert all(verdicts)


def test_a_shaped_slice_gets_its_bandwidth_beside_full_best_effort() -> None:
    rows = [(0, 1500, 0, 3)] * 800 + [(0, 1500, 0, 0)] * 1500
    spec = Shaper((ShapedSlice(3, 4 * 10**8, 3000, 10**9),), d.Pfifo(limit=2000))
    got = offer(spec, rows, RATE, check=False)
    sent = sum(1500 for p, at in got.departures if p < 800 and at < 20 * MS)
    assert sent == pytest.approx(4e8 / 8 * 0.02, abs=3000 + 1500)
    while_both = [at for _, at in got.departures if at < 20 * MS]
    assert all(b - a == PACKET_PS for a, b in pairwise(while_both))


def test_slices_go_before_best_effort_and_in_order_of_arrival() -> None:
    rows = [(0, 1500, 0, 0)] * 5 + [(1, 1500, 0, 2), (2, 1500, 0, 1), (3, 1500, 0, 2)]
    got = offer(Strict(10**6, d.Pfifo()), rows)
    assert got.left == [0, 5, 6, 7, 1, 2, 3, 4]


def test_best_effort_of_any_amount_costs_a_slice_one_packet_time_at_most() -> None:
    rows = sorted(
        [(k * 5000, 1500, 0, 0) for k in range(3000)] + [(k * 10**8, 200, 0, 1) for k in range(100)]
    )
    got = offer(Strict(10**6, d.FqCodel()), rows, RATE, check=False)
    waits = [at - rows[p][0] for p, at in got.departures if rows[p][3] == 1]
    assert len(waits) == 100
    assert max(waits) <= PACKET_PS


def test_a_slice_queue_has_its_own_limit() -> None:
    rows = [(0, 1500, 0, 0)] * 10 + [(0, 1500, 0, 1)] * 10
    got = offer(Strict(4500, d.Pfifo(limit=5)), rows)
    assert got.drops == {"DROP_TAIL": 4 + 7}


def test_the_token_bucket_is_exact_to_a_millionth() -> None:
    for rate in (10**3, 333_333_333, 10**11, 4 * 10**11, 10**12):
        for burst in (1500, 15_000, 10**6):
            byte_time, shift, depth = tokens.bucket(rate, burst)
            exact = 8 * 10**12 / rate
            assert 0 <= byte_time / 2**shift - exact <= exact * 1e-6
            assert depth == byte_time * burst < 2**60


def test_a_burst_of_weeks_is_refused() -> None:
    with pytest.raises(tokens.Mistake, match="a burst of 1 TB at 1 bit/s"):
        tokens.bucket(1, 10**12)


@kernel(entry=True)
def fill_and_drain(address: Any, q: int, sent: int, out: Any) -> int:
    """Enqueue all packets, dequeue `sent` of them, drain the rest into out; returns how many came."""
    sim = as_sim(address)
    for p in range(len(sim.packets)):
        sim.packets[p].time_ps = p
        enqueue(sim, q, p, p)
    count = 0
    for k in range(sent):
        p = dequeue(sim, q, 10**9 + k)
        if p != r.NONE:
            out[count] = p
            count += 1
    while True:
        p = drain(sim, q)
        if p == r.NONE:
            return count
        out[count] = p
        count += 1


@pytest.mark.parametrize(
    "spec",
    [
        d.Pfifo(),
        d.Tbf(**FIRM),
        d.FqCodel(flows=8),
        d.Prio(child=FIRM),
        d.Drr(
            classes={
                "a": {"weight": 1, "priorities": [1], "queue": "codel"},
                "b": {"weight": 2, "queue": FIRM},
            }
        ),
        d.Htb(classes={"a": {"rate": "1 Mbit/s", "queue": "fq_codel"}}),
        Strict(10**6, d.Drr(classes={"b": {"weight": 2, "queue": "fq_codel"}})),
        Shaper((ShapedSlice(1, 10**6, 1500, 10**6),), d.Prio(child=FIRM)),
    ],
    ids=lambda spec: spec.kind,
)
@pytest.mark.parametrize("sent", [0, 3])
def test_draining_gives_back_every_packet_held(spec: Any, sent: int) -> None:
    packets = np.zeros(40, r.PACKET)
    packets["size_bytes"] = 700
    packets["priority"] = np.arange(40) % 16
    packets["band"] = np.arange(40) % 2
    packets["hash"] = np.arange(40)
    packets["ext"] = r.NONE
    table = QueueTable()
    root = build(spec, 0, RATE, 1500, table)
    memory = Memory(packets=packets, queues=table.array(), drops=np.zeros((1, len(r.REASONS)), np.int64))
    out = np.full(40, -1, np.int64)
    assert fill_and_drain(memory.handle, root, sent, out) == 40
    assert sorted(out) == list(range(40))
    assert not memory.queues["packets"].any()
    assert not memory.queues["bytes"].any()


@pytest.mark.skipif(
    INTERPRETED, reason="compares compiled kernels, which this mode has not, with interpreted ones"
)
@pytest.mark.slow
def test_interpreted_and_compiled_agree_bit_for_bit() -> None:
    """The same lines from a process with NETARIUM_JIT=0 and from this one with compiled kernels."""
    ran = subprocess.run(
        [sys.executable, "-W", "error", both_modes.__file__],
        env={**os.environ, "NETARIUM_JIT": "0"},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    interpreted = ran.stdout.splitlines()
    assert len(interpreted) >= 14 + 5
    assert interpreted == both_modes.lines()
