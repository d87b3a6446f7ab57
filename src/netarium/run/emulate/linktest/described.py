"""What the description says two real hosts should see of the network between them: delay, rate, loss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from netarium.compile.graph import UNBOUNDED_PS
from netarium.compile.routing import ForwardingTable, next_hop_tables
from netarium.units import SECOND_PS

WAYS_MAX = 64
"""Equal ways looked at for one pair."""
PAIRS_MAX = 16
SHAPING = frozenset({"tbf", "htb", "prio", "drr", "user"})
"""Queues whose pace is not that of their port, or not for every packet."""


@dataclass(frozen=True)
class Described:
    """A way from one real host to another; delays without queues. rate_bps None: not one rate that could be measured."""

    src: str
    dst: str
    delay_s_min: float
    delay_s_max: float
    ps_per_byte_max: float
    jitter_s: float | None
    loss: float
    rate_bps: int | None
    overhead_bytes: int
    queue_packets: int
    mtu_bytes: int
    changes: bool
    """Events change something on the way while the trial runs."""

    def one_way_s(self, packet_bytes: int) -> tuple[float, float]:
        """(least, largest) seconds that an IP packet takes on the empty way."""
        spent = packet_bytes * self.ps_per_byte_max / SECOND_PS
        return self.delay_s_min + spent, self.delay_s_max + spent


def pairs_to_test(emulation: Any, most: int = PAIRS_MAX) -> tuple[list[tuple[str, str]], list[str]]:
    """(pairs of nodes, what was left out): those that services use, both ways; without any, neighbours in the list."""
    names = {host.node_index: host.node for host in emulation.hosts}
    ends: dict[tuple[str, str], None] = {}
    for rule in emulation.rules:
        if rule.src in names and rule.dst in names:
            one, two = sorted((names[rule.src], names[rule.dst]))
            ends[one, two] = None
    if not ends:
        hosts = [host.node for host in emulation.hosts if not host.forwards]
        ends = dict.fromkeys(zip(hosts, hosts[1:], strict=False))
    outside = {host.node for host in emulation.hosts if host.way_out is not None}
    every = [pair for pair in ends if not outside & {*pair}]
    left = [f"{len(every) - most} more pairs of hosts were not tested"] if len(every) > most else []
    return [way for one, two in every[:most] for way in ((one, two), (two, one))], left


def describe(plan: Any, pairs: list[tuple[str, str]]) -> tuple[list[Described], list[str]]:
    """(what each pair should see, what was left out and why)."""
    graph, network = plan.graph, plan.trial.network.expand()
    ends = sorted({graph.node_index[name] for pair in pairs for name in pair})
    table = next_hop_tables(graph, ends, network.routing.metric, plan.ecmp)
    daemons = {name for name, node in network.nodes.items() if node.routes == "none"}
    ports = network.ports()
    moving = _changing(plan.trial, network)
    found, left = [], []
    for src, dst in pairs:
        ways = list(_ways(graph, table, graph.node_index[src], graph.node_index[dst]))
        nodes = {graph.node_names[graph.head[port]] for way in ways for port in way} | {src}
        if not ways or nodes & daemons:
            why = "a routing daemon decides the way" if ways else "there is no route"
            left.append(f"{src} to {dst}: {why}")
            continue
        found.append(_described(src, dst, graph, ports, ways, moving))
    return found, left


def _ways(graph: Any, table: ForwardingTable, src: int, dst: int) -> Iterator[list[int]]:
    """Chains of ports along all shortest paths, at most WAYS_MAX."""
    stack: list[tuple[int, list[int]]] = [(src, [])]
    given = 0
    while stack and given < WAYS_MAX:
        node, way = stack.pop()
        if node == dst:
            given += 1
            yield way
            continue
        stack += [(int(graph.head[port]), [*way, port]) for port in reversed(table.ports_of(node, dst))]


def _changing(trial: Any, network: Any) -> set[str]:
    """Names of links that an event touches."""
    touched: set[str] = set()
    for event in trial.events:
        node, link = getattr(event, "node", None), getattr(event, "link", None)
        if node is not None:
            touched |= {one.name for one in network.links if node in one.endpoints}
        if link is not None:
            touched.add(network.link(link).name)
    return touched


def _described(
    src: str, dst: str, graph: Any, ports: list[Any], ways: list[list[int]], moving: set[str]
) -> Described:
    per_byte = [8.0 * SECOND_PS / graph.rate_bps[way] for way in ways]
    delays = [
        float((graph.delay_ps[way] + graph.overhead_bytes[way] * slow).sum()) / SECOND_PS
        for way, slow in zip(ways, per_byte, strict=True)
    ]
    used = [ports[port] for way in ways for port in way]
    jitters = [graph.jitter_ps[way] for way in ways]
    unbounded = any((one == UNBOUNDED_PS).any() for one in jitters)
    paced = len(ways) == 1 and not any(port.rate_trace or port.queue.kind in SHAPING for port in used)
    slowest = min(used, key=lambda port: port.rate)
    limits = [port.queue.limit for port in used if port.queue.kind == "pfifo"]
    return Described(
        src=src,
        dst=dst,
        delay_s_min=min(delays),
        delay_s_max=max(delays),
        ps_per_byte_max=max(float(slow.sum()) for slow in per_byte),
        jitter_s=None if unbounded else max(float(one.sum()) for one in jitters) / SECOND_PS,
        loss=max(float(1.0 - np.prod(1.0 - graph.loss_ratio[way])) for way in ways),
        rate_bps=int(slowest.rate) if paced else None,
        overhead_bytes=int(slowest.overhead),
        queue_packets=min(limits, default=1000),
        mtu_bytes=min(port.mtu for port in used),
        changes=bool(moving & {port.link for port in used}),
    )
