"""bulk: one flow that carries a size, or as much as it can until it is stopped."""

from __future__ import annotations

from ..jit import kernel
from ..records import NONE
from ..transport.connection import open_flow
from .codes import BULK_SIZE


@kernel
def begin(sim, source_index, now_ps):
    """Open the flow."""
    source = sim.sources[source_index]
    source.conn = open_flow(sim, source_index, source.pair_first, source.number, source.i[BULK_SIZE], now_ps)
    return NONE
