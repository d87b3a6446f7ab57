"""Which messages of a control loop came in time: a mark for each that is not judged yet, in `conn.i`."""

from __future__ import annotations

from ..jit import kernel

START_PS, PERIOD_PS, DEADLINE_PS, MARKS = range(16, 20)
"""Slots of `conn.i`, behind those of replication: when message 0 was sent, time between messages, largest age; marks of
messages n mod 64 in two slots of 32."""
WINDOW = 64
WORD_BITS = 32


@kernel
def mark(conn, seq, now_ps):
    """Message `seq` has come; note it if it is in time. Age counts from the application's sending."""
    state = conn.i
    age_ps = now_ps - (state[START_PS] + seq * state[PERIOD_PS])
    if age_ps <= state[DEADLINE_PS]:
        state[MARKS + (seq % WINDOW) // WORD_BITS] |= 1 << (seq % WORD_BITS)


@kernel
def take_mark(conn, seq):
    """Whether message `seq` came in time; its place is free for another."""
    state = conn.i
    word = MARKS + (seq % WINDOW) // WORD_BITS
    bit = 1 << (seq % WORD_BITS)
    found = state[word] & bit
    state[word] &= ~bit
    return found != 0
