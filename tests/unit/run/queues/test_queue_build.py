"""Laying out disciplines: records needed, parameters written, and what cannot work on a link."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from queue_bench import offer

from netarium.catalog import KINDS as CATALOGUE
from netarium.describe import queues as d
from netarium.errors import Mistake, TrialInvalid
from netarium.run.kernel.queues import fq_codel, kinds, priorities, user
from netarium.run.kernel.queues.build import KINDS, QueueTable, build, children
from netarium.run.kernel.queues.shaper import ShapedSlice, Shaper
from netarium.run.kernel.queues.site import Ingress, Site
from netarium.run.kernel.queues.strict import Strict
from netarium.run.kernel.records import NONE

OWN_QUEUE = Path(__file__).with_name("own_queue.py")
HTB = d.Htb(
    classes={
        "a": {"rate": "1 Mbit/s", "queue": {"kind": "fq_codel", "flows": 4}},
        "b": {"rate": "3 Mbit/s"},
    }
)
SPECS: list[tuple[Any, int]] = [
    (d.Pfifo(), 0),
    (d.Bfifo(limit="9 kB"), 0),
    (d.Codel(), 0),
    (d.Pie(), 0),
    (d.FqCodel(flows=16), 16),
    (d.Prio(bands=4), 4),
    (d.Prio(bands=2, child={"kind": "fq_codel", "flows": 8, "quantum": "300 B"}, priomap=[0, 1] * 8), 18),
    (d.Drr(classes={"a": {"weight": 1}, "b": {"weight": 2}}), 4),
    (HTB, 8),
    (Strict(1000, HTB), 10),
    (d.Mqprio(num_tc=3, queues={1: {"kind": "fq_codel", "flows": 4}}), 7),
    (d.Taprio(num_tc=2, sched_entries=[{"gates": 3, "interval": "1 ms"}]), 4),
    (d.Cqf(cycle_time="1 ms", queues=3), 4),
    (
        d.Psfp(
            streams=[{"services": "a", "max_sdu": "1 kB"}],
            queue=d.Mqprio(num_tc=2, queues={1: {"kind": "cbs", "idleslope": "1 Mbit/s"}}),
        ),
        3,
    ),
    (d.Cqf(cycle_time="1 ms", queues=4, mapping="label"), 6),
    (
        d.Ats(
            streams=[
                {"services": "a", "committed_information_rate": "1 Mbit/s", "committed_burst_size": "1 kB"}
            ]
        ),
        3,
    ),
    (Shaper((ShapedSlice(1, 10**6, 3000, 9000), ShapedSlice(5, 10**6, 3000, 9000)), HTB), 11),
]


SITE = Site(ingresses=(Ingress(1, 10**9, (10**9, 0)), Ingress(2, 0)), services={"a": (0, 3)})


def laid_out(spec: Any, mtu_bytes: int = 1500) -> tuple[QueueTable, int]:
    table = QueueTable()
    table.take(5)
    return table, build(spec, 7, 10**9, mtu_bytes, table, stream=3, hook_of=lambda queue: (2, 50), site=SITE)


def test_every_kind_of_the_catalogue_can_be_built() -> None:
    assert set(KINDS) == {*CATALOGUE["queues"], "strict", "shaper"}
    assert sorted(KINDS.values()) == list(range(len(KINDS)))
    assert set(KINDS.values()).isdisjoint({kinds.CLASS, kinds.FLOW})


@pytest.mark.parametrize(("spec", "below"), SPECS, ids=lambda value: getattr(value, "kind", ""))
def test_children_says_how_many_records_a_discipline_needs(spec: Any, below: int) -> None:
    table, root = laid_out(spec)
    assert children(spec, SITE) == below
    assert table.count == 5 + 1 + below
    assert root == 5
    built = table.array()[root:]
    assert (built["port"] == 7).all()
    assert (built["stream"] == 3).all()
    assert (built["head"] == NONE).all()
    reached = [root]
    for index in reached:
        record = table[index]
        if record.child_first != NONE:
            reached += range(record.child_first, record.child_first + record.child_count)
    assert sorted(reached) == list(range(root, table.count))


def test_a_table_grows_and_keeps_what_it_holds() -> None:
    table = QueueTable()
    roots = [build(d.FqCodel(flows=50, limit=k + 1), k, 10**9, 1500, table) for k in range(20)]
    assert [table[root].limit_packets for root in roots] == list(range(1, 21))
    assert len(table.array()) == 20 * 51


def test_defaults_that_follow_from_the_link() -> None:
    table, root = laid_out(d.FqCodel(flows=1), mtu_bytes=9000)
    assert table[root].i[fq_codel.QUANTUM_BYTES] == 9014
    table, root = laid_out(d.FqCodel(flows=1, quantum="20 B"))
    assert table[root].i[fq_codel.QUANTUM_BYTES] == 256


def test_priorities_that_no_class_names_go_to_the_default_or_the_last() -> None:
    classes = {"a": {"weight": 1, "priorities": [6, 7]}, "b": {"weight": 1}, "c": {"weight": 1}}
    for default, rest in ((None, 2), ("a", 0), ("b", 1)):
        table, root = laid_out(d.Drr(classes=classes, default=default))
        slots = table[root].i[priorities.CLASS_OF :]
        found = [int(slots[p // 2] >> (32 * (p % 2))) & 0xFFFFFFFF for p in range(16)]
        assert found == [0 if p in (6, 7) else rest for p in range(16)]


@pytest.mark.parametrize(
    ("spec", "at", "text"),
    [
        (d.Prio(child=d.Prio()), ("child",), "prio inside another discipline with classes"),
        (
            d.Drr(classes={"x": {"weight": 1, "queue": HTB}}),
            ("classes", "x", "queue"),
            "htb inside another discipline with classes, expected one of pfifo, bfifo",
        ),
        (
            d.Tbf(rate="1 Mbit/s", burst="1 kB", limit="9 kB"),
            ("burst",),
            "1 kB, expected at least the link's MTU",
        ),
        (
            d.Htb(
                classes={
                    "x": {"rate": "1 Mbit/s", "queue": d.Tbf(rate="1 bit/s", burst="1 GB", limit="2 GB")}
                }
            ),
            ("classes", "x", "queue"),
            "a burst of 1 GB at 1 bit/s",
        ),
        (
            d.Taprio(
                num_tc=1,
                sched_entries=[{"gates": [0], "interval": "1 us"}, {"gates": [], "interval": "1 ms"}],
            ),
            ("sched_entries",),
            "class 0 with windows of at most 1 us, expected a window of 12 us",
        ),
        (
            d.Taprio(num_tc=2, sched_entries=[{"gates": [0], "interval": "1 ms"}]),
            ("sched_entries",),
            "class 1 with no window",
        ),
        (
            d.Taprio(
                num_tc=1,
                sched_entries=[{"gates": [0], "interval": "1 ms"}],
                queues={0: {"kind": "cbs", "idleslope": "1 Mbit/s"}},
            ),
            ("queues", 0),
            "cbs behind a gate",
        ),
        (d.Cqf(cycle_time="20 us"), ("cycle_time",), "expected a cycle with room for a packet"),
        (
            d.Cqf(cycle_time="1 ms", mapping="label", shift=1, queues=9),
            ("shift",),
            "shift 1 behind a link of 1 ms, expected at least 2",
        ),
        (d.Cbs(idleslope="2 Gbit/s"), ("idleslope",), "2 Gbit/s, expected at most the port's 1 Gbit/s"),
        (
            d.Psfp(streams=[{"services": "b", "max_sdu": "1 kB"}]),
            ("streams", 0, "services"),
            "'b', expected 'a'",
        ),
        (
            Strict(9, d.Psfp(streams=[{"services": "a", "max_sdu": "1 kB"}])),
            (),
            "psfp inside another discipline",
        ),
        (d.Mqprio(queues={3: d.Prio()}), ("queues", 3), "prio inside another discipline with classes"),
        (
            Strict(9, d.Red(limit="90 kB", min="50 kB", max="60 kB", burst=3)),
            ("burst",),
            "3 packets, expected at least min / avpkt = 50 packets",
        ),
    ],
)
def test_what_cannot_work_says_where(spec: Any, at: tuple[str, ...], text: str) -> None:
    with pytest.raises(Mistake) as raised:
        laid_out(spec)
    assert raised.value.at == at
    assert text in str(raised.value)


def own(**parameters: float) -> d.UserQueue:
    return d.UserQueue(file=str(OWN_QUEUE), name="own", parameters=parameters)


def test_a_users_queue_serves_small_packets_first_and_takes_parameters() -> None:
    rows = [(0, 1000)] * 30 + [(1, 100)] * 5
    got = offer(own(CHANCE=0.0), rows)
    assert got.left[:6] == [0, 30, 31, 32, 33, 34]
    assert got.faults == 0
    assert got.drops == {}
    everything_lost = offer(own(CHANCE=1.0), rows)
    assert everything_lost.drops == {"DROP_AQM": 30}
    assert sorted(everything_lost.left) == list(range(30, 35))
    assert offer(own(CHANCE=0.0, LIMIT_PACKETS=4), rows).drops == {"DROP_TAIL": 30}


def test_a_users_queue_can_mark_and_drop_at_dequeue() -> None:
    got = offer(own(CHANCE=0.0), [(0, 1000, 0, 0, 0, 2)] * 30)
    assert got.marks == sum(ecn == 3 for ecn in got.ecn) == 8
    late = offer(own(CHANCE=0.0, PATIENCE_PS=20_000_000), [(0, 1000)] * 30)
    assert late.drops == {"DROP_AQM": 27}
    assert late.begins_ps == [0, 8_000_000, 16_000_000]


def test_a_users_queue_can_hold_packets_back(tmp_path: Path) -> None:
    file = tmp_path / "pacer.py"
    file.write_text(
        "GAP_PS = 1000\n\n"
        "def enqueue(queue, packet, now_ps):\n    return 99\n\n"
        "def select(queue, packet, now_ps):\n"
        "    if now_ps < queue.i[8]:\n        queue.next_ps = queue.i[8]\n        return -1\n"
        "    queue.i[8] = now_ps + GAP_PS\n    return 7\n"
    )
    spec = d.UserQueue(file=str(file), name="pacer", parameters={"GAP_PS": 50_000_000})
    got = offer(spec, [(0, 1000)] * 4)
    assert got.begins_ps == [0, 50_000_000, 100_000_000, 150_000_000]
    assert got.faults == 0


@pytest.mark.parametrize(
    ("text", "parameters", "found"),
    [
        ("def enqueue(queue, packet, now_ps):\n    return 0 +\n", {}, "2:"),
        ("def enqeue(queue, packet, now_ps):\n    return 0\n", {}, "no function enqueue"),
        ("def enqueue(queue, packet):\n    return 0\n", {}, "three plain arguments"),
        ("def enqueue(queue, packet, now_ps):\n    return queue.packet\n", {}, "did you mean 'packets'"),
        ("def enqueue(queue, packet, now_ps):\n    return 0\n", {"GAIN": 2.0}, "parameter GAIN"),
    ],
)
def test_mistakes_in_a_users_queue_are_told_by_line(
    tmp_path: Path, text: str, parameters: dict[str, float], found: str
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(text)
    with pytest.raises(TrialInvalid) as raised:
        user.read(file, "mine", parameters, "network.links[0].queue.file")
    assert found in str(raised.value)
    assert raised.value.problems[0].where == "network.links[0].queue.file"


def test_codes_of_leaves_and_classful_kinds_are_in_order() -> None:
    leaves = {"pfifo", "bfifo", "tbf", "red", "codel", "fq_codel", "pie", "user", "cbs", "ats"}
    assert {word for word, code in KINDS.items() if code <= kinds.LAST_LEAF} == leaves
    classful = {word for word, code in KINDS.items() if kinds.LAST_LEAF < code <= kinds.LAST_CLASSFUL}
    assert classful == {"prio", "drr", "htb", "mqprio", "taprio", "cqf"}


def test_the_example_of_the_page_is_a_queue(tmp_path: Path) -> None:
    page = Path(__file__).parents[4] / "docs" / "kinds" / "queues" / "user.md"
    code = page.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    (tmp_path / "example.py").write_text(code, encoding="utf-8")
    spec = d.UserQueue(file=str(tmp_path / "example.py"), name="example")
    got = offer(spec, [(0, 1000, 0, 0, 0, 2)] * 80 + [(1, 100)] * 30)
    assert got.left[:31] == [0, *range(80, 101), *range(1, 10)][:31]
    assert got.drops == {"DROP_TAIL": 9}
    assert got.marks == 80 - 52
