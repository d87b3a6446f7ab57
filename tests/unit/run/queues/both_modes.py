"""Runs every discipline on one load and gives a line each; test_queue_promises compares two modes."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from queue_bench import offer

from netarium.describe import queues as d
from netarium.describe.clock import Clock
from netarium.run.kernel.queues.shaper import ShapedSlice, Shaper
from netarium.run.kernel.queues.site import Ingress, Site
from netarium.run.kernel.queues.strict import Strict

CODEL = {"kind": "codel", "target": "50 us", "interval": "300 us", "ecn": True}
HTB = d.Htb(
    classes={
        "a": {"rate": "2 Mbit/s", "ceil": "70 Mbit/s", "priorities": [0, 1, 2, 3]},
        "b": {"rate": "30 Mbit/s", "queue": CODEL},
    }
)
SPECS: dict[str, Any] = {
    "pfifo": d.Pfifo(limit=20),
    "bfifo": d.Bfifo(limit="20 kB"),
    "tbf": d.Tbf(rate="40 Mbit/s", burst="5 kB", latency="3 ms"),
    "red": d.Red(limit="60 kB", min="5 kB", max="20 kB", burst=12, probability=0.1, ecn=True),
    "codel": d.Codel(target="500 us", interval="3 ms"),
    "fq_codel": d.FqCodel(limit=30, flows=16, target="500 us", interval="3 ms"),
    "pie": d.Pie(target="1 ms", tupdate="1 ms", alpha=32, beta=32),
    "prio": d.Prio(child={"kind": "pfifo", "limit": 9}),
    "drr": d.Drr(
        classes={"a": {"weight": 1, "priorities": [0, 1, 2, 3]}, "b": {"weight": 2.5, "queue": CODEL}}
    ),
    "htb": HTB,
    "strict": Strict(9000, d.Prio(child="red" and {"kind": "pie", "limit": 30})),
    "shaper": Shaper((ShapedSlice(2, 10**7, 6000, 10**5), ShapedSlice(1, 3 * 10**7 + 1, 3000, 9000)), HTB),
}
SPECS["shaper_with_windows"] = Shaper(
    (
        ShapedSlice(2, 10**7, 6000, 10**5, 0, 10**9, 3 * 10**8, 10**8, 600),
        ShapedSlice(1, 3 * 10**7, 3000, 9000),
    ),
    HTB,
)
DRIFTING = Clock(offset="-3 us", drift="200 ppm", sync="5 ms")
SITE = Site(
    clock=DRIFTING,
    ingresses=(Ingress(1, 30_000_000, (200_000_000, 0), None), Ingress(2, 0)),
    services={"a": (0, 2), "b": (1, 1)},
    slices={"gold": 2},
    duration_ps=10**12,
)
"""What surrounds the port of the disciplines below."""
FLOWS = [(0, 0), (0, 1), (1, 0)]
GATES = [{"gates": [2, 0], "interval": "150 us"}, {"gates": [1], "interval": "200 us"}]
ATS = {"committed_information_rate": "20 Mbit/s", "committed_burst_size": "3 kB"}
METER = {"cir": "20 Mbit/s", "cbs": "3 kB", "eir": "7 Mbit/s", "ebs": "2 kB"}
SPECS |= {
    "mqprio": d.Mqprio(num_tc=3, queues={2: {"kind": "cbs", "idleslope": "30 Mbit/s"}, 1: CODEL}),
    "taprio": d.Taprio(num_tc=3, sched_entries=GATES, queues={1: CODEL}),
    "cqf": d.Cqf(cycle_time="200 us", mapping="label", queues=6, guard="0 s", priorities=[1, 3, 5, 7, 9, 11]),
    "ats": d.Ats(streams=[{"services": "a", **ATS}, {"slices": "gold", **ATS}], max_residence_time="4 ms"),
    "psfp": d.Psfp(
        streams=[
            {"services": "a", "meter": METER},
            {
                "slices": "gold",
                "gate": {"sched_entries": [{"gate": "open", "interval": "1 ms", "maxoctets": "9 kB"}]},
            },
        ],
        queue=d.Taprio(num_tc=3, sched_entries=GATES),
    ),
}
for _name, _mode in (("user", {}), ("user_again", {"LIMIT_PACKETS": 6})):
    SPECS[_name] = d.UserQueue(
        file=str(Path(__file__).with_name("own_queue.py")), name="own", parameters=_mode
    )


def rows() -> list[tuple[int, ...]]:
    """Packets at 1.3 times 100 Mbit/s, in two halves with a pause that uses up PIE's burst allowance."""
    draw = np.random.default_rng(5)
    count = 250
    gaps = draw.exponential(50_000_000, count).astype(int)
    gaps[count // 2] = 2 * 10**11
    columns = (
        np.cumsum(gaps),
        draw.integers(64, 1501, count),
        draw.integers(0, 16, count),
        draw.integers(0, 3, count),
        draw.integers(0, 2**40, count),
        draw.integers(0, 3, count),
        flows := draw.integers(0, 3, count),
        flows % 3,
    )
    return [tuple(int(value) for value in row) for row in zip(*columns, strict=True)]


def links() -> Iterator[str]:
    """A digest of all impairments, and of traces of both kinds."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from test_impairments import judged
    from test_traces import ends, rates, timed

    from netarium.run.kernel.tracefile import RateTrace
    from netarium.run.kernel.traces import OPPORTUNITIES

    for distribution in ("uniform", "normal", "pareto"):
        out = judged(
            packets=600,
            loss={"kind": "gilbert_elliott", "p": 0.05, "r": 0.3, "h": 0.1, "k": 0.99},
            jitter={"delay": "1 ms", "distribution": distribution, "correlation": 0.3},
            reorder={"probability": 0.1, "correlation": 0.2, "gap": 3},
            duplicate=0.2,
            corrupt=0.1,
        )
        yield f"{distribution} {hashlib.sha256(out.tobytes()).hexdigest()}"
    packets = timed([(k * k * 99_999_991 % 10**10, 64 + 13 * k) for k in range(100)])
    steps = rates((0, 999_983), (10**9, 0), (2 * 10**9, 77_777_777), (5 * 10**9, 1), loop=True)
    marks = RateTrace(OPPORTUNITIES, steps.points, True, 5 * 10**9)
    for trace in (steps, marks):
        yield f"trace {ends(trace, packets)}"


def disciplines() -> Iterator[str]:
    """Name, drops, marks, and a digest of departures and of the state of all records, of each discipline."""
    for name, spec in SPECS.items():
        got = offer(spec, rows(), 10**8, check=False, site=SITE, flows=FLOWS)
        state = hashlib.sha256(repr(got.departures).encode())
        for column in ("packets", "bytes", "next_ps", "i", "f"):
            state.update(got.memory.queues[column].tobytes())
        yield f"{name} {len(got.left)} {got.drops} {got.marks} {state.hexdigest()}"


def lines() -> list[str]:
    return [*disciplines(), *links()]


if __name__ == "__main__":
    sys.stdout.write("\n".join(lines()))
