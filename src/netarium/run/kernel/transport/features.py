"""Transport codes and the feature bits of a connection."""

from __future__ import annotations

UDP, TCP = 0, 1

SACK, ECN, OWNS_RECOVERY, CE_ECHO, HANDSHAKE, PULL, SPECIAL_PORT, PROBE_TAIL = 1, 2, 4, 8, 16, 32, 64, 128
"""Fixed when the connection opens. SACK: RFC 2018. ECN: RFC 3168. OWNS_RECOVERY: the congestion control sets its window in
recovery itself. CE_ECHO: the receiver echoes CE exactly (RFC 8257 section 3.2). HANDSHAKE: it is opened by a three-way
handshake. PULL: the data's receiver opens it and asks. SPECIAL_PORT: the sender's first port is a special one.
PROBE_TAIL: tail loss probes (RFC 8985 section 7)."""

LIMITED, REORDERED, SEND_CWR, DONE, PROBED, DUPLICATE_SEEN = 256, 512, 1024, 2048, 4096, 8192
"""These come and go. LIMITED: the window held the sender back. REORDERED: reordering was seen. SEND_CWR: the next data packet
carries CWR. DONE: the application will write no more. PROBED: a tail loss probe is outstanding. DUPLICATE_SEEN: since then a
D-SACK came."""

HYSTART, PACED, UNPACED = 1 << 14, 1 << 15, 1 << 16
"""Wishes of the trial for the congestion control. HYSTART: leave slow start by delay (HyStart, RFC 9406). PACED: pace at a rate
of window over RTT even where the control does not ask. UNPACED: never pace."""

REPLICATED, TIMED = 1 << 17, 1 << 18
"""Of datagrams. REPLICATED: every one is sent on several paths. TIMED: messages with a deadline."""


def encode(
    *,
    sack: bool,
    ecn: bool,
    owns_recovery: bool,
    ce_echo: bool,
    pull: bool,
    hystart: bool,
    pacing: bool | None,
) -> int:
    """The feature bits of a TCP connection."""
    bits = HANDSHAKE
    for wanted, bit in (
        (sack, SACK | PROBE_TAIL),
        (ecn, ECN),
        (owns_recovery, OWNS_RECOVERY),
        (ce_echo, CE_ECHO),
        (pull, PULL),
        (hystart, HYSTART),
        (pacing is True, PACED),
        (pacing is False, UNPACED),
    ):
        if wanted:
            bits |= bit
    return bits
