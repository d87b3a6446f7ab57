"""Traffic matrices: gravity and uniform, as {(from, to): bit/s}.

Gravity: the demand from i to j is proportional to weight_i x weight_j, without demands of a node to itself
(Roughan, Simplifying the Synthesis of Internet Traffic Matrices, ACM CCR 35(5), 2005).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import fsum
from typing import TYPE_CHECKING

from netarium.errors import Problem, TrialInvalid, did_you_mean

if TYPE_CHECKING:
    from netarium.describe.links import Link, Node

Matrix = dict[tuple[str, str], float]


def gravity(nodes: Sequence[str], total_bps: float, weights: Mapping[str, float] | None = None) -> Matrix:
    """Demands of every ordered pair, proportional to the product of the weights; their sum is `total_bps`.

    Without weights all nodes weigh the same, which is `uniform`. Raises TrialInvalid for fewer than two nodes
    with a weight above 0, a negative weight, or a weight of an unknown node.
    """
    weight = _weights(nodes, weights)
    heavy = [name for name in nodes if weight[name] > 0]
    if len(heavy) < 2:
        raise _wrong(f"{len(heavy)} nodes with a weight above 0", "at least 2, to have traffic between them")
    everything = fsum(weight[name] for name in heavy)
    pairs = fsum(weight[name] * (everything - weight[name]) for name in heavy)
    return {(a, b): total_bps * weight[a] * weight[b] / pairs for a in heavy for b in heavy if a != b}


def uniform(nodes: Sequence[str], total_bps: float) -> Matrix:
    """The same demand for every ordered pair; the sum is `total_bps`. TrialInvalid below two nodes."""
    return gravity(nodes, total_bps)


def capacity_weights(nodes: Mapping[str, Node], links: Iterable[Link]) -> dict[str, float]:
    """Weight of each node for `gravity`: the rates of its links in Gbit/s, added up, without access links.

    A host weighs what the node it is attached to weighs, shared among the hosts there: a gravity matrix of
    hosts is that of their nodes. Links whose rate is not known yet count nothing. Where there is no link
    between nodes other than hosts (a star), a host weighs its own links.
    """
    link_list = list(links)
    core: dict[str, float] = dict.fromkeys(nodes, 0.0)
    own: dict[str, float] = dict.fromkeys(nodes, 0.0)
    for link in link_list:
        a, b = link.endpoints
        between = nodes[a].kind != "host" and nodes[b].kind != "host"
        for end in (a, b):
            own[end] += (link.rate or 0) / 1e9
            core[end] += (link.rate or 0) / 1e9 if between else 0.0
    behind = hosts_at(nodes, link_list)
    weight = dict(core)
    for place, hosts in behind.items():
        for host in hosts:
            weight[host] = core[place] / len(hosts) if any(core.values()) else own[host]
    return weight


def hosts_at(nodes: Mapping[str, Node], links: Iterable[Link]) -> dict[str, list[str]]:
    """Hosts behind each node that has any; a host with several links is at the first."""
    behind: dict[str, list[str]] = {}
    placed = set()
    for link in links:
        for host, place in (link.endpoints, link.endpoints[::-1]):
            if nodes[host].kind == "host" and nodes[place].kind != "host" and host not in placed:
                placed.add(host)
                behind.setdefault(place, []).append(host)
    return behind


def on_hosts(matrix: Mapping[tuple[str, str], float], behind: Mapping[str, Sequence[str]]) -> Matrix:
    """A matrix between nodes as one between their hosts, shared equally among several hosts of a node.

    Raises TrialInvalid naming every node of the matrix that has no host.
    """
    bare = sorted({name for pair in matrix for name in pair if not behind.get(name)})
    if bare:
        hint = "hosts_per_node: 1 puts a host behind every node"
        raise TrialInvalid(
            [Problem("network", f"no host at {name!r}", "a host for its demands", hint) for name in bare]
        )
    result: Matrix = {}
    for (a, b), rate in matrix.items():
        share = rate / (len(behind[a]) * len(behind[b]))
        for host in behind[a]:
            for other in behind[b]:
                result[host, other] = share
    return result


def _weights(nodes: Sequence[str], weights: Mapping[str, float] | None) -> dict[str, float]:
    if weights is None:
        return dict.fromkeys(nodes, 1.0)
    problems = [
        Problem(f"weights.{name}", repr(name), "one of the nodes", did_you_mean(name, nodes))
        for name in weights
        if name not in set(nodes)
    ]
    problems += [
        Problem(f"weights.{name}", f"{value:g}", "a weight of at least 0")
        for name, value in weights.items()
        if not 0 <= value < float("inf")
    ]
    if problems:
        raise TrialInvalid(problems)
    return {name: float(weights.get(name, 0.0)) for name in nodes}


def _wrong(found: str, expected: str) -> TrialInvalid:
    return TrialInvalid([Problem("matrix", found, expected)])
