"""Cyclic queuing and forwarding of IEEE 802.1Qch, and with a shift for each link (docs/kinds/queues/cqf.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from netarium.compile.mechanisms.terms import INFINITE, Bound, PortTerms, StreamTerms
from netarium.describe.tsn import Cqf
from netarium.run.kernel.queues.cqf import shifts
from netarium.run.kernel.queues.site import Ingress, Site, clock_error_ps
from netarium.units import SECOND_PS


@dataclass(frozen=True)
class CycleTerms:
    """The cycle that all ports of a path share. mapping as the queue's; dead_ps: time at the end of a cycle in which
    nothing is sent, so that what is sent in a cycle arrives in it (mapping arrival; at least the propagation of each
    link but the last)."""

    cycle_ps: int
    mapping: str = "label"
    base_ps: int = 0
    dead_ps: int = 0


def room_bits(port: PortTerms, terms: CycleTerms) -> float:
    """Bits that a cycle can send: its length less its dead time and one largest packet of other traffic, which may have begun
    before it."""
    room_ps = terms.cycle_ps - terms.dead_ps - port.sending_ps(port.mtu_bytes) - 1
    return max(0.0, room_ps * port.rate_bps / SECOND_PS)


def cycle_load_bits(streams: Sequence[StreamTerms], port: PortTerms, cycle_ps: int) -> float:
    """Bits that streams bring in a cycle at most: each its burst and what its rate gives in a cycle."""
    return sum(s.wire_burst_bits(port) + s.wire_rate_bps(port) * cycle_ps / SECOND_PS for s in streams)


def holds(streams: Sequence[StreamTerms], port: PortTerms, terms: CycleTerms) -> bool:
    """Whether a cycle has room for what the streams can bring in one: then no packet is ever without a place."""
    return cycle_load_bits(streams, port, terms.cycle_ps) <= room_bits(port, terms)


def path_shifts(ports: Sequence[PortTerms], terms: CycleTerms, duration_ps: int) -> tuple[list[int], int]:
    """(shift at each port behind the first, buffers that every port needs), whatever the nodes' clocks show within a run."""
    found, buffers = [], 2
    spec = Cqf(cycle_time=f"{terms.cycle_ps} ps", mapping="label", queues=64)
    for before, here in zip(ports, ports[1:], strict=False):
        site = Site(clock=here.clock, duration_ps=duration_ps)
        ingress = Ingress(0, before.delay_ps, (terms.cycle_ps, terms.base_ps), before.clock)
        fewest, span = shifts(spec, ingress, site)
        found.append(fewest)
        buffers = max(buffers, span + 1)
    return found, buffers


def encode(
    ports: Sequence[PortTerms], terms: CycleTerms, duration_ps: int, priorities: Sequence[int] = (7,)
) -> Cqf:
    """The queue of the ports of a path (the same at each). Raises ValueError when clocks need more than 64 buffers."""
    buffers = path_shifts(ports, terms, duration_ps)[1] if terms.mapping == "label" else 2
    if buffers > 64:
        raise ValueError(f"{buffers} buffers: the clocks drift further apart than 64 cycles")
    blocked_ps = max(ceil(port.sending_ps(port.mtu_bytes)) for port in ports)
    return Cqf(
        cycle_time=f"{terms.cycle_ps} ps",
        base_time=f"{terms.base_ps} ps",
        guard=f"{terms.dead_ps + blocked_ps} ps" if terms.dead_ps else None,
        mapping=terms.mapping,
        queues=buffers,
        priorities=tuple(priorities),
    )


def bound(ports: Sequence[PortTerms], terms: CycleTerms, duration_ps: int, smallest_bytes: int) -> Bound:
    """From a packet's arrival at the first port to its last bit's arrival at the far end of the last link, where
    every port's cycle has room (`holds`). backlog_bytes: of one port, all buffers.

    label: a packet of cycle c at the first port leaves the last in cycle c + 1 + sum of the shifts, of that node's
    clock; so between the end of its cycle of arrival and the end of that cycle. arrival: with a dead time that covers
    each link, the next cycle at every port, (h - 1) T to (h + 1) T for h ports (IEEE 802.1Q-2022 annex T.5), and the
    last link; otherwise the packets of a cycle come in two cycles, and each port may take up to 2 T.
    """
    cycle_ps, hops = terms.cycle_ps, len(ports)
    last = ports[-1]
    least_sending_ps = last.sending_ps(smallest_bytes)
    first_error, last_error = (clock_error_ps(port.clock, duration_ps) for port in (ports[0], last))
    if terms.mapping == "label":
        cycles = sum(path_shifts(ports, terms, duration_ps)[0])
        apart = (first_error[0] - last_error[1], first_error[1] - last_error[0]) if hops > 1 else (0, 0)
        rates = sum(abs(port.clock.drift) / 1e9 for port in (ports[0], last) if port.clock is not None)  # type: ignore[attr-defined]
        slack_ps = 2 * cycle_ps * rates + (4 if rates else 0)
        latest_ps = (cycles + 2) * cycle_ps + apart[1] + last.delay_ps + slack_ps
        least_ps = cycles * cycle_ps + apart[0] + last.delay_ps + least_sending_ps - slack_ps
    else:
        propagation_ps = sum(port.delay_ps for port in ports)
        if any(port.clock is not None for port in ports):
            return Bound(INFINITE, INFINITE)
        if all(port.delay_ps <= terms.dead_ps for port in ports[:-1]):
            latest_ps = (hops + 1) * cycle_ps + last.delay_ps
            least_ps = (hops - 1) * cycle_ps + last.delay_ps + least_sending_ps
        else:
            latest_ps = 2 * hops * cycle_ps + propagation_ps
            least_ps = propagation_ps + least_sending_ps * hops
    buffers = path_shifts(ports, terms, duration_ps)[1] if terms.mapping == "label" else 2
    held_bytes = buffers * max(room_bits(port, terms) for port in ports) / 8
    return Bound(latest_ps, held_bytes, least_ps)
