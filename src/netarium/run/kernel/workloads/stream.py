"""stream: packets of one size at a rate, evenly spaced (constant), as a Poisson process, or in bursts (on_off).

On and off times are exponential with the stated means; a packet leaves whenever the source has been on for the time that it
takes at the stated rate, counted over bursts (as ns-3's OnOffApplication), so the mean rate is exact.
Over UDP a packet is a datagram; over TCP it is a segment that the application writes.
"""

from __future__ import annotations

from ..jit import kernel
from ..records import NONE
from ..rng import next_exponential
from ..transport import replication, udp
from ..transport.connection import open_flow, stop_writing, write
from ..transport.features import UDP
from .codes import (
    COPIES_HISTORY,
    COPIES_RESET,
    ON_OFF,
    POISSON,
    STREAM_FRACTION,
    STREAM_GAP,
    STREAM_LEFT,
    STREAM_OFF,
    STREAM_ON,
    STREAM_PATTERN,
    STREAM_PAYLOAD,
    STREAM_PHASE_END,
)


@kernel
def gap_ps(sim, source, now_ps):
    """Time to the next packet."""
    pattern = source.i[STREAM_PATTERN]
    stream = sim.streams[source.stream]
    if pattern == POISSON:
        return int(next_exponential(stream, float(source.i[STREAM_GAP]) / 65536.0)) + 1
    total = source.i[STREAM_GAP] + source.i[STREAM_FRACTION]
    source.i[STREAM_FRACTION] = total & 65535
    gap = total >> 16
    if pattern != ON_OFF:
        return gap
    due_ps = now_ps + gap
    while due_ps >= source.i[STREAM_PHASE_END]:
        pause_ps = int(next_exponential(stream, float(source.i[STREAM_OFF])))
        on_ps = int(next_exponential(stream, float(source.i[STREAM_ON])))
        source.i[STREAM_PHASE_END] += pause_ps + on_ps + 1
        due_ps += pause_ps + 1
    return due_ps - now_ps


@kernel
def emit(sim, source_index, now_ps):
    """Send one packet; returns the time to the next, or NONE after the last."""
    source = sim.sources[source_index]
    if source.conn == NONE:
        source.conn = open_flow(sim, source_index, source.pair_first, source.number, 0, now_ps)
        if source.i[STREAM_PATTERN] == ON_OFF:
            burst = next_exponential(sim.streams[source.stream], float(source.i[STREAM_ON]))
            source.i[STREAM_PHASE_END] = now_ps + int(burst) + 1
        if sim.pairs[source.pair_first].copies > 0:
            conn = sim.conns[source.conn]
            replication.begin(sim, conn, source.i[COPIES_HISTORY], source.i[COPIES_RESET])
    if sim.conns[source.conn].transport == UDP:
        udp.write(sim, source.conn, source.i[STREAM_PAYLOAD], now_ps)
    else:
        write(sim, source.conn, now_ps)
    if source.i[STREAM_LEFT] != NONE:
        source.i[STREAM_LEFT] -= source.i[STREAM_PAYLOAD]
        if source.i[STREAM_LEFT] <= 0:
            stop_writing(sim, source.conn, now_ps)
            return NONE
    return gap_ps(sim, source, now_ps)
