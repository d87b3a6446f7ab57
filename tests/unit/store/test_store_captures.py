"""Captures of whole trials, read by dpkt and by tshark: headers, numbers, options, checksums, instants."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import dpkt
import numpy as np
import pytest
from running import described, line, simulate

from netarium.errors import TrialInvalid
from netarium.run.captured import CaptureTable
from netarium.run.kernel import records as r
from netarium.run.samples import Samples
from netarium.store import pcapng
from netarium.store.names import file_names
from netarium.store.store import create, load

NETWORK = line("20 Mbit/s", "10 ms", queue={"kind": "fq_codel", "ecn": True})
LOSSY = line("20 Mbit/s", "10 ms", queue={"kind": "pfifo", "limit": 20})
BULK = {"kind": "bulk", "from": "s0", "to": "d0", "size": "700001 B"}
STREAM = {"kind": "stream", "from": "s0", "to": "d0", "rate": "2 Mbit/s", "packet_size": "200 B"}
ASKED = {"kind": "request_response", "from": "d0", "to": "s0", "sizes": "20001 B", "arrivals": "20 /s"}
WHOLE = "2000 B"
TSHARK = shutil.which("tshark")
needs_tshark = pytest.mark.skipif(TSHARK is None, reason="tshark is not installed (apt install tshark)")


def captured(services: dict[str, Any], *ports: str, network: Any = NETWORK, snap: str = WHOLE) -> Samples:
    capture = [{"port": port, "snap": snap} for port in ports]
    trial = {"duration": "0.7 s", "network": network, "services": services, "probes": {"capture": capture}}
    return simulate(trial)


@cache
def bulk() -> Samples:
    """A lossy transfer, seen where it leaves its host and where its ACKs come back."""
    reno = {"kind": "tcp", "congestion": "reno"}  # whose slow start goes on until packets are lost
    return captured({"t": {**BULK, "transport": reno}}, "s0->a", "b->a", network=LOSSY)


@cache
def mixed() -> Samples:
    """A transfer with ECN, datagrams, and answers that go the other way."""
    transport = {"kind": "tcp", "ecn": True}
    services = {"t": {**BULK, "transport": transport}, "u": STREAM, "q": ASKED}
    return captured(services, "a->b", "b->a")


def written(table: CaptureTable) -> bytes:
    file = io.BytesIO()
    pcapng.write(file, table, "trial x, run y", "netarium")
    return file.getvalue()


def frames(table: CaptureTable) -> list[tuple[float, Any, bytes]]:
    """(instant, IP packet as dpkt reads it, raw frame) of each packet."""
    packets = dpkt.pcapng.Reader(io.BytesIO(written(table)))
    return [(float(at), dpkt.ethernet.Ethernet(raw).data, raw) for at, raw in packets]


def ones_complement(data: bytes) -> int:
    padded = data + bytes(len(data) % 2)
    total = sum(struct.unpack(f">{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


@pytest.mark.parametrize("made", [bulk, mixed])
def test_lengths_instants_and_checksums(made: Any) -> None:
    for table in made().captures:
        read = frames(table)
        assert len(read) == len(table.packets) > 250
        for (at, ip, raw), packet in zip(read, table.packets, strict=True):
            assert at == pytest.approx(packet["time_ps"] / 1e12, abs=1e-9)
            assert len(raw) == packet["size_bytes"] + 14
            assert ip.len == packet["size_bytes"]
            assert ones_complement(raw[14:34]) == 0xFFFF
            payload = raw[34:]
            pseudo = ip.src + ip.dst + bytes([0, ip.p]) + len(payload).to_bytes(2, "big")
            assert ones_complement(pseudo + payload) == 0xFFFF
            assert not any(bytes(ip.data.data))


def test_data_has_the_bytes_of_its_segments() -> None:
    data, _ = bulk().captures
    mss = 1448
    for (_, ip, _), packet in list(zip(frames(data), data.packets, strict=True))[1:]:
        assert ip.data.seq == 1 + int(packet["seq"]) * mss
        assert ip.data.ack == 1
        is_last = packet["seq"] == 700_001 // mss
        assert len(ip.data.data) == (700_001 % mss if is_last else mss)
        assert bool(ip.data.flags & dpkt.tcp.TH_PUSH) == is_last
    assert ip.data.seq + len(ip.data.data) <= 1 + 700_001


def test_acknowledgements_have_numbers_and_sack_blocks_in_bytes() -> None:
    _, acks = bulk().captures
    blocks_seen = 0
    for (_, ip, _), packet in list(zip(frames(acks), acks.packets, strict=True))[1:]:
        assert ip.data.flags == dpkt.tcp.TH_ACK
        assert (ip.data.seq, ip.data.ack) == (1, 1 + min(int(packet["seq"]) * 1448, 700_001))
        options = dict(dpkt.tcp.parse_opts(ip.data.opts))
        stamps = options[dpkt.tcp.TCP_OPT_TIMESTAMP]
        assert int.from_bytes(stamps[4:], "big") == packet["sent_ps"] // 10**9
        if packet["blocks"]:
            edges = np.frombuffer(options[dpkt.tcp.TCP_OPT_SACK], ">u4").reshape(-1, 2).tolist()
            count = int(packet["blocks"])
            known = zip(packet["start"][:count].tolist(), packet["end"][:count].tolist(), strict=True)
            assert edges == [[1 + a * 1448, 1 + min(b * 1448, 700_001)] for a, b in known]
            blocks_seen += 1
    assert blocks_seen > 20
    assert ip.data.ack == 700_002


def test_the_handshake_has_linux_options() -> None:
    steps = (dpkt.tcp.TH_SYN, dpkt.tcp.TH_SYN | dpkt.tcp.TH_ACK)
    for table, flags in zip(bulk().captures, steps, strict=True):
        _, ip, _ = frames(table)[0]
        options = dict(dpkt.tcp.parse_opts(ip.data.opts))
        assert (ip.data.flags, ip.data.seq, ip.len) == (flags, 0, 60)
        assert options[dpkt.tcp.TCP_OPT_MSS] == (1460).to_bytes(2, "big")
        assert options[dpkt.tcp.TCP_OPT_SACKOK] == b""
        assert options[dpkt.tcp.TCP_OPT_WSCALE] == bytes([14])
        assert len(options[dpkt.tcp.TCP_OPT_TIMESTAMP]) == 8


def test_options_that_are_not_offered_are_padding() -> None:
    plain = {"kind": "tcp", "sack": False, "timestamps": False, "window_scaling": False}
    made = captured({"t": {**BULK, "transport": plain}}, "s0->a", "a->s0", network=LOSSY)
    (_, syn, _), (_, first, _) = frames(made.captures[0])[:2]
    offered = {kind for kind, _ in dpkt.tcp.parse_opts(syn.data.opts)}
    assert offered == {dpkt.tcp.TCP_OPT_NOP, dpkt.tcp.TCP_OPT_MSS}
    assert (syn.data.win, first.data.win, first.data.opts) == (65535, 65535, b"")
    assert all(ip.data.opts == b"" for _, ip, _ in frames(made.captures[1])[1:])


def test_who_opens_has_the_ephemeral_port() -> None:
    seen = {"a->b": set(), "b->a": set()}
    for table in mixed().captures:
        for _, ip, _ in frames(table):
            seen[table.port].add((ip.src, ip.data.sport, ip.data.dport))
    there, back = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
    assert {(there, 32768, 50000), (there, 32768, 50001), (there, 32769, 50002)} <= seen["a->b"]
    assert {(back, 50000, 32768), (back, 50002, 32769)} <= seen["b->a"]
    assert all(src == there for src, _, _ in seen["a->b"])
    assert all(src == back for src, _, _ in seen["b->a"])


def test_a_request_is_answered() -> None:
    asking, answering = mixed().captures
    ports = (32768, 50002)
    first = [ip.data for _, ip, _ in frames(asking) if (ip.data.sport, ip.data.dport) == ports]
    answer = [ip.data for _, ip, _ in frames(answering) if (ip.data.dport, ip.data.sport) == ports]
    assert [(t.seq, t.ack, len(t.data)) for t in first[:3]] == [(0, 0, 0), (1, 1, 100), (101, 2897, 0)]
    assert [(t.seq, t.ack, len(t.data)) for t in answer[:3]] == [(0, 1, 0), (1, 101, 1448), (1449, 101, 1448)]
    assert first[-1].ack == answer[-1].seq + len(answer[-1].data) == 20_002


def test_congestion_is_seen_in_both_headers() -> None:
    made = mixed()
    data = [ip for _, ip, _ in frames(made.captures[0]) if ip.data.dport == 50000]
    acks = [ip for _, ip, _ in frames(made.captures[1]) if ip.data.sport == 50000]
    assert data[0].data.flags == dpkt.tcp.TH_SYN | dpkt.tcp.TH_ECE | dpkt.tcp.TH_CWR
    assert acks[0].data.flags == dpkt.tcp.TH_SYN | dpkt.tcp.TH_ACK | dpkt.tcp.TH_ECE
    assert {ip.tos & 3 for ip in data[1:]} == {r.ECT_0, r.CE}
    assert any(ip.data.flags & dpkt.tcp.TH_CWR for ip in data[1:])
    assert any(ip.data.flags & dpkt.tcp.TH_ECE for ip in acks[1:])


def test_the_snap_length_cuts_and_the_limit_stops() -> None:
    capture = [{"port": "a->b", "snap": "60 B", "packets": 25}, {"port": "b->a", "snap": "31 B"}]
    trial = {"duration": "0.2 s", "network": NETWORK, "services": {"t": BULK}, "probes": {"capture": capture}}
    there, back = simulate(trial).captures
    raw = [raw for _, raw in dpkt.pcapng.Reader(io.BytesIO(written(there)))]
    assert [len(part) for part in raw] == [60] * 25
    whole = [raw for _, raw in dpkt.pcapng.Reader(io.BytesIO(written(back)))]
    assert {len(part) for part in whole} == {31}


def test_a_port_without_packets_gives_a_file_without_packets() -> None:
    made = captured({"u": STREAM}, "b->a")
    assert list(dpkt.pcapng.Reader(io.BytesIO(written(made.captures[0])))) == []


def test_files_are_named_for_their_ports() -> None:
    ports = ["a->b", "a->b#2", "a/b->c", "a_b->c", "A->B", "北京->上海"]
    assert file_names(ports) == ["a-to-b", "a-to-b_2", "a_b-to-c", "a_b-to-c_2", "A-to-B_3", "北京-to-上海"]


def test_the_run_folder_keeps_the_captures(tmp_path: Path) -> None:
    probes = {"capture": [{"port": "a->b"}]}
    trial = {"duration": "0.1 s", "network": NETWORK, "services": {"u": STREAM}, "probes": probes}
    folder = create(tmp_path, described(trial))
    folder.write_results(simulate(trial), {"format": 1, "trial": "test"})
    folder.finish("succeeded", 0)
    assert "captures/a-to-b.pcapng" in {entry["path"] for entry in load(folder.path).stop["files"]}
    content = (folder.path / "captures/a-to-b.pcapng").read_bytes()
    assert f"trial test, run {folder.name};".encode() in content[:400]
    assert b"a->b" in content[:400]


def tshark(path: Path, *options: str) -> list[list[str]]:
    checks = [f"-o{protocol}.check_checksum:TRUE" for protocol in ("ip", "tcp", "udp")]
    asked = [TSHARK, "-r", path, *checks, *options]
    ran = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=True)
    return [text.split("\t") for text in ran.stdout.splitlines()]


CHECKSUMS = tuple(f"{protocol}.checksum.status" for protocol in ("ip", "tcp", "udp"))
FIELDS = ("frame.interface_name", "_ws.col.Protocol", "_ws.malformed", *CHECKSUMS)


@needs_tshark
@pytest.mark.parametrize("made", [bulk, mixed])
def test_tshark_has_no_complaint(made: Any, tmp_path: Path) -> None:
    for table in made().captures:
        path = tmp_path / "port.pcapng"
        path.write_bytes(written(table))
        fields = [word for field in FIELDS for word in ("-e", field)]
        rows = tshark(path, "-z", "expert", "-T", "fields", *fields)
        packets = [row for row in rows if row[0] == table.port]
        assert len(packets) == len(table.packets)
        good = {(table.port, "TCP", "", "1", "1", ""), (table.port, "UDP", "", "1", "", "1")}
        assert {tuple(row) for row in packets} <= good
        expert = "".join(row[0] for row in rows[len(packets) :])
        assert "Chats" in expert
        assert "Errors" not in expert


@needs_tshark
def test_tshark_finds_our_retransmissions(tmp_path: Path) -> None:
    path = tmp_path / "sender.pcapng"
    path.write_bytes(written(bulk().captures[0]))
    again = "tcp.analysis.retransmission || tcp.analysis.out_of_order"
    found = len(tshark(path, "-Y", again, "-T", "fields", "-e", "frame.number"))
    ours = int(bulk().flows["retransmissions"][0])
    assert ours > 20
    assert found == ours


def test_a_port_is_captured_once() -> None:
    with pytest.raises(TrialInvalid, match=r"probes.capture\[1\].port: found 'a->b' again"):
        captured({"u": STREAM}, "a->b", "a->b")
