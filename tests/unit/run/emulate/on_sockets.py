"""The engine in real time with sockets in the place of hosts' interfaces: no privileges, and the test is both hosts."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import dpkt

from bench.real_hosts import RealPlan, address, address6
from netarium.run.emulate.pacer import Pacer
from netarium.run.emulate.realtime import Engine
from netarium.run.samples import Samples

ROUTER_A = bytes.fromhex("02fe00000000")
"""The modelled router's side of host a's link (port 0)."""
PATIENCE_S = 3.0


class Wire:
    """A host's side of its interface."""

    def __init__(self, interface: Any, offload: bool) -> None:
        self.interface, self.offload = interface, offload
        self.engine_side, self.side = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.engine_side.setblocking(False)
        self.mac = bytes.fromhex(interface.mac.replace(":", ""))

    def send(self, frame: bytes, vnet: bytes = bytes(10)) -> None:
        """The host sends a frame (or a train, said by its virtio-net header)."""
        self.side.send(vnet + frame if self.offload else frame)

    def receive(self, patience_s: float = PATIENCE_S) -> bytes | None:
        """The next frame that reaches the host, its virtio-net header first if it has one; None: none came in time."""
        ready, _, _ = select.select([self.side], [], [], patience_s)
        return self.side.recv(1 << 17) if ready else None

    def all(self, patience_s: float = 0.3) -> list[bytes]:
        """Everything that comes until nothing has come for a while."""
        frames = []
        while (frame := self.receive(patience_s)) is not None:
            frames.append(frame)
        return frames


class Session:
    """A run under way: the hosts' wires, and, once it is over, its samples."""

    def __init__(self, plan: RealPlan, offload: bool, pacer: Pacer | None) -> None:
        self.wires = {host.node: Wire(host.interfaces[0], offload) for host in plan.emulation.hosts}
        fds = {(node, wire.interface.name): wire.engine_side.fileno() for node, wire in self.wires.items()}
        self.engine = Engine(plan, fds, pacer)
        if offload:
            self.engine.memory.interfaces["vnet_bytes"] = 10
        self.samples: Samples | None = None
        self.failure: BaseException | None = None
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            self.samples = self.engine.run(None, None, self.over.is_set)
        except BaseException as error:  # noqa: BLE001
            self.failure = error


@contextlib.contextmanager
def running(
    plan: RealPlan,
    offload: bool = False,
    pacer: Pacer | None = None,
    before: Callable[[Session], None] = lambda _: None,
) -> Iterator[Session]:
    """Run a plan while the body lasts (or to its end); afterwards its samples have passed their check.

    pacer: one that paces other runs too. before: what hosts do before the run, which enters at its start.
    """
    session = Session(plan, offload, pacer)
    before(session)
    session.thread.start()
    time.sleep(0.05)
    try:
        yield session
    finally:
        session.over.set()
        session.thread.join()
        session.engine.close()
        for wire in session.wires.values():
            wire.side.close()
            wire.engine_side.close()
    if session.failure is not None:
        raise session.failure


def udp4(
    payload: bytes, *, source: int = 0, target: int = 1, ttl: int = 64, tos: int = 0, dport: int = 5000
) -> bytes:
    """A UDP datagram over IPv4 from one real host to another, as an Ethernet frame to the router."""
    datagram = dpkt.udp.UDP(sport=40000, dport=dport, data=payload, ulen=8 + len(payload))
    packet = dpkt.ip.IP(
        src=socket.inet_aton(address(source)),
        dst=socket.inet_aton(address(target)),
        p=17,
        ttl=ttl,
        tos=tos,
        data=datagram,
    )
    packet.len = len(packet)
    return ethernet(bytes(packet), 0x0800)


def udp6(payload: bytes, hop_limit: int = 64) -> bytes:
    """The same over IPv6, from the first host to the second."""
    datagram = dpkt.udp.UDP(sport=40000, dport=5000, data=payload, ulen=8 + len(payload))
    source, target = (socket.inet_pton(socket.AF_INET6, address6(i)) for i in (0, 1))
    pseudo = source + target + struct.pack("!II", len(datagram), 17)
    datagram.sum = checksum(pseudo + bytes(datagram))
    head = struct.pack("!IHBB", 0x60000000, len(datagram), 17, hop_limit) + source + target
    return ethernet(head + bytes(datagram), 0x86DD)


def tcp4(payload: bytes, *, seq: int = 1, flags: int = 0x10, tos: int = 0) -> bytes:
    """A TCP segment over IPv4 (or, longer than the MTU, what a train of segments looks like) with a complete checksum."""
    segment = (
        struct.pack("!HHIIBBHHH", 40000, 5000, seq, 77, 0x80, flags, 500, 0, 0)
        + bytes([1, 1, 8, 10])
        + bytes(8)
    )
    source, target = socket.inet_aton(address(0)), socket.inet_aton(address(1))
    length = len(segment) + len(payload)
    total = checksum(source + target + struct.pack("!HH", 6, length) + segment + payload)
    segment = segment[:16] + struct.pack("!H", total) + segment[18:]
    head = struct.pack("!BBHHHBBH4s4s", 0x45, tos, 20 + length, 9, 0x4000, 64, 6, 0, source, target)
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return ethernet(head + segment + payload, 0x0800)


def ethernet(packet: bytes, kind: int, target: bytes = ROUTER_A) -> bytes:
    """An Ethernet frame from the first host."""
    return target + bytes.fromhex("020000000001") + struct.pack("!H", kind) + packet


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071), word by word."""
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def transport_is_right(frame: bytes) -> bool:
    """Whether the IPv4 header's and the TCP or UDP checksum of a frame are correct (a UDP checksum of 0 is none)."""
    packet = frame[14:]
    length = (packet[0] & 15) * 4
    if checksum(packet[:length]):
        return False
    transport = packet[length : struct.unpack("!H", packet[2:4])[0]]
    if packet[9] == 17 and transport[6:8] == bytes(2):
        return True
    return checksum(packet[12:20] + struct.pack("!HH", packet[9], len(transport)) + transport) == 0
