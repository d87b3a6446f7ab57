"""Bring every plain port's queue up to an instant, so that what waits can be read."""

from __future__ import annotations

from .jit import kernel
from .memory import as_sim
from .port import settle
from .records import NONE


@kernel(entry=True)
def settle_all(address, now_ps):
    """Settle all plain ports at `now_ps`."""
    sim = as_sim(address)
    for index in range(len(sim.ports)):
        port = sim.ports[index]
        if port.queue == NONE:
            settle(sim, port, now_ps)
