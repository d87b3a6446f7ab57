"""Fill in a network: topology resolved, links named, each with rate, delay, mtu and queue; and say so."""

from __future__ import annotations

from collections import Counter
from typing import Any

from netarium.describe.links import Defaults, Direction, Link, Node
from netarium.describe.network import Network, Port
from netarium.describe.topology.geo import fibre_delay, fibre_length
from netarium.errors import Mistake, Problem, TrialInvalid, did_you_mean, one_of
from netarium.units import format_length, format_rate, format_size, format_time


def expand(network: Network) -> Network:
    """See Network.expand."""
    nodes, links, said = _resolved(network)
    problems: list[Problem] = []
    _check_nodes(nodes, links, network, problems)
    _name_links(links, problems)
    counts: Counter[str] = Counter()
    full = [_filled(link, nodes, network.defaults, counts) for link in links]
    problems += _missing(full, network)
    if problems:
        raise TrialInvalid(problems)
    expanded = network.model_copy(
        update={"topology": None, "nodes": nodes, "links": tuple(full), "routing": _routing(network)}
    )
    expanded._assumptions = (*said, *(f"{text} ({_links(count)})" for text, count in counts.items()))
    expanded._expanded = None
    return expanded


def _resolved(network: Network) -> tuple[dict[str, Node], list[Link], list[str]]:
    """Nodes and links of topology and text together, and what the topology assumed."""
    if network.topology is None:
        return dict(network.nodes), list(network.links), []
    from netarium.describe.topology import build

    nodes, links, said = build(network.topology, network.folder)
    for name, node in network.nodes.items():
        nodes[name] = _overridden(nodes[name], node) if name in nodes else node
    names = {link.name: index for index, link in enumerate(_named(links)) if link.name}
    for link in network.links:
        if link.name and link.name in names:
            links[names[link.name]] = _overridden(links[names[link.name]], link)
        else:
            links.append(link)
    return nodes, links, list(said)


def _overridden(base: Any, given: Any) -> Any:
    """`base` with the fields that `given` states."""
    update = {field: getattr(given, field) for field in given.model_fields_set}
    if "delay" in update and "length" not in update and isinstance(base, Link):
        update["length"] = None
    if "length" in update and "delay" not in update and isinstance(base, Link):
        update["delay"] = None
    return base.model_copy(update=update)


def _routing(network: Network) -> Any:
    """Routing with its metric decided: what the topology suggests, else delay."""
    if network.routing.metric is not None:
        return network.routing
    metric = getattr(network.topology, "routing_metric", None) or "delay"
    return network.routing.model_copy(update={"metric": metric})


def _check_nodes(
    nodes: dict[str, Node], links: list[Link], network: Network, problems: list[Problem]
) -> None:
    """Every end of a link is a node."""
    given = {id(link): index for index, link in enumerate(network.links)}
    for link in links:
        for end, name in enumerate(link.endpoints):
            if name not in nodes:
                where = f"network.links[{given.get(id(link), '?')}].endpoints[{end}]"
                hint = did_you_mean(name, nodes) or "add it under network.nodes"
                problems.append(Problem(where, repr(name), "the name of a node", hint))


def _named(links: list[Link]) -> list[Link]:
    """Links with their default names "a-b", "a-b#2" … filled in."""
    taken = Counter(link.name for link in links if link.name)
    named = []
    for link in links:
        if link.name:
            named.append(link)
            continue
        base = "-".join(link.endpoints)
        turned = "-".join(reversed(link.endpoints))
        if turned in taken and base not in taken:
            base = turned
        taken[base] += 1
        name = base if taken[base] == 1 else f"{base}#{taken[base]}"
        while taken[base] > 1 and name in taken:
            taken[base] += 1
            name = f"{base}#{taken[base]}"
        if name != base:
            taken[name] += 1
        named.append(link.model_copy(update={"name": name}))
    return named


def _name_links(links: list[Link], problems: list[Problem]) -> None:
    """Name the links in place; two links the user gave one name are a problem."""
    stated = Counter(link.name for link in links if link.name)
    for name, count in stated.items():
        if count > 1:
            problems.append(Problem("network.links", f"{count} links named {name!r}", "different names"))
    links[:] = _named(links)


def _filled(link: Link, nodes: dict[str, Node], defaults: Defaults, counts: Counter[str]) -> Link:
    """`link` with rate, delay, length, mtu, overhead and queue, as far as they can be known."""
    update: dict[str, Any] = {}
    for field, text in (
        ("rate", format_rate(defaults.rate) if defaults.rate is not None else ""),
        ("mtu", format_size(defaults.mtu)),
        ("overhead", f"{defaults.overhead} B per packet"),
        ("queue", _queue_text(defaults.queue)),
    ):
        if getattr(link, field) is None and (value := getattr(defaults, field)) is not None:
            if field == "rate" and all(_of(link, side, "rate") is not None for side in (0, 1)):
                continue
            update[field] = value
            counts[f"{field} not stated: {text}"] += 1
    if link.delay is None:
        update |= _delay(link, nodes, defaults, counts)
    return link.model_copy(update=update)


def _queue_text(queue: Any) -> str:
    limit = getattr(queue, "limit", None)
    if limit is None:
        return str(queue.kind)
    return f"{queue.kind} of {limit} packets" if queue.kind != "bfifo" else f"bfifo of {format_size(limit)}"


def _delay(link: Link, nodes: dict[str, Node], defaults: Defaults, counts: Counter[str]) -> dict[str, Any]:
    """The delay of a link without one: from its length, its located ends, or the defaults."""
    if link.length is not None:
        return {"delay": fibre_delay(link.length)}
    ends = [nodes[name].location for name in link.endpoints if name in nodes]
    if len(ends) == 2 and ends[0] is not None and ends[1] is not None:
        length = fibre_length(ends[0], ends[1], defaults.route_factor)
        text = f"length not stated: great circle between the locations x {defaults.route_factor:g}, 5 us/km"
        counts[text] += 1
        return {"length": length, "delay": fibre_delay(length)}
    if defaults.delay is not None:
        counts[f"delay not stated: {format_time(defaults.delay)}"] += 1
        return {"delay": defaults.delay}
    if defaults.length is not None:
        counts[f"length not stated: {format_length(defaults.length)}, 5 us/km"] += 1
        return {"length": defaults.length, "delay": fibre_delay(defaults.length)}
    return {}


def _missing(links: list[Link], network: Network) -> list[Problem]:
    """Links that still lack a rate or a delay in one of their directions."""
    problems = []
    given = len(network.links)
    first = len(links) - given
    for field, hint in (
        ("rate", "state rate, or network.defaults.rate for all links"),
        ("delay", "state delay or length, locations of both nodes, or network.defaults.delay"),
    ):
        lacking = [i for i, link in enumerate(links) if None in (_of(link, 0, field), _of(link, 1, field))]
        written = [i - first for i in lacking if i >= first]
        problems += [Problem(f"network.links[{i}]", f"no {field}", f"a {field}", hint) for i in written]
        if imported := len(lacking) - len(written):
            where = "network.topology"
            problems.append(Problem(where, f"{_links(imported)} without {field}", f"a {field}", hint))
    return problems


def _links(count: int) -> str:
    return "1 link" if count == 1 else f"{count} links"


def _of(link: Link, side: int, field: str) -> Any:
    """What the link has in one direction (0 forward, 1 backward): its own value, or the link's."""
    own: Direction | None = (link.forward, link.backward)[side]
    value = getattr(own, field) if own is not None else None
    return getattr(link, field) if value is None else value


def ports_of(network: Network) -> list[Port]:
    """See Network.ports."""
    seen: Counter[frozenset[str]] = Counter()
    ports = []
    for link in network.links:
        pair = frozenset(link.endpoints)
        seen[pair] += 1
        suffix = "" if seen[pair] == 1 else f"#{seen[pair]}"
        for side, (source, target) in enumerate((link.endpoints, link.endpoints[::-1])):
            decided = {f: _of(link, side, f) for f in ("rate", "delay", "queue", "impairments", "rate_trace")}
            ports.append(
                Port(
                    name=f"{source}->{target}{suffix}", link=link.name, source=source, target=target,
                    forward=side == 0, mtu=link.mtu, overhead=link.overhead, weight=link.weight, **decided,
                )
            )  # fmt: skip
    return ports


def link_of(network: Network, reference: tuple[str, ...]) -> Link:
    """See Network.link."""
    if len(reference) == 1:
        names = {link.name: link for link in network.links}
        turned = {"-".join(reversed(link.endpoints)): link for link in network.links}
        found = names.get(reference[0]) or turned.get(reference[0])
        if found is None:
            expected = f"the name of a link: {one_of(names)}" if names else "a link, but the network has none"
            raise Mistake(repr(reference[0]), expected, did_you_mean(reference[0], names))
        return found
    ends = frozenset(reference)
    between = [link for link in network.links if frozenset(link.endpoints) == ends]
    if len(between) == 1:
        return between[0]
    shown = "[" + ", ".join(reference) + "]"
    if between:
        names_between = one_of([link.name for link in between])
        raise Mistake(f"{shown}, which {len(between)} links join", f"the name of the link: {names_between}")
    unknown = next((name for name in reference if name not in network.nodes), None)
    if unknown is not None:
        raise Mistake(repr(unknown), "the name of a node", did_you_mean(unknown, network.nodes))
    near = sorted({end for link in network.links if reference[0] in link.endpoints for end in link.endpoints})
    near = [name for name in near if name != reference[0]]
    hint = (
        f"{reference[0]!r} has links to {', '.join(near[:12])}" if near else f"{reference[0]!r} has no link"
    )
    raise Mistake(f"{shown}, which no link joins", "two nodes with a link between them", hint)
