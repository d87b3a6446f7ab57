"""Network slices: a connectivity with service-level objectives (RFC 9543)."""

from __future__ import annotations

from pydantic import Field, model_validator

from netarium.describe.part import NodeName, Part
from netarium.errors import Mistake
from netarium.units import PositiveRate, PositiveSize, PositiveTime, Ratio, Time


class Slice(Part):
    """A guarantee between two nodes: what is asked, and what certification compares with."""

    from_: NodeName = Field(alias="from")
    """Node where it starts."""
    to: NodeName
    """Node where it ends."""
    bandwidth: PositiveRate
    """Reserved rate, counted in IP packets (layer 3)."""
    latency: PositiveTime | None = None
    """Largest one-way latency; not promised if not stated."""
    delay_variation: Time | None = None
    """Largest difference of one-way latencies; not promised if not stated."""
    loss: Ratio | None = None
    """Largest part of packets lost; not promised if not stated."""
    path: tuple[NodeName, ...] | None = None
    """The nodes it passes, from first to last; default: admission chooses."""
    burst: PositiveSize | None = None
    """Bytes it may send at once above its bandwidth; default: ten packets of the path's MTU."""
    packet_size: PositiveSize | None = None
    """Smallest IP packet with which the bandwidth must hold; default: the smallest that its services state, else the path's MTU."""

    @model_validator(mode="after")
    def _two_ends(self) -> Slice:
        if self.from_ == self.to:
            raise Mistake(f"{self.to!r}, where the slice starts", "another node than from", at=("to",))
        return self
