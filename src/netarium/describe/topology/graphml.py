"""GraphML: files of the Internet Topology Zoo, and those that netarium writes.

Knight, Nguyen, Falkner, Bowden, Roughan, The Internet Topology Zoo, IEEE JSAC 29(9), 2011.
Read from a Zoo file: label, Latitude, Longitude, Internal, hyperedge of a node; LinkSpeedRaw (bit/s), else
LinkSpeed with LinkSpeedUnits, else a LinkType or LinkLabel that is exactly a speed ("OC-192", "10 Gbps").
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from netarium.describe.topology import native
from netarium.describe.topology.draft import Draft, counted, some
from netarium.describe.topology.imported import (
    Source,
    SourceLink,
    SourceNode,
    adopt,
    location,
    number,
    place_between,
    read_text,
    unreadable,
)
from netarium.describe.topology.spec import GraphML
from netarium.errors import Problem, TrialInvalid, did_you_mean

OC1_BPS = 51_840_000  # ITU-T G.707 / ANSI T1.105: OC-1; STM-1 is three of them
_SCALE = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_CARRIERS = {
    "t1": 1_544_000, "ds1": 1_544_000, "ds-1": 1_544_000, "e1": 2_048_000, "e3": 34_368_000, "t3": 44_736_000,
    "ds3": 44_736_000, "ds-3": 44_736_000, "fe": 10**8, "ge": 10**9, "gige": 10**9, "fast ethernet": 10**8,
    "gigabit ethernet": 10**9,
}  # fmt: skip


def graphml(spec: GraphML, folder: Path) -> Draft:
    """The network of a GraphML file."""
    path = folder / spec.file
    source = read(path)
    if spec.peers == "drop" and not source.native:
        _drop_peers(source)
    return adopt(source, spec)


def read(path: Path) -> Source:
    """Nodes and links of a GraphML file. Raises TrialInvalid when it is not one."""
    import networkx as nx

    text = read_text(path)
    if (own := native.from_graphml(text, path)) is not None:
        return own
    try:
        graph = nx.parse_graphml(text, force_multigraph=True)
    except (nx.NetworkXError, SyntaxError, KeyError, ValueError, AttributeError, StopIteration) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise unreadable(
            "file", f"{str(path)!r}, which is not GraphML ({reason})", "a GraphML file"
        ) from None
    _check_ends(text, path)
    source = Source(path.name, directed=graph.is_directed())
    hyper = [str(name) for name, data in graph.nodes(data=True) if data.get("hyperedge")]
    for name, data in graph.nodes(data=True):
        source.nodes.append(_node(str(name), data))
    for a, b, data in graph.edges(data=True):
        source.links.append(SourceLink(str(a), str(b), speed(data), length=None))
    _say(source, graph, hyper)
    return source


def _check_ends(text: str, path: Path) -> None:
    """Every end of an edge is a node of the file; networkx would make up the missing ones."""
    elements = list(ElementTree.fromstring(text).iter())
    declared = {e.get("id", "") for e in elements if e.tag.endswith("}node")}
    edges = [e for e in elements if e.tag.endswith("}edge")]
    problems = [
        Problem(f"edges[{i}].{end}", repr(name), "the id of a node", did_you_mean(name, declared), str(path))
        for i, edge in enumerate(edges)
        for end in ("source", "target")
        if (name := edge.get(end, "")) not in declared
    ]
    if problems:
        raise TrialInvalid(problems)


def _node(name: str, data: dict[str, Any]) -> SourceNode:
    label = str(data.get("label", ""))
    place = location(data.get("Latitude"), data.get("Longitude"))
    if data.get("hyperedge"):
        return SourceNode(name, label, place, "switch", ("hyperedges",))
    outside = str(data.get("Internal", "1")).lower() in ("0", "false")
    return SourceNode(name, label, place, "router", ("peers",) if outside else ("routers",))


def _say(source: Source, graph: Any, hyper: list[str]) -> None:
    if hyper:
        placed = place_between(source, hyper)
        count = counted(len(hyper), "hyperedge")
        source.said.append(f"{count} (one link, many ends): each a switch joined to its ends, {placed} "
                           "of them placed in the middle of their neighbours")  # fmt: skip
    unplaced = [node.label or node.id for node in source.nodes if node.location is None]
    if unplaced:
        source.said.append(
            f"{len(unplaced)} of {counted(len(source.nodes), 'node')} without location: {some(unplaced)}"
        )
    peers = [node.label or node.id for node in source.nodes if "peers" in node.groups]
    if peers:
        source.said.append(f"{counted(len(peers), 'node')} outside the network (Internal = 0): kept as "
                           f"routers in the group peers, without hosts: {some(peers)}")  # fmt: skip
    odd = {str(data.get("LinkLabel")) for *_, data in graph.edges(data=True)
           if speed(data) is None and re.search(r"\d", str(data.get("LinkLabel", "")))}  # fmt: skip
    if odd:
        source.said.append(f"link labels that are not one speed, not used: {some(sorted(odd))}")
    from_label = {str(data.get("LinkType") or data.get("LinkLabel")) for *_, data in graph.edges(data=True)
                  if _stated(data) is None and speed(data) is not None}  # fmt: skip
    if from_label:
        source.said.append(f"speeds read from link types or labels: {some(sorted(from_label))}")


def _drop_peers(source: Source) -> None:
    outside = {node.id for node in source.nodes if "peers" in node.groups}
    source.nodes = [node for node in source.nodes if node.id not in outside]
    source.links = [link for link in source.links if not {link.a, link.b} & outside]
    source.said = [text for text in source.said if "Internal = 0" not in text]
    if outside:
        source.said.append(
            f"{counted(len(outside), 'node')} outside the network (Internal = 0) left out with their links"
        )


def speed(data: dict[str, Any]) -> int | None:
    """Rate in bit/s of a Topology Zoo edge, or None when it does not say one."""
    stated = _stated(data)
    if stated is not None:
        return stated
    return next((rate for key in ("LinkType", "LinkLabel") if (rate := named_speed(data.get(key)))), None)


def _stated(data: dict[str, Any]) -> int | None:
    raw = number(data.get("LinkSpeedRaw"))
    if raw is not None and raw >= 1:
        return round(raw)
    value = number(data.get("LinkSpeed"))
    scale = _SCALE.get(str(data.get("LinkSpeedUnits", "-")).strip().lower())
    return round(value * scale) if value and value > 0 and scale else None


def named_speed(text: Any) -> int | None:
    """bit/s of a text that is exactly one speed: "10 Gbps", "155 Mbit/s", "OC-48c", "STM-16", "10GE"."""
    word = re.sub(r"\s+", " ", str(text or "")).strip().lower()
    if word in _CARRIERS:
        return _CARRIERS[word]
    if match := re.fullmatch(r"(oc|stm) ?-? ?(\d{1,4})c?", word):
        return int(match[2]) * OC1_BPS * (3 if match[1] == "stm" else 1)
    if match := re.fullmatch(r"(\d+) ?(fe|ge|gbe|gige)", word):
        return int(match[1]) * (10**8 if match[2] == "fe" else 10**9)
    if match := re.fullmatch(r"(\d+(?:\.\d+)?) ?([kmgt]?)(?:bps|b/s|bit/s|bits/s|bit)", word):
        return round(float(match[1]) * _SCALE[match[2]]) or None
    return None
