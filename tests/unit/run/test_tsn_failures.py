"""Links that fail with time-sensitive disciplines at their ports: queues are emptied and go on; books balance."""

from __future__ import annotations

from typing import Any

import pytest
from running import line, simulate

ATS = {"committed_information_rate": "30 Mbit/s", "committed_burst_size": "3 kB"}
TAPRIO = {
    "kind": "taprio",
    "num_tc": 2,
    "map": [0] * 7 + [1] * 9,
    "sched_entries": [{"gates": [1], "interval": "300 us"}, {"gates": [0], "interval": "700 us"}],
}
QUEUES: dict[str, dict[str, Any]] = {
    "mqprio": {"kind": "mqprio", "queues": {7: {"kind": "cbs", "idleslope": "40 Mbit/s"}}},
    "taprio": TAPRIO,
    "cqf": {"kind": "cqf", "cycle_time": "1 ms", "queues": 3, "mapping": "label"},
    "ats": {"kind": "ats", "streams": [{"services": ["urgent", "bulk"], **ATS}]},
    "psfp": {
        "kind": "psfp",
        "streams": [{"services": "bulk", "meter": {"cir": "40 Mbit/s", "cbs": "9 kB"}}],
        "queue": TAPRIO,
    },
}


@pytest.mark.parametrize("kind", list(QUEUES))
def test_a_link_fails_and_comes_back(kind: str) -> None:
    ends = {"kind": "stream", "from": "s0", "to": "d0"}
    samples = simulate(
        {
            "duration": "100 ms",
            "network": line("50 Mbit/s", "2 ms", queue=QUEUES[kind]),
            "services": {
                "urgent": {**ends, "rate": "10 Mbit/s", "priority": 7, "packet_size": "500 B"},
                "bulk": {**ends, "rate": "45 Mbit/s", "pattern": "poisson"},
            },
            "events": [
                {"at": "30 ms", "kind": "link_down", "link": ["a", "b"]},
                {"at": "60 ms", "kind": "link_up", "link": ["a", "b"]},
            ],
            "probes": {"interval": "10 ms"},
        }
    )
    delivered = samples.service_series["delivered_packets"][:, 0]
    assert delivered[2] > 20
    assert delivered[5] == delivered[3], "nothing comes while it is down"
    assert delivered[9] > delivered[5] + 50
    assert samples.conservation["dropped"]["DROP_LINK_DOWN"] > 30


def test_slices_stand_behind_the_filters_of_a_port() -> None:
    """psfp stays the outermost: it polices best effort, and the slice keeps its class behind it."""
    trial = {
        "duration": "100 ms",
        "network": line("50 Mbit/s", "2 ms", pairs=2, queue=QUEUES["psfp"]),
        "slices": {"gold": {"from": "s0", "to": "d0", "bandwidth": "10 Mbit/s", "latency": "20 ms"}},
        "services": {
            "urgent": {"kind": "stream", "from": "s0", "to": "d0", "rate": "9 Mbit/s", "slice": "gold"},
            "bulk": {"kind": "stream", "from": "s1", "to": "d1", "rate": "60 Mbit/s"},
        },
    }
    samples = simulate(trial)
    last = samples.service_series[-1]
    assert last["sent_packets"][0] - last["received_packets"][0] <= 3
    assert samples.conservation["dropped"]["DROP_POLICER"] > 50
