"""Topologies: generated, imported, built in. `build` makes the nodes and links of any kind."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from netarium.describe.topology.draft import Built, Draft
    from netarium.describe.topology.spec import Kind

_PLACE = __name__
_BUILDERS = {
    "line": "generators", "ring": "generators", "star": "generators", "dumbbell": "generators",
    "parking_lot": "generators", "grid": "generators", "tree": "generators", "random_geometric": "generators",
    "leaf_spine": "datacentre", "fat_tree": "datacentre", "reference_backbone": "backbone",
    "graphml": "graphml", "topohub": "topohub", "node_link": "nodelink", "repetita": "repetita",
}  # fmt: skip
_WITH_FILES = ("graphml", "node_link", "repetita")


def build(spec: Kind, folder: Path | str | None = None) -> Built:
    """(nodes by name, links, assumptions) of a topology.

    `folder` is where relative file names start; default the current folder. Every default that was applied is a
    sentence in `assumptions`. Raises TrialInvalid when a file or a named network cannot be read.
    """
    kind: str = spec.kind  # type: ignore[attr-defined]
    builder: Any = getattr(import_module(f"{_PLACE}.{_BUILDERS[kind]}"), kind)
    draft: Draft = builder(spec, Path(folder or ".")) if kind in _WITH_FILES else builder(spec)
    return draft.finish()
