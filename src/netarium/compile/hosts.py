"""What an emulated plan says of its real hosts: interfaces, addresses, routes, and which frames belong to which service."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Interface:
    """One end of a link at a real host. Inside the host it has `name`; the engine reads and writes its other side.

    port: the compiled port that carries what the host sends; port_in: the port whose packets arrive here.
    """

    name: str
    mac: str
    addresses: tuple[str, ...]
    """With prefix length, IPv4 and IPv6: "10.0.0.1/30"."""
    mtu_bytes: int
    port: int
    port_in: int


@dataclass(frozen=True)
class Route:
    """A route of a host: `prefix` ("default" or "10.1.0.0/16") through an interface, via an address or directly ("")."""

    prefix: str
    via: str
    interface: str


@dataclass(frozen=True)
class Neighbour:
    """A permanent neighbour entry, so that no host has to ask for an address."""

    address: str
    mac: str
    interface: str


@dataclass(frozen=True)
class RealHost:
    """A node that is a real Linux host: a network namespace."""

    node: str
    node_index: int
    interfaces: tuple[Interface, ...]
    routes: tuple[Route, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    forwards: bool = False
    """A router: net.ipv4.ip_forward and its IPv6 counterpart are on."""


@dataclass(frozen=True)
class FlowRule:
    """Frames between two real hosts that belong to a service: those from `src` to `dst` whose transport protocol and port
    (of `dst`) match, and the answers the other way. protocol 0 or port 0: any."""

    service: int
    src: int
    dst: int
    protocol: int = 0
    port: int = 0
    band: int = 0


@dataclass(frozen=True)
class Emulation:
    """Everything real about an emulated plan."""

    hosts: tuple[RealHost, ...]
    names: dict[str, tuple[str, ...]]
    """Node -> its addresses, for /etc/hosts."""
    rules: tuple[FlowRule, ...] = ()
