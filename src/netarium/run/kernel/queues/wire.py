"""How long a packet takes on the wire of the port that a discipline stands at."""

from __future__ import annotations

from ..jit import kernel
from ..records import BYTE_TIME_BITS


@kernel(inline=True)
def wire_ps(port, size_bytes):
    """Transmission of an IP packet with the port's overhead, as port.transmission_ps has it."""
    return ((size_bytes + port.overhead_bytes) * port.byte_time) >> BYTE_TIME_BITS
