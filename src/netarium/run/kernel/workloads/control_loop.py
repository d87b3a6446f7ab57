"""control_loop: one small message a period, each with a deadline.

The receiver notes which messages came in time; the source judges them in their order, when their deadline has passed, so a
message that another overtook is not called a miss. What is left at the end is judged after the run (run/deadlines.py).
"""

from __future__ import annotations

from ..jit import kernel
from ..records import NONE
from ..transport import replication, udp
from ..transport.connection import open_flow
from ..transport.deadlines import DEADLINE_PS, PERIOD_PS, START_PS, take_mark
from ..transport.features import TIMED
from .codes import (
    COPIES_HISTORY,
    COPIES_RESET,
    LOOP_DEADLINE,
    LOOP_JUDGED,
    LOOP_LONGEST,
    LOOP_MISSES,
    LOOP_PAYLOAD,
    LOOP_PERIOD,
    LOOP_RUN,
)


@kernel
def send(sim, source_index, now_ps):
    """Judge what is due, send the next message; returns the period."""
    source = sim.sources[source_index]
    if source.conn == NONE:
        source.conn = open_flow(sim, source_index, source.pair_first, source.number, 0, now_ps)
        conn = sim.conns[source.conn]
        conn.features |= TIMED
        conn.i[START_PS] = now_ps
        conn.i[PERIOD_PS] = source.i[LOOP_PERIOD]
        conn.i[DEADLINE_PS] = source.i[LOOP_DEADLINE]
        if sim.pairs[source.pair_first].copies > 0:
            replication.begin(sim, conn, source.i[COPIES_HISTORY], source.i[COPIES_RESET])
    judge(sim, source, now_ps)
    udp.write(sim, source.conn, source.i[LOOP_PAYLOAD], now_ps)
    return source.i[LOOP_PERIOD]


@kernel
def judge(sim, source, now_ps):
    """Count the messages whose deadline lies before `now_ps`: in time, or a miss."""
    conn = sim.conns[source.conn]
    state = source.i
    while state[LOOP_JUDGED] < conn.nxt:
        sent_ps = conn.i[START_PS] + state[LOOP_JUDGED] * state[LOOP_PERIOD]
        if sent_ps + state[LOOP_DEADLINE] >= now_ps:
            break
        if take_mark(conn, state[LOOP_JUDGED]):
            state[LOOP_RUN] = 0
        else:
            state[LOOP_MISSES] += 1
            state[LOOP_RUN] += 1
            state[LOOP_LONGEST] = max(state[LOOP_LONGEST], state[LOOP_RUN])
        state[LOOP_JUDGED] += 1
