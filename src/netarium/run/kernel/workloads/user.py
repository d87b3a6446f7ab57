"""A user's own workload: `next_arrival(source, stream, now_ps)` says what to send now and when to be asked again.

It sets source.i[USER_SIZE] (0: nothing now) and, among several pairs, source.i[USER_PAIR], and returns the picoseconds until
its next call, or a negative number to end. Over TCP each size is a flow of its own; over UDP it is sent as datagrams.
"""

from __future__ import annotations

from ..jit import call_hook, kernel
from ..records import NONE
from ..transport import udp
from ..transport.connection import open_flow
from ..transport.features import TCP
from .codes import USER_PAIR, USER_SIZE


@kernel
def ask(sim, source_index, now_ps):
    """Call the user's function and do what it says; returns the time to the next call, or NONE."""
    source = sim.sources[source_index]
    source.i[USER_SIZE] = 0
    gap = call_hook(sim.hooks[source.hook], source, sim.streams[source.stream], now_ps)
    size_bytes = source.i[USER_SIZE]
    if size_bytes > 0:
        pair = source.pair_first + source.i[USER_PAIR] % source.pair_count
        if sim.transports[source.transport].kind == TCP:
            number = int(source.number)
            source.number = number + 1
            open_flow(sim, source_index, pair, number, size_bytes, now_ps)
        else:
            if source.conn == NONE:
                source.conn = open_flow(sim, source_index, pair, source.number, 0, now_ps)
            left = size_bytes
            while left > 0:
                part = min(left, int(sim.conns[source.conn].mss_bytes))
                udp.write(sim, source.conn, part, now_ps)
                left -= part
    return gap if gap >= 0 else NONE
