"""Numbers of the workload kinds and of the slots where a SOURCE record keeps their parameters and state."""

from __future__ import annotations

BULK, STREAM, REQUESTS, REPLAY, CONTROL_LOOP, USER = range(6)

BULK_SIZE = 0
"""`i`: bytes, or NONE: until the stop."""

(
    STREAM_PAYLOAD,
    STREAM_GAP,
    STREAM_PATTERN,
    STREAM_ON,
    STREAM_OFF,
    STREAM_LEFT,
    STREAM_PHASE_END,
    STREAM_FRACTION,
) = range(8)
"""`i`: payload of a packet; picoseconds between packets with 16 fraction bits (on_off: within a burst); pattern; mean on
and off times; bytes left or NONE; end of the burst; fraction carried over."""
COPIES_HISTORY, COPIES_RESET = 8, 9
"""`i` of streams and control loops on several paths: length of the history in packets, picoseconds until a reset."""

LOOP_PAYLOAD, LOOP_PERIOD, LOOP_DEADLINE, LOOP_JUDGED, LOOP_MISSES, LOOP_RUN, LOOP_LONGEST = range(7)
"""`i`: payload of a message; picoseconds between messages; their largest age; messages judged so far, which are the first
ones; misses among them; misses since the last that came in time; most misses in a row."""

CONSTANT, POISSON, ON_OFF = range(3)
PATTERNS = {"constant": CONSTANT, "poisson": POISSON, "on_off": ON_OFF}

CDF_FIRST, CDF_COUNT = 0, 1
"""`i`: rows of `cdf` with the sizes."""
MEAN_GAP = 0
"""`f`: mean time between requests, picoseconds."""

REPLAY_POSITION, REPLAY_END, REPLAY_PACKETS = 0, 1, 2
"""`i`: next row of `replay`, one past the last, 1 for packets and 0 for flows."""
REPLAY_TIME, REPLAY_PAIR, REPLAY_SIZE = 0, 1, 2
"""Columns of `replay`: picoseconds from the service's start, pair, bytes."""

USER_SIZE, USER_PAIR, USER_STATE = 0, 1, 2
"""`i`: bytes to send now, which pair; a user's own state may use the slots from USER_STATE on, and all of `f`."""
