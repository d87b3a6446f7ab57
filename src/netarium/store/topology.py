"""topology.json: nodes with a place on a drawing, links with their ports, slices with their paths."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from netarium.units import SECOND_PS

if TYPE_CHECKING:
    from netarium.describe.network import Network

SPRING_NODES_MAX = 1500  # above it a spring layout takes seconds; the nodes are placed on circles instead
GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))  # turning by it, no two nodes come to lie in one direction
OFFSET = 0.04  # of the drawing: how far a node without a location is put from the neighbour that has one


def topology_document(network: Network, paths: Mapping[str, Sequence[str]] | None = None) -> dict[str, Any]:
    """The document for an (expanded) network. paths: for each slice its nodes, from first to last."""
    network = network.expand()
    ports: dict[str, list[Any]] = {}
    for port in network.ports():
        ports.setdefault(port.link, []).append(port)
    places = layout(
        {name: node.location for name, node in network.nodes.items()},
        [link.endpoints for link in network.links],
    )
    return {
        "nodes": [
            {
                "name": name,
                "kind": node.kind,
                "label": node.label,
                "location": list(node.location) if node.location is not None else None,
                "x": places[name][0],
                "y": places[name][1],
            }
            for name, node in network.nodes.items()
        ],
        "links": [_link(link, ports[link.name]) for link in network.links],
        "slices": [{"name": name, "path": list(path)} for name, path in (paths or {}).items()],
    }


def _link(link: Any, ports: list[Any]) -> dict[str, Any]:
    """One link; rate and delay are those of its first port, and each port has its own."""
    return {
        "name": link.name,
        "endpoints": list(link.endpoints),
        "rate_bps": ports[0].rate,
        "delay_s": ports[0].delay / SECOND_PS,
        "mtu_bytes": ports[0].mtu,
        "ports": [port.name for port in ports],
        "port_rates_bps": [port.rate for port in ports],
        "port_delays_s": [port.delay / SECOND_PS for port in ports],
    }


def layout(
    locations: Mapping[str, tuple[float, float] | None], links: Sequence[tuple[str, str]]
) -> dict[str, tuple[float, float]]:
    """A place (x to the right, y up) for every node: by longitude and latitude, else springs. Deterministic.

    Nodes without a location beside located ones are put near their located neighbours.
    """
    located = {name: (place[1], place[0]) for name, place in locations.items() if place is not None}
    if not located:
        return _springs(list(locations), links)
    return located | _beside(locations, located, links)


def _springs(names: list[str], links: Sequence[tuple[str, str]]) -> dict[str, tuple[float, float]]:
    import rustworkx as rx

    graph = rx.PyGraph(multigraph=False)
    index = dict(zip(names, graph.add_nodes_from(names), strict=True))
    graph.add_edges_from([(index[a], index[b], 1.0) for a, b in links])
    if len(names) > SPRING_NODES_MAX:
        spots = rx.circular_layout(graph)
    else:
        spots = rx.spring_layout(graph, seed=1, num_iter=200)
    return {name: (float(spots[i][0]), float(spots[i][1])) for name, i in index.items()}


def _beside(
    locations: Mapping[str, Any], located: Mapping[str, tuple[float, float]], links: Sequence[tuple[str, str]]
) -> dict[str, tuple[float, float]]:
    """Places of the nodes without a location: on a small circle round the mean of their placed neighbours."""
    neighbours: dict[str, list[str]] = {name: [] for name in locations}
    for a, b in links:
        neighbours[a].append(b)
        neighbours[b].append(a)
    xs, ys = zip(*located.values(), strict=True)
    radius = OFFSET * max(max(xs) - min(xs), max(ys) - min(ys), 1.0)
    placed = dict(located)
    waiting = [name for name in locations if name not in located]
    while waiting:
        ready = [name for name in waiting if any(n in placed for n in neighbours[name])] or waiting
        for name in ready:
            near = [placed[n] for n in neighbours[name] if n in placed] or list(located.values())
            angle = GOLDEN_ANGLE * (len(placed) - len(located))
            x = sum(place[0] for place in near) / len(near) + radius * math.cos(angle)
            placed[name] = (x, sum(place[1] for place in near) / len(near) + radius * math.sin(angle))
        waiting = [name for name in waiting if name not in placed]
    return {name: place for name, place in placed.items() if name not in located}
