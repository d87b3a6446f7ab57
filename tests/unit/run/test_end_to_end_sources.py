"""Workloads in whole trials: replays, traffic matrices, patterns; and senders held back at their own port."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from running import HOST, line, simulate

from netarium.errors import TrialInvalid
from netarium.units import SECOND_PS

MS_PS = SECOND_PS // 1000
ENDS = {"from": "s0", "to": "d0"}


def one(service: dict[str, Any], folder: Path | None = None, network: Any = None, **rest: Any) -> Any:
    trial = {"duration": "1 s", "network": network or line("100 Mbit/s"), "services": {"x": ENDS | service}}
    return simulate(trial | rest, folder)


def test_a_replay_of_packets_sends_each_line(tmp_path: Path) -> None:
    text = "time,size\n# two at once, then pauses\n0.0, 1400\n0,300 B\n1.5 ms,1.5 kB\n0.25,29\n0.9 s,1 kB\n"
    (tmp_path / "p.csv").write_text(text)
    service = {"kind": "replay", "file": "p.csv", "start": "50 ms"}
    samples = one(service, tmp_path, probes={"interval": "1 ms"})
    arrived = np.diff(samples.service_series["delivered_bytes"][:, 0], prepend=0)
    assert {int(at): int(arrived[at]) for at in np.flatnonzero(arrived)} == {
        51: 1400 + 300 - 2 * 28,
        52: 1500 - 28,
        301: 1,
        951: 1000 - 28,
    }
    assert samples.service_series["sent_packets"][-1, 0] == 5


def test_a_replay_stops_at_its_stop(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("0,100\n0.2,100\n0.4,100\n0.6,100\n")
    samples = one({"kind": "replay", "file": "p.csv", "stop": "0.5 s"}, tmp_path)
    assert samples.service_series["sent_packets"][-1, 0] == 3


def test_a_replay_of_flows_transfers_each_line(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("0.1,20 kB\n0.1 s,1 B\n300 ms,1.5 MB\n")
    samples = one({"kind": "replay", "unit": "flows", "file": "f.csv", "count": 2}, tmp_path)
    flows = samples.flows
    assert sorted(flows["start_ps"].tolist()) == [100 * MS_PS] * 4 + [300 * MS_PS] * 2
    assert sorted(flows["size_bytes"].tolist()) == [1, 1, 20_000, 20_000, 1_500_000, 1_500_000]
    assert (flows["delivered_bytes"] == flows["size_bytes"]).all()
    assert (flows["end_ps"] > flows["start_ps"]).all()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["0: found no lines, expected lines time,size such as 1.5 ms,1400 B"]),
        (
            "time,size\n1,2,3\nx,5\n0.1,inf\n1 s,0\n0.6,99\n0.5 s,100\n1,9 cows\n",
            [
                "2: found 1,2,3, expected two columns: time,size",
                "3: found 'x', expected a time with its unit",
                "4: found 'inf', expected a size with its unit",
                "5: found a size of 0 B, expected a size above 0",
                "7: found time 0.5 s, before the line above, expected times that do not fall",
                "8: found '9 cows', expected a size in B",
            ],
        ),
    ],
)
def test_every_mistake_of_a_replay_has_its_line(tmp_path: Path, text: str, expected: list[str]) -> None:
    (tmp_path / "r.csv").write_text(text)
    with pytest.raises(TrialInvalid) as raised:
        one({"kind": "replay", "file": "r.csv"}, tmp_path)
    assert {p.where for p in raised.value.problems} == {"services.x.file"}
    found = [f"{p.line}: found {p.found}, expected {p.expected}" for p in raised.value.problems]
    assert len(found) == len(expected)
    assert all(told.startswith(start) for told, start in zip(found, expected, strict=True))


def test_replayed_packets_fit_the_path(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("0,1500\n1 s,1501\n2 s,28\n")
    with pytest.raises(TrialInvalid) as raised:
        one({"kind": "replay", "file": "r.csv"}, tmp_path)
    assert [(p.line, p.found) for p in raised.value.problems] == [(2, "1501 B"), (3, "28 B")]


@pytest.mark.parametrize(
    "service",
    [
        {"kind": "replay", "file": "r.csv", "transport": {"kind": "tcp"}},
        {"kind": "replay", "file": "r.csv", "unit": "flows", "transport": {"kind": "udp"}},
        {"kind": "bulk", "transport": {"kind": "udp"}},
        {"kind": "request_response", "sizes": "1 kB", "arrivals": "1 /s", "transport": {"kind": "udp"}},
    ],
)
def test_a_workload_needs_the_transport_it_can_use(service: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("0,100\n")
    with pytest.raises(TrialInvalid, match="services.x.transport"):
        one(service, tmp_path)


TRIANGLE = {
    "nodes": {"a": {}, "b": {}, "c": {}},
    "links": [{"endpoints": list(pair), "rate": "1 Gbit/s", "delay": "1 ms"} for pair in ("ab", "bc", "ca")],
}
MATRIX = "from,to,rate\na,b,30 Mbit/s\nb,c,10 Mbit/s\nc,a,20 Mbit/s\n"


def demands(folder: Path, **service: Any) -> Any:
    (folder / "m.csv").write_text(MATRIX)
    service = {"kind": "demands", "matrix": {"file": "m.csv"}, **service}
    return simulate({"duration": "1 s", "network": TRIANGLE, "services": {"x": service}}, folder)


def test_demands_as_streams_have_the_rates_of_the_matrix(tmp_path: Path) -> None:
    flows = demands(tmp_path).flows
    rates = flows["sent_packets"] * 1500 * 8
    assert rates == pytest.approx([30e6, 10e6, 20e6], rel=0.002)
    assert list(zip(flows["src"].tolist(), flows["dst"].tolist(), strict=True)) == [(0, 1), (1, 2), (2, 0)]


def test_demands_as_bulk_have_the_volume_of_their_rate(tmp_path: Path) -> None:
    flows = demands(tmp_path, using="bulk", stop="0.5 s", total="120 Mbit/s").flows
    assert flows["size_bytes"].tolist() == [3_750_000, 1_250_000, 2_500_000]
    assert (flows["delivered_bytes"] == flows["size_bytes"]).all()


def test_gravity_and_uniform_share_the_total(tmp_path: Path) -> None:
    for matrix in ("gravity", "uniform"):
        flows = demands(tmp_path, matrix=matrix, total="60 Mbit/s").flows
        assert flows["sent_packets"] * 1500 * 8 == pytest.approx(np.full(6, 10e6), rel=0.002)


@pytest.mark.parametrize("on", ["2 ms", "50 us"])
def test_on_off_has_the_mean_rate_of_its_share(on: str) -> None:
    """10 Mbit/s a quarter of the time; packets of 125 bytes are 100 us apart within a burst, also if that is shorter."""
    off = "6 ms" if on == "2 ms" else "150 us"
    burst = {
        "kind": "stream",
        "rate": "10 Mbit/s",
        "packet_size": "125 B",
        "pattern": "on_off",
        "on": on,
        "off": off,
    }
    flows = one({**burst, "count": 40}).flows
    mean = flows["sent_packets"].mean()
    deviation = flows["sent_packets"].std() / np.sqrt(len(flows))
    assert mean == pytest.approx(2500, abs=4 * deviation + 1)
    assert deviation < 60


def test_poisson_has_the_mean_and_the_spread_of_its_process() -> None:
    samples = one({"kind": "stream", "rate": "24 Mbit/s", "pattern": "poisson"}, probes={"interval": "5 ms"})
    counts = np.diff(samples.service_series["sent_packets"][:, 0], prepend=0)
    assert counts.sum() == pytest.approx(2000, abs=4 * np.sqrt(2000))
    assert counts.var() / counts.mean() == pytest.approx(1, abs=4 * np.sqrt(2 / len(counts)))


@pytest.mark.parametrize("kind", ["udp", "tcp"])
def test_a_stream_of_a_size_sends_it_and_ends(kind: str) -> None:
    service = {"kind": "stream", "rate": "10 Mbit/s", "size": "100 kB", "packet_size": "1052 B"}
    samples = one({**service, "transport": {"kind": kind}})
    payload = 1052 - (28 if kind == "udp" else 52)
    assert samples.flows["delivered_bytes"][0] == -(-100_000 // payload) * payload
    assert samples.flows["end_ps"][0] == pytest.approx(84 * MS_PS, rel=0.1)


def test_segments_fill_the_mtu_with_and_without_time_stamps() -> None:
    for stamps in (True, False):
        transport = {"kind": "tcp", "timestamps": stamps}
        samples = one({"kind": "bulk", "size": "14.6 MB", "transport": transport})
        packets = samples.flows["delivered_packets"][0]
        assert samples.flows["delivered_bytes"][0] / packets == pytest.approx(
            1448 if stamps else 1460, abs=0.1
        )


IMPAIRED = {"impairments": {"loss": "1 %"}, "queue": {"kind": "pfifo", "limit": 60}}


@pytest.mark.parametrize("sender", ["s0", "a"])
def test_a_sender_never_overfills_its_own_port(sender: str) -> None:
    """The link behind it loses packets; that must not look like room in the queue, on a host or a router."""
    network = line("10 Mbit/s", access="10 Mbit/s")
    network["links"][0 if sender == "s0" else 1] |= IMPAIRED
    samples = one({"kind": "bulk", "from": sender}, network=network, duration="4 s")
    assert samples.drops[:, samples.reasons.index("DROP_IMPAIRMENT")].sum() > 20
    assert samples.drops[:, samples.reasons.index("DROP_TAIL")].sum() == 0
    assert samples.flows["delivered_bytes"][0] * 8 / 4 > 7e6


def test_a_flow_that_begins_while_its_host_is_down_gets_up_with_it() -> None:
    events = [
        {"at": "0 s", "kind": "node_down", "node": "s0"},
        {"at": "0.5 s", "kind": "node_up", "node": "s0"},
    ]
    samples = one({"kind": "bulk", "size": "3 MB"}, events=events, duration="2 s")
    assert samples.flows["delivered_bytes"][0] == 3_000_000


def test_the_stop_of_a_flow_that_has_ended_stops_no_other() -> None:
    """The slot of the first flow's connection is used again by the second one."""
    services = {
        "short": ENDS | {"kind": "bulk", "size": "10 kB", "stop": "0.5 s"},
        "long": ENDS | {"kind": "bulk", "start": "0.3 s"},
    }
    network = {"nodes": {"s0": HOST, "d0": HOST}, "links": [
        {"endpoints": ["s0", "d0"], "rate": "10 Mbit/s", "delay": "1 ms"}]}  # fmt: skip
    samples = simulate({"duration": "1 s", "network": network, "services": services})
    assert samples.flows["delivered_bytes"][1] * 8 > 0.68 * 9e6


def test_a_stream_has_no_size_to_carry() -> None:
    services = {
        "u": {**ENDS, "kind": "stream", "rate": "1 Mbit/s"},
        "b": {**ENDS, "kind": "bulk", "size": "9 kB"},
    }
    samples = simulate({"duration": "0.1 s", "network": line("100 Mbit/s"), "services": services})
    assert samples.flows["size_bytes"].tolist() == [-1, 9000]
