"""From what a file says to a network: names, separate parts, missing rates and delays; all stated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from netarium.describe.topology.draft import (
    Draft,
    DraftLink,
    DraftNode,
    Location,
    counted,
    plain,
    some,
    unused,
)
from netarium.describe.topology.geo import centroid, great_circle
from netarium.errors import Problem, TrialInvalid
from netarium.units import format_rate, format_time

if TYPE_CHECKING:
    from pathlib import Path

    from netarium.describe.links import Link, Node
    from netarium.describe.topology.spec import Imported

SAME_PLACE_M = 1.0
_NO_LABEL = (None, "", "None", "?")
SAME_PLACE_LENGTH_M = 1000.0


@dataclass
class SourceNode:
    """A node as its source has it. `label` is None where there is none; `model` is a node netarium wrote."""

    id: str
    label: str | None = None
    location: Location | None = None
    kind: str = "router"
    groups: tuple[str, ...] = ()
    model: Node | None = None


@dataclass
class SourceLink:
    """A link or one direction of it between node ids: rate bit/s, delay ps, length m."""

    a: str
    b: str
    rate: int | None = None
    delay: int | None = None
    length: float | None = None
    weight: float = 1.0
    model: Link | None = None


@dataclass
class Source:
    """What a reader found in a file or a package."""

    title: str
    nodes: list[SourceNode] = field(default_factory=list)
    links: list[SourceLink] = field(default_factory=list)
    directed: bool = False
    native: bool = False
    said: list[str] = field(default_factory=list)


def unreadable(where: str, found: str, expected: str, hint: str = "") -> TrialInvalid:
    """The error of a source that cannot be read: one Problem below network.topology."""
    return TrialInvalid([Problem(f"network.topology.{where}", found, expected, hint)])


def read_text(path: Path, where: str = "file") -> str:
    """The text of a file (UTF-8). Raises TrialInvalid, with the nearest file name, when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise unreadable(where, f"{str(path)!r}, which is not text", "a text file in UTF-8") from None
    except OSError as error:
        from netarium.errors import did_you_mean

        beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        hint = did_you_mean(path.name, beside) or "the path starts at the folder of the trial file"
        reason = error.strerror or type(error).__name__
        raise unreadable(where, f"{str(path)!r} ({reason})", "a file that can be read", hint) from None


def adopt(source: Source, spec: Imported) -> Draft:
    """The network of a source: named, complete, with hosts; or, when netarium wrote it, exactly as it was."""
    draft = Draft(assumptions=list(source.said))
    if not source.nodes:
        raise unreadable("kind", f"{source.title} without nodes", "at least one node")
    names = _names(source, draft)
    kept = _kept(source, spec, draft, names)
    for node in source.nodes:
        if node.id in kept:
            draft.nodes[names[node.id]] = DraftNode(
                node.kind, node.location, node.label or "", node.groups, node.model
            )
    draft.links = _links(source, kept, names, draft)
    _apply(spec, draft)
    if spec.hosts_per_node is None and any(
        (node.model or node).kind == "host" for node in draft.nodes.values()
    ):
        return draft
    if not source.native or spec.hosts_per_node:
        inside = [
            name
            for name, node in draft.nodes.items()
            if node.kind in ("router", "satellite") and not {"peers", "hyperedges"} & set(node.groups)
        ]
        draft.attach_hosts(spec, inside)
    return draft


def _names(source: Source, draft: Draft) -> dict[str, str]:
    """Name of every node id: its label as a plain name, numbered where labels are the same."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    twice, unnamed, changed = [], [], []
    for node in source.nodes:
        node.label = None if node.label in _NO_LABEL else node.label
    labels = Counter(plain(node.label) for node in source.nodes if node.model is None and node.label)
    for node in source.nodes:
        if node.model is not None:
            names[node.id] = node.id
            taken.add(node.id)
            continue
        stem = plain(node.label) if node.label else ""
        if not stem:
            stem = plain(f"hyper_{node.id}" if "hyperedges" in node.groups else f"node_{node.id}")
            unnamed.append(stem)
        elif labels[stem] > 1:
            twice.append(stem)
        elif stem != node.label:
            changed.append(f"{node.label!r} is {stem}")
        names[node.id] = unused(stem, taken)
        taken.add(names[node.id])
    if twice:
        words = some(list(dict.fromkeys(twice)))
        draft.say(f"{len(twice)} nodes share a label with another: numbered {words} (name, name_2, …)")
    if unnamed:
        draft.say(f"{counted(len(unnamed), 'node')} without a label: named {some(unnamed)}")
    if changed:
        draft.say(f"{counted(len(changed), 'label')} made a plain name: {some(changed, 3)}")
    return names


def _kept(source: Source, spec: Imported, draft: Draft, names: dict[str, str]) -> set[str]:
    """Ids of the nodes that stay: all, or those of the largest connected part."""
    near: dict[str, set[str]] = {node.id: set() for node in source.nodes}
    for link in source.links:
        near[link.a].add(link.b)
        near[link.b].add(link.a)
    parts: list[list[str]] = []
    seen: set[str] = set()
    for start in near:
        if start in seen:
            continue
        part = [start]
        seen.add(start)
        for member in part:
            fresh = sorted(near[member] - seen)
            seen.update(fresh)
            part += fresh
        parts.append(part)
    if len(parts) == 1 or source.native:
        return seen
    if spec.components == "all":
        draft.say(f"the network falls into {len(parts)} separate parts: all kept, no route between them")
        return seen
    largest = max(parts, key=len)
    left_out = [names[node.id] for node in source.nodes if node.id not in set(largest)]
    draft.say(f"the network falls into {len(parts)} separate parts: the largest kept "
              f"({counted(len(largest), 'node')}); left out {some(left_out)}")  # fmt: skip
    return set(largest)


def _links(source: Source, kept: set[str], names: dict[str, str], draft: Draft) -> list[DraftLink]:
    """Two-way links between kept nodes; in a directed source, arcs there and back make one link."""
    usable = [link for link in source.links if link.a != link.b]
    if loops := len(source.links) - len(usable):
        draft.say(f"{counted(loops, 'link')} from a node to itself: left out")
    usable = [link for link in usable if link.a in kept]
    return (_paired if source.directed else _single)(usable, names, draft)


def _single(links: Sequence[SourceLink], names: dict[str, str], draft: Draft) -> list[DraftLink]:
    parallel = Counter(frozenset((link.a, link.b)) for link in links if link.model is None)
    if extra := sum(count - 1 for count in parallel.values()):
        draft.say(f'{counted(extra, "parallel link")} kept: a further link between the same nodes is "a-b#2"')
    return [
        DraftLink(
            names[link.a], names[link.b], link.rate, link.delay, link.length, link.weight, model=link.model
        )
        for link in links
    ]


def _paired(arcs: Sequence[SourceLink], names: dict[str, str], draft: Draft) -> list[DraftLink]:
    """Each arc with the first unused one the other way; one without a partner becomes two-way, said so."""
    waiting: dict[tuple[str, str], list[DraftLink]] = {}
    made: list[DraftLink] = []
    weights = 0
    for arc in arcs:
        back = waiting.get((arc.b, arc.a))
        if back:
            link = back.pop(0)
            weights += link.weight != arc.weight
            link.back_rate = arc.rate if arc.rate != link.rate else None
            link.back_delay = arc.delay if arc.delay != link.delay else None
            continue
        link = DraftLink(names[arc.a], names[arc.b], arc.rate, arc.delay, arc.length, arc.weight)
        waiting.setdefault((arc.a, arc.b), []).append(link)
        made.append(link)
    if lonely := sum(len(rest) for rest in waiting.values()):
        draft.say(f"{counted(lonely, 'link')} given in one direction only: taken as two-way")
    if weights:
        draft.say(f"{counted(weights, 'link')} with two weights: the first one taken for both directions")
    return made


def _apply(spec: Imported, draft: Draft) -> None:
    """Rates and delays that the source left out, or that the spec sets; said with their number."""
    between = [link for link in draft.links if link.model is None]
    if spec.rate is not None:
        for link in between:
            link.rate, link.back_rate = spec.rate, None
        draft.links = [_with_rate(link, spec.rate) for link in draft.links]
        draft.say(f"rate of all {counted(len(draft.links), 'link')} set to {format_rate(spec.rate)}")
    without = [link for link in between if link.rate is None]
    for link in without:
        link.rate = spec.default_rate
    if without:
        draft.say(f"{len(without)} of {len(between)} links without a speed: {format_rate(spec.default_rate)}")
    _delays(spec, draft, between)
    if spec.queue is not None:
        for link in between:
            link.queue = spec.queue


def _with_rate(link: DraftLink, rate: int) -> DraftLink:
    if link.model is not None:
        link.model = link.model.model_copy(update={"rate": rate, "forward": None, "backward": None})
    return link


def _delays(spec: Imported, draft: Draft, links: Iterable[DraftLink]) -> None:
    """Links with two located ends are left to the route factor of the network; the others get a default."""
    together, unplaced = 0, 0
    for link in links:
        if link.delay is not None or link.length is not None:
            continue
        a, b = draft.nodes[link.a].location, draft.nodes[link.b].location
        if a is None or b is None:
            link.delay = spec.default_delay
            unplaced += 1
        elif great_circle(a, b) < SAME_PLACE_M:
            link.length = SAME_PLACE_LENGTH_M
            together += 1
    if unplaced:
        draft.say(
            f"{counted(unplaced, 'link')} with an unlocated end: delay {format_time(spec.default_delay)}"
        )
    if together:
        draft.say(f"{counted(together, 'link')} between nodes at one place: length 1 km")


def place_between(source: Source, ids: Iterable[str]) -> int:
    """Give unlocated nodes the middle of their located neighbours; returns how many got a place."""
    at = {node.id: node for node in source.nodes}
    placed = 0
    for id_ in ids:
        ends = [link.b if link.a == id_ else link.a for link in source.links if id_ in (link.a, link.b)]
        places = [at[end].location for end in ends if at[end].location is not None]
        if places and at[id_].location is None:
            latitude, longitude = centroid([place for place in places if place is not None])
            at[id_].location = (round(latitude, 5), round(longitude, 5))
            placed += 1
    return placed


def number(value: Any) -> float | None:
    """A finite float, or None."""
    try:
        result = float(value)
    except (TypeError, ValueError):
        return None
    return result if result == result and abs(result) != float("inf") else None


def location(latitude: Any, longitude: Any) -> Location | None:
    """(latitude, longitude) when both are numbers within their ranges, else None."""
    lat, lon = number(latitude), number(longitude)
    if lat is None or lon is None or abs(lat) > 90 or abs(lon) > 180:
        return None
    return lat, lon
