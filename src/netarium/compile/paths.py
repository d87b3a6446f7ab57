"""Single paths as ports: equal-cost ones, the k shortest, a disjoint pair, one a user names; or why none."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from netarium.compile.graph import Graph
from netarium.describe.part import link_of, node_of
from netarium.errors import Problem, TrialInvalid, did_you_mean

if TYPE_CHECKING:
    from netarium.compile.routing import ForwardingTable


def all_paths(
    table: ForwardingTable, graph: Graph, src: int, dst: int, limit: int = 1000
) -> list[tuple[int, ...]]:
    """Every path (at most `limit`) that flows from `src` to `dst` can take: tuples of ports, lowest first."""

    def paths(node: int) -> Iterator[tuple[int, ...]]:
        if node == dst:
            yield ()
            return
        for port in table.ports_of(node, dst):
            for rest in paths(int(graph.head[port])):
                yield (port, *rest)

    return list(islice(paths(src), limit))


def k_shortest(graph: Graph, src: int, dst: int, k: int, metric: str = "delay") -> list[tuple[int, ...]]:
    """The `k` shortest loop-free paths (fewer when there are fewer), shortest first; Yen's algorithm (1971).

    Paths are tuples of ports, so two parallel links make two paths. Only forwarding nodes lie between.
    """
    import networkx as nx

    if src == dst:
        return []
    costs = graph.costs(metric).tolist()
    split = nx.DiGraph()
    split.add_nodes_from([("node", src), ("node", dst)])
    for port in _open_ports(graph, src, dst):
        split.add_edge(("node", int(graph.tail[port])), ("port", port), cost=costs[port])
        split.add_edge(("port", port), ("node", int(graph.head[port])), cost=0)
    try:
        found = list(islice(nx.shortest_simple_paths(split, ("node", src), ("node", dst), weight="cost"), k))
    except nx.NetworkXNoPath:
        return []
    return [tuple(index for what, index in path if what == "port") for path in found]


def _open_ports(graph: Graph, src: int, dst: int) -> list[int]:
    """Ports that a loop-free path from `src` to `dst` may use."""
    return [
        port
        for port, (tail, head) in enumerate(zip(graph.tail.tolist(), graph.head.tolist(), strict=True))
        if graph.up[port]
        and (graph.node_forwards[tail] or tail == src)
        and (graph.node_forwards[head] or head == dst)
        and head != src
        and tail != dst
    ]


def disjoint_pair(
    graph: Graph, src: int, dst: int, metric: str = "delay", share_nodes: bool = False
) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Two paths without a common link, and without a common node between the ends unless `share_nodes`.

    The pair with the smallest total cost (Suurballe and Tarjan, 1984, by two augmentations of a flow), the
    shorter path first; None when there is no such pair.
    """
    if src == dst:
        return None
    costs = graph.costs(metric).tolist()
    residual = _Residual()
    for node in range(graph.node_count):
        residual.add(2 * node, 2 * node + 1, 0, None, 2 if node in (src, dst) or share_nodes else 1)
    for port in _open_ports(graph, src, dst):
        residual.add(2 * int(graph.tail[port]) + 1, 2 * int(graph.head[port]), costs[port], port, 1)
    for _ in range(2):
        if not residual.augment(2 * src, 2 * dst + 1):
            return None
    following: dict[int, list[int]] = {}
    for port in residual.used():
        following.setdefault(int(graph.tail[port]), []).append(port)
    pair = [_follow(graph, following, src, dst) for _ in range(2)]
    pair.sort(key=lambda path: (sum(costs[port] for port in path), path))
    return pair[0], pair[1]


def _follow(graph: Graph, following: dict[int, list[int]], src: int, dst: int) -> tuple[int, ...]:
    path, node = [], src
    while node != dst:
        path.append(following[node].pop(0))
        node = int(graph.head[path[-1]])
    return tuple(path)


class _Residual:
    """A flow network with costs: `augment` sends one more unit along the cheapest way that is left."""

    def __init__(self) -> None:
        self.edges: list[list[int]] = []  # [tail, head, cost, capacity left]; edge e ^ 1 is e reversed
        self.port: list[int | None] = []
        self.leaving: dict[int, list[int]] = {}

    def add(self, tail: int, head: int, cost: int, port: int | None, capacity: int) -> None:
        for a, b, price, room in ((tail, head, cost, capacity), (head, tail, -cost, 0)):
            self.leaving.setdefault(a, []).append(len(self.edges))
            self.edges.append([a, b, price, room])
            self.port.append(port)

    def augment(self, src: int, dst: int) -> bool:
        """Bellman-Ford with a queue ordered by length: costs of reversed edges are negative."""
        lengths = {src: 0}
        arrival: dict[int, int] = {}
        waiting = [(0, src)]
        while waiting:
            length, node = heapq.heappop(waiting)
            if length > lengths[node]:
                continue
            for edge in self.leaving.get(node, ()):
                _, head, cost, room = self.edges[edge]
                if room and length + cost < lengths.get(head, length + cost + 1):
                    lengths[head], arrival[head] = length + cost, edge
                    heapq.heappush(waiting, (length + cost, head))
        if dst not in lengths:
            return False
        node = dst
        while node != src:
            edge = arrival[node]
            self.edges[edge][3] -= 1
            self.edges[edge ^ 1][3] += 1
            node = self.edges[edge][0]
        return True

    def used(self) -> list[int]:
        """Ports that carry flow."""
        return [
            port
            for edge, port in enumerate(self.port)
            if port is not None and edge % 2 == 0 and self.edges[edge][3] == 0
        ]


def explicit_path(graph: Graph, names: Sequence[str], where: str = "path") -> list[int]:
    """Ports along the nodes that a user lists; between two nodes with parallel links the first, or the one of "node#2".

    Raises TrialInvalid with every problem: an unknown node, two consecutive nodes without a link, a node
    visited twice, a host in the middle, fewer than two nodes, fewer links than the number says.
    """
    problems = path_problems(graph, [node_of(name) for name in names], where)
    if problems:
        raise TrialInvalid(problems)
    nodes = [graph.node_index[node_of(name)] for name in names]
    ports = []
    for i, (a, b) in enumerate(zip(nodes[:-1], nodes[1:], strict=True), start=1):
        between, number = graph.ports_between(a, b), link_of(names[i])
        if number > len(between):
            joined = f"{len(between)} link(s) from {graph.node_names[a]}"
            problems.append(Problem(f"{where}[{i}]", repr(names[i]), f"one of the {joined}"))
            continue
        ports.append(between[number - 1])
    if problems:
        raise TrialInvalid(problems)
    return ports


def path_problems(graph: Graph, names: Sequence[str], where: str) -> list[Problem]:
    """Everything that is wrong with a listed path; empty when it can be used."""
    unknown = [
        Graph.unknown("node", name, graph.node_names, f"{where}[{i}]")
        for i, name in enumerate(names)
        if name not in graph.node_index
    ]
    if unknown:
        return unknown
    if len(names) < 2:
        return [Problem(where, f"{len(names)} node(s)", "at least two nodes, first to last")]
    problems = []
    for i, name in enumerate(names):
        if name in names[:i]:
            problems.append(Problem(f"{where}[{i}]", f"{name!r} again", "each node once"))
        elif 0 < i < len(names) - 1 and not graph.node_forwards[graph.node_index[name]]:
            problems.append(
                Problem(f"{where}[{i}]", f"{name!r}, a host", "a node that forwards", "give it kind router")
            )
    for i, (a, b) in enumerate(zip(names[:-1], names[1:], strict=True)):
        if a != b and not graph.ports_between(graph.node_index[a], graph.node_index[b]):
            problems.append(_no_link(graph, a, b, f"{where}[{i + 1}]"))
    return problems


def _no_link(graph: Graph, a: str, b: str, where: str) -> Problem:
    leaving = graph.out_ports[graph.node_index[a]]
    neighbours = list(dict.fromkeys(graph.node_names[graph.head[port]] for port in leaving))
    listed = ", ".join(neighbours[:8]) + (", …" if len(neighbours) > 8 else "") if neighbours else "nothing"
    hint = f"{a} is linked to {listed}; {did_you_mean(b, neighbours)}".rstrip("; ")
    return Problem(where, f"{b!r} after {a!r}, which no link joins", f"a neighbour of {a}", hint)


def explain_no_route(graph: Graph, src: int, dst: int, down_ports: Iterable[int] = ()) -> str:
    """Why there is no route from `src` to `dst`, and what to do; an empty string when there is one."""
    down = set(down_ports)
    reached = _reach(graph, src, down, through_hosts=False)
    if dst in reached:
        return ""
    a, b = graph.node_names[src], graph.node_names[dst]
    if down and dst in _reach(graph, src, set(), through_hosts=False):
        return f"every way from {a} to {b} passes a link or node that is down"
    through = _reach(graph, src, down, through_hosts=True)
    if dst not in through:
        return f"no chain of links joins {a} and {b}: add a link"
    node, blocking = dst, ""
    while node != src:
        node = through[node]
        if node != src and not graph.node_forwards[node]:
            blocking = graph.node_names[node]
    return f"the only way from {a} to {b} passes {blocking}, and a host does not forward: give it kind router"


def _reach(graph: Graph, src: int, down: set[int], through_hosts: bool) -> dict[int, int]:
    """Nodes that `src` reaches, each with the node before it."""
    before = {src: src}
    waiting = [src]
    for node in waiting:
        if node != src and not graph.node_forwards[node] and not through_hosts:
            continue
        for port in graph.out_ports[node]:
            head = int(graph.head[port])
            if graph.up[port] and port not in down and head not in before:
                before[head] = node
                waiting.append(head)
    return before
