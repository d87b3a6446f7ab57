"""An HTTP client whose requests arrive at random, with sizes from a distribution. Run as: http_client.py JSON.

JSON: servers [[address, port, weight], …], arrivals_per_s, request_bytes, sizes [[bytes, cumulative share], …], seconds,
seed. Prints one JSON object when the time is over, or at SIGINT or SIGTERM: counts, and a row [server, bytes, start (s,
CLOCK_MONOTONIC), completion (s)] for every completed request. Open arrivals, as in the engine: a slow network does not slow
the requests down. Standard library only.
"""

from __future__ import annotations

import asyncio
import bisect
import contextlib
import json
import random
import resource
import signal
import sys
import time
from collections import Counter
from typing import Any

OPEN_MAX = 20_000
"""Requests under way at once; one more is counted as failed."""
FILES_BESIDE = 32
READ_BYTES = 262_144


class Load:
    """Draws of what to ask next: when, whom, how much; all from one seeded generator, in this order."""

    def __init__(self, asked: dict[str, Any]) -> None:
        self.generator = random.Random(asked["seed"])
        self.per_second = asked["arrivals_per_s"]
        self.servers = asked["servers"]
        self.weights = [weight for _, _, weight in self.servers]
        self.sizes = [size for size, _ in asked["sizes"]]
        self.shares = [share for _, share in asked["sizes"]]

    def next(self) -> tuple[float, int, int]:
        """(seconds until the next request, index of its server, bytes); exponential gaps, linear between points."""
        gap = self.generator.expovariate(self.per_second)
        (server,) = self.generator.choices(range(len(self.servers)), self.weights)
        return gap, server, self._size(self.generator.random())

    def _size(self, share: float) -> int:
        index = min(max(1, bisect.bisect_left(self.shares, share)), len(self.shares) - 1)
        low, high = self.shares[index - 1], self.shares[index]
        part = (share - low) / (high - low) if high > low else 1.0
        return max(1, round(self.sizes[index - 1] + part * (self.sizes[index] - self.sizes[index - 1])))


class Client:
    """Requests under way, and what became of the others."""

    def __init__(self, asked: dict[str, Any]) -> None:
        self.asked = asked
        self.load = Load(asked)
        self.rows: list[tuple[int, int, float, float]] = []
        self.failed: Counter[str] = Counter()
        self.bytes = 0
        self.begun = 0
        self.open: set[asyncio.Task[None]] = set()
        self.over = asyncio.Event()

    async def run(self) -> None:
        """Ask until the time is over or a signal comes."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.over.set)
        arrivals = loop.create_task(self._arrivals())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.over.wait(), self.asked["seconds"])
        arrivals.cancel()
        unfinished = list(self.open)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(arrivals, *unfinished, return_exceptions=True)
        sys.stdout.write(json.dumps(self.outcome(len(unfinished))) + "\n")

    async def _arrivals(self) -> None:
        due = time.monotonic()
        while True:
            gap, server, size = self.load.next()
            due += gap
            await asyncio.sleep(due - time.monotonic())
            self.begun += 1
            if len(self.open) >= OPEN_MAX:
                self.failed["too many under way"] += 1
                continue
            task = asyncio.create_task(self._one(server, size))
            self.open.add(task)
            task.add_done_callback(self.open.discard)

    async def _one(self, server: int, size: int) -> None:
        host, port, _ = self.asked["servers"][server]
        began = time.monotonic()
        try:
            reader, writer = await asyncio.open_connection(host, port, limit=READ_BYTES)
            try:
                writer.write(request(host, size, self.asked["request_bytes"]))
                received = await self._body(reader, size)
            finally:
                writer.close()
        except (OSError, asyncio.IncompleteReadError, ValueError) as error:
            self.failed[type(error).__name__] += 1
            return
        self.bytes += received
        self.rows.append((server, size, round(began, 9), round(time.monotonic() - began, 9)))

    @staticmethod
    async def _body(reader: asyncio.StreamReader, size: int) -> int:
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 "):
            raise ValueError("not found")
        received = 0
        while received < size:
            part = await reader.read(min(READ_BYTES, size - received))
            if not part:
                raise asyncio.IncompleteReadError(b"", size - received)
            received += len(part)
        return received

    def outcome(self, unfinished: int) -> dict[str, Any]:
        return {
            "requests": self.begun,
            "completed": len(self.rows),
            "unfinished": unfinished,
            "failed": dict(self.failed),
            "bytes": self.bytes,
            "rows": self.rows,
        }


def request(host: str, size: int, request_bytes: int) -> bytes:
    """A GET of `request_bytes` in all, filled up with a header; longer where it cannot be so short."""
    head = f"GET /{size} HTTP/1.1\r\nHost: {host}\r\n".encode()
    room = request_bytes - len(head) - len(b"X: \r\n\r\n")
    return head + (b"X: " + b"x" * room + b"\r\n" if room >= 0 else b"") + b"\r\n"


def main() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_MAX + FILES_BESIDE
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
    )

    async def start() -> None:
        await Client(json.loads(sys.argv[1])).run()

    asyncio.run(start())


if __name__ == "__main__":
    main()
