"""Links whose rate changes, in whole trials: what arrives is what the trace or the events offer, exactly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from running import line, simulate

from netarium.errors import TrialInvalid
from netarium.units import SECOND_PS

MS_PS = SECOND_PS // 1000
WIRE_BITS = 8 * 1538
OVERLOAD = {"u": {"kind": "stream", "from": "s0", "to": "d0", "rate": "50 Mbit/s"}}
"""More than any of the rates below; 1500-byte packets."""


def overloaded(network: dict[str, Any], folder: Path | None = None, events: Any = ()) -> Any:
    """Samples of one second; instants every 10 ms."""
    trial = {"duration": "1 s", "network": network, "services": OVERLOAD, "events": list(events)}
    return simulate(trial | {"probes": {"interval": "10 ms"}}, folder)


def delivered_by(samples: Any, time_ps: int) -> int:
    return int(samples.service_series["delivered_packets"][np.searchsorted(samples.times_ps, time_ps), 0])


def offered_by(points: list[tuple[int, int]], time_ps: int) -> float:
    """Bits that a piecewise constant rate lets through until `time_ps`."""
    ends = [at for at, _ in points[1:]] + [time_ps]
    spans = [(min(end, time_ps) - at, rate) for (at, rate), end in zip(points, ends, strict=True)]
    return sum(span * rate / SECOND_PS for span, rate in spans if span > 0)


def test_a_mahimahi_trace_delivers_a_packet_at_each_opportunity(tmp_path: Path) -> None:
    round_ms = (1, 2, 2, 3, 5, 5, 5, 8, 10)
    (tmp_path / "cellular").write_text("\n".join(map(str, round_ms)) + "\n")
    network = line("100 Mbit/s", "1 ms", rate_trace={"file": "cellular"})
    samples = overloaded(network, tmp_path)
    opportunities_ms = np.array([10 * k + at for k in range(100) for at in round_ms])
    for time_ms in (100, 500, 770, 1000):
        expected = int((opportunities_ms + 1 < time_ms).sum())  # one millisecond away, and a last short link
        assert delivered_by(samples, time_ms * MS_PS) == expected


def test_a_mahimahi_trace_that_does_not_loop_ends(tmp_path: Path) -> None:
    (tmp_path / "short").write_text("1\n2\n3\n")
    network = line("100 Mbit/s", rate_trace={"file": "short", "loop": False})
    assert overloaded(network, tmp_path).flows["delivered_packets"][0] == 3


def test_a_csv_trace_delivers_the_integral_of_its_rate(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("time,rate\n0 s,10 Mbit/s\n0.2 s,0\n0.3 s,30 Mbit/s\n0.5 s,0\n")
    points = [(0, 10**7), (2, 0), (3, 3 * 10**7), (5, 10**7), (7, 0), (8, 3 * 10**7), (10, 0)]
    points = [(tenths * SECOND_PS // 10, rate) for tenths, rate in points]
    network = line("100 Mbit/s", "0 s", rate_trace={"file": "r.csv", "format": "csv"})
    samples = overloaded(network, tmp_path)
    for tenths in (2, 3, 4, 5, 7, 9, 10):
        bits = offered_by(points, tenths * SECOND_PS // 10)
        assert delivered_by(samples, tenths * SECOND_PS // 10) == pytest.approx(bits / WIRE_BITS, abs=1.01)


def test_rate_changes_deliver_the_integral_of_the_rate() -> None:
    events = [
        {"at": "0.6 s", "kind": "rate_change", "link": "a-b", "rate": "4 Mbit/s"},
        {"at": "0.2 s", "kind": "rate_change", "link": ["a", "b"], "rate": "20 Mbit/s"},
    ]
    points = [(0, 10**7), (2 * SECOND_PS // 10, 2 * 10**7), (6 * SECOND_PS // 10, 4 * 10**6)]
    samples = overloaded(line("10 Mbit/s", "0 s"), events=events)
    for tenths in (1, 2, 4, 6, 8, 10):
        bits = offered_by(points, tenths * SECOND_PS // 10)
        assert delivered_by(samples, tenths * SECOND_PS // 10) == pytest.approx(bits / WIRE_BITS, abs=1.01)


def test_only_one_direction_follows_its_trace(tmp_path: Path) -> None:
    (tmp_path / "slow").write_text("10\n")
    network = line("20 Mbit/s", forward={"rate_trace": {"file": "slow"}})
    services = OVERLOAD | {"v": {"kind": "stream", "from": "d0", "to": "s0", "rate": "50 Mbit/s"}}
    samples = simulate({"duration": "0.2 s", "network": network, "services": services}, tmp_path)
    there, back = samples.flows["delivered_packets"].tolist()
    assert there == 19
    assert back == pytest.approx(20e6 * 0.199 / WIRE_BITS, abs=1.01)


def faults(network: dict[str, Any], folder: Path, events: Any = ()) -> list[str]:
    with pytest.raises(TrialInvalid) as raised:
        overloaded(network, folder, events)
    return [f"{p.where}: line {p.line}: {p.found}" for p in raised.value.problems]


def test_every_mistake_of_a_trace_is_told_once_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "broken").write_text("1\nx\n3\n2\n")
    (tmp_path / "late").write_text("1,5\n")
    network = line("20 Mbit/s", rate_trace={"file": "broken"})
    network["links"][2]["backward"] = {"rate_trace": {"file": "late", "format": "csv", "loop": False}}
    assert faults(network, tmp_path) == [
        "network.links[1].rate_trace.file: line 2: 'x'",
        "network.links[1].rate_trace.file: line 4: 2 after 3",
        "network.links[2].backward.rate_trace.file: line 0: a trace that begins later than 0 s",
    ]


def test_a_trace_and_changes_of_rate_exclude_each_other(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("1\n")
    events = [{"at": "0.5 s", "kind": "rate_change", "link": "a-b", "rate": "1 Mbit/s"}]
    found = faults(line("20 Mbit/s", rate_trace={"file": "t"}), tmp_path, events)
    assert len(found) == 1
    assert found[0].startswith("network.links[1].rate_trace: line 0: a rate that follows 't', and")
