"""Draft: a network being put together, in canonical numbers, until finish() gives Nodes and Links."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from netarium.units import format_rate, format_time

if TYPE_CHECKING:
    from netarium.describe.links import Link, Node
    from netarium.describe.topology.spec import Carrier

Location = tuple[float, float]
Built = tuple[dict[str, "Node"], list["Link"], list[str]]


@dataclass
class DraftNode:
    """A node: what Node has, not yet frozen. `model` is a Node that is already complete."""

    kind: str = "router"
    location: Location | None = None
    label: str = ""
    groups: tuple[str, ...] = ()
    model: Node | None = None


@dataclass
class DraftLink:
    """A link: rates in bit/s, delays in ps, lengths in m. `model` is a Link that is already complete."""

    a: str
    b: str
    rate: int | None = None
    delay: int | None = None
    length: float | None = None
    weight: float = 1.0
    queue: Any = None
    back_rate: int | None = None
    back_delay: int | None = None
    model: Link | None = None


@dataclass
class Draft:
    """Nodes, links and stated assumptions of a network being built."""

    nodes: dict[str, DraftNode] = field(default_factory=dict)
    links: list[DraftLink] = field(default_factory=list)
    assumptions: list[str] = field(default_factory=list)

    def node(self, name: str, kind: str = "router", *groups: str, **more: Any) -> str:
        """Add a node; its name must be new."""
        if name in self.nodes:
            raise ValueError(f"node {name!r} is there already")
        self.nodes[name] = DraftNode(kind, groups=groups, **more)
        return name

    def link(
        self, a: str, b: str, rate: int | None = None, delay: int | None = None, **more: Any
    ) -> DraftLink:
        """Add a link between two nodes that are there."""
        made = DraftLink(a, b, rate, delay, **more)
        self.links.append(made)
        return made

    def say(self, text: str) -> None:
        """State an assumption, once."""
        if text not in self.assumptions:
            self.assumptions.append(text)

    def attach_hosts(self, spec: Carrier, at: Iterable[str] | None = None, rate: int | None = None) -> None:
        """`hosts_per_node` hosts behind each router (or each of `at`); says so. `rate` is the access rate in
        bit/s; without it the spec's, else the sum of the rates of the node's links.
        """
        places = [name for name, node in self.nodes.items() if node.kind in ("router", "switch", "satellite")]
        places = places if at is None else list(at)
        each = 1 if spec.hosts_per_node is None else spec.hosts_per_node
        if not each or not places:
            return
        fixed = rate or spec.access_rate
        rates = self._link_rates() if fixed is None else Counter()
        for place in places:
            for number in range(1, each + 1):
                stem = f"host-{place}" if each == 1 else f"host-{place}-{number}"
                host = self.node(unused(stem, self.nodes), "host", "hosts")
                self.link(host, place, fixed or rates[place] or None, spec.access_delay)
        speed = "the sum of the node's links" if fixed is None else format_rate(fixed)
        count = counted(each, "host")
        self.say(f"{count} behind each of {counted(len(places), 'node')}, access rate {speed}, "
                 f"access delay {format_time(spec.access_delay)}")  # fmt: skip

    def _link_rates(self) -> Counter[str]:
        """Sum of the rates of each node's links (the faster direction); absent where one is unknown."""
        rates: Counter[str] = Counter()
        unknown = set()
        for link in self.links:
            either = [rate for rate in (link.rate, link.back_rate) if rate is not None]
            for end in (link.a, link.b):
                rates[end] += max(either, default=0)
                if not either:
                    unknown.add(end)
        for end in unknown:
            del rates[end]
        return rates

    def finish(self) -> Built:
        """(nodes, links, assumptions) of the model."""
        from netarium.describe.links import Node

        nodes = {
            name: node.model
            or Node.model_construct(
                kind=node.kind, location=node.location, label=node.label, groups=node.groups
            )
            for name, node in self.nodes.items()
        }
        return nodes, [link.model or _link(link) for link in self.links], list(self.assumptions)


def _link(draft: DraftLink) -> Link:
    """The Link of a draft; only the fields that are known count as set."""
    from netarium.describe.links import Direction, Link

    given: dict[str, Any] = {"endpoints": (draft.a, draft.b)}
    for name in ("rate", "delay", "length", "queue"):
        if (value := getattr(draft, name)) is not None:
            given[name] = value
    if draft.weight != 1.0:
        given["weight"] = draft.weight
    back = {k: v for k, v in (("rate", draft.back_rate), ("delay", draft.back_delay)) if v is not None}
    if back:
        given["backward"] = Direction.model_construct(**back)
    return Link.model_construct(**given)


_TRANSLITERATED = str.maketrans(
    {"ß": "ss", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "Ae", "ł": "l", "Ł": "L", "đ": "d"}
)


def plain(label: Any) -> str:
    """A label as a node name: letters without accents, digits, '-', '_'; "São Paulo (SP)" is Sao_Paulo_SP."""
    text = unicodedata.normalize("NFKD", str(label).translate(_TRANSLITERATED))
    text = "".join(letter for letter in text if not unicodedata.combining(letter))
    return re.sub(r"[^\w-]+", "_", text).strip("_-")[:80]


def unused(stem: str, taken: Any) -> str:
    """`stem`, or `stem_2`, `stem_3`, … : the first that is not in `taken`."""
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}_{number}"
    return name


def counted(count: int, word: str) -> str:
    """ "1 link", "2 links"."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def some(words: Sequence[str], limit: int = 5) -> str:
    """The first words, and how many more there are."""
    more = f" and {len(words) - limit} more" if len(words) > limit else ""
    return ", ".join(words[:limit]) + more
