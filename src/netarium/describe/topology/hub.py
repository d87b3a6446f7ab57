"""Networks of the topohub package (extra `data`): Topology Zoo, SNDlib with demands, backbones, CAIDA.

topohub (Jurkiewicz, TopoHub, SoftwareX 2023) keeps positions as (longitude, latitude) and great-circle
distances; it has no capacities. Some networks have positions on a plane instead of the earth: those count as
not located; for the synthetic Gabriel graphs the plane is in km and gives the lengths.
SNDlib: Orlowski, Pioro, Tomaszewski, Wessaly, SNDlib 1.0, Networks 55(3), 2010.
"""

from __future__ import annotations

from importlib import resources
from typing import Any

from netarium.describe.topology.draft import Draft
from netarium.describe.topology.imported import Source, SourceLink, SourceNode, adopt, location, unreadable
from netarium.describe.topology.spec import TopoHub
from netarium.errors import MachineCannot, did_you_mean
from netarium.units import format_rate

INSTALL = "pip install 'netarium[data]' (or: pip install topohub)"
GROUPS = {
    "topozoo": "Internet Topology Zoo", "sndlib": "SNDlib, with demand matrices",
    "backbone": "optical backbones", "caida": "CAIDA Internet Topology Data Kit",
    "gabriel": "synthetic Gabriel graphs",
}  # fmt: skip


def topohub(spec: TopoHub) -> Draft:
    """The network that topohub has under this name."""
    source = read(spec.name)
    if _load(spec.name)["graph"].get("demands"):
        unit = format_rate(spec.demand_unit)
        source.said.append(f"a demand of 1 in its matrix is {unit} (SNDlib states no unit), "
                           "from the first to the second node as listed")  # fmt: skip
    return adopt(source, spec)


def read(name: str) -> Source:
    """Nodes and links of a topohub network.

    Raises TrialInvalid for an unknown name, MachineCannot without topohub.
    """
    data = _load(name)
    group = name.split("/")[0]
    source = Source(f"topohub:{name}")
    places = {str(node["id"]): _place(node) for node in data["nodes"]}
    planar = sum(place is None for place in places.values()) > 0
    for node in data["nodes"]:
        id_ = str(node["id"])
        place = None if planar else places[id_]
        source.nodes.append(SourceNode(id_, node.get("name"), place, "router", ("routers",)))
    for edge in data["edges"]:
        km = edge.get("dist") if planar and group == "gabriel" else None
        source.links.append(
            SourceLink(str(edge["source"]), str(edge["target"]), length=None if km is None else km * 1000.0)
        )
    source.said.append(f"topohub:{name} has no capacities")
    if planar and group == "gabriel":
        source.said.append("positions of this network are on a plane in km: distances are the lengths")
    elif planar:
        source.said.append(
            "positions of this network are on a plane without scale: nodes count as not located"
        )
    return source


def names(group: str = "") -> list[str]:
    """Names of all networks, or of one group, sorted. Raises MachineCannot without topohub."""
    root = resources.files(_package()) / "data"
    found: list[str] = []

    def walk(folder: Any, prefix: str) -> None:
        for entry in folder.iterdir():
            if entry.is_dir():
                walk(entry, f"{prefix}{entry.name}/")
            elif entry.name.endswith(".json"):
                found.append(prefix + entry.name.removesuffix(".json"))

    walk(root / group if group else root, f"{group}/" if group else "")
    return sorted(found, key=lambda name: [(len(part), part) if part.isdigit() else (0, part.lower())
                                           for part in name.split("/")])  # fmt: skip


def demands(name: str, demand_unit: int = 10**6) -> dict[tuple[str, str], float]:
    """{(from, to): bit/s} of an SNDlib network; names are those of the built network, a demand of 1 is
    `demand_unit` bit/s (SNDlib states no unit). Raises TrialInvalid when the network has no demands.
    """
    data = _load(name)
    table: dict[Any, dict[Any, float]] = data["graph"].get("demands") or {}
    if not table:
        raise unreadable("name", f"{name!r}, which has no demand matrix", "an SNDlib network",
                         "topohub has demand matrices for names that start with sndlib/")  # fmt: skip
    draft = adopt(read(name), TopoHub(name=name, hosts_per_node=0, components="all"))
    by_id = dict(zip((node["id"] for node in data["nodes"]), draft.nodes, strict=True))
    result: dict[tuple[str, str], float] = {}
    for a, row in table.items():
        for b, value in row.items():
            if a != b and value > 0:
                result[by_id[a], by_id[b]] = float(value) * demand_unit
    return result


def stats(name: str) -> dict[str, str]:
    """{nodes, links, what} of a network, for lists."""
    data = _load(name)
    numbers = data["graph"].get("stats") or {}
    demand_count = sum(len(row) for row in (data["graph"].get("demands") or {}).values())
    km = numbers.get("avg_link_len")
    what = GROUPS.get(name.split("/")[0], "")
    if demand_count:
        what = f"{demand_count} demands"
    elif km is not None and all(_place(node) is not None for node in data["nodes"]):
        what = f"mean link {km:.0f} km"
    return {"nodes": str(len(data["nodes"])), "links": str(len(data["edges"])), "what": what}


def _load(name: str) -> dict[str, Any]:
    package = _package()
    try:
        if set(name.split("/")) & {"", ".", ".."} or "\\" in name:
            raise KeyError(name)
        data: dict[str, Any] = package.get(name)
    except (KeyError, ValueError):
        known = names()
        near = did_you_mean(name, known) or did_you_mean(f"topozoo/{name}", known)
        hint = near or "see: netarium topology list topohub"
        raise unreadable(
            "name", repr(name), "the name of a topohub network, such as sndlib/germany50", hint
        ) from None
    return data


def _package() -> Any:
    try:
        import topohub
    except ImportError:
        raise MachineCannot(
            f"topohub: networks need the package topohub; install it with {INSTALL}"
        ) from None
    return topohub


def _place(node: dict[str, Any]) -> tuple[float, float] | None:
    pos = node.get("pos") or (None, None)
    return location(pos[1], pos[0])
