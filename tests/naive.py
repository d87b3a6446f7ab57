"""A network simulator as obvious as possible, plain Python: the oracle of the compiled engine.

One heap, one entry for every thing that happens to every packet: it leaves a transmitter, it reaches the
far end of a link, a timer fires. It shares the description of a trial with the engine and nothing else.
What it knows: one path between any two nodes; pfifo, bfifo, prio and codel queues; udp streams; and a
sender with a window that never changes (tcp whose buffer is smaller than its first congestion window, on a
network that loses nothing of it).

Times ps, sizes bytes, rates bit/s. Simultaneous events are handled in the order in which they were
scheduled; the engine keeps fewer events, so its order of simultaneous events is another: compare trials
that have none.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from netarium.compile.keys import stream_key

SECOND = 10**12
UDP_HEADERS, TCP_HEADERS = 28, 52  # IPv4 20 + UDP 8; IPv4 20 + TCP 20 + time stamps 12
SYN_SIZE, ACK_SIZE = 60, 52


@dataclass
class Packet:
    kind: str  # data, ack, syn, syn-ack
    seq: int
    size: int
    sent: int
    priority: int
    way: list[Port]  # ports still to cross
    arrive: Callable[[Packet], None]  # what its receiver does
    queued: int = 0


class Clock:
    """All that will happen, in order."""

    def __init__(self) -> None:
        self.now = 0
        self.count = 0
        self.heap: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []

    def at(self, time: int, do: Callable[..., None], *what: Any) -> None:
        heapq.heappush(self.heap, (time, self.count, do, what))
        self.count += 1

    def run(self, until: int) -> None:
        while self.heap and self.heap[0][0] <= until:
            self.now, _, do, what = heapq.heappop(self.heap)
            do(*what)


class Fifo:
    """First in, first out; what would exceed the limit is dropped."""

    def __init__(self, packets: float = math.inf, size: float = math.inf) -> None:
        self.packets, self.size = packets, size
        self.waiting: deque[Packet] = deque()
        self.dropped = 0

    def bytes(self) -> int:
        return sum(packet.size for packet in self.waiting)

    def put(self, packet: Packet, now: int) -> None:
        packet.queued = now
        if len(self.waiting) >= self.packets or self.bytes() + packet.size > self.size:
            self.dropped += 1
        else:
            self.waiting.append(packet)

    def take(self, now: int) -> Packet | None:
        return self.waiting.popleft() if self.waiting else None


class Prio:
    """Strict priority between bands."""

    def __init__(self, spec: Any) -> None:
        self.map = spec.priomap
        self.bands = [discipline(spec.child) for _ in range(spec.bands)]

    @property
    def dropped(self) -> int:
        return sum(band.dropped for band in self.bands)

    def put(self, packet: Packet, now: int) -> None:
        self.bands[self.map[packet.priority]].put(packet, now)

    def take(self, now: int) -> Packet | None:
        for band in self.bands:
            packet = band.take(now)
            if packet:
                return packet
        return None


class Codel(Fifo):
    """The pseudo-code of RFC 8289 section 5; how the dropping state is entered again is Linux's."""

    def __init__(self, spec: Any, mtu: int = 1500) -> None:
        super().__init__(spec.limit)
        self.target, self.interval, self.mtu = spec.target, spec.interval, mtu
        self.first_above_time = self.drop_next = self.count = self.lastcount = 0
        self.dropping = False

    def control_law(self, t: int) -> int:
        return t + int(self.interval / math.sqrt(self.count))

    def dodequeue(self, now: int) -> tuple[Packet | None, bool]:
        packet = super().take(now)
        if packet is None or now - packet.queued < self.target or self.bytes() <= self.mtu:
            self.first_above_time = 0
            return packet, False
        if self.first_above_time == 0:
            self.first_above_time = now + self.interval
            return packet, False
        return packet, now >= self.first_above_time

    def take(self, now: int) -> Packet | None:
        packet, ok_to_drop = self.dodequeue(now)
        if self.dropping:
            self.dropping = ok_to_drop
            while self.dropping and now >= self.drop_next:
                self.dropped += 1
                self.count += 1
                packet, self.dropping = self.dodequeue(now)
                if self.dropping:
                    self.drop_next = self.control_law(self.drop_next)
        elif ok_to_drop:
            self.dropped += 1
            packet, _ = self.dodequeue(now)
            self.dropping = True
            delta = self.count - self.lastcount
            recent = delta > 1 and now - self.drop_next < 16 * self.interval
            self.count = self.lastcount = delta if recent else 1
            self.drop_next = self.control_law(now)
        return packet


def discipline(spec: Any) -> Any:
    """The queue of a description."""
    if spec.kind == "prio":
        return Prio(spec)
    if spec.kind == "codel":
        return Codel(spec)
    return Fifo(packets=spec.limit) if spec.kind == "pfifo" else Fifo(size=spec.limit)


class Port:
    """Queue, transmitter, propagation. `left`: (time, kind, number) of every packet it has transmitted."""

    def __init__(self, clock: Clock, spec: Any) -> None:
        self.clock, self.name = clock, spec.name
        self.rate, self.delay, self.overhead = spec.rate, spec.delay, spec.overhead
        self.queue = discipline(spec.queue)
        self.busy = False
        self.left: list[tuple[int, str, int]] = []

    def enqueue(self, packet: Packet) -> None:
        self.queue.put(packet, self.clock.now)
        if not self.busy:
            self.serve()

    def serve(self) -> None:
        packet = self.queue.take(self.clock.now)
        self.busy = packet is not None
        if packet:
            # picoseconds a byte with 14 fraction bits, rounded up: the clock of PORT.byte_time
            byte_time = -((-8 * SECOND * 2**14) // self.rate)
            duration = (packet.size + self.overhead) * byte_time // 2**14
            self.clock.at(self.clock.now + duration, self.leave, packet)

    def leave(self, packet: Packet) -> None:
        self.left.append((self.clock.now, packet.kind, packet.seq))
        self.clock.at(self.clock.now + self.delay, send_on, packet)
        self.serve()


def send_on(packet: Packet) -> None:
    """A packet stands at a node: into its next port, or to its receiver."""
    if packet.way:
        packet.way.pop(0).enqueue(packet)
    else:
        packet.arrive(packet)


@dataclass
class Flow:
    """Both ends of one flow: what it has in common, whatever its transport."""

    clock: Clock
    forth: list[Port]
    back: list[Port]
    service: Any
    priority: int
    stop: int
    latencies: list[int] = field(default_factory=list)

    def emit(
        self, kind: str, seq: int, size: int, way: list[Port], arrive: Callable[[Packet], None], sent: int
    ) -> None:
        send_on(Packet(kind, seq, size, sent, self.priority, list(way), arrive))


class Datagrams(Flow):
    """A udp stream, evenly spaced or a Poisson process."""

    def begin(self, seed: int, name: str) -> None:
        size = self.service.packet_size
        gap = round(size * 8e12 * 65536.0 / self.service.rate)  # 1/65536 ps, as the engine counts
        draws = uniforms(stream_key(seed, "service", name, 0))
        time, number = self.service.start, 0
        while time < self.stop:
            self.clock.at(time, self.write, number, size)
            number += 1
            if self.service.pattern == "poisson":
                time += int(-(gap / 65536.0) * math.log(1.0 - next(draws))) + 1
            else:
                time = self.service.start + (number * gap >> 16)

    def write(self, number: int, size: int) -> None:
        self.emit("data", number, size, self.forth, self.receive, self.clock.now)

    def receive(self, packet: Packet) -> None:
        self.latencies.append(self.clock.now - packet.sent)


class Window(Flow):
    """A transfer by a sender that keeps `window` segments under way; a receiver that may delay its ACKs."""

    def begin(self, mtu: int) -> None:
        spec = self.service.transport
        self.mss = mtu - TCP_HEADERS
        self.window = max(1, spec.send_buffer // self.mss)
        self.end = math.inf if self.service.size is None else -(-self.service.size // self.mss)
        self.every = spec.delayed_ack.every if spec.delayed_ack else 1
        self.timeout = spec.delayed_ack.timeout if spec.delayed_ack else 0
        self.acked = self.next = self.received = self.unacknowledged = self.timer = 0
        self.clock.at(self.service.start, self.syn)

    def syn(self) -> None:
        self.emit("syn", 0, SYN_SIZE, self.forth, self.syn_ack, self.clock.now)

    def syn_ack(self, packet: Packet) -> None:
        self.emit("syn", 1, SYN_SIZE, self.back, lambda _: self.send(), packet.sent)

    def send(self) -> None:
        while self.next < self.end and self.next < self.acked + self.window:
            payload = self.mss
            if self.next == self.end - 1:
                payload = self.service.size - self.next * self.mss
            self.emit("data", self.next, payload + TCP_HEADERS, self.forth, self.receive, self.clock.now)
            self.next += 1

    def receive(self, packet: Packet) -> None:
        assert packet.seq == self.received, "this sender is for networks that lose nothing of it"
        self.latencies.append(self.clock.now - packet.sent)
        self.received += 1
        self.unacknowledged += 1
        if self.unacknowledged >= self.every:
            self.acknowledge()
        elif self.unacknowledged == 1:
            self.timer += 1
            self.clock.at(self.clock.now + self.timeout, self.expire, self.timer)

    def expire(self, timer: int) -> None:
        if timer == self.timer and self.unacknowledged:
            self.acknowledge()

    def acknowledge(self) -> None:
        self.timer += 1
        self.unacknowledged = 0
        self.emit("ack", self.received, ACK_SIZE, self.back, self.take_ack, 0)

    def take_ack(self, packet: Packet) -> None:
        self.acked = packet.seq
        self.send()


def uniforms(key: int) -> Iterator[float]:
    """Uniform numbers in [0, 1): splitmix64 from `key`, its upper 53 of 63 bits."""
    state = key
    while True:
        state = (state + 0x9E3779B97F4A7C15) % 2**64
        z = state
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
        yield ((z ^ (z >> 31)) % 2**63 >> 10) / 2**53


@dataclass
class Result:
    """What happened: ports by name, one-way latencies of each service in the order of arrival."""

    ports: dict[str, Port]
    latencies: dict[str, list[int]]


def simulate(trial: Any) -> Result:
    """Run a trial whose services have one flow each."""
    clock = Clock()
    specs = trial.network.expand().ports()
    ports = {spec.name: Port(clock, spec) for spec in specs}
    mtu = min(spec.mtu for spec in specs)
    flows: dict[str, Flow] = {}
    for name, service in trial.services.items():
        (ends,) = trial.endpoints(name)
        ways = [[ports[each] for each in way(specs, *there)] for there in (ends, ends[::-1])]
        stop = min(service.stop or trial.duration, trial.duration)
        of_kind = Datagrams if service.kind == "stream" else Window
        flows[name] = of_kind(clock, *ways, service, service.priority, stop)
        flows[name].begin(trial.seed, name) if service.kind == "stream" else flows[name].begin(mtu)
    clock.run(trial.duration)
    return Result(ports, {name: flow.latencies for name, flow in flows.items()})


def way(specs: Any, src: str, dst: str) -> list[str]:
    """Names of the ports on the only way from one node to another."""
    ways = {src: []}
    while dst not in ways:
        for spec in specs:
            tail, head = spec.name.split("->")
            if tail in ways and head not in ways:
                ways[head] = [*ways[tail], spec.name]
    return ways[dst]
