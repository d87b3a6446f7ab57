"""Topologies: generated, imported, built in. `build` makes the nodes and links of any kind."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from netarium.describe.topology.draft import Built, Draft
    from netarium.describe.topology.spec import Kind

_BUILDERS = {
    "line": "generators", "ring": "generators", "star": "generators", "dumbbell": "generators",
    "parking_lot": "generators", "grid": "generators", "tree": "generators", "random_geometric": "generators",
    "leaf_spine": "datacentre", "fat_tree": "datacentre", "reference_backbone": "backbone",
    "graphml": "graphml", "topohub": "hub", "node_link": "nodelink", "repetita": "repetita",
}  # fmt: skip
_WITH_FILES = ("graphml", "node_link", "repetita")


def parse(value: Any) -> Kind:
    """The topology of a mapping or of text: {"kind": "ring", "nodes": 5}, "fat_tree:8", "graphml:a.graphml".

    Raises TrialInvalid with every mistake.
    """
    from netarium.describe.network import Network
    from netarium.describe.topology.spec import from_text
    from netarium.errors import Mistake, Problem, TrialInvalid, did_you_mean, one_of

    try:
        mapping = from_text(value)
    except Mistake as mistake:
        problem = Problem("topology", mistake.found, mistake.expected, mistake.hint)
        raise TrialInvalid([problem]) from None
    if isinstance(mapping, dict) and (kind := mapping.get("kind")) not in _BUILDERS:
        hint = did_you_mean(kind, _BUILDERS) or _in_library(str(kind))
        raise TrialInvalid([Problem("topology.kind", repr(kind), one_of(_BUILDERS, limit=20), hint)])
    spec: Kind = Network(topology=mapping).topology
    return spec


def _in_library(word: str) -> str:
    """A hint at the network of topohub whose name is nearest; empty when none is near, or without topohub."""
    from netarium.describe.topology import hub
    from netarium.errors import MachineCannot, nearest

    try:
        known = {name.rpartition("/")[2].lower(): name for name in hub.names()}
    except MachineCannot:
        return ""
    near = nearest(word.lower(), known)
    return f"did you mean 'topohub:{known[near]}'?" if near is not None else ""


def build(spec: Kind, folder: Path | str | None = None) -> Built:
    """(nodes by name, links, assumptions) of a topology.

    `folder` is where relative file names start; default the current folder. Every default that was applied is
    a sentence in `assumptions`. Raises TrialInvalid when a file or a named network cannot be read.
    """
    kind: str = spec.kind  # type: ignore[attr-defined]
    builder: Any = getattr(import_module(f"{__name__}.{_BUILDERS[kind]}"), kind)
    draft: Draft = builder(spec, Path(folder or ".")) if kind in _WITH_FILES else builder(spec)
    return draft.finish()


def demands(spec: Kind, folder: Path | str | None = None) -> dict[tuple[str, str], float]:
    """{(from, to): bit/s} that come with a topology: those of SNDlib, or the demands file of REPETITA.

    Between the hosts of the built network where nodes have hosts, else between its nodes. Raises TrialInvalid
    when the topology has no demands.
    """
    from netarium.describe.topology import hub, repetita
    from netarium.describe.topology.imported import unreadable
    from netarium.describe.topology.matrix import hosts_at, on_hosts
    from netarium.describe.topology.spec import Repetita, TopoHub

    if isinstance(spec, TopoHub):
        found = hub.demands(spec.name, spec.demand_unit)
    elif isinstance(spec, Repetita) and spec.demands is not None:
        found = repetita.demands(spec, Path(folder or "."))
    else:
        hint = "or use matrix: gravity"
        expected = "topohub:sndlib/…, or repetita with demands"
        raise unreadable("kind", "a topology without demands", expected, hint)
    nodes, links, _ = build(spec, folder)
    behind = hosts_at(nodes, links)
    return on_hosts(found, behind) if behind else found


def list_builtin(group: str = "") -> list[dict[str, str]]:
    """Rows {name, what, nodes, links} of what needs no file: generators, the reference backbone, topohub.

    Without `group` topohub is one row per group of networks; "topohub/<group>" lists that group's networks.
    """
    from netarium.describe.topology import catalogue

    return catalogue.rows(group)


def describe(spec: Kind, folder: Path | str | None = None) -> dict[str, Any]:
    """Facts of a topology: counts, degrees, connectivity, diameter, rates, km of fibre, assumptions."""
    from netarium.describe.topology import catalogue

    return catalogue.facts(*catalogue.expanded(spec, folder))


def convert(
    spec: Kind, target: Path | str, format_name: str | None = None, folder: Path | str | None = None
) -> list[str]:
    """Write a topology to a file: json, graphml, dot or svg (default: by its suffix); returns assumptions.

    The network is expanded first, so that every link has its delay. Raises TrialInvalid for an unknown
    format, and OSError when the file cannot be written.
    """
    from netarium.describe.topology import catalogue

    return catalogue.convert(spec, Path(target), format_name, Path(folder or "."))
