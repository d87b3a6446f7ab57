"""The disciplines of IEEE 802.1Q as obvious Python: lists of windows, exact fractions, a search for every time.

Written from the standard, sharing no code with the kernel. Times ps, sizes bytes, rates bit/s.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from naive_queues import NEVER, Log, Packet, Queue

BITS_PS = 8 * 10**12


class Clock:
    """Reading = true time + offset + what drift has added up, rounded down; a triangle where it is disciplined."""

    def __init__(self, spec: Any = None) -> None:
        self.offset, self.drift, self.sync = (spec.offset, spec.drift, spec.sync) if spec else (0, 0, None)

    def reading(self, now: int) -> int:
        span = now
        if self.sync:
            turn, phase = divmod(now, self.sync)
            span = phase if turn % 2 == 0 else self.sync - phase
        return now + self.offset + (span * self.drift) // 10**9

    def when(self, reading: int) -> int:
        """The first true time with at least this reading, by bisection."""
        low, high = reading - 10**13, reading + 10**13
        while high - low > 1:
            middle = (low + high) // 2
            if self.reading(middle) >= reading:
                high = middle
            else:
                low = middle
        return high


class Mqprio(Queue):
    """The highest class that has a packet to give."""

    def __init__(self, log: Log, class_of: tuple[int, ...], leaves: list[Queue]) -> None:
        super().__init__(log)
        self.class_of, self.leaves = class_of, leaves

    def __len__(self) -> int:
        return sum(map(len, self.leaves))

    def enqueue(self, packet: Packet, now: int) -> None:
        self.leaves[self.class_of[packet.priority]].enqueue(packet, now)

    def dequeue(self, now: int) -> Packet | None:
        for leaf in reversed(self.leaves):
            packet = leaf.dequeue(now)
            if packet is not None:
                return packet
        self.ask_at = min((leaf.ask_at for leaf in self.leaves if len(leaf)), default=NEVER)
        return None


class Cbs(Queue):
    """Credit in bits, moved on in time piece by piece."""

    def __init__(self, log: Log, spec: Any, rate: int) -> None:
        super().__init__(log, limit_packets=spec.limit)
        self.idle = Fraction(spec.idleslope, 10**12)
        send = spec.sendslope if spec.sendslope is not None else rate - spec.idleslope
        self.send, self.rate = Fraction(send, 10**12), rate
        self.high = None if spec.hicredit is None else 8 * spec.hicredit
        self.low = None if spec.locredit is None else -8 * spec.locredit
        self.credit, self.at, self.sending_until = Fraction(0), 0, 0

    def move(self, now: int) -> None:
        if self.at < self.sending_until:
            step = min(now, self.sending_until) - self.at
            self.credit -= self.send * step
            self.at += step
            if self.at == self.sending_until and self.low is not None:
                self.credit = max(self.credit, Fraction(self.low))
        if self.at < self.sending_until:
            return
        if len(self.waiting):
            self.credit += self.idle * (now - self.at)
        elif self.credit < 0:
            self.credit = min(Fraction(0), self.credit + self.idle * (now - self.at))
        else:
            self.credit = Fraction(0)
        if self.high is not None:
            self.credit = min(self.credit, Fraction(self.high))
        self.at = now

    def enqueue(self, packet: Packet, now: int) -> None:
        self.move(now)
        super().enqueue(packet, now)

    def dequeue(self, now: int) -> Packet | None:
        if not self.waiting:
            return None
        self.move(now)
        if self.credit < 0:
            self.ask_at = now + -(self.credit // self.idle)
            return None
        packet = super().dequeue(now)
        assert packet is not None
        self.sending_until = now + packet.size * BITS_PS // self.rate
        return packet


class Taprio(Queue):
    """Windows written out, cycle by cycle, for each class."""

    def __init__(self, log: Log, spec: Any, leaves: list[Queue], byte_ps: int, clock: Any) -> None:
        super().__init__(log)
        self.spec, self.leaves, self.byte_ps, self.clock = spec, leaves, byte_ps, Clock(clock)
        self.heads: list[Packet | None] = [None] * len(leaves)

    def __len__(self) -> int:
        return sum(map(len, self.leaves)) + sum(head is not None for head in self.heads)

    def enqueue(self, packet: Packet, now: int) -> None:
        k = self.spec.class_of[packet.priority]
        if packet.size > self.spec.max_sdu.get(k, 1500):
            self.log.drop(packet, "DROP_OVERSIZE")
        else:
            self.leaves[k].enqueue(packet, now)

    def windows(self, k: int, near: int) -> list[tuple[int, int]]:
        """Readings between which class k may send, some cycles before and after `near`."""
        spec, found = self.spec, []
        cycle = (near - spec.base_time) // spec.cycle_ps
        for turn in range(cycle - 1, cycle + 4):
            begin = spec.base_time + turn * spec.cycle_ps
            for index, entry in enumerate(spec.sched_entries):
                end = begin + entry.interval
                if index == len(spec.sched_entries) - 1:
                    end = spec.base_time + (turn + 1) * spec.cycle_ps
                if entry.gates >> k & 1:
                    if found and found[-1][1] == begin:
                        found[-1] = (found[-1][0], end)
                    else:
                        found.append((begin, end))
                begin = end
        return found

    def begins(self, k: int, size: int, now: int) -> int:
        if all(entry.gates >> k & 1 for entry in self.spec.sched_entries):
            return now
        near = self.clock.reading(now)
        for begin, end in self.windows(k, near):
            at = max(now, self.clock.when(begin))
            if at + size * self.byte_ps <= self.clock.when(end):
                return at
        return NEVER

    def dequeue(self, now: int) -> Packet | None:
        self.ask_at = NEVER
        for k in reversed(range(len(self.leaves))):
            if self.heads[k] is None:
                self.heads[k] = self.leaves[k].dequeue(now)
            head = self.heads[k]
            if head is None:
                if len(self.leaves[k]):
                    self.ask_at = min(self.ask_at, self.leaves[k].ask_at)
                continue
            at = self.begins(k, head.size, now)
            if at == now:
                self.heads[k] = None
                return head
            self.ask_at = min(self.ask_at, at)
        return None


class Cqf(Queue):
    """A list of packets for every cycle to come. neighbours: hop -> (clock, propagation, base of cycles, shift)."""

    def __init__(
        self,
        log: Log,
        spec: Any,
        others: Queue,
        byte_ps: int,
        room: int,
        clock: Any,
        neighbours: dict[int, tuple[Any, int, int, int]],
    ) -> None:
        super().__init__(log)
        self.spec, self.others, self.byte_ps, self.room = spec, others, byte_ps, room
        self.clock, self.neighbours = Clock(clock), neighbours
        self.cycles: dict[int, list[Packet]] = defaultdict(list)

    def __len__(self) -> int:
        return sum(map(len, self.cycles.values())) + len(self.others)

    def cycle(self, now: int) -> int:
        return (self.clock.reading(now) - self.spec.base_time) // self.spec.cycle_time

    def enqueue(self, packet: Packet, now: int) -> None:
        if packet.priority not in self.spec.priorities:
            self.others.enqueue(packet, now)
            return
        current = self.cycle(now)
        chosen = current + (self.spec.shift or 1)
        if self.spec.mapping == "label":
            chosen = current + 1
            if packet.hop in self.neighbours:
                clock, propagation, base, shift = self.neighbours[packet.hop]
                began = now - propagation - packet.size * self.byte_ps
                chosen = (Clock(clock).reading(began) - base) // self.spec.cycle_time + shift
        if not current < chosen < current + self.spec.queues:
            self.log.drop(packet, "DROP_LATE")
        elif sum(p.size for p in self.slot(chosen)) * self.byte_ps + packet.size * self.byte_ps > self.room:
            self.log.drop(packet, "DROP_TAIL")
        else:
            self.slot(chosen).append(packet)

    def slot(self, cycle: int) -> list[Packet]:
        return self.cycles[cycle % self.spec.queues]

    def dequeue(self, now: int) -> Packet | None:
        current = self.cycle(now)
        begin = self.spec.base_time + current * self.spec.cycle_time
        mine = self.slot(current)
        if mine and now + mine[0].size * self.byte_ps <= self.clock.when(begin + self.spec.cycle_time):
            return mine.pop(0)
        packet = self.others.dequeue(now)
        if packet is not None:
            return packet
        asks = [self.others.ask_at] if len(self.others) else []
        asks += [
            self.clock.when(begin + ahead * self.spec.cycle_time)
            for ahead in range(1, self.spec.queues + 1)
            if self.slot(current + ahead)
        ]
        self.ask_at = min(asks, default=NEVER)
        return None


class Ats(Queue):
    """Every packet with the eligibility time that the standard's state machine gives it on arrival.

    The one eligible longest goes first, by true time: a slow clock shows the same to packets that come one after another.
    """

    def __init__(
        self,
        log: Log,
        spec: Any,
        stream_of: Callable[[Packet], Any],
        parameters: Callable[[Any], tuple[int, int] | None],
        clock: Any,
    ) -> None:
        super().__init__(log)
        self.spec, self.stream_of, self.parameters, self.clock = spec, stream_of, parameters, Clock(clock)
        self.empty: dict[Any, Fraction] = {}
        self.group_eligibility: dict[int, Fraction] = defaultdict(lambda: Fraction(-NEVER))
        self.groups: dict[int, list[tuple[int, Packet]]] = defaultdict(list)

    def __len__(self) -> int:
        return sum(map(len, self.groups.values()))

    def enqueue(self, packet: Packet, now: int) -> None:
        if len(self) >= self.spec.limit:
            self.log.drop(packet, "DROP_TAIL")
            return
        arrival = self.clock.reading(now)
        stream = self.stream_of(packet)
        given = self.parameters(stream)
        eligible = max(Fraction(arrival), self.group_eligibility[packet.hop])
        if given is not None:
            rate, burst = given
            recovery, to_full = Fraction(packet.size * BITS_PS, rate), Fraction(burst * BITS_PS, rate)
            empty = self.empty.get(stream, Fraction(-NEVER))
            scheduler = empty + recovery
            eligible = max(eligible, scheduler)
            if packet.size > burst:
                self.log.drop(packet, "DROP_OVERSIZE")
                return
            if self.spec.max_residence_time and eligible > arrival + self.spec.max_residence_time:
                self.log.drop(packet, "DROP_LATE")
                return
            self.group_eligibility[packet.hop] = eligible
            full = empty + to_full
            self.empty[stream] = scheduler if eligible < full else scheduler + eligible - full
        self.groups[packet.hop].append((max(now, self.clock.when(-(-eligible // 1))), packet))

    def dequeue(self, now: int) -> Packet | None:
        heads = [(line[0][0], hop) for hop, line in self.groups.items() if line]
        if not heads:
            return None
        eligible, hop = min(heads)
        if eligible > now:
            self.ask_at = eligible
            return None
        return self.groups[hop].pop(0)[1]


class Psfp(Queue):
    """Size, gate, meter; then another queue."""

    def __init__(
        self, log: Log, entry_of: Callable[[Packet], Any], stream_of: Callable[[Packet], Any], inner: Queue
    ) -> None:
        super().__init__(log)
        self.entry_of, self.stream_of, self.inner = entry_of, stream_of, inner
        self.blocked: set[Any] = set()
        self.closed: set[int] = set()
        self.passed: dict[Any, int] = defaultdict(int)
        self.buckets: dict[Any, list[Fraction]] = {}
        self.filled: dict[Any, int] = {}

    def __len__(self) -> int:
        return len(self.inner)

    def enqueue(self, packet: Packet, now: int) -> None:
        entry, stream = self.entry_of(packet), self.stream_of(packet)
        reason = None if entry is None else self.reason(entry, stream, packet, now)
        if reason is None:
            self.inner.enqueue(packet, now)
        else:
            self.log.drop(packet, reason)

    def reason(self, entry: Any, stream: Any, packet: Packet, now: int) -> str | None:
        if entry.max_sdu is not None and packet.size > entry.max_sdu:
            if entry.blocked_due_to_oversize:
                self.blocked.add(stream)
            return "DROP_OVERSIZE"
        if stream in self.blocked:
            return "DROP_POLICER"
        if entry.gate is not None and not self.gate(entry.gate, stream[0], packet, now):
            return "DROP_GATE"
        if entry.meter is not None and not self.meter(entry.meter, stream, packet, now):
            return "DROP_POLICER"
        return None

    def gate(self, gate: Any, service: int, packet: Packet, now: int) -> bool:
        if service in self.closed:
            return False
        turn, phase = divmod(now - gate.base_time, gate.cycle_ps)
        index = 0
        while index < len(gate.sched_entries) - 1 and phase >= gate.sched_entries[index].interval:
            phase -= gate.sched_entries[index].interval
            index += 1
        entry = gate.sched_entries[index]
        if entry.gate == "close":
            if gate.closed_due_to_invalid_rx:
                self.closed.add(service)
            return False
        if entry.maxoctets is not None and self.passed[service, turn, index] + packet.size > entry.maxoctets:
            return False
        self.passed[service, turn, index] += packet.size
        return True

    def meter(self, meter: Any, stream: Any, packet: Packet, now: int) -> bool:
        tokens = self.buckets.setdefault(stream, [Fraction(meter.cbs), Fraction(meter.ebs)])
        step = now - self.filled.get(stream, 0)
        self.filled[stream] = now
        for colour, (rate, burst) in enumerate(((meter.cir, meter.cbs), (meter.eir, meter.ebs))):
            tokens[colour] = min(Fraction(burst), tokens[colour] + Fraction(rate * step, BITS_PS))
        for colour in (0, 1):
            if packet.size <= tokens[colour]:
                tokens[colour] -= packet.size
                return colour == 0 or not meter.drop_on_yellow
        if meter.mark_all_frames_red:
            self.blocked.add(stream)
        return False

    def dequeue(self, now: int) -> Packet | None:
        packet = self.inner.dequeue(now)
        self.ask_at = self.inner.ask_at
        return packet
