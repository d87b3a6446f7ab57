"""Captures of real frames: the very bytes, the instants of the record, cut at the snap length; models beside them."""

from __future__ import annotations

import io
import time
from typing import Any

import dpkt
from on_sockets import running, tcp4, transport_is_right, udp4
from test_frames import plan
from test_trains import MSS, payload, vnet

from netarium.store import pcapng


def read(table: Any) -> list[tuple[float, bytes]]:
    """(instant s, bytes) of a capture, as dpkt reads its file."""
    file = io.BytesIO()
    pcapng.write(file, table, "trial x", "netarium")
    file.seek(0)
    return list(dpkt.pcapng.Reader(file))


def captured(*sent: tuple[bytes, bytes], snap: str = "2000 B", **more: Any) -> tuple[list, list[bytes], Any]:
    """What was captured on the second link of frames sent 20 ms apart, what arrived, and the samples."""
    real = plan(probes={"capture": [{"port": "r->b", "snap": snap}]}, **more)
    with running(real, offload=True) as session:
        for frame, header in sent:
            session.wires["a"].send(frame, header)
            time.sleep(0.02)
        arrived = session.wires["b"].all()
    return read(session.samples.captures[0]), arrived, session.samples


def test_payload_and_headers_are_those_of_the_wire() -> None:
    """Behind the router: its time to live is taken off; the last bit left the transmitter one propagation before arrival."""
    packets, arrived, samples = captured((udp4(b"real payload"), bytes(10)), (udp4(b"another"), bytes(10)))
    assert [data[14:] for _, data in packets] == [frame[24:] for frame in arrived]
    assert all(transport_is_right(data) for _, data in packets)
    assert 0.02 <= packets[1][0] - packets[0][0] < 0.06
    latency_ps = [int(samples.latency_min_ps[0]), int(samples.latency_max_ps[0])]
    assert latency_ps[0] >= 10e9


def test_a_train_is_captured_packet_by_packet() -> None:
    """With the lengths, numbers and checksums that its segments have on the wire."""
    packets, _, samples = captured((tcp4(payload(4), flags=0x18), vnet()))
    assert len(packets) == 4
    assert all(transport_is_right(data) and len(data) == 66 + MSS for _, data in packets)
    segments = [dpkt.ethernet.Ethernet(data).data.data for _, data in packets]
    assert [segment.seq for segment in segments] == [1 + i * MSS for i in range(4)]
    assert [segment.flags for segment in segments] == [0x10, 0x10, 0x10, 0x18]
    assert b"".join(segment.data for segment in segments) == payload(4)
    gaps = [later[0] - sooner[0] for sooner, later in zip(packets, packets[1:], strict=False)]
    each_s = (MSS + 52 + 38) * 8 / 1e9
    assert all(abs(gap - each_s) < 2e-9 for gap in gaps)
    assert samples.captures[0].packets["start"][:, 1].tolist() == [66 + MSS] * 4


def test_snap_length_cuts() -> None:
    packets, _, _ = captured((udp4(bytes(range(200))), bytes(10)), snap="60 B")
    assert packets[0][1][42:] == bytes(range(18))


def test_models_are_captured_beside_real_frames() -> None:
    stream = {"kind": "stream", "from": "a", "to": "b", "rate": "80 kbit/s", "packet_size": "1000 B"}
    real = plan(probes={"capture": [{"port": "r->b", "snap": "2000 B"}]}, services={"s": stream})
    with running(real, offload=True) as session:
        time.sleep(0.3)
        session.wires["a"].send(udp4(b"real"))
        session.wires["b"].all()
        time.sleep(0.2)
    packets = [dpkt.ethernet.Ethernet(data).data.data.data for _, data in read(session.samples.captures[0])]
    assert packets.count(b"real") == 1
    assert len(packets) > 3
    assert all(data in (b"real", bytes(972)) for data in packets)
