"""Node-link JSON: what networkx.node_link_data writes, what D3 reads, and what netarium writes.

Read from a node: id; label or name; location, or lat and lon in their usual spellings, or pos = [longitude,
latitude]; kind, type. From an edge ("edges", or "links" as older networkx wrote): rate, capacity, bandwidth
or speed; delay or latency; length or distance; weight or cost. Text must carry its unit; a bare number needs
capacity_unit, delay_unit or distance_unit in the topology.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from netarium.describe.topology import native
from netarium.describe.topology.draft import Draft, counted, some
from netarium.describe.topology.imported import (
    Source,
    SourceLink,
    SourceNode,
    adopt,
    location,
    number,
    read_text,
    unreadable,
)
from netarium.describe.topology.spec import NodeLink
from netarium.errors import Mistake, Problem, TrialInvalid, did_you_mean
from netarium.units import LENGTH, RATE, TIME, Dimension, parse

_LABELS = ("label", "name", "title")
_LATITUDES = ("lat", "latitude", "Latitude", "y_lat")
_LONGITUDES = ("lon", "lng", "long", "longitude", "Longitude")
_RATES = ("rate", "capacity", "bandwidth", "speed", "bw")
_RATES_BPS = ("rate_bps", "LinkSpeedRaw")
_DELAYS = ("delay", "latency")
_LENGTHS = ("length", "distance", "dist")
_WEIGHTS = ("weight", "cost", "metric")
_KINDS = ("host", "router", "switch", "satellite", "external")


def node_link(spec: NodeLink, folder: Path) -> Draft:
    """The network of a node-link JSON file."""
    return adopt(read(folder / spec.file, spec), spec)


def read(path: Path, spec: NodeLink) -> Source:
    """Nodes and links of a file. Raises TrialInvalid with every mistake found in it."""
    text = read_text(path)
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise TrialInvalid(
            [Problem("network.topology.file", error.msg, "JSON", "", str(path), error.lineno, error.colno)]
        ) from None
    edges = data.get("edges", data.get("links")) if isinstance(data, dict) else None
    if not isinstance(edges, list) or not isinstance(data.get("nodes"), list):
        expected = 'node-link JSON: a mapping with "nodes" and "edges" (or "links")'
        raise unreadable("file", f"{str(path)!r} with other content", expected)
    if native.MARK in (data.get("graph") or {}):
        return native.from_node_link(data, path)
    return interpreted(data, edges, spec, path)


def interpreted(data: Mapping[str, Any], edges: Sequence[Any], spec: NodeLink, path: Path) -> Source:
    """Nodes and links of a document that others wrote."""
    source = Source(path.name, directed=bool(data.get("directed")))
    problems: list[Problem] = []
    unitless: list[Unitless] = []
    for i, entry in enumerate(data["nodes"]):
        if not isinstance(entry, dict) or "id" not in entry:
            problems.append(
                Problem(f"nodes[{i}]", repr(entry)[:60], 'a mapping with an "id"', file=str(path))
            )
            continue
        source.nodes.append(_node(entry))
    ids = {node.id for node in source.nodes}
    if len(ids) < len(source.nodes):
        problems.append(Problem("nodes", "the same id twice", "an id of its own for each", file=str(path)))
    for i, entry in enumerate(edges):
        try:
            source.links.append(_link(entry, ids, spec))
        except Unitless as error:
            unitless.append(error)
        except Mistake as error:
            where = ".".join([f"edges[{i}]", *map(str, error.at)])
            problems.append(Problem(where, error.found, error.expected, error.hint, str(path)))
    problems += _unit_problems(unitless, path)
    if problems:
        raise TrialInvalid(problems)
    unplaced = [node.label or node.id for node in source.nodes if node.location is None]
    if unplaced:
        source.said.append(
            f"{len(unplaced)} of {counted(len(ids), 'node')} without location: {some(unplaced)}"
        )
    return source


class Unitless(Mistake):
    """A bare number whose unit the topology does not state; `field` is where it would."""

    def __init__(self, key: str, value: float, field: str, example: str) -> None:
        self.field, self.example = field, example
        super().__init__(f"{key} {value:g}", "a quantity with its unit", at=(key,))


def _unit_problems(unitless: Sequence[Unitless], path: Path) -> list[Problem]:
    """One problem per unit that is missing, however many links need it."""
    firsts = {error.field: error for error in reversed(unitless)}
    counts = Counter(error.field for error in unitless)
    return [
        Problem(
            f"network.topology.{field}",
            f"nothing, and {counted(counts[field], 'link')} of {path.name} with bare numbers ({error.found})",
            "what a number of 1 means",
            f"for example {field}: {error.example}",
        )
        for field, error in firsts.items()
    ]


def _node(entry: Mapping[str, Any]) -> SourceNode:
    label = next((str(entry[key]) for key in _LABELS if entry.get(key) not in (None, "")), str(entry["id"]))
    kind = next(
        (str(entry[k]).lower() for k in ("kind", "type") if str(entry.get(k)).lower() in _KINDS), "router"
    )
    groups = ("hosts",) if kind == "host" else ("routers",) if kind == "router" else ()
    return SourceNode(str(entry["id"]), label, _place(entry), kind, groups)


def _place(entry: Mapping[str, Any]) -> tuple[float, float] | None:
    stated = entry.get("location")
    if isinstance(stated, (list, tuple)) and len(stated) == 2:
        return location(stated[0], stated[1])
    latitude = next((entry[key] for key in _LATITUDES if key in entry), None)
    longitude = next((entry[key] for key in _LONGITUDES if key in entry), None)
    if latitude is not None and longitude is not None:
        return location(latitude, longitude)
    drawn = entry.get("pos")
    return location(drawn[1], drawn[0]) if isinstance(drawn, (list, tuple)) and len(drawn) == 2 else None


def _link(entry: Any, ids: set[str], spec: NodeLink) -> SourceLink:
    if not isinstance(entry, dict) or "source" not in entry or "target" not in entry:
        raise Mistake(repr(entry)[:60], 'a mapping with "source" and "target"')
    ends = str(entry["source"]), str(entry["target"])
    for key, end in zip(("source", "target"), ends, strict=True):
        if end not in ids:
            raise Mistake(repr(end), "the id of a node", did_you_mean(end, ids), at=(key,))
    rate = next((round(value) for key in _RATES_BPS if (value := number(entry.get(key)))), None)
    if rate is None:
        rate = _quantity(entry, _RATES, RATE, spec, "capacity_unit", "1 Mbit/s")
    delay = _quantity(entry, _DELAYS, TIME, spec, "delay_unit", "1 ms")
    length = None
    if delay is None:
        length = _quantity(entry, _LENGTHS, LENGTH, spec, "distance_unit", "1 km")
    weight = next((value for key in _WEIGHTS if (value := number(entry.get(key))) and value > 0), 1.0)
    return SourceLink(*ends, rate and round(rate), None if delay is None else round(delay), length, weight)


def _quantity(
    entry: Mapping[str, Any],
    keys: Sequence[str],
    dimension: Dimension,
    spec: NodeLink,
    unit_field: str,
    example: str,
) -> float | None:
    """The first of `keys` as a canonical number: text with its unit, or a bare number of the spec's unit."""
    key = next((key for key in keys if entry.get(key) not in (None, "")), None)
    if key is None:
        return None
    value = entry[key]
    bare = number(value)
    if bare is None:
        try:
            return parse(value, dimension)
        except Mistake as error:
            raise Mistake(error.found, error.expected, error.hint, at=(key,)) from None
    if bare < 0:
        raise Mistake(f"{bare:g}", f"{dimension.article} of at least 0", at=(key,))
    if bare == 0:
        return None if dimension is RATE else 0.0
    unit = getattr(spec, unit_field)
    if unit is None:
        raise Unitless(key, bare, unit_field, example)
    return bare * float(unit)
