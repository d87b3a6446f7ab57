"""Trains of segments: read at once, carried as single packets, written as trains again where they come in a row."""

from __future__ import annotations

import struct
import time
from typing import Any

import pytest
from on_sockets import Session, checksum, running, tcp4
from test_frames import plan

from bench.real_hosts import line
from netarium.errors import MachineCannot

MSS = 1000
HEAD = 14 + 20 + 32


def vnet(segment_bytes: int = MSS) -> bytes:
    """The virtio-net header of a train: checksum left to be done, TSO over IPv4."""
    return struct.pack("<BBHHHH", 1, 1, HEAD, segment_bytes, 34, 16)


def payload(count: int) -> bytes:
    return b"".join(struct.pack("!I", number) * (MSS // 4) for number in range(count))


def cut(frame: bytes) -> list[tuple[int, bytes, int]]:
    """(sequence number, payload, flags) of the segments of what a host receives, as its kernel would cut it."""
    flags, gso_type, _, segment_bytes, start, offset = struct.unpack("<BBHHHH", frame[:10])
    packet = frame[10:]
    assert checksum(packet[14:34]) == 0
    assert struct.unpack("!H", packet[16:18])[0] == len(packet) - 14
    seq, data, tcp_flags = struct.unpack("!I", packet[38:42])[0], packet[HEAD:], packet[47]
    if not flags & 1:
        return [(seq, data, tcp_flags)]
    assert (start, offset) == (34, 16)
    partial = struct.unpack("!H", packet[50:52])[0]
    pseudo = packet[26:34] + struct.pack("!HH", 6, len(packet) - 34)
    assert partial == checksum(pseudo) ^ 0xFFFF
    if not gso_type:
        return [(seq, data, tcp_flags)]
    assert len(data) > segment_bytes
    pieces = [data[at : at + segment_bytes] for at in range(0, len(data), segment_bytes)]
    last = len(pieces) - 1
    return [
        (seq + i * segment_bytes, piece, tcp_flags if i == last else tcp_flags & ~9)
        for i, piece in enumerate(pieces)
    ]


def segments(frames: list[bytes]) -> list[tuple[int, bytes, int]]:
    return [segment for frame in frames for segment in cut(frame)]


def carried(real: Any, *trains: tuple[bytes, bytes]) -> tuple[list[bytes], Any]:
    """What comes of (frame, virtio-net header)s sent at once, and the session."""
    with running(real, offload=True) as session:
        for frame, header in trains:
            session.wires["a"].send(frame, header)
        frames = session.wires["b"].all()
    return frames, session


def test_a_train_arrives_whole() -> None:
    """Ten and a half segments over a fast link: every byte once, in order, PSH only with the last, as few trains."""
    data = payload(10) + b"rest"
    frames, session = carried(plan(line("100 Gbit/s", "1 ms")), (tcp4(data, flags=0x18), vnet()))
    got = segments(frames)
    assert [seq for seq, _, _ in got] == [1 + i * MSS for i in range(11)]
    assert b"".join(piece for _, piece, _ in got) == data
    assert [flags for _, _, flags in got] == [0x10] * 10 + [0x18]
    assert len(frames) < 11
    assert session.samples.conservation["delivered"] == 11
    assert session.samples.service_series[-1, 0]["delivered_bytes"] == len(data)


def test_each_segment_takes_its_time_on_the_link() -> None:
    """At 10 Mbit/s a segment of 1,052 bytes and 38 of framing takes 0.872 ms: none arrives before its time, written with others
    or not (test_real_captures.py has the exact instants)."""
    with running(plan(line("10 Mbit/s", "1 ms")), offload=True) as session:
        began = time.monotonic()
        session.wires["a"].send(tcp4(payload(20)), vnet())
        seen = 0
        while seen < 20:
            seen += len(cut(session.wires["b"].receive()))
            assert time.monotonic() - began >= 1e-3 + seen * (MSS + 52 + 38) * 8 / 10e6


def test_segments_are_dropped_one_by_one() -> None:
    """A queue of five keeps six of a train of twelve, whichever way it is written then."""
    frames, session = carried(
        plan(line("1 Mbit/s", "1 ms", queue={"kind": "pfifo", "limit": 5})), (tcp4(payload(12)), vnet())
    )
    got = segments(frames)
    assert [seq for seq, _, _ in got] == [1 + i * MSS for i in range(6)]
    assert session.samples.conservation["dropped"] == {"DROP_TAIL": 6}


def test_a_hole_divides_a_train() -> None:
    """Every third segment is lost: no train is written over a gap, every byte is where its number says."""
    network = line("10 Gbit/s", "1 ms", impairments={"loss": {"kind": "periodic", "every": 3}})
    frames, _ = carried(plan(network), (tcp4(payload(9)), vnet()))
    got = segments(frames)
    assert [(seq - 1) // MSS for seq, _, _ in got] == [0, 1, 3, 4, 6, 7]
    assert all(struct.unpack("!I", piece[:4])[0] == (seq - 1) // MSS for seq, piece, _ in got)


def test_frames_in_a_row_become_a_train() -> None:
    """Single segments of one connection that have all arrived are written at once; another's are not mixed in."""
    singles = [(tcp4(payload(1), seq=1 + i * MSS), bytes(10)) for i in range(8)]
    other = bytearray(tcp4(payload(1), seq=50_000))
    other[14 + 20 + 1] ^= 1  # another source port
    sent = [*singles[:4], (bytes(other), bytes(10)), *singles[4:]]

    def send(session: Session) -> None:
        for frame, head in sent:
            session.wires["a"].send(frame, head)

    with running(plan(line("10 Gbit/s", "20 ms")), offload=True, before=send) as session:
        frames = session.wires["b"].all()
    got = segments(frames)
    assert sorted(seq for seq, _, _ in got) == [1 + i * MSS for i in range(8)] + [50_000]
    assert len(frames) < 9


def test_marks_divide_a_train() -> None:
    """Marked and unmarked segments are never in one train."""
    queue = {"kind": "codel", "target": "1 us", "interval": "10 us", "ecn": True}
    frames, session = carried(
        plan(line("50 Mbit/s", "1 ms", queue=queue)), (tcp4(payload(40), tos=2), vnet())
    )
    marked = sum(len(cut(frame)) for frame in frames if frame[10 + 15] & 3 == 3)
    assert marked == session.samples.port_totals["marks"].sum() > 0
    assert len(segments(frames)) == 40


def test_a_train_for_a_host_without_offload_is_cut_and_sealed() -> None:
    """The receiver's interface takes single frames only: each has its own length, number and complete checksum."""
    from on_sockets import transport_is_right

    with running(plan(), offload=True) as session:
        session.engine.memory.interfaces["vnet_bytes"][1] = 0
        session.wires["a"].send(tcp4(payload(3) + b"odd", flags=0x18), vnet())
        frames = session.wires["b"].all()
    assert [len(frame) - HEAD for frame in frames] == [MSS, MSS, MSS, 3]
    assert all(transport_is_right(frame) for frame in frames)


@pytest.mark.slow
def test_the_pool_grows_while_frames_are_on_their_way() -> None:
    """Trains of 60 segments, all in a second of delay or before it, are more than there is room for at first."""
    slow = line("200 Mbit/s", "1 s", queue={"kind": "pfifo", "limit": 100000})
    with running(plan(slow), offload=True) as session:
        room = len(session.engine.memory.packets)
        trains = room // 60 + 50
        for number in range(trains):
            session.wires["a"].send(tcp4(payload(60), seq=1 + number * 60 * MSS), vnet())
        got = segments(session.wires["b"].all(1.5))
    assert len(session.engine.memory.packets) > room
    numbers = [seq for seq, _, _ in got]  # the test's socket does not take all of them in time
    assert numbers == sorted(set(numbers))
    assert all(struct.unpack("!I", piece[:4])[0] == (seq - 1) // MSS % 60 for seq, piece, _ in got)
    assert session.samples.conservation["sent"] == trains * 60
    assert session.samples.conservation["delivered"] == len(got) > 500


def test_no_room_for_frames_is_said() -> None:
    with pytest.raises(MachineCannot, match="more frames are on their way"), running(plan()) as session:
        real = session.engine.memory.real[0]
        real.small_fresh, real.large_fresh = real.small_count, len(session.engine.memory.slots)
        session.wires["a"].send(tcp4(payload(1)))
        session.thread.join(3.0)
