"""Explicit congestion notification at a queue: mark instead of drop, where the packet can carry it (RFC
3168 section 5).
"""

from __future__ import annotations

from ..jit import kernel
from ..records import CE, NOT_ECT


@kernel
def mark(sim, queue, p):
    """Mark packet `p` CE; False when its transport cannot take marks. A mark made before is kept and not
    counted again."""
    packet = sim.packets[p]
    if packet.ecn == NOT_ECT:
        return False
    if packet.ecn != CE:
        packet.ecn = CE
        sim.ports[queue.port].marks += 1
    return True
