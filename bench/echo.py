"""Round-trip times by ICMP echo, as the kernel sees them: `python -m bench.echo ADDRESS COUNT INTERVAL_S` prints JSON (µs)."""

from __future__ import annotations

import json
import os
import socket
import struct
import sys
import time

SO_TIMESTAMPNS = 35
PATIENCE_S = 1.0
ECHO_REQUEST = 8


def checksum(data: bytes) -> int:
    """RFC 1071."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def probe(address: str, count: int, interval_s: float) -> list[float]:
    """Round-trip times in µs of the probes that came back."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as sock:
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        sock.settimeout(PATIENCE_S)
        sock.connect((address, 0))
        times = []
        for number in range(count):
            head = struct.pack("!BBHHH", ECHO_REQUEST, 0, 0, os.getpid() & 0xFFFF, number)
            body = bytes(48)
            packet = head[:2] + struct.pack("!H", checksum(head + body)) + head[4:] + body
            sent_ns = time.clock_gettime_ns(time.CLOCK_REALTIME)
            sock.send(packet)
            if (came_ns := _answer(sock, number)) is not None:
                times.append((came_ns - sent_ns) / 1e3)
            rest_s = interval_s - (time.clock_gettime_ns(time.CLOCK_REALTIME) - sent_ns) / 1e9
            time.sleep(max(0.0, rest_s))
        return times


def _answer(sock: socket.socket, number: int) -> int | None:
    """When the kernel received the answer to probe `number`, ns; None: it did not in time."""
    while True:
        try:
            data, ancillary, _, _ = sock.recvmsg(2048, 256)
        except TimeoutError:
            return None
        kind, _, _, identity, sequence = struct.unpack("!BBHHH", data[20:28])
        if (kind, identity, sequence) == (0, os.getpid() & 0xFFFF, number):
            seconds, nanoseconds = struct.unpack("qq", ancillary[0][2])
            return seconds * 10**9 + nanoseconds


if __name__ == "__main__":
    print(json.dumps(probe(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))))
