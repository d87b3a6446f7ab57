"""What the command `netarium topology` shows and writes: lists, facts, files."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netarium.catalog import KINDS as KNOWN
from netarium.describe.topology.spec import KINDS, Kind
from netarium.errors import MachineCannot, Problem, TrialInvalid, did_you_mean, one_of
from netarium.units import format_rate, format_time

if TYPE_CHECKING:
    from netarium.describe.links import Link, Node
    from netarium.describe.topology.draft import Built

_FROM_FILE = ("graphml", "node_link", "repetita")
_SUFFIXES = {
    ".json": "json",
    ".graphml": "graphml",
    ".xml": "graphml",
    ".dot": "dot",
    ".gv": "dot",
    ".svg": "svg",
}


def rows(group: str = "") -> list[dict[str, str]]:
    """See topology.list_builtin."""
    from netarium.describe.topology import build, hub

    if group:
        word = group.removeprefix("topohub").strip("/:")
        if word and word not in hub.GROUPS:
            hint = did_you_mean(word, hub.GROUPS)
            raise TrialInvalid([Problem("group", repr(word), one_of(hub.GROUPS), hint)])
        return [_hub_row(name) for name in hub.names(word)]
    listed = []
    for kind, model in KINDS.items():
        if kind in _FROM_FILE or kind == "topohub":
            continue
        nodes, links, _ = build(model())
        listed.append(
            {
                "name": kind,
                "what": KNOWN["topologies"][kind].meaning,
                "nodes": str(len(nodes)),
                "links": str(len(links)),
            }
        )
    return listed + _hub_groups()


def _hub_groups() -> list[dict[str, str]]:
    from netarium.describe.topology import hub

    try:
        counts = Counter(name.split("/")[0] for name in hub.names())
    except MachineCannot:
        return [{"name": "topohub:…", "what": f"not installed: {hub.INSTALL}", "nodes": "", "links": ""}]
    return [
        {"name": f"topohub:{group}/…", "what": f"{counts[group]} networks: {what}", "nodes": "", "links": ""}
        for group, what in hub.GROUPS.items()
        if counts[group]
    ]


def _hub_row(name: str) -> dict[str, str]:
    from netarium.describe.topology import hub

    stats = hub.stats(name)
    return {
        "name": f"topohub:{name}",
        "what": stats["what"],
        "nodes": stats["nodes"],
        "links": stats["links"],
    }


def facts(nodes: dict[str, Node], links: Sequence[Link], assumptions: list[str]) -> dict[str, Any]:
    """See topology.describe: a mapping ready for JSON. Hops count between all nodes, hosts too."""
    import rustworkx as rx

    graph = rx.PyGraph()
    index = {name: graph.add_node(name) for name in nodes}
    graph.add_edges_from([(index[link.endpoints[0]], index[link.endpoints[1]], None) for link in links])
    degrees = [graph.degree(i) for i in index.values()]
    parts = rx.connected_components(graph)
    hops = rx.distance_matrix(graph, null_value=-1.0) if 0 < len(nodes) <= 3000 else None
    lengths = [link.length for link in links if link.length is not None]
    return {
        "nodes": len(nodes),
        "links": len(links),
        "kinds": dict(Counter(node.kind for node in nodes.values())),
        "groups": dict(Counter(group for node in nodes.values() for group in node.groups)),
        "located": sum(node.location is not None for node in nodes.values()),
        "parts": len(parts),
        "degree": {"min": min(degrees), "mean": sum(degrees) / len(degrees), "max": max(degrees)},
        "diameter_hops": None if hops is None or len(parts) != 1 else int(hops.max()),
        "two_disjoint_paths": len(parts) == 1 and _survives(_without_hosts(graph, nodes)),
        "rates": {
            format_rate(rate): n for rate, n in sorted(Counter(k.rate for k in links if k.rate).items())
        },
        "delays": _span([link.delay for link in links if link.delay is not None]),
        "fibre_km": sum(lengths) / 1000 if lengths else None,
        "assumptions": assumptions,
    }


def _survives(graph: Any) -> bool:
    """Is there a second path between any two nodes that shares no node with the first?"""
    import rustworkx as rx

    if graph.num_nodes() < 3:
        return graph.num_edges() >= 2
    return not len(rx.articulation_points(graph))


def _without_hosts(graph: Any, nodes: dict[str, Node]) -> Any:
    """The graph of everything but hosts; of everything where there is nothing else."""
    inner = [i for i in graph.node_indices() if nodes[graph[i]].kind != "host"]
    return graph.subgraph(inner) if len(inner) > 1 else graph


def _span(delays: list[int]) -> str | None:
    if not delays:
        return None
    low, high = min(delays), max(delays)
    return format_time(low) if low == high else f"{format_time(low)} to {format_time(high)}"


def expanded(spec: Kind, folder: Path | str | None) -> Built:
    """What build() gives, with every link complete as a trial would have it."""
    from netarium.describe.network import Network

    network = Network(topology=spec).placed(None if folder is None else Path(folder)).expand()
    return network.nodes, list(network.links), network.assumptions


def convert(spec: Kind, target: Path, format_name: str | None, folder: Path) -> list[str]:
    """See topology.convert."""
    from netarium.describe.topology.export import FORMATS, to_text

    chosen = format_name or _SUFFIXES.get(target.suffix.lower())
    if chosen not in FORMATS:
        found = repr(format_name) if format_name else f"{target.name!r}"
        hint = (
            did_you_mean(format_name, FORMATS) if format_name else "give the format, or one of these suffixes"
        )
        raise TrialInvalid([Problem("format", found, one_of(FORMATS), hint)])
    nodes, links, assumptions = expanded(spec, folder)
    name = getattr(spec, "name", None) or getattr(spec, "file", None) or spec.kind  # type: ignore[attr-defined]
    write_whole(target, to_text(chosen, nodes, links, str(name)))
    return assumptions


def write_whole(target: Path, text: str) -> None:
    """Write a file that is either the old one or the new one, never a part."""
    handle, partial = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", text=True)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(partial, 0o644)
        os.replace(partial, target)
    except BaseException:
        os.unlink(partial)
        raise
