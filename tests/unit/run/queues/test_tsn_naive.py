"""The disciplines of IEEE 802.1Q against their naive versions: the same packets leave at the same picoseconds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import naive_queues as naive
import naive_tsn as tsn
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from queue_bench import offer
from test_queues_naive import BYTE_PS, LEAVES, RATE, RATES, arrivals, leaf, rates, sizes_between, times

from netarium.describe import queues as d
from netarium.describe.clock import Clock
from netarium.run.kernel.queues import cqf
from netarium.run.kernel.queues.site import NOWHERE, Ingress, Site

CLOCKS = st.sampled_from(
    [
        None,
        Clock(offset="333333 ps"),
        Clock(offset="-7 us", drift="100 ppm"),
        Clock(drift="-1000 ppm", sync="50 us"),
        Clock(offset="1 us", drift="999999 ppb", sync="7 us"),
    ]
)
FLOWS = [(0, 0), (0, 1), (1, 0), (2, 0)]
"""(service, number) of the flows of the packets."""
SERVICES = {"a": (0, 2), "b": (1, 1), "c": (2, 1)}


@st.composite
def streamed(draw: Callable[..., Any], hops: int = 2) -> list[tuple[int, ...]]:
    """Arrivals with flows and the ports they come by; flow f always by the same."""
    rows = draw(arrivals())
    by = [draw(st.integers(0, hops)) for _ in FLOWS]
    flows = draw(st.lists(st.integers(0, len(FLOWS) - 1), min_size=len(rows), max_size=len(rows)))
    return [(*row, flow, by[flow]) for row, flow in zip(rows, flows, strict=True)]


def agree(
    spec: Any, rows: list[tuple[int, ...]], make: Callable[[naive.Log], naive.Queue], site: Site = NOWHERE
) -> None:
    log = naive.Log()
    expected = naive.serve(make(log), rows, BYTE_PS)
    got = offer(spec, rows, RATE, site=site, flows=FLOWS)
    assert list(zip(got.left, got.begins_ps, got.ecn, strict=True)) == expected
    assert got.drops == dict(log.drops)
    assert got.faults == 0


SLOPES = [(idle, send) for idle in (*RATES, 10**9) for send in (None, idle // 4, 2 * idle, 4 * idle)]
"""Slopes whose ratio has an end in binary, so that the naive fractions must agree exactly."""


def cbs(slopes: tuple[int, int | None], **limits: Any) -> d.Cbs:
    idle, send = slopes
    return d.Cbs(idleslope=f"{idle} bit/s", sendslope=None if send is None else f"{send} bit/s", **limits)


CBS = st.builds(
    cbs,
    st.sampled_from(SLOPES),
    hicredit=st.none() | sizes_between(0, 3000),
    locredit=st.none() | sizes_between(0, 3000),
    limit=st.integers(1, 40),
)


def leaf_or_cbs(log: naive.Log, spec: Any) -> naive.Queue:
    return tsn.Cbs(log, spec, RATE) if spec.kind == "cbs" else leaf(log, spec)


def class_map(data: Any, count: int) -> list[int]:
    return data.draw(st.lists(st.integers(0, count - 1), min_size=16, max_size=16))


def leaves_of(log: naive.Log, spec: Any) -> list[naive.Queue]:
    plain = d.Pfifo()
    return [leaf_or_cbs(log, spec.queues.get(k, plain)) for k in range(spec.num_tc)]


@settings(max_examples=60, deadline=None)
@given(arrivals(), CBS)
def test_cbs(rows: list[tuple[int, ...]], spec: d.Cbs) -> None:
    agree(spec, rows, lambda log: tsn.Cbs(log, spec, RATE))


@settings(max_examples=60, deadline=None)
@given(st.data(), arrivals(), st.integers(1, 4))
def test_mqprio(data: Any, rows: list[tuple[int, ...]], count: int) -> None:
    queues = {k: data.draw(st.one_of(LEAVES, CBS)) for k in range(count) if data.draw(st.booleans())}
    spec = d.Mqprio(num_tc=count, map=class_map(data, count), queues=queues)
    agree(spec, rows, lambda log: tsn.Mqprio(log, spec.class_of, leaves_of(log, spec)))


@settings(max_examples=80, deadline=None)
@given(st.data(), arrivals(), st.integers(1, 3), CLOCKS)
def test_taprio(data: Any, rows: list[tuple[int, ...]], count: int, clock: Clock | None) -> None:
    masks = st.integers(0, 2**count - 1)
    intervals = times(500_000, 3_000_000, 13_000_000, 40_000_000)
    entries = data.draw(st.lists(st.tuples(masks, intervals), min_size=1, max_size=6))
    entries.append((2**count - 1, "13100000 ps"))
    spec = d.Taprio(
        num_tc=count,
        map=class_map(data, count),
        base_time=data.draw(times(0, 1, 77_777_777)),
        sched_entries=[{"gates": mask, "interval": interval} for mask, interval in entries],
        max_sdu={k: "577 B" for k in range(count) if data.draw(st.booleans())},
        queues={k: data.draw(LEAVES) for k in range(count) if data.draw(st.booleans())},
    )
    site = Site(clock=clock)
    agree(spec, rows, lambda log: tsn.Taprio(log, spec, leaves_of(log, spec), BYTE_PS, clock), site)


@settings(max_examples=80, deadline=None)
@given(st.data(), streamed(), CLOCKS, CLOCKS)
def test_cqf(data: Any, rows: list[tuple[int, ...]], clock: Clock | None, other: Clock | None) -> None:
    mapping = data.draw(st.sampled_from(["arrival", "label"]))
    cycle_ps = data.draw(st.sampled_from([30_000_000, 50_000_001]))
    spec = d.Cqf(
        cycle_time=f"{cycle_ps} ps",
        base_time=data.draw(times(0, 12_345_678)),
        queues=data.draw(st.integers(5, 7)),
        mapping=mapping,
        shift=data.draw(st.integers(1, 3)) if mapping == "arrival" else None,
        guard=data.draw(st.none() | times(0, 5_000_000)),
        priorities=[5, 6, 7, 1],
        queue=data.draw(LEAVES),
    )
    delay_ps = data.draw(st.sampled_from([0, 25_000_000, 70_000_000]))
    site = Site(
        clock=clock,
        ingresses=(Ingress(1, delay_ps, (cycle_ps, 1_000), other), Ingress(2, 0, None, None)),
        duration_ps=10**9,
    )
    fewest, _ = cqf.shifts(spec, site.ingresses[0], site)
    guard_ps = 1500 * BYTE_PS if spec.guard is None else spec.guard
    room_ps = cycle_ps - guard_ps - (site.reading_ps(cycle_ps) - cycle_ps)
    neighbours = {1: (other, delay_ps, 1_000, fewest)} if mapping == "label" else {}
    others = spec.queue
    agree(
        spec,
        rows,
        lambda log: tsn.Cqf(log, spec, leaf(log, others), BYTE_PS, room_ps, clock, neighbours),
        site,
    )


@settings(max_examples=80, deadline=None)
@given(
    streamed(),
    st.tuples(rates(*RATES), sizes_between(500, 4000)),
    st.tuples(rates(*RATES), sizes_between(1500, 9000)),
    st.none() | times(20_000_000, 100_000_000),
    CLOCKS,
)
@example(  # a slow clock shows the same to the last two, which come a picosecond apart
    [*[(0, 40, 0, 0, 0, 0, 0, 0)] * 7, (0, 40, 0, 0, 0, 0, 3, 1), (1, 40, 0, 0, 0, 0, 0, 0)],
    ("100000000 bit/s", "500 B"),
    ("100000000 bit/s", "1500 B"),
    None,
    Clock(drift="-1000 ppm", sync="50 us"),
)
def test_ats(
    rows: list[tuple[int, ...]], first: Any, second: Any, residence: str | None, clock: Clock | None
) -> None:
    keys = ("committed_information_rate", "committed_burst_size")
    spec = d.Ats(
        streams=[
            {"services": ["a"], **dict(zip(keys, first, strict=True))},
            {"slices": ["gold"], **dict(zip(keys, second, strict=True))},
        ],
        max_residence_time=residence,
        limit=50,
    )
    site = Site(clock=clock, ingresses=(Ingress(1, 0), Ingress(2, 0)), services=SERVICES, slices={"gold": 3})

    def parameters(stream: tuple[int, int]) -> tuple[int, int] | None:
        entry = spec.streams[0] if stream[0] == 0 else spec.streams[1] if stream == (3, 3) else None
        return None if entry is None else (entry.committed_information_rate, entry.committed_burst_size)

    def stream(packet: naive.Packet) -> Any:
        service, number = FLOWS[packet.flow]
        return (0, number) if service == 0 else (3, packet.band)

    agree(spec, rows, lambda log: tsn.Ats(log, spec, stream, parameters, clock), site)


@settings(max_examples=80, deadline=None)
@given(st.data(), streamed())
def test_psfp(data: Any, rows: list[tuple[int, ...]]) -> None:
    draw = data.draw
    excess = draw(st.booleans())
    meter = {
        "cir": draw(rates(*RATES[:3])),
        "cbs": draw(sizes_between(500, 4000)),
        "eir": draw(rates(*RATES[:2])) if excess else 0,
        "ebs": draw(sizes_between(600, 3000)) if excess else 0,
        "drop_on_yellow": draw(st.booleans()),
        "mark_all_frames_red": draw(st.sampled_from([False, False, True])),
    }
    entry = st.fixed_dictionaries(
        {
            "gate": st.sampled_from(["open", "open", "close"]),
            "interval": times(2_000_000, 20_000_000, 500_000_000),
            "maxoctets": st.none() | sizes_between(1000, 5000),
        }
    )
    gate = {
        "base_time": draw(times(0, 3_333_333)),
        "sched_entries": draw(st.lists(entry, min_size=1, max_size=4)),
        "closed_due_to_invalid_rx": draw(st.sampled_from([False, False, True])),
    }
    spec = d.Psfp(
        streams=[
            {"services": ["a"], "meter": meter},
            {"services": ["b"], "gate": gate, "max_sdu": "1499 B"},
            {
                "slices": "gold",
                "max_sdu": "1000 B",
                "blocked_due_to_oversize": draw(st.booleans()),
                "meter": meter,
            },
        ],
        queue=draw(st.one_of(LEAVES, st.just(d.Mqprio(num_tc=2)))),
    )
    site = Site(services=SERVICES, slices={"gold": 3}, ingresses=(Ingress(1, 0), Ingress(2, 0)))

    def stream(packet: naive.Packet) -> Any:
        service, number = FLOWS[packet.flow]
        return (service, number) if service < 2 else (3, packet.band)

    def entry_of(packet: naive.Packet) -> Any:
        service = FLOWS[packet.flow][0]
        return spec.streams[service] if service < 2 else spec.streams[2] if packet.band == 3 else None

    def make(log: naive.Log) -> naive.Queue:
        if spec.queue.kind != "mqprio":
            return tsn.Psfp(log, entry_of, stream, leaf(log, spec.queue))
        inner = tsn.Mqprio(log, spec.queue.class_of, [naive.Queue(log, limit_packets=1000) for _ in range(2)])
        return tsn.Psfp(log, entry_of, stream, inner)

    agree(spec, rows, make, site)


def test_what_the_naive_versions_do_not_know_is_refused() -> None:
    with pytest.raises(Exception, match="no services: the trial has none"):
        offer(
            d.Ats(
                streams=[
                    {
                        "services": "x",
                        "committed_information_rate": "1 Mbit/s",
                        "committed_burst_size": "1 kB",
                    }
                ]
            ),
            [(0, 100)],
        )
