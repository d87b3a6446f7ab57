"""Network slices: a connectivity with service-level objectives (RFC 9543)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from netarium.describe.part import Name, NodeName, Part
from netarium.errors import Mistake
from netarium.units import PositiveRate, PositiveSize, PositiveTime, Ratio, Time, format_time

SINGLE_PATH = ("ats", "cqf")
"""Mechanisms that cannot have a protected slice: one tells streams by their slice, the other's cycle is chosen for one path."""


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
    period: PositiveTime | None = None
    """Time between its messages, each of bandwidth x period; with it, windows can be planned for them."""
    burst: PositiveSize | None = None
    """Bytes it may send at once above its bandwidth; default: ten packets of the path's MTU."""
    packet_size: PositiveSize | None = None
    """Smallest IP packet with which the bandwidth must hold; default: its services' smallest, else the path's MTU."""

    return_: Name | None = Field(default=None, alias="return")
    """The slice that carries the acknowledgements of its services, from its end to its start; default: none."""
    over: PositiveTime | None = None
    """Time over which bandwidth and loss must hold, wherever it begins; default: certification chooses."""
    mechanism: Literal["auto", "strict", "cbs", "taprio", "cqf", "ats", "scheduled"] = "auto"
    """What the ports on its path give it; auto: the first of these with which the objectives hold."""
    start: Time = 0
    """When it begins to be used."""
    end: PositiveTime | None = None
    """When its use ends; default: with the trial."""
    activation: bool = False
    """Whether it is tested before its services start (in the manner of ITU-T Y.1564)."""
    protection: bool = False
    """Whether every packet is sent on two disjoint paths, and the first copy delivered (IEEE 802.1CB)."""

    @model_validator(mode="after")
    def _two_ends(self) -> Slice:
        if self.from_ == self.to:
            raise Mistake(f"{self.to!r}, where the slice starts", "another node than from", at=("to",))
        if self.end is not None and self.end <= self.start:
            found = f"{format_time(self.end)}, not after its start at {format_time(self.start) if self.start else '0'}"
            raise Mistake(found, "a time after start", at=("end",))
        if self.mechanism == "scheduled" and self.period is None:
            raise Mistake(
                "scheduled, and no period", "a period: the time between its messages", at=("mechanism",)
            )
        if self.period is not None and self.burst is not None:
            raise Mistake(
                "a burst and a period", "one of them: a message is bandwidth x period", at=("burst",)
            )
        if self.protection and self.mechanism in SINGLE_PATH:
            found = f"{self.mechanism}, which has a slice on one path, and protection"
            raise Mistake(found, "another mechanism, or no protection", at=("mechanism",))
        if self.protection and self.path is not None:
            raise Mistake("a path and protection", "one of them: protection chooses two paths", at=("path",))
        return self
