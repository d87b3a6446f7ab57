"""topology.json: nodes with a place on a drawing, links with their ports, slices with their paths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from netarium.describe.topology.geo import positions
from netarium.units import SECOND_PS

if TYPE_CHECKING:
    from netarium.describe.network import Network


def topology_document(network: Network, paths: Mapping[str, Sequence[str]] | None = None) -> dict[str, Any]:
    """The document for an (expanded) network. paths: for each slice its nodes, from first to last."""
    network = network.expand()
    ports: dict[str, list[Any]] = {}
    for port in network.ports():
        ports.setdefault(port.link, []).append(port)
    places = positions(network.nodes, network.links)
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
