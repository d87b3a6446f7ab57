"""The program that probes from inside a real host: sends what it is told to, and notes what arrives.

Run as: prober.py JSON START. START: CLOCK_MONOTONIC at the start of the trial, s. JSON: port, begin_s (after START), until_s
(after begin), sends [[address, stream, at_s, count, gap_s, payload_bytes], …].
Prints one JSON object at the end, or at SIGINT or SIGTERM: `sent` {stream: [ns or null, …]} by sequence number and
`received` {stream: [[sequence number, ns], …]}. Both are the kernel's own time stamps (Linux:
Documentation/networking/timestamping.rst): when the packet entered the interface, and when it came out of one. All hosts of a
machine have one clock, so their difference is a one-way delay. Standard library only; nothing of netarium.
"""

from __future__ import annotations

import heapq
import json
import select
import signal
import socket
import struct
import sys
import time
from typing import Any

PROBE = struct.Struct("!4sII")
MAGIC = b"nlt1"
SO_TIMESTAMPNS, SO_TIMESTAMPING = 35, 37  # asm-generic/socket.h
SCM_TIMESTAMPNS, SCM_TIMESTAMPING = SO_TIMESTAMPNS, SO_TIMESTAMPING
TX_SOFTWARE, SOFTWARE, OPT_ID, OPT_TSONLY = 1 << 1, 1 << 4, 1 << 7, 1 << 11  # linux/net_tstamp.h
IP_RECVERR, ORIGIN_TIMESTAMPING = 11, 4  # linux/in.h, linux/errqueue.h
TIMESPEC = struct.Struct("qq")
EXTENDED_ERROR = struct.Struct("IBBBBII")
BUFFER_BYTES = 4 << 20
ERRORS_AT_ONCE = 64


class Prober:
    """One UDP socket, a schedule, and what the kernel said about every packet."""

    def __init__(self, asked: dict[str, Any], start_s: float) -> None:
        self.asked, self.begin_s = asked, start_s + asked["begin_s"]
        self.sent: dict[int, list[int | None]] = {}
        self.received: dict[int, list[tuple[int, int]]] = {}
        self.order: list[tuple[int, int]] = []  # what OPT_ID numbers: every packet sent, in order
        self.over = False
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            self.socket.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.setsockopt(
            socket.SOL_SOCKET, SO_TIMESTAMPING, TX_SOFTWARE | SOFTWARE | OPT_ID | OPT_TSONLY
        )
        self.socket.bind(("", asked["port"]))
        self.socket.setblocking(False)

    def run(self) -> None:
        """Follow the schedule until its end."""
        begin, end = self.begin_s, self.begin_s + self.asked["until_s"]
        due = [(begin + send[2], index, 0) for index, send in enumerate(self.asked["sends"])]
        heapq.heapify(due)
        poll = select.poll()
        poll.register(self.socket, select.POLLIN)
        while not self.over:
            now = time.monotonic()
            while due and due[0][0] <= now:
                self._send(due)
                now = time.monotonic()
            if now >= end:
                break
            wait = min(end, due[0][0]) - now if due else end - now
            if poll.poll(max(0.0, wait * 1000)):
                self._take()
        self._take()

    def _send(self, due: list[tuple[float, int, int]]) -> None:
        at, index, number = heapq.heappop(due)
        address, stream, _, count, gap, size = self.asked["sends"][index]
        probe = PROBE.pack(MAGIC, stream, number)
        times = self.sent.setdefault(stream, [None] * count)
        try:
            self.socket.sendto(probe.ljust(size, b"\0"), (address, self.asked["port"]))
            times[number] = time.clock_gettime_ns(time.CLOCK_REALTIME)
            self.order.append((stream, number))
        except OSError:  # no route, or its own queue is full: it was not sent
            times[number] = None
        if number + 1 < count:
            heapq.heappush(due, (at + gap, index, number + 1))

    def _take(self) -> None:
        """Everything that has arrived, and the kernel's notes on what was sent."""
        while True:
            try:
                data, ancillary, _, _ = self.socket.recvmsg(PROBE.size, 256)
            except BlockingIOError:
                break
            except OSError:
                continue  # an ICMP error about an earlier packet
            if len(data) == PROBE.size and data[:4] == MAGIC:
                _, stream, number = PROBE.unpack(data)
                arrived = _stamp(ancillary, SCM_TIMESTAMPNS)
                self.received.setdefault(stream, []).append((number, arrived))
        self._take_stamps()

    def _take_stamps(self) -> None:
        while True:
            try:
                _, ancillary, _, _ = self.socket.recvmsg(0, 512, socket.MSG_ERRQUEUE)
            except OSError:
                return
            sent = _stamp(ancillary, SCM_TIMESTAMPING)
            for level, kind, payload in ancillary:
                if level == socket.IPPROTO_IP and kind == IP_RECVERR and len(payload) >= EXTENDED_ERROR.size:
                    _, origin, _, _, _, _, identifier = EXTENDED_ERROR.unpack_from(payload)
                    if origin == ORIGIN_TIMESTAMPING and identifier < len(self.order) and sent:
                        stream, number = self.order[identifier]
                        self.sent[stream][number] = sent

    def outcome(self) -> dict[str, Any]:
        return {"sent": self.sent, "received": self.received}


def _stamp(ancillary: list[tuple[int, int, bytes]], wanted: int) -> int:
    """The first time stamp of a kind among control messages, ns; 0 without one."""
    for level, kind, payload in ancillary:
        if level == socket.SOL_SOCKET and kind == wanted:
            seconds, nanoseconds = TIMESPEC.unpack_from(payload)
            return seconds * 1_000_000_000 + nanoseconds
    return 0


def main() -> None:
    prober = Prober(json.loads(sys.argv[1]), float(sys.argv[2]))

    def finish(*_: object) -> None:
        prober.over = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, finish)
    prober.run()
    sys.stdout.write(json.dumps(prober.outcome()) + "\n")


if __name__ == "__main__":
    main()
