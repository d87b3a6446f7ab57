"""A link fails: packets are lost while routing does not know it, then they go another way, and later back again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from running import HOST, simulate

from netarium.run.samples import Samples

FAILS, KNOWN, REPAIRED, BACK = 1.0, 1.2, 2.0, 2.2  # seconds; reconvergence takes 0.2 s


def failing(services: dict[str, Any], kind: str = "link") -> dict[str, Any]:
    """s - a - b - z - d is the short way, a - c - z the long one; the link a-b (or node b) fails from 1 s to 2 s."""
    fast = {"rate": "1 Gbit/s", "delay": "1 ms"}
    ways = [
        ("s", "a", "10 us"),
        ("a", "b", "1 ms"),
        ("b", "z", "1 ms"),
        ("a", "c", "5 ms"),
        ("c", "z", "5 ms"),
    ]
    links = [{"endpoints": [x, y], **fast, "delay": delay} for x, y, delay in (*ways, ("z", "d", "10 us"))]
    what = {"link": ["a", "b"]} if kind == "link" else {"node": "b"}
    return {
        "duration": "3 s",
        "network": {
            "nodes": {"s": HOST, "d": HOST, "a": {}, "b": {}, "c": {}, "z": {}},
            "links": links,
            "routing": {"reconvergence": "0.2 s"},
        },
        "services": services,
        "events": [
            {"at": f"{FAILS} s", "kind": f"{kind}_down", **what},
            {"at": f"{REPAIRED} s", "kind": f"{kind}_up", **what},
        ],
        "probes": {"interval": "10 ms"},
    }


def sent_by(samples: Samples, port: str) -> np.ndarray:
    """Packets that a port sent in each sample interval."""
    return np.diff(samples.port_series["sent_packets"][:, samples.ports.index(port)], prepend=0)


@pytest.mark.parametrize("kind", ["link", "node"])
def test_a_stream_loses_packets_only_during_the_outage(kind: str) -> None:
    gap_s = 1e-3
    stream = {"kind": "stream", "from": "s", "to": "d", "rate": "1 Mbit/s", "packet_size": "125 B"}
    samples = simulate(failing({"x": stream}, kind))
    lost = int(samples.flows["sent_packets"][0] - samples.flows["delivered_packets"][0])
    in_flight = samples.conservation["in_flight"]
    assert lost - in_flight == sum(samples.conservation["dropped"].values())
    assert set(samples.conservation["dropped"]) == {"DROP_LINK_DOWN"}
    assert lost - in_flight == pytest.approx((KNOWN - FAILS) / gap_s, abs=4), "about those of 0.2 s"
    times, drops = samples.times_ps * 1e-12, samples.port_series["drops"].sum(axis=1)
    assert drops[times <= FAILS].max() == 0
    assert drops[-1] == drops[times > KNOWN + 0.02][0], "nothing is lost once routing knows"
    short, long = sent_by(samples, "a->b"), sent_by(samples, "a->c")
    assert long[times <= KNOWN].sum() == 0
    assert short[(times > FAILS + 0.005) & (times <= BACK)].sum() == 0
    assert long[(times > KNOWN + 0.011) & (times <= BACK)].min() >= 9
    assert long[times > BACK + 0.011].sum() == 0 and short[times > BACK + 0.011].min() >= 9


@pytest.mark.parametrize("congestion", ["reno", "cubic", "bbr"])
def test_a_transfer_goes_on_another_way(congestion: str) -> None:
    bulk = {"kind": "bulk", "from": "s", "to": "d", "transport": {"kind": "tcp", "congestion": congestion}}
    samples = simulate(failing({"x": bulk}))
    times = samples.times_ps * 1e-12
    delivered = samples.service_series["delivered_bytes"][:, 0]

    def between(start: float, end: float) -> int:
        return int(delivered[times <= end][-1] - delivered[times <= start][-1])

    assert between(FAILS + 0.01, KNOWN) == 0, "no byte during the outage"
    assert between(KNOWN + 0.3, REPAIRED) > 100_000, "the transfer went on over the other way"
    assert between(BACK + 0.3, 3.0) > 100_000
    assert sent_by(samples, "a->c")[(times > KNOWN + 0.3) & (times <= REPAIRED)].sum() > 0


def test_without_another_way_it_waits() -> None:
    """The only way fails: no route is known until it is back, then the transfer ends in spite of all."""
    bulk = {"kind": "bulk", "from": "s", "to": "d", "size": "2 MB", "transport": {"kind": "tcp"}}
    trial = failing({"x": bulk, "late": {**bulk, "start": "1.5 s"}})
    trial["events"] += [
        {"at": "0.02 s", "kind": "link_down", "link": ["z", "d"]},
        {"at": "2.5 s", "kind": "link_up", "link": ["z", "d"]},
    ]
    trial |= {"duration": "100 s", "probes": {"interval": "1 s"}}
    samples = simulate(trial)
    assert set(samples.conservation["dropped"]) == {"DROP_LINK_DOWN", "DROP_NO_ROUTE"}
    assert (samples.flows["end_ps"] > 2.5e12).all()
    assert (samples.flows["delivered_bytes"] == 2_000_000).all()


@pytest.mark.parametrize("queue", ["pfifo", "codel"])
def test_a_packet_that_was_counted_when_it_began_stays_counted(queue: str) -> None:
    """Cut in the midst of a packet of 10 ms, after a sample that has it: both kinds of port go on from the same count."""
    samples = simulate(
        {
            "duration": "300 ms",
            "network": {
                "nodes": {"a": HOST, "b": HOST},
                "links": [
                    {
                        "endpoints": ["a", "b"],
                        "rate": "1 Mbit/s",
                        "delay": "1 us",
                        "overhead": "0 B",
                        "queue": queue,
                    }
                ],
            },
            "services": {
                "x": {"kind": "stream", "from": "a", "to": "b", "rate": "2 Mbit/s", "packet_size": "1250 B"}
            },
            "events": [{"at": "106 ms", "kind": "link_down", "link": ["a", "b"]}],
            "probes": {"interval": "105 ms"},
        }
    )
    assert samples.port_series["sent_packets"][:, samples.ports.index("a->b")].tolist() == [11, 11, 11]
    assert samples.conservation["delivered"] == 10
