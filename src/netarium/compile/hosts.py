"""What an emulated plan says of its real hosts: interfaces, addresses, routes, and which frames belong to which service."""

from __future__ import annotations

from dataclasses import dataclass

NEVER_PS = 2**63 - 1
BEFORE_PS = -3600 * 10**12
"""Start of a server: before the trial, as soon as the hosts are up."""


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
    prefixes: tuple[str, ...] = ()
    """What lies behind it and is of nobody in the trial: where packets go that no closer address claims."""


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
    hostname: str = ""
    why: str = ""
    """What makes it real: a service, real: true, a way out."""
    way_out: WayOut | None = None
    """For an external node: the network that exists on its other side."""


@dataclass(frozen=True)
class WayOut:
    """Where an external node meets a network that exists. kind: interface, nat or vxlan; what is not of it is empty."""

    kind: str
    interface: str = ""
    vni: int = 0
    remote: str = ""
    port: int = 0
    local: str = ""


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
    pair: int = -1
    """Row of the plan's pairs: the way of the service's data and back, if it is not the routing's."""
    answers: bool = False
    """The service's data is what dst answers: its band and its way are those of the answers."""


@dataclass(frozen=True)
class Ready:
    """When a program counts as ready: one of port, line, file; at the latest after within_ps."""

    port: int = 0
    line: str = ""
    file: str = ""
    within_ps: int = 0


@dataclass(frozen=True)
class Program:
    """A process that runs on a real host for a service. Times in ps from the start of the trial.

    argv: `{python}` stands for the interpreter that runs netarium, `{programs}` for the folder of netarium's own programs.
    after: names of programs that must be ready, or, without `ready`, have ended with their exit code.
    stop_ps: when it is ended by its stop signal, which is no failure; NEVER_PS: at the end of the trial. exit_code None: any.
    memory_bytes: writable memory that each of its processes may have; None: no limit.
    role: command (the user's own), server or client. results: what its output is, "iperf3" or "requests".
    """

    name: str
    service: int
    node: str
    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()
    cwd: str = ""
    start_ps: int = 0
    after: tuple[str, ...] = ()
    ready: Ready | None = None
    stop_ps: int = NEVER_PS
    stop_signal: str = "TERM"
    time_limit_ps: int = NEVER_PS
    memory_bytes: int | None = None
    exit_code: int | None = 0
    writable: tuple[str, ...] = ()
    role: str = "command"
    results: str = ""


@dataclass(frozen=True)
class Emulation:
    """Everything real about an emulated plan."""

    hosts: tuple[RealHost, ...]
    names: dict[str, tuple[str, ...]]
    """Node -> its addresses, for /etc/hosts (by `hostname_of`): real hosts, and models that hosts are linked to."""
    rules: tuple[FlowRule, ...] = ()
    programs: tuple[Program, ...] = ()
    tolerance_ps: int = 1_000_000_000
    """How late the engine may be, for 99.9 % of the frames."""
    offload: bool = False
    isolation: str = "read_only"
    link_local: bool = False
    """Hosts have IPv6 link-local addresses; routers have them in any case."""
    linktest: str = "none"
    packages: tuple[tuple[str, str], ...] = ()
    """(program, Debian package) of what the programs need and a machine may lack."""

    def host(self, node: str) -> RealHost:
        """The real host of a node. Raises KeyError."""
        return next(host for host in self.hosts if host.node == node)
