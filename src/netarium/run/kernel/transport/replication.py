"""Replication and elimination of datagrams (IEEE 802.1CB-2017): a copy on every path, the first to come is delivered.

Sequence recovery is the standard's VectorRecoveryAlgorithm (section 7.4.3.4): of the packets within the history behind the
newest, each number passes once; newer ones within a history's length move it on; all others are rogue and are discarded. After
a reset time without an accepted packet the next passes whatever its number. A connection keeps all of it in `conn.i`, which
UDP has no other use for.
"""

from __future__ import annotations

from ..jit import kernel
from ..records import NONE
from .features import REPLICATED
from .wire import emit, new_datagram

COPIES, ROUTE_1, ROUTE_2, ROUTE_3, LENGTH, NEWEST, PASSED_PS, RESET_PS, HISTORY = range(9)
"""Slots of `conn.i`. COPIES: paths beside the connection's route. NEWEST: RecovSeqNum, or NONE: TakeAny. PASSED_PS:
when a packet last passed. HISTORY: SequenceHistory from here on, 32 numbers a slot; number n stands at n mod 256."""
WORD_BITS, WORDS = 32, 8
LENGTH_MAX = WORD_BITS * WORDS


@kernel
def begin(sim, conn, history_length, reset_ps):
    """A replicated flow opens: find its paths, which lie one behind the other in routes, and take any packet first."""
    conn.features |= REPLICATED
    state = conn.i
    copies = int(sim.pairs[conn.pair].copies)
    state[COPIES] = copies
    position = int(conn.route)
    for copy in range(copies):
        while sim.routes[position] >= 0:
            position += 1
        position += 1
        state[ROUTE_1 + copy] = position
    state[LENGTH] = history_length
    state[RESET_PS] = reset_ps
    state[NEWEST] = NONE


@kernel
def send_copies(sim, k, seq, payload_bytes, now_ps):
    """The datagram that was just sent goes on the other paths too."""
    conn = sim.conns[k]
    service = sim.services[conn.service]
    for copy in range(conn.i[COPIES]):
        p = new_datagram(sim, k, seq, payload_bytes, now_ps)
        service.sent_packets += 1
        sim.packets[p].band = conn.band_back
        emit(sim, p, conn.i[ROUTE_1 + copy], now_ps)


@kernel(inline=True)
def word_of(seq):
    """The slot of a number in the history."""
    return HISTORY + (seq % LENGTH_MAX) // WORD_BITS


@kernel(inline=True)
def bit_of(seq):
    """Its bit there."""
    return 1 << (seq % WORD_BITS)


@kernel
def passes(conn, seq, now_ps):
    """Whether a datagram is the first of its number to come (else it is eliminated)."""
    state = conn.i
    newest = state[NEWEST]
    if newest == NONE or now_ps - state[PASSED_PS] >= state[RESET_PS]:
        for word in range(WORDS):
            state[HISTORY + word] = 0
    elif abs(seq - newest) >= state[LENGTH]:
        return False
    elif seq > newest:
        for number in range(newest + 1, seq):
            state[word_of(number)] &= ~bit_of(number)
    elif state[word_of(seq)] & bit_of(seq):
        return False
    else:
        state[word_of(seq)] |= bit_of(seq)
        state[PASSED_PS] = now_ps
        return True
    state[word_of(seq)] |= bit_of(seq)
    state[NEWEST] = seq
    state[PASSED_PS] = now_ps
    return True
