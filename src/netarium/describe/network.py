"""The network of a trial: topology, nodes, links, defaults, routing; expand() fills in what was left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PrivateAttr, model_validator

from netarium.describe.impairments import Impairments
from netarium.describe.links import (
    DEFAULT_MTU,
    DEFAULT_OVERHEAD,
    Defaults,
    Direction,
    Link,
    Node,
    RateTrace,
)
from netarium.describe.part import NodeName, Part
from netarium.describe.queues import Queue
from netarium.describe.topology.spec import Topology
from netarium.errors import Mistake
from netarium.units import Time

__all__ = [
    "DEFAULT_MTU", "DEFAULT_OVERHEAD", "Defaults", "Direction",
    "Impairments", "Link", "Network", "Node", "Port", "RateTrace", "Routing",
]  # fmt: skip


class Routing(Part):
    """How paths are chosen."""

    kind: Literal["ecmp", "shortest_path"] = "ecmp"
    """ecmp spreads flows over equally good paths by a hash; shortest_path takes one of them."""
    metric: Literal["delay", "hops", "weight"] | None = None
    """What a path costs; default: delay, and hops in the topologies of data centres."""
    reconvergence: Time = 200_000_000_000
    """Time from a failure or repair to new routes."""


@dataclass(frozen=True)
class Port:
    """One direction of a link with everything decided. Rates bit/s, times ps, sizes bytes."""

    name: str
    link: str
    source: str
    target: str
    forward: bool
    rate: int
    delay: int
    mtu: int
    overhead: int
    weight: float
    queue: Queue
    impairments: Impairments | None
    rate_trace: RateTrace | None


class Network(Part):
    """Nodes and links, written out or generated."""

    topology: Topology | None = None
    """Generated or imported nodes and links; the ones below are added, the same name overrides."""
    nodes: dict[NodeName, Node] = Field(default_factory=dict)
    """Nodes, by name."""
    links: tuple[Link, ...] = ()
    """Links between them."""
    defaults: Defaults = Field(default_factory=Defaults)
    """What links have that do not say it themselves."""
    routing: Routing = Field(default_factory=Routing)
    """How paths are chosen."""

    _assumptions: tuple[str, ...] | None = PrivateAttr(default=None)
    _expanded: Network | None = PrivateAttr(default=None)
    _folder: Path | None = PrivateAttr(default=None)

    @model_validator(mode="before")
    @classmethod
    def _empty_nodes(cls, data: Any) -> Any:
        """`nodes: {a: }` (nothing after the colon) is a node with all defaults."""
        if isinstance(data, dict) and isinstance(data.get("nodes"), dict):
            nodes = {name: {} if node is None else node for name, node in data["nodes"].items()}
            return {**data, "nodes": nodes}
        return data

    @model_validator(mode="after")
    def _something(self) -> Network:
        if self.topology is None and not self.nodes:
            raise Mistake("a network without nodes", "nodes and links, or a topology")
        return self

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Network:
        """A copy with some fields changed; it expands anew."""
        copy = super().model_copy(update=update, deep=deep)
        copy._assumptions, copy._expanded = None, None
        return copy

    @property
    def folder(self) -> Path:
        """The folder that file names of the topology start from."""
        return self._folder if self._folder is not None else Path.cwd()

    def placed(self, folder: Path | None) -> Network:
        """The same network with file names starting from `folder`."""
        copy = self.model_copy()
        copy._folder, copy._expanded = folder, None
        return copy

    @property
    def assumptions(self) -> list[str]:
        """Defaults that expand() applied, one sentence each; of an expanded network only."""
        if self._assumptions is None:
            raise RuntimeError("only the network returned by expand() has assumptions")
        return list(self._assumptions)

    def expand(self) -> Network:
        """The same network with only explicit nodes and links, and everything about each link decided.

        `assumptions` of the result lists the defaults that were applied. The result is kept: a second call is
        free. Raises TrialInvalid with every link that lacks a rate or a delay.
        """
        from netarium.describe.expand import expand

        if self._assumptions is not None:
            return self
        if self._expanded is None:
            self._expanded = expand(self)
        return self._expanded

    def link(self, reference: tuple[str, ...]) -> Link:
        """The link of a name ("a-b",) or of two nodes ("a", "b"). Raises Mistake if not one."""
        from netarium.describe.expand import link_of

        return link_of(self.expand(), reference)

    def ports(self) -> list[Port]:
        """Two ports of every link, in the order of the links, forward first; parallel links are numbered."""
        from netarium.describe.expand import ports_of

        return ports_of(self.expand())
