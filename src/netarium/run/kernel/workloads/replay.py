"""replay: flows or packets at the instants and with the sizes of a recorded list."""

from __future__ import annotations

from ..jit import kernel
from ..records import NONE
from ..transport import udp
from ..transport.connection import open_flow
from .codes import REPLAY_END, REPLAY_PACKETS, REPLAY_PAIR, REPLAY_POSITION, REPLAY_SIZE, REPLAY_TIME


@kernel
def play(sim, source_index, now_ps):
    """The next line of the list; returns the time to the one after, or NONE."""
    source = sim.sources[source_index]
    position = source.i[REPLAY_POSITION]
    pair = source.pair_first + sim.replay[position, REPLAY_PAIR]
    size_bytes = sim.replay[position, REPLAY_SIZE]
    if source.i[REPLAY_PACKETS]:
        if source.conn == NONE:
            source.conn = open_flow(sim, source_index, pair, source.number, 0, now_ps)
        udp.write(sim, source.conn, size_bytes, now_ps)
    else:
        number = int(source.number)
        source.number = number + 1
        open_flow(sim, source_index, pair, number, size_bytes, now_ps)
    source.i[REPLAY_POSITION] = position + 1
    if position + 1 >= source.i[REPLAY_END]:
        return NONE
    return sim.replay[position + 1, REPLAY_TIME] - sim.replay[position, REPLAY_TIME]
