"""The paths of a replicated service (IEEE 802.1CB): stated ones, or two that share no router."""

from __future__ import annotations

from typing import Any

from netarium.compile.graph import Graph
from netarium.compile.paths import disjoint_pair
from netarium.compile.routing import explicit_path
from netarium.errors import Problem, TrialInvalid


def member_paths(
    graph: Graph, replication: Any, src: int, dst: int, metric: str, where: str
) -> tuple[tuple[int, ...], ...]:
    """The ports of each path from node `src` to node `dst`. Raises TrialInvalid, naming `where`, when there are none."""
    if not isinstance(replication.paths, int):
        paths = []
        for number, nodes in enumerate(replication.paths):
            at = f"{where}.replication.paths[{number}]"
            ends = (graph.node_names[src], graph.node_names[dst])
            if (nodes[0], nodes[-1]) != ends:
                raise TrialInvalid(
                    [Problem(at, f"from {nodes[0]} to {nodes[-1]}", f"from {ends[0]} to {ends[1]}")]
                )
            paths.append(tuple(explicit_path(graph, nodes, at)))
        return tuple(paths)
    head, inner_src = _access(graph, src, graph.out_ports, graph.head)
    tail, inner_dst = _access(graph, dst, graph.in_ports, graph.tail)
    pair = disjoint_pair(graph, inner_src, inner_dst, metric) if inner_src != inner_dst else None
    if pair is None:
        names = f"{graph.node_names[src]} and {graph.node_names[dst]}"
        raise TrialInvalid(
            [
                Problem(
                    f"{where}.replication.paths",
                    f"no two paths without a common router between {names}",
                    "a network with two, or paths of your own, each a list of nodes",
                )
            ]
        )
    return tuple((*head, *path, *tail) for path in pair)


def _access(graph: Graph, node: int, ports_of: Any, far_end: Any) -> tuple[tuple[int, ...], int]:
    """(the access port of a host that has only one, the node behind it), else ((), the node itself)."""
    ports = ports_of[node]
    if graph.node_forwards[node] or len(ports) != 1:
        return (), node
    return (ports[0],), int(far_end[ports[0]])
