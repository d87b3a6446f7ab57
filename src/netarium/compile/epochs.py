"""When forwarding changes: failures and repairs of links and nodes, and the delay until routing knows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from netarium.compile.graph import Graph
from netarium.errors import Problem, TrialInvalid


def epochs(graph: Graph, events: Iterable[Any], reconvergence_ps: int) -> list[tuple[int, tuple[int, ...]]]:
    """When forwarding changes: [(time_ps, ports routed around from then on)], first at time 0 with none.

    Events of kind link_down, link_up (`link`: one name, or two nodes, which means every link between them),
    node_down and node_up act on their ports at `at`; routing knows of them `reconvergence_ps` later. With 0
    the list gives the state of the ports themselves. Other kinds are passed over. Raises TrialInvalid for
    unknown names.
    """
    links_down: set[int] = set()
    nodes_down: set[int] = set()
    changes: list[tuple[int, tuple[int, ...]]] = [(0, ())]
    numbered = sorted(enumerate(events), key=lambda pair: (pair[1].at, pair[0]))
    for number, event in numbered:
        where = f"events[{number}]"
        if event.kind in ("link_down", "link_up"):
            affected, state = set(links_named(graph, event.link, f"{where}.link")), links_down
        elif event.kind in ("node_down", "node_up"):
            affected, state = {graph.node(event.node, f"{where}.node")}, nodes_down
        else:
            continue
        state.difference_update(affected)
        if event.kind.endswith("_down"):
            state.update(affected)
        _append(changes, event.at + reconvergence_ps, _ports_down(graph, links_down, nodes_down))
    return changes


def _append(changes: list[tuple[int, tuple[int, ...]]], time_ps: int, down: tuple[int, ...]) -> None:
    if changes[-1][0] == time_ps:
        changes.pop()
    if not changes or changes[-1][1] != down:
        changes.append((time_ps, down))


def _ports_down(graph: Graph, links_down: set[int], nodes_down: set[int]) -> tuple[int, ...]:
    ports = {port for link in links_down for port in (2 * link, 2 * link + 1)}
    for node in nodes_down:
        ports.update(graph.out_ports[node], graph.in_ports[node])
    return tuple(sorted(ports))


def links_named(graph: Graph, link: str | Sequence[str], where: str) -> list[int]:
    """Indices of the links an event means: one by name, or all between two nodes. Raises TrialInvalid."""
    link = (link,) if isinstance(link, str) else tuple(link)
    if len(link) == 1:
        if link[0] not in graph.link_index:
            raise TrialInvalid([Graph.unknown("link", link[0], graph.link_names, where)])
        return [graph.link_index[link[0]]]
    a, b = (graph.node(name, where) for name in link)
    found = sorted({port // 2 for port in graph.ports_between(a, b)})
    if not found:
        neighbours = sorted({graph.node_names[graph.head[port]] for port in graph.out_ports[a]})
        hint = f"{link[0]} is linked to {', '.join(neighbours) or 'nothing'}"
        raise TrialInvalid([Problem(where, f"[{link[0]}, {link[1]}]", "two nodes that a link joins", hint)])
    return found
