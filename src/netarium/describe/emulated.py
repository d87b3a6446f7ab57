"""What is wrong with a trial as far as real hosts go: commands, ways out, addresses, what no program can play."""

from __future__ import annotations

import ipaddress
from collections.abc import Container, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from netarium.describe.command import Command
from netarium.describe.network import Network
from netarium.describe.part import node_of
from netarium.describe.paths import Path, format_path
from netarium.describe.real import emulated, ends_of, hostname_of, is_real_service, real_nodes
from netarium.describe.services import AnyService, RequestResponse, Service, Stream
from netarium.describe.transport import Tcp
from netarium.errors import Problem, did_you_mean, one_of

if TYPE_CHECKING:
    from netarium.describe.trial import Trial

EMULATE_HINT = "run it with --mode emulate"
MODELLED_HINT = "modelled: true keeps it in the engine"
# What a program can ask of the kernel's TCP, per service; the rest is the kernel's own.
KERNEL_CONGESTION = ("reno", "cubic", "bbr", "dctcp")
PLAYED_TCP = ("kind", "congestion", "mss", "send_buffer", "receive_buffer")
UDP_PAYLOAD_MIN = 16  # iperf3's header of a datagram
REQUEST_MIN = 80  # HTTP's request line and Host for the longest sizes and addresses


def emulation_problems(trial: Trial, network: Network) -> list[Problem]:
    """Every problem of commands, ways out, addresses and real services."""
    problems: list[Problem] = []
    commands = {name: one for name, one in trial.services.items() if isinstance(one, Command)}
    for name, command in commands.items():
        problems += _command_problems(name, command, trial, network)
    problems += _cycles(commands)
    if not emulated(trial):
        problems += _needing_emulation(trial, network)
        return problems
    real = real_nodes(trial)
    for name, service in trial.services.items():
        if is_real_service(trial, service):
            problems += _end_problems(name, service, network)
            problems += _replicated(("services", name), service)
            problems += _way_problems(("services", name), service, network, real)
            if isinstance(service, Service):
                problems += _unplayable(("services", name), service, trial)
    problems += _clock_problems(real, network)
    if not real:
        expected = "a command, a bulk, stream or request_response service that is not modelled, or real: true"
        problems.append(Problem("mode", "emulate, without any real host", expected))
    problems += _name_problems(real)
    problems += _address_problems(network)
    return problems


def _needing_emulation(trial: Trial, network: Network) -> Iterator[Problem]:
    for name, service in trial.services.items():
        if isinstance(service, Command):
            where = format_path(("services", name))
            yield Problem(where, "a command in mode simulate", "mode: emulate", EMULATE_HINT)
    for name, node in network.nodes.items():
        if node.attach is not None:
            where = format_path(("network", "nodes", name, "attach"))
            yield Problem(where, "a way out in mode simulate", "mode: emulate", EMULATE_HINT)


def _unknown(path: Path, name: str, known: list[str], what: str) -> Problem:
    expected = f"the name of a {what}: {one_of(known)}" if known else f"a {what}, but the trial has none"
    return Problem(format_path(path), repr(name), expected, did_you_mean(name, known))


def _command_problems(name: str, command: Command, trial: Trial, network: Network) -> Iterator[Problem]:
    path: Path = ("services", name)
    nodes = list(network.nodes)
    for key in ("node", "to"):
        node = getattr(command, key)
        if node is not None and node not in network.nodes:
            yield _unknown((*path, key), node, nodes, "node")
    if command.node in network.nodes and network.nodes[command.node].attach is not None:
        yield Problem(format_path((*path, "node")), f"{command.node!r}, a way out", "a node of its own")
    if command.to == command.node:
        yield Problem(format_path((*path, "to")), f"{command.to!r}, where it runs", "another node")
    for index, other in enumerate(command.after):
        where: Path = (*path, "after", index) if len(command.after) > 1 else (*path, "after")
        known = [key for key, one in trial.services.items() if isinstance(one, Command) and key != name]
        if other == name:
            yield Problem(format_path(where), f"{other!r}, which is itself", "another command")
        elif other not in known:
            kind = f", of kind {trial.services[other].kind}" if other in trial.services else ""
            expected = f"a command: {one_of(known)}" if known else "a command, but there is no other"
            yield Problem(format_path(where), f"{other!r}{kind}", expected, did_you_mean(other, known))


def _cycles(commands: dict[str, Command]) -> Iterator[Problem]:
    """Commands that wait for each other, each circle once, at its first command."""
    done: set[str] = set()
    for start in commands:
        chain: list[str] = []
        yield from _follow(start, commands, chain, done)


def _follow(name: str, commands: dict[str, Command], chain: list[str], done: set[str]) -> Iterator[Problem]:
    if name in chain:
        circle = chain[chain.index(name) :]
        if len(circle) > 1:
            found = " after ".join([*circle, name])
            where = format_path(("services", circle[0], "after"))
            yield Problem(where, f"{found}, a circle", "an order in which they can start")
        return
    if name in done or name not in commands:
        return
    chain.append(name)
    for other in commands[name].after:
        yield from _follow(other, commands, chain, done)
    chain.pop()
    done.add(name)


def _end_problems(name: str, service: Any, network: Network) -> Iterator[Problem]:
    """Programs cannot run at nodes that must stay models, nor at ways out."""
    for node in dict.fromkeys(ends_of(service, network.nodes)):
        if network.nodes[node].real is False:
            expected, hint = "real: true there, or nothing real at it", ""
            if isinstance(service, Service):
                hint = MODELLED_HINT
            found = f"{node!r}, which stays a model (real: false)"
            yield Problem(format_path(("services", name)), found, expected, hint)
        elif network.nodes[node].attach is not None and isinstance(service, Service):
            found = f"{node!r}, a way out, on which no program runs"
            yield Problem(format_path(("services", name)), found, "a host", "use a command with to")


def _clock_problems(real: Iterable[str], network: Network) -> Iterator[Problem]:
    """All real hosts have the machine's one clock."""
    for node in real:
        if network.nodes[node].clock is not None:
            where = format_path(("network", "nodes", node, "clock"))
            yield Problem(
                where,
                "a clock of its own at a real host",
                "none: real hosts have this machine's",
                "real: false",
            )


def _replicated(path: Path, service: AnyService) -> Iterator[Problem]:
    """Frames of real hosts go one way."""
    if getattr(service, "replication", None) is not None:
        where = format_path((*path, "replication"))
        yield Problem(where, "replication of what real hosts send", "no replication", MODELLED_HINT)


def _unplayable(path: Path, service: Service, trial: Trial) -> Iterator[Problem]:
    """What a service asks that neither iperf3 nor the kernel can do."""
    if isinstance(service, Stream) and service.pattern != "constant":
        yield Problem(format_path((*path, "pattern")), service.pattern,
                      "constant, as iperf3 sends", MODELLED_HINT)  # fmt: skip
    if isinstance(service, Stream) and service.packet_size is not None:
        least = UDP_PAYLOAD_MIN + 28
        if service.packet_size < least:
            yield Problem(format_path((*path, "packet_size")), f"{service.packet_size} B",
                          f"at least {least} B, as iperf3 sends", MODELLED_HINT)  # fmt: skip
    if isinstance(service, RequestResponse) and service.request < REQUEST_MIN:
        expected = f"at least {REQUEST_MIN} B, which an HTTP request takes"
        yield Problem(format_path((*path, "request")), f"{service.request} B", expected, MODELLED_HINT)
    transport = trial.transport_of(service)
    own = service.transport is not None
    where: Path = (*path, "transport") if own else ("transport",)
    if isinstance(service, RequestResponse) and not isinstance(transport, Tcp):
        yield Problem(format_path(where), "udp", "tcp, which HTTP runs over", MODELLED_HINT)
    if isinstance(transport, Tcp):
        yield from _unplayable_tcp(where, transport)


def _way_problems(
    path: Path, service: AnyService, network: Network, real: Container[str]
) -> Iterator[Problem]:
    """Real routers, and hosts with several links, choose the next hop themselves."""
    routers = [node for node in map(node_of, (service.path or ())[1:-1]) if node in real]
    if routers:
        found = f"a path through {routers[0]!r}, a real router"
        yield Problem(format_path((*path, "path")), found, "only models on the way", MODELLED_HINT)
    key = "path" if service.path is not None else "slice" if service.slice is not None else ""
    for node in dict.fromkeys(ends_of(service, network.nodes)) if key else ():
        links = sum(node in link.endpoints for link in network.links)
        if links > 1:
            found = f"a {key} at {node!r}, a real host with {links} links"
            expected = "one link there: a host with several chooses among them itself"
            yield Problem(format_path((*path, key)), found, expected)


def _unplayable_tcp(where: Path, transport: Tcp) -> Iterator[Problem]:
    if transport.congestion not in KERNEL_CONGESTION:
        own = not isinstance(transport.congestion, str)
        found = "a control of your own" if own else f"{transport.congestion}, which only models have"
        expected = "one of the kernel's: reno, cubic, bbr or dctcp"
        yield Problem(format_path((*where, "congestion")), found, expected, MODELLED_HINT)
    default = Tcp()
    for key in type(transport).model_fields:
        forced = key == "ecn" and transport.congestion == "dctcp"
        if key not in PLAYED_TCP and not forced and getattr(transport, key) != getattr(default, key):
            found = f"{key} other than the kernel's"
            expected = f"no {key}: programs get the TCP of this machine's kernel"
            yield Problem(format_path((*where, key)), found, expected, MODELLED_HINT)


def _name_problems(real: Iterable[str]) -> Iterator[Problem]:
    """Two nodes with one host name."""
    taken: dict[str, str] = {}
    for node in real:
        hostname = hostname_of(node)
        other = taken.setdefault(hostname.lower(), node)
        if other != node:
            where = format_path(("network", "nodes", node))
            yield Problem(
                where, f"{node!r}, whose host name {hostname!r} is that of {other!r}", "another name"
            )


def _address_problems(network: Network) -> Iterator[Problem]:
    """Addresses twice, and prefixes of different links that overlap."""
    owners: dict[Any, str] = {}
    prefixes: dict[Any, str] = {}
    for index, link in enumerate(network.links):
        own: dict[Any, None] = {}
        for node, texts in link.addresses.items():
            for text in texts:
                interface = ipaddress.ip_interface(text)
                where = format_path(("network", "links", index, "addresses", node))
                if interface.ip in owners:
                    found = f"{interface.ip}, which {owners[interface.ip]!r} has"
                    yield Problem(where, found, "an address of its own")
                    continue
                owners[interface.ip] = node
                other = _overlapping(interface.network, prefixes)
                if interface.network not in own and other is not None:
                    found = f"{interface.network}, which overlaps {other[0]} of link {other[1]!r}"
                    yield Problem(where, found, "a prefix of its own for each link")
                own[interface.network] = None
        prefixes.update(dict.fromkeys(own, link.name))


def _overlapping(prefix: Any, prefixes: dict[Any, str]) -> tuple[Any, str] | None:
    same = ((other, link) for other, link in prefixes.items() if other.version == prefix.version)
    return next(((other, link) for other, link in same if other.overlaps(prefix)), None)
