"""Queue disciplines as obvious Python: deques, fractions, no records. The oracle for the compiled ones.

Written from the specifications, sharing no code with the kernel. Times ps, sizes bytes, rates bit/s.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

MTU = 1500
NEVER = 1 << 62


@dataclass
class Packet:
    number: int
    time: int
    size: int
    priority: int = 0
    band: int = 0
    hash: int = 0
    ecn: int = 0
    flow: int = 0
    hop: int = 0


@dataclass
class Log:
    """What happened to packets that did not leave, or left marked."""

    drops: Counter[str] = field(default_factory=Counter)
    dropped: list[int] = field(default_factory=list)
    marks: int = 0

    def drop(self, packet: Packet, reason: str) -> None:
        self.drops[reason] += 1
        self.dropped.append(packet.number)

    def mark(self, packet: Packet) -> bool:
        if packet.ecn == 0:
            return False
        if packet.ecn != 3:
            packet.ecn = 3
            self.marks += 1
        return True


def mix(z: int) -> int:
    """splitmix64's finaliser, its lower 63 bits."""
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
    return (z ^ (z >> 31)) % 2**63


def splitmix64(seed: int) -> Callable[[], float]:
    """Uniform numbers in [0, 1), 53 bits each."""
    state = seed

    def draw() -> float:
        nonlocal state
        state = (state + 0x9E3779B97F4A7C15) % 2**64
        return (mix(state) >> 10) / 2**53

    return draw


class Line(deque[Packet]):
    """Packets in a row, and how many bytes they have."""

    bytes = 0

    def append(self, packet: Packet) -> None:
        self.bytes += packet.size
        super().append(packet)

    def popleft(self) -> Packet:
        packet = super().popleft()
        self.bytes -= packet.size
        return packet


class Queue:
    """A leaf with one line. A subclass decides at enqueue, at dequeue, or both."""

    def __init__(self, log: Log, limit_packets: float = math.inf, limit_bytes: float = math.inf) -> None:
        self.log, self.limit_packets, self.limit_bytes = log, limit_packets, limit_bytes
        self.waiting = Line()
        self.ask_at = NEVER

    @property
    def bytes(self) -> int:
        return self.waiting.bytes

    def __len__(self) -> int:
        return len(self.waiting)

    def full(self, packet: Packet) -> bool:
        return len(self.waiting) + 1 > self.limit_packets or self.bytes + packet.size > self.limit_bytes

    def enqueue(self, packet: Packet, now: int) -> None:
        if self.full(packet):
            self.log.drop(packet, "DROP_TAIL")
        else:
            self.waiting.append(packet)

    def dequeue(self, now: int) -> Packet | None:
        return self.waiting.popleft() if self.waiting else None


class Bucket:
    """A token bucket in exact fractions of a byte."""

    def __init__(self, rate: int, burst: int) -> None:
        self.per_ps = Fraction(rate, 8 * 10**12)
        self.burst, self.tokens, self.at = Fraction(burst), Fraction(burst), 0

    def fill(self, now: int) -> Fraction:
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.per_ps)
        self.at = now
        return self.tokens

    def when(self, size: Fraction | int, now: int) -> int:
        """The first instant from now on with tokens for `size`."""
        missing = size - self.fill(now)
        return now if missing <= 0 else now + math.ceil(missing / self.per_ps)


class Tbf(Queue):
    def __init__(self, log: Log, rate: int, burst: int, limit: int) -> None:
        super().__init__(log, limit_bytes=limit)
        self.bucket = Bucket(rate, burst)

    def full(self, packet: Packet) -> bool:
        return packet.size > self.bucket.burst or super().full(packet)

    def dequeue(self, now: int) -> Packet | None:
        if not self.waiting:
            return None
        self.ask_at = self.bucket.when(self.waiting[0].size, now)
        if self.ask_at > now:
            return None
        self.bucket.tokens -= self.waiting[0].size
        return self.waiting.popleft()


class Red(Queue):
    """Floyd and Jacobson's figure 2, with the random number drawn once a mark (section 9)."""

    def __init__(self, log: Log, uniform: Callable[[], float], spec: Any, wlog: int, rate: int) -> None:
        super().__init__(log, limit_bytes=spec.limit)
        self.uniform, self.spec, self.weight = uniform, spec, 0.5**wlog
        self.packet_time = spec.avpkt * 8e12 / rate
        self.average, self.count, self.threshold = 0.0, -1, 0.0
        self.idle_since: int | None = None

    def verdict(self) -> bool:
        if self.average < self.spec.min:
            self.count = -1
            return False
        if self.average >= self.spec.max:
            self.count = -1
            return True
        self.count += 1
        marks = False
        if self.count > 0:
            probability = self.spec.probability * (
                (self.average - self.spec.min) / (self.spec.max - self.spec.min)
            )
            if self.count * probability < self.threshold:
                return False
            self.count, marks = 0, True
        self.threshold = self.uniform()
        return marks

    def enqueue(self, packet: Packet, now: int) -> None:
        if self.idle_since is None:
            self.average += (self.bytes - self.average) * self.weight
        else:
            missed = (now - self.idle_since) / self.packet_time
            self.average *= math.pow(1 - self.weight, math.floor(missed))
            self.idle_since = None
        if self.verdict() and not (self.spec.ecn and self.log.mark(packet)):
            self.log.drop(packet, "DROP_AQM")
        else:
            super().enqueue(packet, now)
        if not self.waiting:
            self.idle_since = now

    def dequeue(self, now: int) -> Packet | None:
        packet = super().dequeue(now)
        if packet is not None and not self.waiting:
            self.idle_since = now
        return packet


class Codel(Queue):
    """The pseudo-code of RFC 8289 section 5, with marking as in Linux."""

    def __init__(self, log: Log, spec: Any, whole: Queue | None = None, limited: bool = True) -> None:
        super().__init__(log, limit_packets=spec.limit if limited else math.inf)
        self.spec, self.whole = spec, self if whole is None else whole
        self.threshold = getattr(spec, "ce_threshold", None)
        self.first_above_time = self.drop_next = self.count = self.lastcount = 0
        self.dropping = False
        self.instants: list[int] = []

    def control_law(self, t: int) -> int:
        return t + int(self.spec.interval / math.sqrt(self.count))

    def dodequeue(self, now: int) -> tuple[Packet | None, bool]:
        if not self.waiting:
            self.first_above_time = 0
            return None, False
        packet = self.waiting.popleft()
        if now - packet.time < self.spec.target or self.whole.bytes <= MTU:
            self.first_above_time = 0
        elif self.first_above_time == 0:
            self.first_above_time = now + self.spec.interval
        else:
            return packet, now >= self.first_above_time
        return packet, False

    def strike(self, packet: Packet, now: int) -> bool:
        """Mark (True) or drop."""
        self.instants.append(now)
        if self.spec.ecn and self.log.mark(packet):
            return True
        self.log.drop(packet, "DROP_AQM")
        return False

    def dequeue(self, now: int) -> Packet | None:
        packet, ok_to_drop = self.dodequeue(now)
        if self.dropping:
            if not ok_to_drop:
                self.dropping = False
            while self.dropping and now >= self.drop_next:
                self.count += 1
                if self.strike(packet, now):
                    self.drop_next = self.control_law(self.drop_next)
                    break
                packet, ok_to_drop = self.dodequeue(now)
                if ok_to_drop:
                    self.drop_next = self.control_law(self.drop_next)
                else:
                    self.dropping = False
        elif ok_to_drop:
            if not self.strike(packet, now):
                packet, _ = self.dodequeue(now)
            self.dropping = True
            delta = self.count - self.lastcount
            recent = delta > 1 and now - self.drop_next < 16 * self.spec.interval
            self.count = delta if recent else 1
            self.drop_next = self.control_law(now)
            self.lastcount = self.count
        if packet is not None and self.threshold is not None and now - packet.time > self.threshold:
            self.log.mark(packet)
        return packet


class FqCodel(Queue):
    """RFC 8290 section 4, with lists of flows."""

    def __init__(self, log: Log, spec: Any, index_of: Callable[[int], int]) -> None:
        super().__init__(log, spec.limit, spec.memory_limit)
        self.index_of = index_of
        self.flows = [Codel(log, spec, whole=self, limited=False) for _ in range(spec.flows)]
        self.deficit = [0] * spec.flows
        self.new: deque[int] = deque()
        self.old: deque[int] = deque()
        self.quantum = MTU + 14 if spec.quantum is None else max(256, spec.quantum)

    @property
    def bytes(self) -> int:
        return sum(flow.bytes for flow in self.flows)

    def __len__(self) -> int:
        return sum(map(len, self.flows))

    def enqueue(self, packet: Packet, now: int) -> None:
        k = self.index_of(packet.hash)
        self.flows[k].waiting.append(packet)
        if k not in self.new and k not in self.old:
            self.new.append(k)
            self.deficit[k] = self.quantum
        if len(self) <= self.limit_packets and self.bytes <= self.limit_bytes:
            return
        fattest = max(self.flows, key=lambda flow: flow.bytes)
        half = fattest.bytes // 2
        gone = 0
        for _ in range(64):
            victim = fattest.waiting.popleft()
            gone += victim.size
            self.log.drop(victim, "DROP_TAIL")
            fattest.count += 1
            if gone >= half:
                break

    def dequeue(self, now: int) -> Packet | None:
        while self.new or self.old:
            here = self.new or self.old
            k = here[0]
            if self.deficit[k] <= 0:
                self.deficit[k] += self.quantum
                self.old.append(here.popleft())
                continue
            packet = self.flows[k].dequeue(now)
            if packet is not None:
                self.deficit[k] -= packet.size + 14
                return packet
            here.popleft()
            if here is self.new and self.old:
                self.old.append(k)
        return None


class Pie(Queue):
    """RFC 8033 sections 4 and 5 as Linux has them, with an update at every multiple of tupdate."""

    def __init__(self, log: Log, uniform: Callable[[], float], spec: Any) -> None:
        super().__init__(log, limit_packets=spec.limit)
        self.uniform, self.spec = uniform, spec
        self.probability = self.accumulated = 0.0
        self.delay = self.old_delay = 0
        self.burst = 150 * 10**9
        self.last_dequeue: int | None = None
        self.next_update = spec.tupdate
        self.history: list[float] = []

    def update(self) -> None:
        scale = 1.0
        for limit, divisor in ((0.1, 2), (0.01, 8), (0.001, 32), (1e-4, 128), (1e-5, 512), (1e-6, 2048)):
            if self.probability < limit:
                scale = 1 / divisor
        target, old, now = self.spec.target, self.old_delay, self.delay
        p = scale * (self.spec.alpha / 16) * ((now - target) * 1e-12)
        p += scale * (self.spec.beta / 16) * ((now - old) * 1e-12)
        if self.probability >= 0.1:
            p = min(p, 0.02)
        if now > 250 * 10**9:
            p += 0.02
        self.probability += p
        if now == old == 0 and not self.waiting:
            self.probability -= self.probability / 64
        self.probability = min(max(self.probability, 0.0), 1.0)
        if now < target // 2 and old < target // 2 and self.probability == 0:
            self.burst, self.accumulated, self.last_dequeue = 150 * 10**9, 0.0, None
        self.old_delay = now
        self.history.append(self.probability)

    def catch_up(self, now: int) -> None:
        while self.next_update <= now:
            self.update()
            self.next_update += self.spec.tupdate

    def unlucky(self, packet: Packet) -> bool:
        if self.burst > 0 or self.bytes < 2 * MTU:
            return False
        if self.delay < self.spec.target // 2 and self.probability < 0.2:
            return False
        chance = self.probability
        if self.spec.bytemode and packet.size <= MTU:
            chance = chance * packet.size / MTU
        self.accumulated = self.accumulated + chance if chance else 0.0
        if self.accumulated < 0.85:
            return False
        if self.accumulated >= 8.5:
            return True
        if self.uniform() < chance:
            self.accumulated = 0.0
            return True
        return False

    def enqueue(self, packet: Packet, now: int) -> None:
        self.catch_up(now)
        if self.full(packet):
            self.accumulated = 0.0
            self.log.drop(packet, "DROP_TAIL")
        elif self.unlucky(packet) and not (
            self.spec.ecn and self.probability <= 0.1 and self.log.mark(packet)
        ):
            self.accumulated = 0.0
            self.log.drop(packet, "DROP_AQM")
        else:
            self.waiting.append(packet)

    def dequeue(self, now: int) -> Packet | None:
        self.catch_up(now)
        packet = super().dequeue(now)
        if packet is None:
            return None
        self.delay = now - packet.time if self.waiting else 0
        if self.last_dequeue is not None:
            self.burst = max(0, self.burst - (now - self.last_dequeue))
        self.last_dequeue = now
        return packet


class Prio(Queue):
    def __init__(self, log: Log, priomap: Iterable[int], children: list[Queue]) -> None:
        super().__init__(log)
        self.priomap, self.children = list(priomap), children

    def __len__(self) -> int:
        return sum(map(len, self.children))

    def enqueue(self, packet: Packet, now: int) -> None:
        self.children[self.priomap[packet.priority]].enqueue(packet, now)

    def dequeue(self, now: int) -> Packet | None:
        for child in self.children:
            packet = child.dequeue(now)
            if packet is not None:
                return packet
        self.ask_at = min((child.ask_at for child in self.children if len(child)), default=NEVER)
        return None


class Drr(Queue):
    """Shreedhar and Varghese with an active list; a packet is looked at before it is sent."""

    def __init__(self, log: Log, class_of: list[int], quanta: list[int], leaves: list[Queue]) -> None:
        super().__init__(log)
        self.class_of, self.quanta, self.leaves = class_of, quanta, leaves
        self.heads: list[Packet | None] = [None] * len(leaves)
        self.deficit = [0] * len(leaves)
        self.round: deque[int] = deque()

    def busy(self, k: int) -> bool:
        return self.heads[k] is not None or len(self.leaves[k]) > 0

    def __len__(self) -> int:
        return sum(map(len, self.leaves)) + sum(head is not None for head in self.heads)

    def enqueue(self, packet: Packet, now: int) -> None:
        k = self.class_of[packet.priority]
        self.leaves[k].enqueue(packet, now)
        if self.busy(k) and k not in self.round:
            self.round.append(k)
            self.deficit[k] = self.quanta[k]

    def dequeue(self, now: int) -> Packet | None:
        stuck: set[int] = set()
        while self.round and len(stuck) < len(self.round):
            k = self.round[0]
            if self.heads[k] is None:
                self.heads[k] = self.leaves[k].dequeue(now)
            head = self.heads[k]
            if head is not None and head.size <= self.deficit[k]:
                self.heads[k] = None
                self.deficit[k] -= head.size
                if not self.busy(k):
                    self.round.popleft()
                return head
            if head is not None:
                self.deficit[k] += self.quanta[k]
            self.round.popleft()
            if self.busy(k):
                self.round.append(k)
                if head is None:
                    stuck.add(k)
        self.ask_at = min((self.leaves[k].ask_at for k in self.round), default=NEVER)
        return None


class HtbClass:
    def __init__(self, rate: int, ceil: int, burst: int, prio: int, quantum: int, leaf: Queue) -> None:
        self.own, self.most = Bucket(rate, burst), Bucket(ceil, burst)
        self.prio, self.quantum, self.leaf = prio, quantum, leaf
        self.deficit = [0, 0]

    def level(self, now: int) -> int | None:
        """0: by right; 1: by borrowing; None: not now."""
        own, most = self.own.fill(now), self.most.fill(now)
        if most < 0:
            return None
        return 0 if own >= 0 else 1


class Htb(Queue):
    def __init__(self, log: Log, class_of: list[int], classes: list[HtbClass]) -> None:
        super().__init__(log)
        self.class_of, self.classes = class_of, classes
        self.turn: dict[tuple[int, int], int] = {}

    def __len__(self) -> int:
        return sum(len(each.leaf) for each in self.classes)

    def enqueue(self, packet: Packet, now: int) -> None:
        self.classes[self.class_of[packet.priority]].leaf.enqueue(packet, now)

    def dequeue(self, now: int) -> Packet | None:
        stuck: set[int] = set()
        ring = range(len(self.classes))
        while True:
            ready = [
                (level, each.prio, k)
                for k, each in enumerate(self.classes)
                if len(each.leaf) and k not in stuck and (level := each.level(now)) is not None
            ]
            if not ready:
                break
            level, prio = min(ready)[:2]
            equal = {k for at, of, k in ready if (at, of) == (level, prio)}
            start = self.turn.get((level, prio), 0)
            k = next(k for k in [*ring[start:], *ring[:start]] if k in equal)
            self.turn[level, prio] = k
            each = self.classes[k]
            packet = each.leaf.dequeue(now)
            if packet is None:
                stuck.add(k)
                continue
            each.most.tokens -= packet.size
            if level == 0:
                each.own.tokens -= packet.size
            each.deficit[level] -= packet.size
            if each.deficit[level] < 0:
                each.deficit[level] += each.quantum
                others = [j for j in [*ring[k + 1 :], *ring[: k + 1]] if self.classes[j].prio == prio]
                self.turn[level, prio] = others[0]
            return packet
        times = [
            each.leaf.ask_at if k in stuck else each.most.when(0, now)
            for k, each in enumerate(self.classes)
            if len(each.leaf)
        ]
        self.ask_at = min(times, default=NEVER)
        return None


class Strict(Queue):
    def __init__(self, log: Log, limit: int, best_effort: Queue) -> None:
        super().__init__(log)
        self.slices, self.best_effort = Queue(log, limit_bytes=limit), best_effort

    def __len__(self) -> int:
        return len(self.slices) + len(self.best_effort)

    def enqueue(self, packet: Packet, now: int) -> None:
        (self.slices if packet.band else self.best_effort).enqueue(packet, now)

    def dequeue(self, now: int) -> Packet | None:
        packet = self.slices.dequeue(now) or self.best_effort.dequeue(now)
        self.ask_at = self.best_effort.ask_at
        return packet


class Shaper(Queue):
    """Each band's first packet may go from an instant on; the earliest goes first."""

    def __init__(self, log: Log, slices: dict[int, tuple[int, int, int]], best_effort: Queue) -> None:
        """slices: band -> (rate, burst, limit)."""
        super().__init__(log)
        self.windows: dict[int, tuple[int, int, int, int]] = {}
        self.byte_ps = self.guard_ps = 0
        self.queues = {band: Queue(log, limit_bytes=limit) for band, (_, _, limit) in slices.items()}
        self.buckets = {band: Bucket(rate, burst) for band, (rate, burst, _) in slices.items()}
        self.may_go: dict[int, int] = {}
        self.best_effort = best_effort

    def __len__(self) -> int:
        return sum(map(len, self.queues.values())) + len(self.best_effort)

    def open_at(self, band: int, length: int, now: int) -> int:
        """The first instant from `now` on at which a packet may begin that takes so long: looked for window by window."""
        period, opens, window, _ = self.windows[band]
        turn = now // period - 2
        while True:
            begin = opens + turn * period
            at = max(begin, now)
            if at == now and begin <= now < begin + window and now + length <= begin + window:
                return now
            if begin > now:
                return begin
            turn += 1

    def others_until(self, now: int) -> tuple[int, int]:
        until = again = NEVER
        for period, opens, window, _ in self.windows.values():
            for turn in range(now // period - 2, now // period + 3):
                begin = opens + turn * period
                if begin <= now < begin + window:
                    until, again = now, min(again, begin + window)
                elif begin > now:
                    until, again = min(until, begin), min(again, begin)
        return until, again

    def new_head(self, band: int, now: int) -> None:
        if band in self.windows:
            head = self.queues[band].waiting
            if head:
                self.may_go[band] = self.open_at(band, head[0].size * self.byte_ps, now)
            else:
                self.may_go.pop(band, None)
        elif self.queues[band].waiting:
            self.may_go[band] = self.buckets[band].when(self.queues[band].waiting[0].size, now)
        else:
            self.may_go.pop(band, None)

    def enqueue(self, packet: Packet, now: int) -> None:
        if packet.band not in self.queues:
            self.best_effort.enqueue(packet, now)
        elif packet.size > self.buckets[packet.band].burst or (
            packet.band in self.windows and packet.size > self.windows[packet.band][3]
        ):
            self.log.drop(packet, "DROP_TAIL")
        else:
            self.queues[packet.band].enqueue(packet, now)
            if packet.band not in self.may_go:
                self.new_head(packet.band, now)

    def dequeue(self, now: int) -> Packet | None:
        for band in sorted(self.windows.keys() & self.may_go.keys()):
            self.new_head(band, now)
            if self.may_go[band] <= now:
                packet = self.queues[band].waiting.popleft()
                self.new_head(band, now)
                return packet
        planned = min((self.may_go[band] for band in self.windows if band in self.may_go), default=NEVER)
        until, again = self.others_until(now)
        plain = [(at, band) for band, at in self.may_go.items() if band not in self.windows]
        at, band = min(plain, default=(NEVER, 0))
        held = at <= now and now + self.queues[band].waiting[0].size * self.byte_ps > until
        if held or (at > now and len(self.best_effort) and now + self.guard_ps > until):
            self.ask_at = min(planned, again if held else min(at, again))
            return None
        if at <= now:
            packet = self.queues[band].waiting.popleft()
            self.buckets[band].fill(now)
            self.buckets[band].tokens -= packet.size
            self.new_head(band, now)
            return packet
        packet = self.best_effort.dequeue(now)
        self.ask_at = min(planned, at, self.best_effort.ask_at if len(self.best_effort) else NEVER)
        return packet


def serve(queue: Queue, arrivals: Iterable[tuple[int, ...]], byte_ps: int) -> list[tuple[int, int, int]]:
    """Offer arrivals to a queue at a transmitter: (packet, begin, ECN field) of each that leaves.

    When a transmission ends at the instant of an arrival, the next one begins first.
    """
    coming = deque(
        Packet(number, row[0], *row[1:], *(0,) * (8 - len(row))) for number, row in enumerate(arrivals)
    )
    left = []
    free_at = 0
    ask = NEVER
    while coming or ask < NEVER:
        if coming and coming[0].time < ask:
            packet = coming.popleft()
            now = packet.time
            queue.enqueue(packet, now)
        else:
            now = ask
        if now < free_at:
            continue
        going = queue.dequeue(now)
        if going is not None:
            left.append((going.number, now, going.ecn))
            free_at = ask = now + going.size * byte_ps
        else:
            ask = queue.ask_at if len(queue) else NEVER
    return left
