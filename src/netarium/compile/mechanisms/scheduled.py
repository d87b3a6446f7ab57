"""Windows of time-aware gates (IEEE 802.1Qbv) planned from packet to packet (docs/kinds/queues/taprio.md#schedules).

A periodic slice is released once a period, at an instant of its source's clock. Every port opens its gates for it
alone, as soon as its first packet is surely there (no-wait: Dürr and Nayak, No-wait packet scheduling for IEEE time-sensitive
networks, RTNS 2016). So where its windows lie follows from its release, and what a packet takes does not: bounds hold wherever
it is released. Packets of slices share one queue at a port, so from the instant at which a slice's first packet may come
until its window closes no other slice may be there (frame isolation: Craciunas, Serna Oliver, Chmelík and Steiner, Scheduling
real-time communication in IEEE 802.1Qbv time sensitive networks, RTNS 2016, section 4). A packet that is missing then harms no
other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, gcd, lcm

from netarium.compile.mechanisms.terms import PortTerms
from netarium.run.kernel.queues.site import clock_error_ps

ROUNDING_PS = 4
"""What a reading of a clock that drifts may be off by rounding, twice."""
ENTRIES_MOST = 4096
"""Windows in the gate control list of a port."""


@dataclass(frozen=True)
class Message:
    """What a slice sends in a period: so many IP packets of this size or smaller, in smallest_bytes at least."""

    packets: int
    packet_bytes: int
    smallest_bytes: int
    period_ps: int


@dataclass(frozen=True)
class Window:
    """A slice's window at a port, ps on its node's clock, counted from the release of each period.

    arrives_ps: when its first packet is there at the earliest. From then to closes_ps no other slice may be at the port.
    """

    port: int
    arrives_ps: int
    opens_ps: int
    closes_ps: int


@dataclass(frozen=True)
class Planned:
    """A slice on a path of planned windows. latest_ps, least_ps: from the beginning of a transmission at the source to its
    arrival at the end, less propagation. early_ps: how long before the reading of a release its true time may be."""

    period_ps: int
    windows: tuple[Window, ...]
    latest_ps: float
    least_ps: float
    early_ps: int


def planned(
    numbers: Sequence[int], ports: Sequence[PortTerms], message: Message, duration_ps: int
) -> Planned:
    """The windows along a path from a host, whatever the clocks show within a run. Raises ValueError with the reason where the
    period is too short for them.

    Hop k opens at o_k and closes at c_k = o_k + w_k, w_k the message on the wire, longer by the clock's drift. By the bounds
    e- and e+ of the clocks' errors, a first packet has left hop k at the true time o_k - e-_k + f_k at the latest (f_k: one
    packet; the whole message where the next port is faster and would run dry), and is at the next node d_k later: o_(k+1) is
    what its clock shows then at most, so e+_(k+1) more. Latency: c_n - e-_n + d_n + e+_0 at most, from a packet that began
    with the release; o_n - e+_n + d_n and its transmission at least, less the source's window.
    """
    errors = [clock_error_ps(port.clock, duration_ps) for port in ports]
    windows: list[Window] = []
    arrives_ps = opens_ps = 0
    for hop, (number, port) in enumerate(zip(numbers, ports, strict=True)):
        closes_ps = opens_ps + _length_ps(port, message)
        if closes_ps - arrives_ps > message.period_ps:
            raise ValueError(
                f"its window at port {number} and the errors of clocks are longer than its period"
            )
        windows.append(Window(number, arrives_ps, opens_ps, closes_ps))
        if hop + 1 < len(ports):
            after = ports[hop + 1]
            first = 1 if after.rate_bps <= port.rate_bps else message.packets
            there_ps = (
                opens_ps - errors[hop][0] + first * _packet_ps(port, message.packet_bytes) + port.delay_ps
            )
            soonest_ps = (
                opens_ps - errors[hop][1] + floor(port.sending_ps(message.smallest_bytes)) + port.delay_ps
            )
            opens_ps = there_ps + errors[hop + 1][1] + ROUNDING_PS
            arrives_ps = soonest_ps + errors[hop + 1][0] - ROUNDING_PS
    first, last = windows[0], windows[-1]
    fixed_ps = sum(port.delay_ps for port in ports)
    quickest_ps = floor(ports[-1].sending_ps(message.smallest_bytes))
    if len(ports) == 1:
        latest_ps, least_ps = _packet_ps(ports[0], message.packet_bytes), quickest_ps
    else:
        begun_ps = (
            first.closes_ps - errors[0][0] - floor(ports[0].sending_ps(message.smallest_bytes)) + ROUNDING_PS
        )
        latest_ps = (
            last.closes_ps - errors[-1][0] + ports[-1].delay_ps + errors[0][1] + ROUNDING_PS - fixed_ps
        )
        least_ps = last.opens_ps - errors[-1][1] + ports[-1].delay_ps + quickest_ps - begun_ps - fixed_ps
    return Planned(message.period_ps, tuple(windows), latest_ps, least_ps, max(0, errors[0][1]) + ROUNDING_PS)


def _packet_ps(port: PortTerms, size_bytes: int) -> int:
    """A packet on the wire; the engine's time of a byte is rounded up."""
    return ceil(port.sending_ps(size_bytes)) + 1


def _length_ps(port: PortTerms, message: Message) -> int:
    """A message's window on a clock that may run fast."""
    drift_ppb = 0 if port.clock is None else abs(port.clock.drift)  # type: ignore[attr-defined]
    true_ps = message.packets * _packet_ps(port, message.packet_bytes)
    return true_ps + -(-true_ps * drift_ppb // 10**9) + (ROUNDING_PS if drift_ppb else 0)


@dataclass(frozen=True)
class Taken:
    """Time of a port that a slice has: from begin_ps to end_ps of every period."""

    begin_ps: int
    end_ps: int
    period_ps: int


class Overlap(Exception):
    """Two slices cannot share a port wherever they are released."""


def taken_by(window: Window, release_ps: int, period_ps: int) -> Taken:
    """The time that a slice with a release has at a port."""
    return Taken(release_ps + window.arrives_ps, release_ps + window.closes_ps, period_ps)


def first_release(plan: Planned, taken: Mapping[int, Sequence[Taken]]) -> int | None:
    """The smallest release of a period with which a slice meets no other at any port; None when there is none.

    Two recurring times meet nowhere exactly if they are apart modulo the greatest common divisor of their periods (Korst,
    Aarts, Lenstra and Wessels, Periodic multiprocessor scheduling, PARLE 1991). A release that meets another slice is put
    off until just behind it, so no possible one is passed over.
    """
    limits = [
        (other.end_ps - window.arrives_ps, window.closes_ps - window.arrives_ps + other.end_ps - other.begin_ps,
         gcd(plan.period_ps, other.period_ps))
        for window in plan.windows
        for other in taken.get(window.port, ())
    ]  # fmt: skip
    if any(together > common for _, together, common in limits):
        return None
    release_ps = plan.early_ps  # a source of a service that starts at 0 is then not too late for the first
    while release_ps < plan.early_ps + plan.period_ps:
        put_off_ps = release_ps
        for behind_ps, together_ps, common_ps in limits:
            wait_ps = (behind_ps - put_off_ps) % common_ps
            if 0 < wait_ps < together_ps:
                put_off_ps += wait_ps
        if put_off_ps == release_ps:
            return release_ps
        release_ps = put_off_ps
    return None


def in_turn(plans: Mapping[str, Planned], pinned: Mapping[str, int]) -> dict[str, int] | None:
    """A release for every slice, one after the other, pinned ones as they are; None when one finds no place."""
    taken: dict[int, list[Taken]] = {}
    releases = dict(pinned)
    for name in (*pinned, *(name for name in plans if name not in pinned)):
        release_ps = releases[name] if name in pinned else first_release(plans[name], taken)
        if release_ps is None:
            return None
        releases[name] = release_ps
        for window in plans[name].windows:
            time = taken_by(window, release_ps, plans[name].period_ps)
            taken.setdefault(window.port, []).append(time)
    return releases


def shortest_first(plans: Mapping[str, Planned]) -> dict[str, Planned]:
    """The slices by period, and the longest windows first among equals: what has the least choice is placed first."""

    def choice(name: str) -> tuple[int, int]:
        plan = plans[name]
        return plan.period_ps, -sum(each.closes_ps - each.arrives_ps for each in plan.windows)

    return {name: plans[name] for name in sorted(plans, key=choice)}


def entries(periods_ps: Iterable[int]) -> int:
    """How many windows the gate control list of a port with these slices has."""
    listed = list(periods_ps)
    cycle_ps = lcm(*listed)
    return sum(cycle_ps // period for period in listed)


def gate_windows(opened: Iterable[Taken]) -> tuple[list[tuple[int, int]], int]:
    """(begin and end of each window of the gate control list, sorted; its cycle) of a port, from the windows of its slices."""
    listed = list(opened)
    cycle_ps = lcm(*(each.period_ps for each in listed))
    found = []
    for each in listed:
        for turn in range(cycle_ps // each.period_ps):
            begin_ps = (each.begin_ps + turn * each.period_ps) % cycle_ps
            end_ps = begin_ps + each.end_ps - each.begin_ps
            found.append((begin_ps, min(end_ps, cycle_ps)))
            if end_ps > cycle_ps:
                found.append((0, end_ps - cycle_ps))
    return sorted(found), cycle_ps
