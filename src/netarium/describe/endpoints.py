"""Who talks to whom: names, groups and patterns resolved to nodes, and combined into pairs."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from netarium.describe.links import Node
from netarium.describe.services import Service
from netarium.errors import Mistake, did_you_mean, one_of

Pair = tuple[str, str]

_PATTERN = set("*?[")


def groups_of(nodes: Mapping[str, Node]) -> dict[str, list[str]]:
    """Members of every group, in the order of the nodes."""
    groups: dict[str, list[str]] = {}
    for name, node in nodes.items():
        for group in node.groups:
            groups.setdefault(group, []).append(name)
    return groups


def resolve(names: Iterable[str], nodes: Mapping[str, Node]) -> list[str]:
    """The nodes that names, groups and patterns mean, each once, in the order stated (then of the nodes).

    A node's own name comes first, then groups, then patterns (*, ?, [abc]); a pattern means hosts, or other
    nodes where it matches no host. Raises Mistake for a miss.
    """
    groups: dict[str, list[str]] | None = None
    found: dict[str, None] = {}
    for name in names:
        if name in nodes:
            found[name] = None
            continue
        groups = groups_of(nodes) if groups is None else groups
        if name in groups:
            found.update(dict.fromkeys(groups[name]))
        elif _PATTERN & set(name):
            matched = _matching(name, nodes)
            if not matched:
                raise Mistake(f"{name!r}, which matches no node", one_of(nodes))
            found.update(dict.fromkeys(matched))
        else:
            known = [*nodes, *groups]
            expected = "the name of a node, a group or a pattern"
            raise Mistake(repr(name), expected, did_you_mean(name, known) or f"the nodes are {_some(nodes)}")
    return list(found)


def _matching(pattern: str, nodes: Mapping[str, Node]) -> list[str]:
    matched = [name for name in nodes if fnmatchcase(name, pattern)]
    return [name for name in matched if nodes[name].kind == "host"] or matched


def _some(nodes: Mapping[str, Node]) -> str:
    names = list(nodes)
    return ", ".join(names[:12]) + (f", … ({len(names)} in all)" if len(names) > 12 else "")


def pairs_of(
    service: Service, sources: list[str], targets: list[str], generator: random.Random
) -> list[Pair]:
    """Sources and targets combined as the service's `pairs` says; no node with itself. Raises Mistake."""
    how = service.pairs
    if how is None:
        if len(sources) > 1 and len(targets) > 1:
            found = f"{len(sources)} sources and {len(targets)} targets without pairs"
            raise Mistake(found, "pairs: one of each, all, permutation, random")
        how = "each"
    combine = {"each": _each, "all": _all, "permutation": _permutation, "random": _random}[how]
    pairs = combine(sources, targets, generator)
    if not pairs:
        raise Mistake(f"only {sources[0]!r} on both sides", "two different nodes")
    return pairs


def endpoints_of(name: str, service: Service, nodes: Mapping[str, Node], seed: int) -> list[Pair]:
    """See Trial.endpoints. random draws anew in each of the `count` rounds; the others repeat."""
    sources, targets = resolve(service.from_, nodes), resolve(service.to, nodes)
    generator = random.Random(f"{seed}/{name}/pairs")
    if service.pairs != "random":
        return pairs_of(service, sources, targets, generator) * service.count
    rounds = (pairs_of(service, sources, targets, generator) for _ in range(service.count))
    return [pair for one in rounds for pair in one]


def _each(sources: list[str], targets: list[str], generator: random.Random) -> list[Pair]:
    """First with first, second with second; a single one goes with all of the other side."""
    longest = max(len(sources), len(targets))
    if 1 not in (len(sources), len(targets)) and len(sources) != len(targets):
        found = f"{len(sources)} sources and {len(targets)} targets"
        raise Mistake(found, "as many sources as targets for pairs: each", "or pairs: all")
    left = sources if len(sources) > 1 else sources * longest
    right = targets if len(targets) > 1 else targets * longest
    single = 1 in (len(sources), len(targets)) and longest > 1
    pairs = [(a, b) for a, b in zip(left, right, strict=True) if not (single and a == b)]
    for a, b in pairs:
        if a == b:
            raise Mistake(f"{a!r} with itself", "two different nodes in every pair")
    return pairs


def _all(sources: list[str], targets: list[str], generator: random.Random) -> list[Pair]:
    return [(a, b) for a in sources for b in targets if a != b]


def _permutation(sources: list[str], targets: list[str], generator: random.Random) -> list[Pair]:
    """Every source gets a target of its own, never itself: uniform over such assignments (by rejection)."""
    if len(targets) < len(sources):
        raise Mistake(f"{len(sources)} sources and {len(targets)} targets", "a target for every source")
    if len(sources) == 1:
        return _random(sources, targets, generator)
    while True:
        drawn = generator.sample(targets, len(sources))
        if all(a != b for a, b in zip(sources, drawn, strict=True)):
            return list(zip(sources, drawn, strict=True))


def _random(sources: list[str], targets: list[str], generator: random.Random) -> list[Pair]:
    """Every source gets any target but itself."""
    pairs = []
    for source in sources:
        others = len(targets) - (source in targets)
        if others == 0:
            raise Mistake(f"only {source!r} as target of itself", "another target")
        target = source
        while target == source:
            target = generator.choice(targets)
        pairs.append((source, target))
    return pairs
