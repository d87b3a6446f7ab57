"""Rates that follow a trace: when a packet that begins now will have been transmitted.

Two kinds. *Rates*: piecewise constant; a packet ends when the integral of the rate reaches its bits (a CSV
file, or changes of rate as events). *Opportunities*: Mahimahi's packet-delivery traces (Netravali et al.,
USENIX ATC 2015; mahimahi: link_queue.cc): at each instant of the trace up to 1504 bytes leave, and a packet
leaves at the opportunity that covers its last byte; what an opportunity has over is used by the packet
behind it if that one waits already, else lost.

At its end a trace starts again, or holds its last rate; Mahimahi's without a loop gives nothing any more.
Deviations: Mahimahi starts its clock with the program, here it starts with the run; packets larger than an
opportunity take several (Mahimahi stops); an opportunity carries IP packets with 4 bytes each of tunnel
header, as Mahimahi counts them, not the overhead of the wire.

A port asks in the order of time, so a position in the trace moves only forward and each point is passed
once.
"""

from __future__ import annotations

from .events import NEVER
from .jit import kernel
from .records import record

RATES, OPPORTUNITIES = 0, 1
OPPORTUNITY_BYTES = 1504
"""PACKET_SIZE of mahimahi: 1500 bytes and the 4 of a tunnel's header."""
TUNNEL_BYTES = 4
BYTE_WORK = 8 * 10**12
"""Work of a byte: at 1 bit/s a picosecond does 1, so a byte takes 8e12."""

TRACE = record(
    ("kind", "i4", "RATES or OPPORTUNITIES"),
    ("loop", "i4", "1: start again at the end"),
    ("first", "i8", "its first point in trace_points"),
    ("count", "i8", "points"),
    ("period_ps", "i8", "looping: length of one round"),
    ("position", "i8", "rates: point in force; opportunities: next one not used"),
    ("base_ps", "i8", "looping: when the current round began"),
    ("spare_bytes", "i8", "opportunities: bytes left of the one at end_ps"),
    ("end_ps", "i8", "opportunities: when the last packet ended, or NONE"),
    ("charge_bytes", "i8", "opportunities: added to wire bytes (overhead off, tunnel on)"),
)

TRACE_POINT = record(
    ("time_ps", "i8", "since the beginning of the round"),
    ("rate_bps", "i8", "rates: from here on; opportunities: unused"),
)


@kernel
def transmit_end_ps(sim, t, start_ps, wire_bytes):
    """When a packet of `wire_bytes` that begins at `start_ps` has been transmitted by trace `t`; NEVER when
    it never is."""
    trace = sim.traces[t]
    if trace.loop != 0 and start_ps - trace.base_ps >= 2 * trace.period_ps:
        skip_rounds(trace, start_ps)
    if trace.kind == RATES:
        return end_at_rates(sim, trace, start_ps, wire_bytes)
    return end_at_opportunities(sim, trace, start_ps, wire_bytes)


@kernel
def skip_rounds(trace, start_ps):
    """Nothing was sent for more than a round: go on in the round before the one of `start_ps`."""
    trace.base_ps += ((start_ps - trace.base_ps) // trace.period_ps - 1) * trace.period_ps
    trace.position = 0
    trace.spare_bytes = 0


@kernel
def point_end_ps(sim, trace, base_ps, position):
    """When the rate of a point ends, in the round that began at `base_ps`."""
    if position + 1 < trace.count:
        return base_ps + sim.trace_points[trace.first + position + 1].time_ps
    return base_ps + trace.period_ps if trace.loop != 0 else NEVER


@kernel
def end_at_rates(sim, trace, start_ps, wire_bytes):
    """Piecewise constant rates: exact, rounded up to a picosecond once. Remembers the point in force at
    `start_ps`."""
    while point_end_ps(sim, trace, trace.base_ps, trace.position) <= start_ps:
        advance(trace)
    work = wire_bytes * BYTE_WORK
    from_ps = start_ps
    base_ps = trace.base_ps
    position = trace.position
    while True:
        rate_bps = sim.trace_points[trace.first + position].rate_bps
        until_ps = point_end_ps(sim, trace, base_ps, position)
        if rate_bps > 0:
            needed_ps = (work + rate_bps - 1) // rate_bps
            if from_ps + needed_ps <= until_ps:
                return from_ps + needed_ps
            work -= (until_ps - from_ps) * rate_bps
        if until_ps >= NEVER:
            return NEVER
        from_ps = until_ps
        position += 1
        if position >= trace.count:
            position = 0
            base_ps += trace.period_ps


@kernel
def advance(trace):
    """Go to the next point, or to the first of the next round."""
    trace.position += 1
    if trace.position >= trace.count:
        trace.position = 0
        trace.base_ps += trace.period_ps


@kernel
def end_at_opportunities(sim, trace, start_ps, wire_bytes):
    """Mahimahi: the opportunity that covers the packet's last byte."""
    need_bytes = wire_bytes + trace.charge_bytes
    if start_ps != trace.end_ps:
        trace.spare_bytes = 0
        while trace.position < trace.count and opportunity_ps(sim, trace) <= start_ps:
            use(trace)
    end_ps = start_ps
    while trace.spare_bytes < need_bytes:
        if trace.position >= trace.count:
            return NEVER
        need_bytes -= trace.spare_bytes
        trace.spare_bytes = OPPORTUNITY_BYTES
        end_ps = opportunity_ps(sim, trace)
        use(trace)
    trace.spare_bytes -= need_bytes
    trace.end_ps = end_ps
    return end_ps


@kernel
def opportunity_ps(sim, trace):
    """When the next opportunity is."""
    return trace.base_ps + sim.trace_points[trace.first + trace.position].time_ps


@kernel
def use(trace):
    """The next opportunity is used or past."""
    if trace.loop != 0:
        advance(trace)
    else:
        trace.position += 1
