"""Nodes and links as a user writes them, and the defaults of links."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from netarium.describe.addresses import LinkAddresses, check_ends
from netarium.describe.attach import Attach
from netarium.describe.clock import Clock
from netarium.describe.impairments import Impairments
from netarium.describe.part import Name, NodeName, Part
from netarium.describe.queues import Pfifo, Queue
from netarium.describe.topology.geo import ROUTE_FACTOR
from netarium.errors import Mistake
from netarium.units import Length, PositiveRate, PositiveSize, Size, Time

DEFAULT_MTU = 1500
DEFAULT_OVERHEAD = 38  # IEEE 802.3: preamble and SFD 8, header 14, FCS 4, interpacket gap 12

NODE_KINDS = ("host", "router", "switch", "satellite", "external")


def _check_location(value: tuple[float, float]) -> tuple[float, float]:
    latitude, longitude = value
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise Mistake(f"[{latitude}, {longitude}]", "[latitude -90 to 90, longitude -180 to 180] in degrees")
    return value


Location = Annotated[tuple[float, float], AfterValidator(_check_location)]


class Node(Part):
    """A place where links meet."""

    kind: Literal["host", "router", "switch", "satellite", "external"] = "router"
    """What it is: hosts and external places are only ends, the others pass packets on."""
    location: Location | None = None
    """[latitude, longitude] in degrees."""
    label: str = ""
    """Text for people."""
    groups: tuple[Name, ...] = ()
    """Groups this node belongs to; services can name a group."""
    real: bool | None = None
    """Emulated trials: true makes it a real host, false keeps it a model; default: real where something runs on it."""
    routes: Literal["static", "none"] = "static"
    """Routes of a real host: to every destination, or none, for one that runs a routing daemon."""
    attach: Attach | None = None
    """Emulated trials: what an external node is: {interface: eth1}, {nat: true} or {vxlan: {…}}."""

    clock: Clock | None = None
    """How its clock errs; default: a perfect one."""

    @model_validator(mode="after")
    def _attached_outside(self) -> Node:
        if self.attach is not None and self.kind != "external":
            raise Mistake(f"attach at a {self.kind}", "kind: external", at=("attach",))
        if self.attach is not None and self.real is False:
            raise Mistake("false with attach", "true, or no attach", at=("real",))
        return self


class RateTrace(Part):
    """A rate that follows a file."""

    file: str
    """Trace file, relative to the trial file."""
    format: Literal["mahimahi", "csv"] = "mahimahi"
    """mahimahi: a line for each 1504 bytes, with its millisecond; csv: times and rates."""
    loop: bool = True
    """Start again at the end of the file."""


class Direction(Part):
    """What one direction of a link has differently."""

    rate: PositiveRate | None = None
    """Rate in this direction."""
    delay: Time | None = None
    """Propagation delay in this direction."""
    queue: Queue | None = None
    """Queue of this port."""
    impairments: Impairments | None = None
    """Impairments of this port."""
    rate_trace: RateTrace | None = None
    """Rate that follows a file, in this direction."""


class Link(Part):
    """A two-way connection of two nodes; compiled to the ports "a->b" and "b->a"."""

    endpoints: tuple[NodeName, NodeName]
    """The two nodes."""
    name: str = ""
    """Default "a-b"; further links between the same two get "a-b#2", "a-b#3"."""
    rate: PositiveRate | None = None
    """Bits per second on the wire."""
    delay: Time | None = None
    """Propagation delay; at most one of delay and length."""
    length: Length | None = None
    """Length of the fibre: 5 us/km."""
    mtu: PositiveSize | None = None
    """Largest IP packet; default 1500 B."""
    overhead: Size | None = None
    """Bytes on the wire per packet beside the IP packet; default 38 B (Ethernet)."""
    weight: Annotated[float, Field(gt=0)] = 1.0
    """Cost for routing by weight."""
    addresses: LinkAddresses = {}
    """Addresses of its ends in emulated trials: {a: 192.0.2.1/30, b: 192.0.2.2/30}; default: given out in order."""
    queue: Queue | None = None
    """Queue of both ports; default pfifo of 1000 packets."""
    impairments: Impairments | None = None
    """Loss, jitter, reorder, duplicate, corrupt, in both directions."""
    rate_trace: RateTrace | None = None
    """A rate that follows a file, in both directions."""
    forward: Direction | None = None
    """What differs from a to b."""
    backward: Direction | None = None
    """What differs from b to a."""

    @model_validator(mode="after")
    def _consistent(self) -> Link:
        if self.endpoints[0] == self.endpoints[1]:
            raise Mistake(f"both ends are {self.endpoints[0]!r}", "two different nodes", at=("endpoints",))
        if self.delay is not None and self.length is not None:
            raise Mistake("both delay and length", "one of them: length gives the delay", at=("length",))
        check_ends(self.addresses, self.endpoints)
        return self


class Defaults(Part):
    """What links have that do not say it themselves."""

    rate: PositiveRate | None = None
    """Rate of links without one."""
    delay: Time | None = None
    """Delay of links with neither delay, length nor two located ends."""
    length: Length | None = None
    """Length of links with neither delay, length nor two located ends."""
    mtu: PositiveSize = DEFAULT_MTU
    """Largest IP packet."""
    overhead: Size = DEFAULT_OVERHEAD
    """Bytes on the wire beside the IP packet: Ethernet's preamble 8, header 14, FCS 4, gap 12."""
    queue: Queue = Field(default_factory=Pfifo)
    """Queue of ports; pfifo of 1000 packets if not stated."""
    route_factor: Annotated[float, Field(ge=1, le=10)] = ROUTE_FACTOR
    """Length of fibre over great-circle distance."""

    @model_validator(mode="after")
    def _one_length(self) -> Defaults:
        if self.delay is not None and self.length is not None:
            raise Mistake("both delay and length", "one of them", at=("length",))
        return self
