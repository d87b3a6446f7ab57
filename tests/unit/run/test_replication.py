"""Replication and elimination: the vector algorithm against sets of numbers; no packet lost or twice; books balanced."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from running import HOST, simulate

from netarium.compile.mechanisms import replication as mechanism
from netarium.compile.mechanisms.terms import Bound
from netarium.errors import TrialInvalid
from netarium.run.kernel import records as r
from netarium.run.kernel.jit import kernel
from netarium.run.kernel.memory import Memory, as_sim
from netarium.run.kernel.transport import replication


@kernel(entry=True)
def recover(address, numbers, times, out, length, reset_ps):
    """Whether each number passes the recovery of a connection that has just opened."""
    conn = as_sim(address).conns[0]
    conn.i[replication.LENGTH] = length
    conn.i[replication.RESET_PS] = reset_ps
    conn.i[replication.NEWEST] = r.NONE
    for k in range(len(numbers)):
        out[k] = replication.passes(conn, numbers[k], times[k])


def naive(numbers: list[int], times: list[int], length: int, reset_ps: int) -> list[bool]:
    """VectorRecoveryAlgorithm of IEEE 802.1CB-2017, section 7.4.3.4, with the history as a set."""
    newest: int | None = None
    seen: set[int] = set()
    passed_at = 0
    found = []
    for number, now in zip(numbers, times, strict=True):
        if newest is None or now - passed_at >= reset_ps:
            newest, seen, ok = number, {number}, True
        else:
            delta = number - newest
            if abs(delta) >= length:
                ok = False
            elif delta <= 0:
                ok = number not in seen
            else:
                ok, newest = True, number
        if ok:
            seen.add(number)
            passed_at = now
        found.append(ok)
    return found


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-3, 8), st.sampled_from([0, 1, 1, 50, 2000])), min_size=1, max_size=300),
    st.sampled_from([2, 3, 31, 32, 33, 64, 255, 256]),
    st.sampled_from([1000, 10**9]),
    st.sampled_from([1, 1, 7, 40]),
)
def test_recovery_is_the_standards(
    steps: list[tuple[int, int]], length: int, reset_ps: int, stride: int
) -> None:
    numbers, times, number, now = [], [], 0, 0
    for step, gap in steps:
        number, now = max(0, number + stride * step), now + gap
        numbers.append(number)
        times.append(now)
    memory = Memory(conns=np.zeros(1, r.CONN))
    out = np.zeros(len(numbers), np.int64)
    recover(memory.handle, np.array(numbers), np.array(times), out, length, reset_ps)
    assert out.astype(bool).tolist() == naive(numbers, times, length, reset_ps)


def square(**second: Any) -> dict[str, Any]:
    """Hosts a and b with two ways between them: over u, and over v with what `second` says of its links."""
    nodes = {"a": HOST, "b": HOST, "p": {}, "q": {}, "u": {}, "v": {}}
    ways = [
        ("a", "p", {}),
        ("p", "u", {}),
        ("u", "q", {}),
        ("p", "v", second),
        ("v", "q", second),
        ("q", "b", {}),
    ]
    links = [{"endpoints": [one, other], "delay": "1 ms", **more} for one, other, more in ways]
    return {"nodes": nodes, "links": links, "defaults": {"rate": "100 Mbit/s"}}


TWICE = {
    "kind": "stream",
    "from": "a",
    "to": "b",
    "rate": "10 Mbit/s",
    "packet_size": "1000 B",
    "replication": {},
}


def run(network: dict[str, Any], events: list[Any] | None = None, **service: Any) -> Any:
    trial = {"duration": "500 ms", "network": network, "services": {"s": {**TWICE, **service}}}
    return simulate({**trial, "events": events or []})


def counts(samples: Any) -> dict[str, int]:
    last, messages = samples.service_series[-1, 0], samples.messages[0]
    return {
        "sent": int(messages["sent"]),
        "undecided": int(messages["undecided"]),
        "delivered": int(last["delivered_packets"]),
        "copies": int(last["sent_packets"]),
        "received": int(last["received_packets"]),
    }


def test_every_packet_goes_both_ways_and_counts_once() -> None:
    found = counts(run(square()))
    assert found["sent"] == 625
    assert found["copies"] == 1250
    assert found["delivered"] + found["undecided"] == found["sent"]
    assert found["received"] == 2 * found["delivered"] - (found["received"] % 2)


@pytest.mark.parametrize("loss", [0.05, 0.5, 1.0])
def test_nothing_is_lost_while_one_way_is_whole(loss: float) -> None:
    samples = run(square(impairments={"loss": loss}))
    found = counts(samples)
    assert found["delivered"] == found["sent"] - found["undecided"]
    assert samples.conservation["dropped"]["DROP_IMPAIRMENT"] > 20


def test_nothing_is_lost_when_a_way_fails_and_comes_back() -> None:
    events = [
        {"at": "100 ms", "kind": "link_down", "link": ["p", "u"]},
        {"at": "300 ms", "kind": "link_up", "link": ["p", "u"]},
    ]
    found = counts(run(square(delay="3 ms"), events))
    assert found["delivered"] == found["sent"] - found["undecided"]
    alone = run(square(delay="3 ms"), events, replication=None, path=["a", "p", "u", "q", "b"])
    last = alone.service_series[-1, 0]
    assert last["sent_packets"] - last["delivered_packets"] > 200


def test_when_both_ways_lose_only_what_both_lost_is_missing() -> None:
    network = square(impairments={"loss": 0.3})
    for link in network["links"][1:3]:
        link["impairments"] = {"loss": 0.3}
    found = counts(run(network))
    expected = (1 - (1 - 0.7**2) ** 2) * found["sent"]
    assert found["delivered"] == pytest.approx(expected, abs=4 * (found["sent"] * 0.25) ** 0.5)


def test_latency_is_that_of_the_faster_way() -> None:
    samples = run(square(delay="3 ms"))
    assert samples.latency_max_ps[0] < 5 * 10**9


def test_a_history_that_is_too_short_lets_late_copies_through() -> None:
    """Copies by the longer way are 40 packets behind: a history of 2 takes them for rogue ones, as the standard says, and
    eliminates them; the bound on the history is what is told."""
    found = counts(run(square(delay="17 ms"), replication={"history_length": 2}))
    assert found["delivered"] == found["sent"] - found["undecided"]
    members = [Bound(4e9, 0, 4e9), Bound(36e9, 0, 36e9)]
    assert mechanism.history_length(members, 0.8e9) == 41


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"replication": {"paths": [["a", "p", "u", "q", "b"], ["a", "p", "v", "q"]]}},
            "from a to q, expected from a to b",
        ),
        ({"transport": {"kind": "tcp"}}, "tcp for a stream on several paths, expected udp"),
        ({"path": ["a", "p", "u", "q", "b"]}, "one of replication and path"),
    ],
)
def test_what_cannot_be_replicated(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(TrialInvalid) as raised:
        run(square(), **changes)
    assert told in str(raised.value)


def test_without_a_second_way_the_trial_is_refused() -> None:
    network = square()
    network["links"] = network["links"][:3] + network["links"][5:]
    network["nodes"].pop("v")
    with pytest.raises(TrialInvalid, match="no two paths without a common router between a and b"):
        run(network)


def test_stated_paths_may_share_links() -> None:
    paths = [["a", "p", "u", "q", "b"]] * 2
    found = counts(run(square(), replication={"paths": paths}))
    assert found["copies"] == 2 * found["sent"]
    assert found["delivered"] == found["sent"] - found["undecided"]


def test_bounds_of_paths_together() -> None:
    slow, fast = Bound(9.0, 10.0, 5.0), Bound(4.0, 20.0, 3.0)
    assert mechanism.bound([slow, fast]) == Bound(4.0, 30.0, 3.0)
    assert mechanism.bound([slow, fast], failures=1) == Bound(9.0, 30.0, 3.0)
