"""Write a network to other formats: node-link JSON, GraphML, DOT, SVG."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from netarium.describe.topology.geo import positions
from netarium.units import format_rate, format_time

if TYPE_CHECKING:
    from netarium.describe.links import Link, Node

FORMATS: dict[str, str] = {
    "json": "node-link JSON",
    "graphml": "GraphML",
    "dot": "Graphviz DOT",
    "svg": "SVG",
}
_SHAPES = {
    "host": "circle",
    "router": "box",
    "switch": "diamond",
    "satellite": "triangle",
    "external": "house",
}


def to_text(format_name: str, nodes: Mapping[str, Node], links: Iterable[Link], name: str = "") -> str:
    """The network in one of FORMATS. Node-link JSON and GraphML keep every field and can be read back."""
    from netarium.describe.topology import drawing, native

    writers: dict[str, Callable[..., str]] = {
        "json": native.to_node_link,
        "graphml": native.to_graphml,
        "dot": to_dot,
        "svg": drawing.to_svg,
    }
    return writers[format_name](nodes, list(links), name)


def to_dot(nodes: Mapping[str, Node], links: Iterable[Link], name: str = "") -> str:
    """Graphviz DOT, undirected, with positions (neato -n); links labelled with rate and delay."""
    link_list = list(links)
    place = positions(nodes, link_list)
    lines = [f"graph {_quoted(name or 'network')} {{", "  node [fontname=Helvetica fontsize=10]"]
    for node_name, node in nodes.items():
        x, y = place[node_name]
        shape = _SHAPES[node.kind]
        lines.append(
            f"  {_quoted(node_name)} [label={_quoted(node.label or node_name)} shape={shape} "
            f'pos="{x * 1000:.1f},{y * 1000:.1f}"]'
        )
    for link in link_list:
        ends = " -- ".join(_quoted(end) for end in link.endpoints)
        lines.append(f"  {ends} [label={_quoted(link_text(link))}]")
    return "\n".join([*lines, "}", ""])


def link_text(link: Link) -> str:
    """Rate and delay of a link for people, as far as they are known: "10 Gbit/s, 1 ms"."""
    known = [format_rate(link.rate)] if link.rate is not None else []
    if link.delay is not None:
        known.append(format_time(link.delay))
    return ", ".join(known)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
