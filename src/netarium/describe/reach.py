"""Which nodes can reach each other: over links, and only through nodes that pass on packets of others."""

from __future__ import annotations

from collections import deque

from netarium.describe.network import Network

FORWARDING = frozenset({"router", "switch", "satellite"})  # a host or external place is only an end


class Reach:
    """The parts of an expanded network. A part is a set of forwarding nodes joined by links."""

    def __init__(self, network: Network) -> None:
        self.nodes = network.nodes
        self.neighbours: dict[str, set[str]] = {name: set() for name in network.nodes}
        for link in network.links:
            a, b = link.endpoints
            self.neighbours[a].add(b)
            self.neighbours[b].add(a)
        self._part: dict[str, int] = {}
        for number, name in enumerate(network.nodes):
            if self.forwards(name) and name not in self._part:
                self._flood(name, number)

    def forwards(self, name: str) -> bool:
        """Whether a node passes on packets of others."""
        return self.nodes[name].kind in FORWARDING

    def _flood(self, start: str, number: int) -> None:
        stack = [start]
        self._part[start] = number
        while stack:
            for near in self.neighbours[stack.pop()]:
                if near not in self._part and self.forwards(near):
                    self._part[near] = number
                    stack.append(near)

    def parts(self, name: str) -> set[int]:
        """Numbers of the parts that a node is in (one that forwards), or next to."""
        if name in self._part:
            return {self._part[name]}
        return {self._part[near] for near in self.neighbours[name] if near in self._part}

    def joined(self, a: str, b: str) -> bool:
        """Whether packets can go from a to b."""
        return b in self.neighbours[a] or not self.parts(a).isdisjoint(self.parts(b))

    def why_not(self, a: str, b: str) -> str:
        """A hint why packets cannot go from a to b."""
        lonely = [name for name in (a, b) if not self.neighbours[name]]
        if lonely:
            return f"{lonely[0]!r} has no link"
        between = next((name for name in self._chain(a, b)[1:-1] if not self.forwards(name)), None)
        if between is not None:
            kind = self.nodes[between].kind
            return f"{between!r} is of kind {kind}, which passes on nothing: make it a router"
        return "they are in separate parts of the network"

    def _chain(self, a: str, b: str) -> list[str]:
        """Nodes from a to b over the fewest links, whatever their kind; empty when there is no such chain."""
        before: dict[str, str] = {a: a}
        waiting = deque([a])
        while waiting and b not in before:
            here = waiting.popleft()
            for near in sorted(self.neighbours[here] - before.keys()):
                before[near] = here
                waiting.append(near)
        if b not in before:
            return []
        chain = [b]
        while chain[-1] != a:
            chain.append(before[chain[-1]])
        return chain[::-1]
