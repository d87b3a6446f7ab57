"""Forwarding tables: for each node and destination the group of egress ports on a shortest path.

Lengths are integers (Graph.costs), so a tie is exact. A host never forwards: it is only source or sink. A
flow picks one port of a group by its hash, so that its packets stay on one path (RFC 2991); the choice is the
mixed hash modulo the size of the group, as in the compiled kernel, not RFC 2992's hash threshold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netarium.compile.epochs import epochs, links_named
from netarium.compile.graph import LARGEST_PATH_COST, Graph
from netarium.compile.lengths import path_lengths
from netarium.compile.paths import all_paths, disjoint_pair, explain_no_route, explicit_path, k_shortest
from netarium.errors import Problem, TrialInvalid

__all__ = [
    "ForwardingTable", "all_paths", "disjoint_pair", "epochs", "explain_no_route", "explicit_path",
    "flow_choice", "k_shortest", "links_named", "mix64", "next_hop_tables", "walk",
]  # fmt: skip

_MASK = 2**64 - 1
_NODE_SALT = 0x9E3779B97F4A7C15
_NARROW_DEGREE = 62
_CHUNK_CELLS = 2_000_000


@dataclass(frozen=True, eq=False)
class ForwardingTable:
    """Where each node sends packets for each destination. All arrays int32, C-contiguous.

    group[N, C]: group id for (node, column), -1 for no route (and at the destination itself). column[N]:
    column of a destination node, -1 for a node that is none. group_first[G], group_count[G]: the part of
    group_ports[...] that holds the equal-cost egress ports of a group, lowest port first.

    In the aggregated form a host with a single neighbour shares the column of that neighbour, which is
    gateway[N] (-1 for all others); the gateway itself uses access_group[N]. So in both forms the group is
    `access_group[dst] if gateway[dst] == node else group[node, column[dst]]`.
    """

    group: NDArray[np.int32]
    column: NDArray[np.int32]
    group_first: NDArray[np.int32]
    group_count: NDArray[np.int32]
    group_ports: NDArray[np.int32]
    gateway: NDArray[np.int32]
    access_group: NDArray[np.int32]

    def group_of(self, node: int, dst: int) -> int:
        """Group id at `node` for destination node `dst`; -1 for no route or when `dst` is no destination."""
        if node == dst or self.column[dst] < 0:
            return -1
        if self.gateway[dst] == node:
            return int(self.access_group[dst])
        return int(self.group[node, self.column[dst]])

    def ports_of(self, node: int, dst: int) -> list[int]:
        """Equal-cost egress ports at `node` for destination node `dst`; empty when there is no route."""
        group = self.group_of(node, dst)
        if group < 0:
            return []
        first = int(self.group_first[group])
        return self.group_ports[first : first + int(self.group_count[group])].tolist()


def next_hop_tables(
    graph: Graph,
    destinations: Sequence[int],
    metric: str = "delay",
    ecmp: bool = True,
    down_ports: Iterable[int] = (),
    aggregate: bool = False,
) -> ForwardingTable:
    """Shortest-path forwarding for `destinations` (node indices, each once), without the ports that are down.

    With `ecmp` a group holds every port that starts a shortest path, otherwise only the one with the lowest
    index. `aggregate` gives the small form of ForwardingTable: one column per gateway, not one per host.
    """
    usable = graph.up.copy()
    usable[list(down_ports)] = False
    costs = graph.costs(metric)
    targets = np.asarray(destinations, np.int64)
    anchor = _anchors(graph, usable, targets)
    roots = np.array(list(dict.fromkeys(anchor.tolist())), np.int64)
    builder = _GroupBuilder(graph, ecmp)
    by_root = np.full((graph.node_count, len(roots)), -1, np.int32)
    width = max(1, _CHUNK_CELLS // max(1, graph.port_count))
    for start in range(0, len(roots), width):
        chunk = roots[start : start + width]
        on_path = _on_shortest_path(graph, costs, usable, chunk)
        by_root[:, start : start + len(chunk)] = builder.groups(on_path)
    position = np.full(graph.node_count, -1, np.int64)
    position[roots] = np.arange(len(roots))
    gateway = np.full(graph.node_count, -1, np.int32)
    access = np.full(graph.node_count, -1, np.int32)
    for dst, via in zip(targets.tolist(), anchor.tolist(), strict=True):
        if dst != via:
            gateway[dst], access[dst] = via, builder.access_group(costs, usable, via, dst)
    column = np.full(graph.node_count, -1, np.int32)
    if aggregate:
        column[targets] = position[anchor]
    else:
        by_root = _dense(by_root, targets, position[anchor], gateway, access)
        column[targets] = np.arange(len(targets))
        gateway, access = np.full_like(gateway, -1), np.full_like(access, -1)
    return ForwardingTable(by_root, column, *builder.arrays(), gateway, access)


def _dense(
    by_root: NDArray[np.int32],
    targets: NDArray[np.int64],
    position: NDArray[np.int64],
    gateway: NDArray[np.int32],
    access: NDArray[np.int32],
) -> NDArray[np.int32]:
    """One column per destination, from one column per root."""
    group = np.ascontiguousarray(by_root[:, position])
    group[targets, np.arange(len(targets))] = -1
    served = np.flatnonzero(gateway[targets] >= 0)
    group[gateway[targets[served]], served] = access[targets[served]]
    return group


def _anchors(graph: Graph, usable: NDArray[np.bool_], targets: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each destination the node that routes lead to: a host's only neighbour, or the node itself."""
    lowest = np.full(graph.node_count, graph.node_count, np.int64)
    highest = np.full(graph.node_count, -1, np.int64)
    np.minimum.at(lowest, graph.head[usable], graph.tail[usable])
    np.maximum.at(highest, graph.head[usable], graph.tail[usable])
    only = lowest[targets]
    single = ~graph.node_forwards[targets] & (only == highest[targets])
    single[single] = graph.node_forwards[only[single]]
    return np.where(single, only, targets)


def _on_shortest_path(
    graph: Graph, costs: NDArray[np.int64], usable: NDArray[np.bool_], roots: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """bool[P, len(roots)]: the port starts a shortest path from its tail to the root."""
    lengths = path_lengths(graph, costs, usable, roots)
    at_tail = lengths[graph.tail]
    on_path = costs[:, None] + lengths[graph.head] == at_tail
    on_path &= at_tail < LARGEST_PATH_COST
    on_path &= graph.node_forwards[graph.head][:, None] | (graph.head[:, None] == roots[None, :])
    on_path &= graph.tail[:, None] != roots[None, :]
    return on_path & usable[:, None]


class _GroupBuilder:
    """Numbers the distinct sets of egress ports of each node as they turn up."""

    def __init__(self, graph: Graph, ecmp: bool) -> None:
        self.graph = graph
        self.ecmp = ecmp
        self.order = np.argsort(graph.tail, kind="stable")
        self.degree = np.bincount(graph.tail, minlength=graph.node_count)
        self.start = np.concatenate([[0], np.cumsum(self.degree)[:-1]]).astype(np.int64)
        self.members: list[tuple[int, ...]] = []
        self.ids: dict[tuple[int, ...], int] = {}

    def number(self, ports: tuple[int, ...]) -> int:
        """Id of the group with these ports (with only the first of them without ECMP)."""
        ports = ports if self.ecmp else ports[:1]
        if not ports:
            return -1
        if ports not in self.ids:
            self.ids[ports] = len(self.members)
            self.members.append(ports)
        return self.ids[ports]

    def groups(self, on_path: NDArray[np.bool_]) -> NDArray[np.int32]:
        """int32[N, C] group ids from bool[P, C]."""
        nodes, columns = self.graph.node_count, on_path.shape[1]
        ordered = on_path[self.order]
        keys = self._keys(ordered)
        _, word = np.unique(keys, return_inverse=True)
        cells = word.reshape(nodes, columns) + np.arange(nodes)[:, None] * (int(word.max(initial=0)) + 1)
        _, first, inverse = np.unique(cells, return_index=True, return_inverse=True)
        ids = np.empty(len(first), np.int32)
        for i, cell in enumerate(first.tolist()):
            node, column = divmod(cell, columns)
            begin, end = self.start[node], self.start[node] + self.degree[node]
            chosen = self.order[begin:end][ordered[begin:end, column]]
            ids[i] = self.number(tuple(chosen.tolist()))
        return ids[inverse.reshape(nodes, columns)]

    def _keys(self, ordered: NDArray[np.bool_]) -> NDArray[np.int64]:
        """int64[N, C]: a number for the set of ports at a node; equal numbers at one node mean equal sets."""
        keys = np.zeros((self.graph.node_count, ordered.shape[1]), np.int64)
        narrow = np.flatnonzero((self.degree > 0) & (self.degree <= _NARROW_DEGREE))
        rows = np.flatnonzero(np.repeat(self.degree <= _NARROW_DEGREE, self.degree))
        if len(narrow):
            place = rows - np.repeat(self.start[narrow], self.degree[narrow])
            starts = np.concatenate([[0], np.cumsum(self.degree[narrow])[:-1]])
            bits = np.where(ordered[rows], (np.int64(1) << place)[:, None], 0)
            keys[narrow] = np.add.reduceat(bits, starts, axis=0)
        for node in np.flatnonzero(self.degree > _NARROW_DEGREE).tolist():
            begin, end = self.start[node], self.start[node] + self.degree[node]
            packed = np.ascontiguousarray(np.packbits(ordered[begin:end], axis=0).T)
            sets = packed.view(np.dtype((np.void, packed.shape[1])))[:, 0]
            _, keys[node] = np.unique(sets, return_inverse=True)
        return keys

    def access_group(
        self, costs: NDArray[np.int64], usable: NDArray[np.bool_], gateway: int, dst: int
    ) -> int:
        """Group of the cheapest ports from a gateway straight to the host behind it."""
        ports = [port for port in self.graph.ports_between(gateway, dst) if usable[port]]
        cheapest = min(int(costs[port]) for port in ports)
        return self.number(tuple(port for port in ports if costs[port] == cheapest))

    def arrays(self) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
        """(group_first, group_count, group_ports)."""
        counts = np.array([len(ports) for ports in self.members], np.int32)
        firsts = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int32) if len(counts) else counts
        flat = np.array([port for ports in self.members for port in ports], np.int32)
        return firsts, counts, flat


def mix64(value: int) -> int:
    """SplitMix64's finaliser: 64 bits in, 64 well-mixed bits out (Steele, Lea and Flood, OOPSLA 2014)."""
    value &= _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def flow_choice(flow_hash: int, node: int, count: int) -> int:
    """Which of `count` equal-cost ports a flow takes at a node: the same rule as in the compiled kernel."""
    return mix64(flow_hash ^ ((node * _NODE_SALT) & _MASK)) % count


def walk(table: ForwardingTable, graph: Graph, src: int, dst: int, flow_hash: int) -> list[int]:
    """Ports that a flow of this hash takes from `src` to `dst`. Raises TrialInvalid if there is no route."""
    ports: list[int] = []
    node = src
    while node != dst:
        group = table.group_of(node, dst)
        if group < 0:
            found = f"no route from {graph.node_names[src]} to {graph.node_names[dst]}"
            hint = explain_no_route(graph, src, dst) or "a link or node on every way is down"
            raise TrialInvalid([Problem("network", found, "a connected network", hint)])
        chosen = flow_choice(flow_hash, node, int(table.group_count[group]))
        ports.append(int(table.group_ports[table.group_first[group] + chosen]))
        node = int(graph.head[ports[-1]])
    return ports
