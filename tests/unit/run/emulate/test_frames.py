"""Frames through the engine in real time: what comes out at the other host, when, and how it is counted."""

from __future__ import annotations

import socket
import struct
import time
from typing import Any

import dpkt
import pytest
from on_sockets import checksum, ethernet, running, tcp4, transport_is_right, udp4, udp6

from bench.real_hosts import address, line, real_plan

IDLE = {"kind": "stream", "from": "a", "to": "b", "rate": "8 kbit/s", "start": "29 s"}


def plan(network: dict[str, Any] | None = None, real: tuple[str, ...] = ("a", "b"), **more: Any) -> Any:
    """A plan of 30 s (a test ends it) with one service that never begins."""
    trial = {
        "duration": "30 s",
        "network": network or line("1 Gbit/s", "10 ms"),
        "services": {"s": IDLE},
        **more,
    }
    return real_plan(trial, real, rules=[("s", "a", "b")])


def dropped(session: Any) -> dict[str, int]:
    return session.samples.conservation["dropped"]


def test_a_datagram_is_routed() -> None:
    """Later by the path's delay, addressed by the last hop, its time to live less by the router, and else the same."""
    with running(plan()) as session:
        sent = udp4(b"hello, world" * 9)
        began = time.monotonic()
        session.wires["a"].send(sent)
        got = session.wires["b"].receive()
        took = time.monotonic() - began
    assert 0.010 <= took < 0.1
    assert got[:6] == session.wires["b"].mac
    assert got[6:12] == bytes.fromhex("02fe00000003")  # the router's side of host b's link
    assert got[14 + 8] == sent[14 + 8] - 1
    assert transport_is_right(got)
    one, two = bytearray(sent), bytearray(got)
    for same in (slice(0, 12), slice(22, 23), slice(24, 26)):
        one[same] = two[same]
    assert bytes(one) == bytes(two)
    books = session.samples.conservation
    assert (books["sent"], books["delivered"], books["in_flight"]) == (1, 1, 0)


def test_ipv6_is_routed() -> None:
    with running(plan()) as session:
        sent = udp6(b"six" * 33)
        session.wires["a"].send(sent)
        got = session.wires["b"].receive()
    assert got[14 + 7] == 63
    assert got[14 + 8 :] == sent[14 + 8 :]


def test_direct_link_carries_everything() -> None:
    """Between two real hosts, ARP and all, unchanged."""
    network = {
        "nodes": {"a": {"kind": "host"}, "b": {"kind": "host"}},
        "links": [{"endpoints": ["a", "b"], "rate": "1 Gbit/s", "delay": "1 ms"}],
    }
    with running(plan(network)) as session:
        frames = [ethernet(bytes(46), 0x0806, b"\xff" * 6), udp4(b"as it is")]
        for frame in frames:
            session.wires["a"].send(frame)
        got = [session.wires["b"].receive() for _ in frames]
    assert got == frames


def test_what_nobody_owns_is_dropped_and_multicast_ends_at_the_router() -> None:
    with running(plan()) as session:
        session.wires["a"].send(udp4(b"to nobody", target=200))
        hello = bytearray(udp4(b"to all"))
        hello[30:34] = socket.inet_aton("224.0.0.5")
        session.wires["a"].send(bytes(hello))
        session.wires["a"].send(udp4(b"to b"))
        assert len(session.wires["b"].all()) == 1
    assert dropped(session) == {"DROP_NO_ROUTE": 1}
    assert session.samples.conservation["delivered"] == 2


def test_short_frames_are_padded_by_nobody_and_padding_is_cut() -> None:
    with running(plan()) as session:
        session.wires["a"].send(udp4(b"x") + bytes(20))
        got = session.wires["b"].receive()
    assert len(got) == len(udp4(b"x"))


@pytest.mark.parametrize("ttl", [1, 2])
def test_time_to_live_ends_at_a_router(ttl: int) -> None:
    """a - r - s - b: the first router answers to 1, the second to 2; both quote what they had."""
    network = line("1 Gbit/s", "1 ms")
    network["nodes"]["s"] = {"kind": "router"}
    network["links"][1]["endpoints"] = ["r", "s"]
    network["links"].append({"endpoints": ["s", "b"], "rate": "1 Gbit/s", "delay": "1 ms"})
    real = plan(network)
    with running(real) as session:
        sent = udp4(b"trace", ttl=ttl)
        session.wires["a"].send(sent)
        got = session.wires["a"].receive()
        assert session.wires["b"].receive(0.1) is None
    packet = dpkt.ethernet.Ethernet(got).data
    router = real.emulation.names["r" if ttl == 1 else "s"][0]
    assert socket.inet_ntoa(packet.src) == router
    assert socket.inet_ntoa(packet.dst) == address(0)
    assert (packet.icmp.type, packet.icmp.code) == (11, 0)
    assert bytes(packet.icmp)[8:36] == sent[14:42]
    assert checksum(bytes(packet.icmp)) == 0
    assert checksum(bytes(packet)[:20]) == 0


def test_packet_too_big() -> None:
    with running(plan(line("1 Gbit/s", "1 ms", mtu="1000 B"))) as session:
        session.wires["a"].send(udp4(bytes(1200)))
        packet = dpkt.ethernet.Ethernet(session.wires["a"].receive()).data
        session.wires["a"].send(udp4(bytes(900)))
        assert session.wires["b"].receive() is not None
    assert (packet.icmp.type, packet.icmp.code) == (3, 4)
    assert struct.unpack("!H", bytes(packet.icmp)[6:8])[0] == 1000


def test_a_router_can_be_pinged() -> None:
    real = plan()
    with running(real) as session:
        echo = dpkt.icmp.ICMP(type=8, data=dpkt.icmp.ICMP.Echo(id=5, seq=6, data=b"ping" * 10))
        packet = dpkt.ip.IP(
            src=socket.inet_aton(address(0)),
            dst=socket.inet_aton(real.emulation.names["r"][0]),
            p=1,
            data=echo,
        )
        packet.len = len(packet)
        session.wires["a"].send(ethernet(bytes(packet), 0x0800))
        answer = dpkt.ethernet.Ethernet(session.wires["a"].receive()).data
    assert answer.icmp.type == 0
    assert bytes(answer.icmp)[4:] == bytes(echo)[4:]
    assert checksum(bytes(answer.icmp)) == 0
    assert answer.src == packet.dst


def test_corruption_flips_one_bit_and_is_not_delivered_to_the_service() -> None:
    with running(plan(line("1 Gbit/s", "1 ms", impairments={"corrupt": 1.0}))) as session:
        sent = tcp4(bytes(range(200)))
        session.wires["a"].send(sent)
        got = session.wires["b"].receive()
    flipped = sum((x ^ y).bit_count() for x, y in zip(sent[34:], got[34:], strict=True))
    assert flipped == 1
    assert not transport_is_right(got)
    series = session.samples.service_series[-1, 0]
    assert (series["sent_packets"], series["received_packets"]) == (1, 0)


def test_duplicates_arrive_twice_and_count_once() -> None:
    with running(plan(line("1 Gbit/s", "1 ms", impairments={"duplicate": 1.0}))) as session:
        session.wires["a"].send(udp4(b"twice"))
        got = session.wires["b"].all()
    assert len(got) == 2
    assert got[0] == got[1]
    series = session.samples.service_series[-1, 0]
    assert (series["sent_packets"], series["received_packets"], series["delivered_packets"]) == (2, 2, 1)
    assert series["delivered_bytes"] == 5


def test_a_service_is_measured() -> None:
    """Both directions carry payload of it; one-way latency is that of the path."""
    with running(plan()) as session:
        for _ in range(20):
            session.wires["a"].send(udp4(bytes(100)))
            time.sleep(0.005)
        session.wires["b"].all()
    samples = session.samples
    series = samples.service_series[-1, 0]
    assert (series["sent_packets"], series["delivered_packets"], series["delivered_bytes"]) == (20, 20, 2000)
    assert samples.latency_count[0] == 20
    assert 10.0e9 <= samples.latency_min_ps[0] < 11e9
    assert samples.engine["real_time"]["other_packets"] == 0


def test_tcp_sent_again_is_seen_by_its_numbers() -> None:
    with running(plan()) as session:
        for seq in (1, 101, 101, 201):
            session.wires["a"].send(tcp4(bytes(100), seq=seq))
        session.wires["b"].all()
    series = session.samples.service_series[-1, 0]
    assert (series["sent_bytes"], series["retransmissions"]) == (300, 1)


def test_frames_of_no_rule_are_reported() -> None:
    trial = {"duration": "30 s", "network": line("1 Gbit/s", "1 ms"), "services": {"s": IDLE}}
    with running(real_plan(trial, ("a", "b"))) as session:
        session.wires["a"].send(udp4(bytes(72)))
        session.wires["b"].all()
    facts = session.samples.engine["real_time"]
    assert (facts["other_packets"], facts["other_bytes"], facts["other_delivered"]) == (1, 100, 1)


def test_a_full_queue_drops() -> None:
    """60 datagrams at once into 800 kbit/s and ten places: most are lost, and every one is accounted for."""
    network = line("800 kbit/s", "1 ms", queue={"kind": "pfifo", "limit": 10})
    with running(plan(network)) as session:
        for _ in range(60):
            session.wires["a"].send(udp4(bytes(1000 - 28 - 38)))
        arrived = len(session.wires["b"].all())
    assert 11 <= arrived < 40
    assert dropped(session) == {"DROP_TAIL": 60 - arrived}


def test_a_link_that_is_down_carries_nothing() -> None:
    events = [{"at": "300 ms", "kind": "link_down", "link": "r-b"}]
    with running(plan(events=events)) as session:
        session.wires["a"].send(udp4(b"before"))
        assert session.wires["b"].receive() is not None
        time.sleep(0.5)
        session.wires["a"].send(udp4(b"after"))
        assert session.wires["b"].receive(0.3) is None
    assert sum(dropped(session).values()) == 1


def test_a_host_that_is_gone_does_not_stop_the_others() -> None:
    with running(plan()) as session:
        session.wires["b"].side.close()
        session.wires["a"].send(udp4(b"nobody home"))
        time.sleep(0.2)
    assert dropped(session) == {"DROP_LINK_DOWN": 1}
    assert session.engine.memory.real[0].passes < 2000


def test_models_and_frames_share_a_queue() -> None:
    """A modelled stream of 8 Mbit/s fills a link of 8.5: a real datagram waits with it, and all is accounted for."""
    network = line("8500 kbit/s", "1 ms", queue={"kind": "pfifo", "limit": 20})
    network["nodes"] |= {"m": {"kind": "host"}, "n": {"kind": "host"}}
    network["links"] += [
        {"endpoints": ["m", "r"], "rate": "1 Gbit/s", "delay": "1 us"},
        {"endpoints": ["n", "b"], "rate": "1 Gbit/s", "delay": "1 us"},
    ]
    network["nodes"]["b"] = {"kind": "router"}
    network["nodes"]["c"] = {"kind": "host"}
    network["links"].append({"endpoints": ["b", "c"], "rate": "1 Gbit/s", "delay": "1 us"})
    services = {
        "s": {**IDLE, "to": "n", "from": "m"},
        "load": {"kind": "stream", "from": "m", "to": "n", "rate": "9 Mbit/s"},
    }
    real = real_plan(
        {"duration": "30 s", "network": network, "services": services}, ("a", "c"), rules=[("s", "a", "c")]
    )
    with running(real) as session:
        time.sleep(1.0)
        began = time.monotonic()
        while session.wires["c"].receive(0.2) is None:
            session.wires["a"].send(udp4(b"among models"))
        assert time.monotonic() - began > 0.01
    samples = session.samples
    assert samples.service_series[-1]["delivered_bytes"][samples.services.index("load")] > 500_000
    assert dropped(session)["DROP_TAIL"] > 0


def test_frames_of_a_slice_pass_what_is_not_in_it() -> None:
    """10 Mbit/s, filled by a modelled stream of 20, with 120 ms of queue: a real frame in the slice hardly waits."""
    network = line("10 Mbit/s", "1 ms", queue={"kind": "pfifo", "limit": 100})
    network["nodes"]["m"] = {"kind": "host"}
    network["links"].append({"endpoints": ["m", "r"], "rate": "1 Gbit/s", "delay": "1 us"})
    load = {"kind": "stream", "from": "m", "to": "b", "rate": "20 Mbit/s"}
    slices = {"express": {"from": "a", "to": "b", "bandwidth": "1 Mbit/s", "latency": "20 ms"}}
    trial = {"duration": "30 s", "network": network, "slices": slices, "services": {"s": IDLE, "load": load}}
    latency_ms = {}
    for band in (1, 0):
        with running(real_plan(trial, ("a", "b"), rules=[("s", "a", "b", band)])) as session:
            time.sleep(0.5)
            while session.wires["b"].receive(0.2) is None:
                session.wires["a"].send(udp4(b"express"))
        latency_ms[band] = session.samples.latency_min_ps[0] / 1e9
    assert latency_ms[1] < 20 < 60 < latency_ms[0]
