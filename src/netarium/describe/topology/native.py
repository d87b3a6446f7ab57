"""Files that netarium wrote: Node and Link field by field, as node-link JSON or GraphML, both ways.

Fields have the names and the text of a trial file ("10 Gbit/s"), so that a file can be edited by hand.
GraphML keeps location as Latitude and Longitude and rate as LinkSpeedRaw (bit/s), the names of the Topology
Zoo, and lists and mappings as JSON text. A link in which delay follows from length keeps both.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from netarium.describe.links import Link, Node
from netarium.describe.topology.geo import fibre_delay
from netarium.describe.topology.imported import Source, SourceLink, SourceNode
from netarium.errors import Problem, TrialInvalid

MARK = "netarium_format"
FORMAT = 1
_GRAPHML = "http://graphml.graphdrawing.org/xmlns"
_TYPES = {str: "string", int: "long", float: "double", bool: "boolean"}


def node_fields(node: Node) -> dict[str, Any]:
    """What a node states beyond its defaults, as in a trial file; `kind` always."""
    dumped = node.model_dump(mode="json", exclude_none=True)
    return {name: value for name, value in dumped.items() if name == "kind" or value not in ("", [], {})}


def link_fields(link: Link) -> dict[str, Any]:
    """What a link states beyond its ends and defaults, as in a trial file."""
    dumped = link.model_dump(mode="json", exclude_none=True)
    dumped.pop("endpoints")
    return {
        name: value
        for name, value in dumped.items()
        if value not in ("", [], {}) and not (name == "weight" and value == 1.0)
    }


def node_of(fields: Mapping[str, Any], where: str, path: Path) -> Node:
    """The Node of its fields. Raises TrialInvalid naming the node and the file."""
    try:
        return Node(**fields)
    except TrialInvalid as error:
        raise _placed(error, where, path) from None


def link_of(ends: tuple[str, str], fields: Mapping[str, Any], where: str, path: Path) -> Link:
    """The Link of its ends and fields. Raises TrialInvalid naming the link and the file."""
    given = dict(fields)
    both = "delay" in given and "length" in given
    delay = given.pop("delay") if both else None
    try:
        link = Link(endpoints=ends, **given)
        if not both:
            return link
        timed = Link(endpoints=ends, delay=delay)
    except TrialInvalid as error:
        raise _placed(error, where, path) from None
    if link.length is None or timed.delay != fibre_delay(link.length):
        found = f"delay {delay} and length {given['length']}"
        raise TrialInvalid(
            [Problem(where, found, "one of them, or a delay of 5 us per km of length", file=str(path))]
        )
    return link.model_copy(update={"delay": timed.delay})


def _placed(error: TrialInvalid, where: str, path: Path) -> TrialInvalid:
    return TrialInvalid(
        [replace(p, where=f"{where}.{p.where}" if p.where else where, file=str(path)) for p in error.problems]
    )


def to_node_link(nodes: Mapping[str, Node], links: Iterable[Link], name: str = "") -> str:
    """Node-link JSON, which networkx.node_link_graph(…, edges="edges") reads."""
    seen: dict[frozenset[str], int] = {}
    edges = []
    for link in links:
        pair = frozenset(link.endpoints)
        key = seen.get(pair, 0)
        seen[pair] = key + 1
        edges.append(
            {"source": link.endpoints[0], "target": link.endpoints[1], "key": key} | link_fields(link)
        )
    document = {
        "directed": False,
        "multigraph": True,
        "graph": {MARK: FORMAT} | ({"name": name} if name else {}),
        "nodes": [{"id": node_name} | node_fields(node) for node_name, node in nodes.items()],
        "edges": edges,
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def from_node_link(data: Mapping[str, Any], path: Path) -> Source:
    """A Source of complete Nodes and Links from the node-link document that netarium wrote."""
    problems = [
        Problem(f"{part}[{i}]", _short(entry), f"a mapping with {' and '.join(needed)}", file=str(path))
        for part, needed in (("nodes", ("id",)), ("edges", _ENDS[:2]))
        for i, entry in enumerate(data.get(part) or ())
        if not isinstance(entry, dict) or any(not isinstance(entry.get(key), str) for key in needed)
    ]
    if problems:
        raise TrialInvalid(problems)
    nodes = {entry["id"]: {k: v for k, v in entry.items() if k != "id"} for entry in data["nodes"]}
    edges = [
        (entry["source"], entry["target"], {k: v for k, v in entry.items() if k not in _ENDS})
        for entry in data.get("edges") or ()
    ]
    return _source(nodes, edges, path)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"


_ENDS = ("source", "target", "key")


def _source(
    nodes: Mapping[str, dict[str, Any]], edges: Iterable[tuple[str, str, dict[str, Any]]], path: Path
) -> Source:
    source = Source(path.name, native=True)
    for name, fields in nodes.items():
        source.nodes.append(SourceNode(name, model=node_of(fields, f"nodes.{name}", path)))
    for number, (a, b, fields) in enumerate(edges):
        where = f"edges[{number}]"
        if lost := [end for end in (a, b) if end not in nodes]:
            raise TrialInvalid([Problem(where, repr(lost[0]), "the name of a node", file=str(path))])
        source.links.append(SourceLink(a, b, model=link_of((a, b), fields, where, path)))
    return source


def to_graphml(nodes: Mapping[str, Node], links: Iterable[Link], name: str = "") -> str:
    """GraphML 1.0, undirected, one edge element per link in the order of the links."""
    node_rows = [(node_name, _flat_node(node)) for node_name, node in nodes.items()]
    link_rows = [(link.endpoints, _flat_link(link)) for link in links]
    graph_row: dict[str, Any] = {MARK: FORMAT} | ({"label": name} if name else {})
    keys = {("graph", field): _TYPES[type(value)] for field, value in graph_row.items()}
    keys |= {("node", field): _TYPES[type(value)] for _, row in node_rows for field, value in row.items()}
    keys |= {("edge", field): _TYPES[type(value)] for _, row in link_rows for field, value in row.items()}
    ids = {key: f"d{number}" for number, key in enumerate(keys)}

    def data(element: str, row: Mapping[str, Any], indent: str) -> Iterable[str]:
        for field, value in row.items():
            text = escape(str(value) if not isinstance(value, bool) else str(value).lower())
            yield f'{indent}<data key="{ids[element, field]}">{text}</data>'

    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<graphml xmlns="{_GRAPHML}">']
    for (element, field), kind in keys.items():
        id_ = ids[element, field]
        lines.append(f'  <key id="{id_}" for="{element}" attr.name={quoteattr(field)} attr.type="{kind}"/>')
    lines.append('  <graph edgedefault="undirected">')
    lines += data("graph", graph_row, "    ")
    for node_name, row in node_rows:
        lines += [f"    <node id={quoteattr(node_name)}>", *data("node", row, "      "), "    </node>"]
    for (a, b), row in link_rows:
        lines.append(f"    <edge source={quoteattr(a)} target={quoteattr(b)}>")
        lines += [*data("edge", row, "      "), "    </edge>"]
    return "\n".join([*lines, "  </graph>", "</graphml>", ""])


def _flat_node(node: Node) -> dict[str, Any]:
    fields = node_fields(node)
    place = fields.pop("location", None)
    if place is not None:
        fields |= {"Latitude": float(place[0]), "Longitude": float(place[1])}
    return {name: _flat(value) for name, value in fields.items()}


def _flat_link(link: Link) -> dict[str, Any]:
    fields = link_fields(link)
    if fields.pop("rate", None) is not None:
        fields = {"LinkSpeedRaw": link.rate} | fields
    return {name: _flat(value) for name, value in fields.items()}


def _flat(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict)) else value


def from_graphml(text: str, path: Path) -> Source | None:
    """A Source of complete Nodes and Links from GraphML that netarium wrote; None for GraphML of others."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError:
        return None
    keys = {key.get("id"): key.get("attr.name", "") for key in root.iter(f"{{{_GRAPHML}}}key")}
    graph = root.find(f"{{{_GRAPHML}}}graph")
    if graph is None or MARK not in _row(graph, keys):
        return None
    nodes = {
        node.get("id", ""): _deep(_row(node, keys), f"nodes.{node.get('id', '')}", path)
        for node in graph.findall(f"{{{_GRAPHML}}}node")
    }
    edges = [
        (edge.get("source", ""), edge.get("target", ""), _deep(_row(edge, keys), f"edges[{i}]", path))
        for i, edge in enumerate(graph.findall(f"{{{_GRAPHML}}}edge"))
    ]
    return _source(nodes, edges, path)


def _row(element: ElementTree.Element, keys: Mapping[str | None, str]) -> dict[str, str]:
    return {keys.get(data.get("key"), ""): data.text or "" for data in element.findall(f"{{{_GRAPHML}}}data")}


def _deep(row: dict[str, str], where: str, path: Path) -> dict[str, Any]:
    """The fields of a trial file from the flat row of an element. Raises TrialInvalid naming the field."""
    fields: dict[str, Any] = {}
    problems = []
    for name, text in row.items():
        try:
            if name in ("Latitude", "Longitude", "weight"):
                fields[name] = float(text)
            elif name != "label" and text.startswith(("[", "{")):
                fields[name] = json.loads(text)
            else:
                fields[name] = text
        except ValueError as error:
            expected = "JSON" if isinstance(error, json.JSONDecodeError) else "a number"
            problems.append(Problem(f"{where}.{name}", repr(text), expected, file=str(path)))
    if problems:
        raise TrialInvalid(problems)
    if "Latitude" in fields and "Longitude" in fields:
        fields["location"] = [fields.pop("Latitude"), fields.pop("Longitude")]
    if "LinkSpeedRaw" in fields:
        fields["rate"] = f"{fields.pop('LinkSpeedRaw')} bit/s"
    return fields
