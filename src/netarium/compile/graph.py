"""The network as arrays: nodes and directed ports, for routing, admission and the plan.

Link i of the expanded network gives port 2i (a->b) and port 2i + 1 (b->a). Ports are named "a->b"; the second
link between the same two nodes gives "a->b#2" and "b->a#2", and so on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from netarium.errors import Problem, TrialInvalid, did_you_mean, one_of

if TYPE_CHECKING:
    from netarium.describe.network import Impairments, Network

FORWARDING_KINDS = frozenset({"router", "switch", "satellite"})
"""Kinds of node that pass on packets of others. A host or an external place is only source or sink."""

METRICS = ("delay", "hops", "weight")
UNBOUNDED_PS = np.iinfo(np.int64).max
"""Jitter of a port whose distribution has no largest value (normal, pareto)."""

LARGEST_PATH_COST = 2**62
_WEIGHT_SCALE = 10**6


@dataclass(frozen=True, eq=False)
class Graph:
    """N nodes, L links and P = 2L directed ports. All arrays are read-only and indexed by port unless said.

    node_forwards bool[N]: passes on packets of others. tail, head int32[P]: node index. rate_bps, delay_ps
    (propagation), jitter_ps (largest change of delay by impairments; UNBOUNDED_PS if there is no largest),
    mtu_bytes (IP packet), overhead_bytes (per frame on the wire) int64[P]. weight, loss_ratio (long-run share
    of packets that impairments lose or corrupt) float64[P]. up bool[P]. clocks: of each node, None for a perfect one.
    """

    node_names: tuple[str, ...]
    node_forwards: NDArray[np.bool_]
    link_names: tuple[str, ...]
    port_names: tuple[str, ...]
    tail: NDArray[np.int32]
    head: NDArray[np.int32]
    rate_bps: NDArray[np.int64]
    delay_ps: NDArray[np.int64]
    weight: NDArray[np.float64]
    mtu_bytes: NDArray[np.int64]
    overhead_bytes: NDArray[np.int64]
    loss_ratio: NDArray[np.float64]
    jitter_ps: NDArray[np.int64]
    up: NDArray[np.bool_]
    clocks: tuple[Any, ...] = ()

    def clocks_of_ports(self) -> list[Any]:
        """The clock of the node of each port; None for a perfect one."""
        return [self.clocks[tail] if self.clocks else None for tail in self.tail.tolist()]

    @property
    def node_count(self) -> int:
        return len(self.node_names)

    @property
    def port_count(self) -> int:
        return len(self.port_names)

    @cached_property
    def node_index(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.node_names)}

    @cached_property
    def port_index(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.port_names)}

    @cached_property
    def link_index(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.link_names)}

    @cached_property
    def out_ports(self) -> tuple[tuple[int, ...], ...]:
        """Ports that leave each node, lowest index first."""
        return _grouped(self.tail, self.node_count)

    @cached_property
    def in_ports(self) -> tuple[tuple[int, ...], ...]:
        """Ports that arrive at each node, lowest index first."""
        return _grouped(self.head, self.node_count)

    @cached_property
    def _ports_between(self) -> dict[tuple[int, int], tuple[int, ...]]:
        between: dict[tuple[int, int], list[int]] = defaultdict(list)
        for port, ends in enumerate(zip(self.tail.tolist(), self.head.tolist(), strict=True)):
            between[ends].append(port)
        return {ends: tuple(ports) for ends, ports in between.items()}

    def ports_between(self, tail: int, head: int) -> tuple[int, ...]:
        """Ports from node `tail` straight to node `head`, lowest index first; empty when there is no link."""
        return self._ports_between.get((tail, head), ())

    def node(self, name: str, where: str = "network.nodes") -> int:
        """Index of the node called `name`. Raises TrialInvalid, naming `where` in the user's file."""
        if name not in self.node_index:
            raise TrialInvalid([self.unknown("node", name, self.node_names, where)])
        return self.node_index[name]

    @staticmethod
    def unknown(what: str, name: str, valid: Sequence[str], where: str) -> Problem:
        """The Problem that says `name` is no `what`, with the nearest valid name."""
        return Problem(where, f"{what} {name!r}", one_of(valid), did_you_mean(name, valid))

    def nodes_along(self, ports: Sequence[int]) -> tuple[str, ...]:
        """Names of the nodes that a chain of ports visits, first to last."""
        if not len(ports):
            return ()
        names = [self.node_names[self.tail[ports[0]]]]
        return tuple(names + [self.node_names[self.head[port]] for port in ports])

    def costs(self, metric: str) -> NDArray[np.int64]:
        """int64[P]: what a port adds to the length of a path, at least 1; integers, so that ties are exact.

        `delay`: propagation in ps. `hops`: 1. `weight`: the link's weight; when some weights are fractions,
        in millionths. Raises TrialInvalid when the longest path would not fit in 62 bits.
        """
        if metric == "hops":
            costs = np.ones(self.port_count, np.int64)
        elif metric == "delay":
            costs = np.maximum(1, self.delay_ps)
        elif metric == "weight":
            whole = bool(np.all(self.weight == np.floor(self.weight)))
            scaled = np.minimum(self.weight * (1 if whole else _WEIGHT_SCALE), LARGEST_PATH_COST)
            costs = np.maximum(1, np.rint(scaled).astype(np.int64))
        else:
            raise TrialInvalid([self.unknown("metric", metric, METRICS, "network.routing.metric")])
        longest = np.sort(costs)[::-1][: max(0, self.node_count - 1)]
        if sum(longest.tolist()) >= LARGEST_PATH_COST:
            where = f"network.links[{int(np.argmax(costs)) // 2}].{metric}"
            expected = "values whose sum along a path stays below 2^62"
            raise TrialInvalid(
                [Problem(where, f"{costs.max()}", expected, "smaller values, or routing metric: hops")]
            )
        return costs


def build_graph(network: Network) -> Graph:
    """The graph of a network; what the network leaves out is filled in first (errors of Network.expand)."""
    network = network.expand()
    names = tuple(network.nodes)
    index = {name: i for i, name in enumerate(names)}
    ports = network.ports()

    def column(values: Iterable[Any], dtype: type) -> NDArray[Any]:
        array = np.array(list(values), dtype)
        array.setflags(write=False)
        return array

    return Graph(
        node_names=names,
        node_forwards=column((node.kind in FORWARDING_KINDS for node in network.nodes.values()), bool),
        link_names=tuple(link.name for link in network.links),
        port_names=tuple(port.name for port in ports),
        tail=column((index[port.source] for port in ports), np.int32),
        head=column((index[port.target] for port in ports), np.int32),
        rate_bps=column((port.rate for port in ports), np.int64),
        delay_ps=column((port.delay for port in ports), np.int64),
        weight=column((port.weight for port in ports), np.float64),
        mtu_bytes=column((port.mtu for port in ports), np.int64),
        overhead_bytes=column((port.overhead for port in ports), np.int64),
        loss_ratio=column((_loss_ratio(port.impairments) for port in ports), np.float64),
        jitter_ps=column((_jitter_ps(port.impairments) for port in ports), np.int64),
        up=column((True for _ in ports), bool),
        clocks=tuple(node.clock for node in network.nodes.values()),
    )


def _loss_ratio(impairments: Impairments | None) -> float:
    """Long-run share of packets lost or corrupted (Gilbert-Elliott: in its stationary state)."""
    if impairments is None:
        return 0.0
    loss, lost = impairments.loss, 0.0
    if loss is None:
        pass
    elif loss.kind == "bernoulli":
        lost = loss.probability
    elif loss.kind == "periodic":
        lost = 1.0 / loss.every
    elif loss.p > 0:
        bad = loss.p / (loss.p + loss.r)
        lost = bad * (1.0 - loss.h) + (1.0 - bad) * (1.0 - loss.k)
    else:
        lost = 1.0 - loss.k
    return 1.0 - (1.0 - lost) * (1.0 - impairments.corrupt)


def _jitter_ps(impairments: Impairments | None) -> int:
    if impairments is None or impairments.jitter is None or not impairments.jitter.delay:
        return 0
    uniform = impairments.jitter.distribution == "uniform"
    return impairments.jitter.delay if uniform else int(UNBOUNDED_PS)


def _grouped(keys: Iterable[int], count: int) -> tuple[tuple[int, ...], ...]:
    groups: list[list[int]] = [[] for _ in range(count)]
    for port, key in enumerate(keys):
        groups[key].append(port)
    return tuple(tuple(group) for group in groups)
