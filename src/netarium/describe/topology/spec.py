"""The topology kinds and their parameters: one frozen model each, `Topology` is their union.

Routers of generated or imported networks can carry hosts: `hosts_per_node` behind each, on access links.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from netarium.describe.part import Part
from netarium.describe.queues import Queue
from netarium.errors import Mistake
from netarium.units import Length, Rate, Time

US_PS = 10**6
MS_PS = 10**9
GBIT = 10**9
NODES_MAX = 100_000

Count = Annotated[int, Field(ge=1, le=NODES_MAX, strict=True)]
HostCount = Annotated[int, Field(ge=0, le=10_000, strict=True)]


class Kind(Part):
    """Base of all topology kinds."""

    routing_metric: ClassVar[str] = "delay"
    """What a path costs in this kind of network when the trial does not say."""

    @model_validator(mode="after")
    def _rates_above_zero(self) -> Kind:
        for field in type(self).model_fields:
            if field.endswith("rate") and getattr(self, field) == 0:
                raise Mistake("0", "a rate above 0", at=(field,))
        return self


class Carrier(Kind):
    """A network of routers that can have hosts behind them."""

    hosts_per_node: HostCount = 1
    """Hosts behind each node: host-<node>, or host-<node>-<i> when there are several."""
    access_rate: Rate | None = None
    """Rate between a host and its node; default: the sum of the rates of the node's links, so that access
    is never what limits."""
    access_delay: Time = 10 * US_PS
    """Propagation delay between a host and its node."""


class Mesh(Carrier):
    """A generated network whose links are all alike."""

    access_rate: Rate | None = None
    """Rate between a host and its node; default: `rate`."""
    rate: Rate = 10 * GBIT
    """Rate of the links between nodes."""
    delay: Time = 1 * MS_PS
    """Propagation delay of the links between nodes."""
    queue: Queue | None = None
    """Queue of the links between nodes; default: the network's."""


class Line(Mesh):
    """Routers r1, r2, … in a row."""

    kind: Literal["line"] = "line"
    nodes: Annotated[int, Field(ge=2, le=NODES_MAX, strict=True)] = 3


class Ring(Mesh):
    """Routers r1, r2, … in a circle."""

    kind: Literal["ring"] = "ring"
    nodes: Annotated[int, Field(ge=3, le=NODES_MAX, strict=True)] = 6


class Star(Kind):
    """Hosts h1, h2, … around one switch, `hub`."""

    kind: Literal["star"] = "star"
    hosts: Count = 4
    rate: Rate = 10 * GBIT
    delay: Time = 10 * US_PS
    queue: Queue | None = None
    routing_metric: ClassVar[str] = "hops"


class Dumbbell(Kind):
    """Senders s1, s2, … behind router `left`, one bottleneck, receivers r1, r2, … behind router `right`."""

    kind: Literal["dumbbell"] = "dumbbell"
    left: Count = 2
    """Senders."""
    right: Count | None = None
    """Receivers; default: as many as senders."""
    rate: Rate = 1 * GBIT
    """Rate of the bottleneck."""
    delay: Time = 10 * MS_PS
    """One-way propagation delay of the bottleneck."""
    queue: Queue | None = None
    """Queue of the bottleneck; default: the network's."""
    access_rate: Rate = 10 * GBIT
    access_delay: Time = 10 * US_PS


class ParkingLot(Kind):
    """A row of bottlenecks: s0 to d0 crosses all of them, si to di only the i-th."""

    kind: Literal["parking_lot"] = "parking_lot"
    hops: Count = 3
    """Bottlenecks, between routers router1, router2, …"""
    rate: Rate = 1 * GBIT
    """Rate of the bottlenecks."""
    delay: Time = 5 * MS_PS
    """One-way propagation delay of each bottleneck."""
    queue: Queue | None = None
    """Queue of the bottlenecks; default: the network's."""
    access_rate: Rate = 10 * GBIT
    access_delay: Time = 10 * US_PS


class Grid(Mesh):
    """Routers r<row>_<column>, each joined to its neighbours; `wrap` joins the edges to a torus."""

    kind: Literal["grid"] = "grid"
    rows: Count = 3
    columns: Count = 3
    wrap: bool = False

    @model_validator(mode="after")
    def _size(self) -> Grid:
        if self.wrap and min(self.rows, self.columns) < 3:
            raise Mistake(f"{self.rows} x {self.columns}", "at least 3 x 3 to wrap", at=("wrap",))
        return _checked(self, self.rows * self.columns)


class Tree(Kind):
    """Switches s1, s2, … level by level from the root, hosts h1, h2, … at the leaves."""

    kind: Literal["tree"] = "tree"
    depth: Annotated[int, Field(ge=1, le=16, strict=True)] = 2
    """Links between the root and a host."""
    fanout: Count = 2
    """Children of every switch."""
    rate: Rate = 10 * GBIT
    delay: Time = 1 * US_PS
    queue: Queue | None = None
    routing_metric: ClassVar[str] = "hops"

    @model_validator(mode="after")
    def _size(self) -> Tree:
        return _checked(self, sum(self.fanout**level for level in range(self.depth + 1)))


class LeafSpine(Kind):
    """Every leaf switch joined to every spine switch; hosts h<leaf>_<i> below the leaves."""

    kind: Literal["leaf_spine"] = "leaf_spine"
    leaves: Count = 4
    spines: Count = 2
    hosts_per_leaf: HostCount = 8
    rate: Rate = 10 * GBIT
    """Rate of the hosts' links."""
    uplink_rate: Rate = 40 * GBIT
    """Rate of the links between leaves and spines."""
    delay: Time = 1 * US_PS
    queue: Queue | None = None
    routing_metric: ClassVar[str] = "hops"

    @model_validator(mode="after")
    def _size(self) -> LeafSpine:
        return _checked(self, self.leaves * (1 + self.hosts_per_leaf + self.spines) + self.spines)


class FatTree(Kind):
    """The three-tier fat tree of Al-Fares, Loukissas, Vahdat (SIGCOMM 2008): k pods, k**3 / 4 hosts."""

    kind: Literal["fat_tree"] = "fat_tree"
    k: Annotated[int, Field(ge=2, le=64, strict=True)] = 4
    """Ports of every switch, an even number."""
    rate: Rate = 10 * GBIT
    delay: Time = 1 * US_PS
    queue: Queue | None = None
    routing_metric: ClassVar[str] = "hops"

    @model_validator(mode="after")
    def _even(self) -> FatTree:
        if self.k % 2:
            raise Mistake(str(self.k), "an even number", f"{self.k - 1} or {self.k + 1}", at=("k",))
        return self


class RandomGeometric(Carrier):
    """Routers r1, r2, … at random places of a square, joined where they are within `radius`."""

    kind: Literal["random_geometric"] = "random_geometric"
    nodes: Annotated[int, Field(ge=2, le=20_000, strict=True)] = 30
    side: Annotated[Length, Field(gt=0, le=4_000_000)] = 1_000_000.0
    """Side of the square, at most 4000 km."""
    radius: Annotated[Length, Field(gt=0)] | None = None
    """Largest distance of two joined nodes; default: side x sqrt(ln n / (pi n)), where a random network of n
    nodes starts to hang together (Gupta, Kumar 1998)."""
    seed: Annotated[int, Field(ge=0, strict=True)] = 1
    connect: bool = True
    """Join separate parts by the shortest links that do; without it, parts stay apart."""
    access_rate: Rate | None = None
    """Rate between a host and its node; default: `rate`."""
    rate: Rate = 10 * GBIT
    queue: Queue | None = None


class Imported(Carrier):
    """A network from somewhere else. What the source leaves out is filled in and said in the assumptions."""

    hosts_per_node: HostCount | None = None
    """Hosts behind each node; default: 1, and none where the source has hosts of its own."""
    rate: Rate | None = None
    """Rate of all links, whatever the source says; default: what the source says."""
    default_rate: Rate = 10 * GBIT
    """Rate of links for which the source gives none."""
    default_delay: Time = 1 * MS_PS
    """Delay of links for which neither delay, length nor two located ends are known."""
    queue: Queue | None = None
    """Queue of the links between nodes; default: the source's, else the network's."""
    components: Literal["largest", "all"] = "largest"
    """What to keep of a network that falls into separate parts."""


class GraphML(Imported):
    """A GraphML file: the Internet Topology Zoo, or one that netarium wrote."""

    kind: Literal["graphml"] = "graphml"
    file: str
    """Path, relative to the trial file."""
    peers: Literal["keep", "drop"] = "keep"
    """Nodes that the Topology Zoo marks as outside the network (Internal = 0)."""


class TopoHub(Imported):
    """A network of the topohub package (extra `data`): "sndlib/germany50", "topozoo/Abilene", …"""

    kind: Literal["topohub"] = "topohub"
    name: str
    demand_unit: Rate = 10**6
    """What a demand of 1 means: SNDlib gives numbers without a unit."""


class NodeLink(Imported):
    """Node-link JSON as networkx writes it, or netarium."""

    kind: Literal["node_link"] = "node_link"
    file: str
    """Path, relative to the trial file."""
    capacity_unit: Rate | None = None
    """What a bare number in `capacity`, `bandwidth`, `speed` or `rate` of a link counts, such as 1 Mbit/s."""
    distance_unit: Length | None = None
    """What a bare number in `length` or `distance` of a link counts, such as 1 km."""
    delay_unit: Time | None = None
    """What a bare number in `delay` or `latency` of a link counts, such as 1 ms."""


class Repetita(Imported):
    """A graph file of REPETITA (Gay, Schaus, Vissicchio 2017), with its demands."""

    kind: Literal["repetita"] = "repetita"
    file: str
    """The .graph file, relative to the trial file."""
    demands: str | None = None
    """The .demands file."""
    bandwidth_unit: Rate = 1000
    """What a bandwidth of 1 means; kbit/s in REPETITA's Topology Zoo files."""
    delay_unit: Time = US_PS
    """What a delay of 1 means; microseconds in REPETITA's Topology Zoo files."""


class ReferenceBackbone(Carrier):
    """A synthetic backbone: 40 Chinese cities, at least 55,000 km of fibre; not any operator's network."""

    kind: Literal["reference_backbone"] = "reference_backbone"
    rate: Rate = 100 * GBIT
    access_rate: Rate | None = 100 * GBIT
    queue: Queue | None = None


MODELS: tuple[type[Kind], ...] = (
    Line, Ring, Star, Dumbbell, ParkingLot, Grid, Tree, LeafSpine, FatTree, RandomGeometric,
    GraphML, TopoHub, NodeLink, Repetita, ReferenceBackbone,
)  # fmt: skip
KINDS: dict[str, type[Kind]] = {model.model_fields["kind"].default: model for model in MODELS}


def from_text(value: Any) -> Any:
    """A word, or `kind:argument`, as a mapping: "topohub:sndlib/polska", "graphml:net.graphml", "fat_tree:8".

    Several arguments are separated by commas: "dumbbell:left=4,rate=100 Mbit/s". A first one without a name
    is the file, the name, or the size. A mapping whose kind is such text is completed the same way.
    """
    if isinstance(value, dict):
        kind = value.get("kind")
        return (
            {**from_text(kind), **{k: v for k, v in value.items() if k != "kind"}}
            if _composed(kind)
            else value
        )
    if not isinstance(value, str):
        return value
    word, _, rest = value.partition(":")
    kind = word.strip().replace("-", "_")
    given: dict[str, Any] = {"kind": kind}
    for number, part in enumerate(part.strip() for part in rest.split(",") if part.strip()):
        name, equals, text = part.partition("=")
        if not equals and number == 0 and kind in _FIRST:
            name, text = _FIRST[kind], part
        elif not equals:
            raise Mistake(repr(part), "name=value, such as left=4", f"in {value!r}")
        text = text.strip()
        given[name.strip()] = int(text) if text.isdigit() else {"true": True, "false": False}.get(text, text)
    return given


_FIRST = {
    "graphml": "file", "node_link": "file", "repetita": "file", "topohub": "name",
    "line": "nodes", "ring": "nodes", "star": "hosts", "dumbbell": "left", "parking_lot": "hops",
    "fat_tree": "k", "random_geometric": "nodes",
}  # fmt: skip


def _composed(kind: Any) -> bool:
    return isinstance(kind, str) and (":" in kind or "-" in kind)


def _checked(spec: Any, nodes: int) -> Any:
    if nodes > 4 * NODES_MAX:
        raise Mistake(f"{nodes:,} nodes and links", f"at most {4 * NODES_MAX:,}")
    return spec


Topology = Annotated[
    Line | Ring | Star | Dumbbell | ParkingLot | Grid | Tree | LeafSpine | FatTree | RandomGeometric
    | GraphML | TopoHub | NodeLink | Repetita | ReferenceBackbone,
    Field(discriminator="kind"),
    BeforeValidator(from_text),
]  # fmt: skip
