"""Time-aware gates of IEEE 802.1Qbv (docs/kinds/queues/taprio.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor

from netarium.compile.mechanisms.terms import UNBOUNDED, Bound, PortTerms, StreamTerms, smallest_ps, together
from netarium.describe.tsn import Taprio
from netarium.units import SECOND_PS

TOLERANCE_BITS = 1e-6
Window = tuple[int, int, int]
"""Begin and end within the cycle in ps, and the traffic class that alone may send."""


def encode(
    windows: Sequence[Window],
    cycle_ps: int,
    priorities: Mapping[int, int],
    num_tc: int = 8,
    base_ps: int = 0,
    max_sdu: Mapping[int, int] | None = None,
) -> Taprio:
    """The queue of a port with exclusive windows (sorted, not overlapping); all other time belongs to class 0.

    priorities: priority of packets -> class; others go to class 0.
    """
    entries, at_ps = [], 0
    for begin_ps, end_ps, number in windows:
        if begin_ps < at_ps or end_ps <= begin_ps or end_ps > cycle_ps:
            raise ValueError(
                f"windows overlap or leave the cycle: {begin_ps} to {end_ps} ps behind {at_ps} ps"
            )
        if begin_ps > at_ps:
            entries.append({"gates": [0], "interval": f"{begin_ps - at_ps} ps"})
        entries.append({"gates": [number], "interval": f"{end_ps - begin_ps} ps"})
        at_ps = end_ps
    if at_ps < cycle_ps:
        entries.append({"gates": [0], "interval": f"{cycle_ps - at_ps} ps"})
    return Taprio(
        num_tc=num_tc,
        map=[priorities.get(priority, 0) for priority in range(16)],
        base_time=f"{base_ps} ps",
        cycle_time=f"{cycle_ps} ps",
        sched_entries=entries,
        max_sdu={number: f"{size} B" for number, size in (max_sdu or {}).items()},
    )


def windows_of(spec: Taprio, number: int) -> list[tuple[int, int, bool]]:
    """Windows of a class over one cycle: (begin, end, whether a lower class may send in it), ps; those over the end
    of the cycle are two. Raises ValueError when a higher class may send in one: then the window is not the class's
    own."""
    found: list[tuple[int, int, bool]] = []
    at_ps = 0
    for index, entry in enumerate(spec.sched_entries):
        last = index == len(spec.sched_entries) - 1
        end_ps = spec.cycle_ps if last else at_ps + entry.interval
        if entry.gates >> number & 1:
            if entry.gates >> (number + 1):
                raise ValueError(f"entry {index} is open for a class above {number} too")
            shared = bool(entry.gates & ((1 << number) - 1))
            if found and found[-1][1] == at_ps:
                found[-1] = (found[-1][0], end_ps, found[-1][2] or shared)
            else:
                found.append((at_ps, end_ps, shared))
        at_ps = end_ps
    return found


def bound(
    spec: Taprio,
    port: PortTerms,
    number: int,
    streams: Sequence[StreamTerms],
    below_bytes: int | None = None,
) -> Bound:
    """Of the streams of class `number`, alone in its windows or with lower classes (largest packet below_bytes, default: MTU).

    Each window serves at least its length less one largest packet of the class, which may not fit before the gate
    closes, and less one of a lower class that was begun in it; where all packets are of one size, as many as fit. The
    worst burst comes when a packet has just ceased to fit into a window. TDMA service: Wandeler and Thiele, Optimal
    TDMA time slot and cycle length allocation for hard real-time systems, ASP-DAC 2006.
    """
    windows = windows_of(spec, number)
    arrival_bps, burst_bits = together(streams, port)
    largest_ps = port.sending_ps(max((s.largest_bytes for s in streams), default=port.mtu_bytes))
    lower_ps = port.sending_ps(port.mtu_bytes if below_bytes is None else below_bytes)
    if len(windows) == 1 and windows[0][1] - windows[0][0] == spec.cycle_ps:
        return UNBOUNDED if arrival_bps > port.rate_bps else _always_open(port, streams, lower_ps)
    joined = _join_over_the_end(windows, spec.cycle_ps)
    exact, rounding_ps = 1 - _drift(port), 4 if _drift(port) else 0
    late = [lower_ps if shared else 0.0 for _, _, shared in joined]
    sizes = {size for s in streams for size in (s.smallest_bytes or s.largest_bytes, s.largest_bytes)}
    grain_bits = port.wire_bits(next(iter(sizes))) if len(sizes) == 1 else 0
    useful = []
    for (begin, end, _), lost in zip(joined, late, strict=True):
        length_ps = max(0.0, (end - begin) * exact - rounding_ps - lost)
        whole = floor((length_ps + 1e-3) / largest_ps) * largest_ps
        useful.append(whole if grain_bits else max(0.0, length_ps - largest_ps))
    server = _Server(joined, late, useful, largest_ps, grain_bits, spec.cycle_ps, port.rate_bps)
    if arrival_bps > port.rate_bps * sum(useful) / spec.cycle_ps:
        return UNBOUNDED
    worst_ps, backlog_bits = 0.0, 0.0
    for first in range(len(joined)):
        delay_ps, held_bits = server.after_window(first, arrival_bps, burst_bits)
        worst_ps, backlog_bits = max(worst_ps, delay_ps), max(backlog_bits, held_bits)
    return Bound(worst_ps * (1 + _drift(port)) + rounding_ps, backlog_bits / 8, smallest_ps(streams, port))


def _always_open(port: PortTerms, streams: Sequence[StreamTerms], lower_ps: float) -> Bound:
    arrival_bps, burst_bits = together(streams, port)
    held_bits = burst_bits + arrival_bps * lower_ps / SECOND_PS
    return Bound(lower_ps + port.time_ps(burst_bits), held_bits / 8, smallest_ps(streams, port))


def _drift(port: PortTerms) -> float:
    """The largest relative error of the clock's rate."""
    return 0.0 if port.clock is None else abs(port.clock.drift) / 1e9  # type: ignore[attr-defined]


def _join_over_the_end(windows: list[tuple[int, int, bool]], cycle_ps: int) -> list[tuple[int, int, bool]]:
    if len(windows) > 1 and windows[0][0] == 0 and windows[-1][1] == cycle_ps:
        head, last = windows[0], windows[-1]
        return [*windows[1:-1], (last[0], cycle_ps + head[1], last[2] or head[2])]
    return windows


@dataclass(frozen=True)
class _Server:
    """Windows (begin, end, shared) of a cycle, ps; in each, how late service may begin, and how long it surely lasts."""

    windows: list[tuple[int, int, bool]]
    late: list[float]
    useful: list[float]
    largest_ps: float
    grain_bits: int
    cycle_ps: int
    rate_bps: int

    def after_window(self, first: int, arrival_bps: float, burst_bits: float) -> tuple[float, float]:
        """(largest delay, most bits waiting) when a burst comes just when nothing more fits into window `first`.

        Served bits grow by what each following window is good for. Arrivals are burst + rate x t. The delays to look
        at are those of the first packet that a window leaves to the next (grain_bits: all are as large; 0: it may be
        as small as it likes), and of the burst's last; once the burst is served, each cycle's delays are no larger
        than the cycle's before, as a cycle serves no less than it brings.
        """
        begin_ps, end_ps, _ = self.windows[first]
        start_ps = max(float(begin_ps), end_ps - self.largest_ps - self.late[first])
        served_bits, worst_ps, held_bits = 0.0, 0.0, burst_bits
        cycle_bits = self.rate_bps * sum(self.useful) / SECOND_PS
        for step in range(1, (2 + ceil(burst_bits / cycle_bits)) * len(self.windows) + 1):
            turn, index = divmod(first + step, len(self.windows))
            if self.useful[index] <= 0:
                continue
            opens_ps = self.windows[index][0] + self.late[index] + turn * self.cycle_ps - start_ps
            beyond_bits = served_bits + self.grain_bits - burst_bits
            if abs(beyond_bits) < TOLERANCE_BITS:
                beyond_bits = 0.0
            came_ps = beyond_bits * SECOND_PS / arrival_bps if beyond_bits > 0 and arrival_bps else 0.0
            sending_ps = self.grain_bits * SECOND_PS / self.rate_bps
            if beyond_bits <= 0 or (arrival_bps and came_ps <= opens_ps):
                worst_ps = max(worst_ps, opens_ps + sending_ps - came_ps)
                held_bits = max(held_bits, burst_bits + arrival_bps * opens_ps / SECOND_PS - served_bits)
            whole_bits = self.rate_bps * self.useful[index] / SECOND_PS
            if served_bits < burst_bits <= served_bits + whole_bits + TOLERANCE_BITS:
                worst_ps = max(worst_ps, opens_ps + (burst_bits - served_bits) * SECOND_PS / self.rate_bps)
            served_bits += whole_bits
        return worst_ps, held_bits
