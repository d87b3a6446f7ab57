"""Control loops: what is judged against a list of all messages kept in Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from running import captured, described, line, simulate

from netarium.errors import TrialInvalid

MS_PS = 10**9
LOOP = {"kind": "control_loop", "from": "s0", "to": "d0", "period": "1 ms", "size": "64 B"}


def judged(network: dict[str, Any], duration: str = "300 ms", **service: Any) -> tuple[int, int, int]:
    samples = simulate({"duration": duration, "network": network, "services": {"x": {**LOOP, **service}}})
    row = samples.messages[0]
    return int(row["judged"]), int(row["misses"]), int(row["longest_run"])


def test_all_in_time() -> None:
    assert judged(line("100 Mbit/s", "100 us")) == (300, 0, 0)


def test_all_too_late() -> None:
    assert judged(line("100 Mbit/s", "2 ms"), deadline="1 ms") == (300, 300, 300)


def test_a_message_that_comes_at_its_deadline_is_in_time() -> None:
    """64 + 28 + 38 bytes: 104 ns twice at 10 Gbit/s, 1.04 us at 1 Gbit/s, and 10 us of propagation with 1 us before
    and behind."""
    network = line("1 Gbit/s", "10 us")
    age_ps = 2 * 104_000 + 1_040_000 + 12_000_000
    assert judged(network, deadline=f"{age_ps} ps")[1] == 0
    assert judged(network, deadline=f"{age_ps - 1} ps")[1] == 300


def test_each_message_of_a_lossy_jittery_path() -> None:
    """Against the packets that the last port sent: message n was sent at n ms and came one microsecond behind them."""
    impairments = {"loss": 0.1, "jitter": {"delay": "3 ms", "distribution": "uniform"}}
    trial = described(
        {
            "duration": "400 ms",
            "network": line("100 Mbit/s", "5 ms", impairments=impairments),
            "services": {"x": {**LOOP, "deadline": "6 ms"}},
            "probes": {"capture": [{"port": "b->d0"}]},
        }
    )
    samples, packets = captured(trial)
    arrived = {seq: at + 1_000_000 for at, _, seq in packets["b->d0"]}
    due = [n for n in range(400) if n * MS_PS + 6 * MS_PS <= 400 * MS_PS]
    late = np.array([arrived.get(n, 10**15) - n * MS_PS > 6 * MS_PS for n in due])
    runs = "".join("x" if miss else " " for miss in late).split()
    row = samples.messages[0]
    assert (row["judged"], row["misses"]) == (len(due), late.sum())
    assert row["longest_run"] == max(map(len, runs))
    assert 0 < late.sum() < len(due)
    assert any(arrived.get(n, 0) > arrived.get(n + 1, 10**15) for n in due), "some overtook others"


def test_flows_are_staggered_over_a_period() -> None:
    trial = {
        "duration": "5 ms",
        "network": line("1 Gbit/s"),
        "services": {"x": {**LOOP, "count": 4, "stagger": True}},
    }
    assert simulate(trial).flows["start_ps"].tolist() == [0, MS_PS // 4, MS_PS // 2, 3 * MS_PS // 4]


def test_several_flows_are_judged_together() -> None:
    found = judged(line("100 Mbit/s", "100 us"), count=5, deadline="200 us")
    assert found == (5 * 300, 0, 0)


def test_a_service_that_stops_early_is_judged_to_its_last_message() -> None:
    assert judged(line("100 Mbit/s", "100 us"), stop="50 ms") == (50, 0, 0)
    assert judged(line("100 Mbit/s", "2 ms"), stop="50 ms", deadline="1 ms") == (50, 50, 50)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"deadline": "33 ms"}, "at most 32 periods, which is 32 ms"),
        ({"transport": {"kind": "tcp"}}, "udp: a late message is not sent again"),
        ({"size": "1473 B"}, "at most the largest MTU less 28 bytes of headers, 1472 B"),
        ({"period": "0 s"}, "a time above 0"),
    ],
)
def test_loops_that_cannot_be(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(TrialInvalid) as raised:
        judged(line("100 Mbit/s"), **changes)
    assert told in str(raised.value)
