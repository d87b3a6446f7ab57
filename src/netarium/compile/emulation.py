"""Trial -> Emulation: the real hosts of an emulated trial with interfaces, addresses, routes, neighbours and programs."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from netarium.compile.addresses import LinkEnd, link_ends
from netarium.compile.graph import Graph
from netarium.compile.hosts import Emulation, Interface, Neighbour, RealHost, Route, WayOut
from netarium.compile.programs import Programs
from netarium.compile.routing import ForwardingTable
from netarium.describe.real import hostname_of, real_nodes

DEFAULT = "default"
EVERYWHERE = ("0.0.0.0/0", "::/0")


def emulation_of(trial: Any, graph: Graph, table: ForwardingTable, programs: Programs) -> Emulation | None:
    """Everything real about a trial; None for a simulated one. `table` has a column for every real host."""
    why = real_nodes(trial)
    if not why:
        return None
    return _Hosts(trial, graph, table, why).emulation(programs)


class _Hosts:
    """Real hosts, from the links that touch them."""

    def __init__(self, trial: Any, graph: Graph, table: ForwardingTable, why: Mapping[str, str]) -> None:
        self.trial, self.graph, self.table, self.why = trial, graph, table, why
        self.network = trial.network.expand()
        self.ends = link_ends(trial, why)
        self.outside = self._outside()
        self.destinations = self._destinations()

    def emulation(self, programs: Programs) -> Emulation:
        hosts = tuple(self._host(name) for name in self.why)
        asked = self.trial.emulate
        return Emulation(
            hosts=hosts,
            names=self._names(),
            rules=tuple(programs.rules),
            programs=tuple(programs.resolved(hosts)),
            tolerance_ps=asked.tolerance,
            offload=asked.offload,
            isolation=asked.isolation,
            link_local=asked.link_local,
            linktest=asked.linktest,
            packages=tuple(sorted(programs.packages)),
        )

    def _names(self) -> dict[str, tuple[str, ...]]:
        """Addresses of every node that has any, in the order of the nodes; IPv4 first, each family by link."""
        found: dict[str, list[str]] = {name: [] for name in self.network.nodes}
        for link, ends in self.ends.items():
            for node, end in zip(self.network.links[link].endpoints, ends, strict=True):
                found[node] += end.bare()
        every = {name: tuple(sorted(texts, key=lambda text: ":" in text)) for name, texts in found.items()}
        return {name: addresses for name, addresses in every.items() if addresses}

    def _outside(self) -> str | None:
        """The way out that destinations of nobody in the trial take: the NAT, else the only other one."""
        ways = {
            name: node.attach.kind for name, node in self.network.nodes.items() if node.attach is not None
        }
        ways = {
            name: kind
            for name, kind in ways.items()
            if name in self.why and not self.network.nodes[name].attach.prefixes
        }
        translated = [name for name, kind in ways.items() if kind == "nat"]
        return (translated or (list(ways) if len(ways) == 1 else [None]))[0]

    def _destinations(self) -> list[tuple[int, tuple[str, ...]]]:
        """(node to go towards, prefixes) of every addressed link: a host rather than a router behind which it is."""
        found = []
        for link, (one, _) in self.ends.items():
            ends = [end for end in self.network.links[link].endpoints if end in self.why]
            ends.sort(key=lambda name: bool(self.graph.node_forwards[self.graph.node_index[name]]))
            prefixes = tuple(str(ipaddress.ip_interface(text).network) for text in one.addresses)
            found.append((self.graph.node_index[ends[0]], prefixes))
        return found

    def _host(self, name: str) -> RealHost:
        node, index = self.network.nodes[name], self.graph.node_index[name]
        interfaces, neighbours, peers = [], [], {}
        for link in self._links_of(index):
            here = int(self.graph.tail[2 * link] != index)
            port = 2 * link + here
            own, peer = self.ends[link][here], self.ends[link][1 - here]
            word = f"eth{len(interfaces)}"
            mtu = int(self.graph.mtu_bytes[port])
            behind = self._behind(name, node, own) if not interfaces else ()
            interfaces.append(Interface(word, own.mac, own.addresses, mtu, port, port ^ 1, behind))
            neighbours += [Neighbour(address, peer.mac, word) for address in peer.bare()]
            peers[port] = (word, peer)
        forwards = bool(self.graph.node_forwards[index]) or node.attach is not None
        return RealHost(
            node=name,
            node_index=index,
            interfaces=tuple(interfaces),
            routes=tuple(self._routes(index, node, peers)),
            neighbours=tuple(neighbours),
            forwards=forwards,
            hostname=hostname_of(name),
            why=self.why[name],
            way_out=_way_out(node.attach),
        )

    def _behind(self, name: str, node: Any, own: LinkEnd) -> tuple[str, ...]:
        """Prefixes that lie behind a way out: everything for the one that leads outside, else its own link's."""
        if node.attach is None:
            return ()
        if node.attach.prefixes:
            return tuple(node.attach.prefixes)
        if name == self.outside:
            return EVERYWHERE
        return tuple(str(ipaddress.ip_interface(text).network) for text in own.addresses)

    def _links_of(self, node: int) -> list[int]:
        return sorted({port // 2 for port in self.graph.out_ports[node]})

    def _routes(self, index: int, node: Any, peers: dict[int, tuple[str, LinkEnd]]) -> list[Route]:
        """A host with one interface sends everything there; others know the way to every prefix."""
        if node.routes == "none" or not peers:
            return []
        if len(peers) == 1 and node.attach is None:
            ((word, peer),) = peers.values()
            return [Route(DEFAULT, address, word) for address in peer.bare()]
        found: dict[tuple[str, str], Route] = {}
        connected = set(self._links_of(index))
        for link, (target, prefixes) in zip(self.ends, self.destinations, strict=True):
            ports = [] if link in connected else self.table.ports_of(index, target)
            if ports:
                for prefix in prefixes:
                    self._add(found, prefix, peers[ports[0]])
        for name, node in self.network.nodes.items():
            stated = node.attach.prefixes if node.attach is not None and name in self.why else ()
            behind = EVERYWHERE if name == self.outside else stated
            target = self.graph.node_index[name]
            if behind and target != index and (ports := self.table.ports_of(index, target)):
                for prefix in behind:
                    self._add(found, prefix, peers[ports[0]])
        return list(found.values())

    def _add(self, found: dict[Any, Route], prefix: str, peer: tuple[str, LinkEnd]) -> None:
        """A route to a prefix by the neighbour's address of the same family, where it has one."""
        version = ipaddress.ip_network(prefix).version
        word, end = peer
        via = next((one for one in end.bare() if ipaddress.ip_address(one).version == version), None)
        if via is not None:
            shown = DEFAULT if prefix in EVERYWHERE else prefix
            found[prefix, shown] = Route(shown, via, word)


def _way_out(attach: Any) -> WayOut | None:
    if attach is None:
        return None
    if attach.vxlan is None:
        return WayOut(attach.kind, interface=attach.interface or "")
    tunnel = attach.vxlan
    return WayOut("vxlan", tunnel.interface or "", tunnel.vni, tunnel.remote, tunnel.port, tunnel.local or "")
