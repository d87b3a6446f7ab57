"""Pairs: the two ends of flows with what depends on the way between them, worked out for all of them at once."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from netarium.compile.graph import Graph
from netarium.compile.routing import ForwardingTable, explain_no_route
from netarium.errors import Problem, TrialInvalid
from netarium.run.kernel import records as r

TCP_IP_HEADERS = 40
"""IPv4 (RFC 791) and TCP (RFC 9293) headers without options."""
TIMESTAMP_OPTION = 12
"""RFC 7323 appendix A: the option with its padding."""
DELIVER = -1
MOST_HOPS = 255


@dataclass
class Pairs:
    """Collects pairs (source, target, explicit path, band); `add` gives their numbers."""

    graph: Graph
    ends: list[tuple[int, int, int, int, int, int]] = field(default_factory=list)
    where: list[str] = field(default_factory=list)
    paths: list[int] = field(default_factory=list)
    _path_at: dict[tuple[int, ...], int] = field(default_factory=dict)
    path_ports: list[tuple[int, ...]] = field(default_factory=list)
    copies: dict[int, int] = field(default_factory=dict)
    _members_at: dict[tuple[tuple[int, ...], ...], int] = field(default_factory=dict)

    def add(
        self, src: int, dst: int, path: tuple[int, ...], back: tuple[int, ...], band: int, where: str,
        band_back: int = 0,
    ) -> int:  # fmt: skip
        """Append a pair; path and back: explicit ports, or empty for the routing's choice. Returns its number."""
        self.ends.append((src, dst, self._place(path), self._place(back), band, band_back))
        self.where.append(where)
        return len(self.ends) - 1

    def add_replicated(
        self,
        src: int,
        dst: int,
        members: tuple[tuple[int, ...], ...],
        where: str,
        bands: tuple[int, int] = (0, 0),
    ) -> int:
        """Append a pair whose packets go by all of some paths, which stand one behind the other, in the band of each slice's
        path. Returns its number."""
        if members not in self._members_at:
            self._members_at[members] = len(self.paths)
            for ports in members:
                self.paths.extend([*ports, DELIVER])
        self.ends.append((src, dst, self._members_at[members], r.NONE, *bands))
        self.where.append(where)
        self.copies[len(self.ends) - 1] = len(members) - 1
        return len(self.ends) - 1

    def _place(self, ports: tuple[int, ...]) -> int:
        if not ports:
            return r.NONE
        if ports not in self._path_at:
            self._path_at[ports] = len(self.paths)
            self.paths.extend([*ports, DELIVER])
            self.path_ports.append(ports)
        return self._path_at[ports]

    def senders(self) -> frozenset[int]:
        """Nodes that data is sent from."""
        return frozenset(src for src, *_ in self.ends)

    def destinations(self) -> list[int]:
        """Nodes that forwarding tables need a column for: both ends of every pair, lowest first."""
        return sorted({end for pair in self.ends for end in pair[:2]})

    def array(self, table: ForwardingTable, greedy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(PAIR[n], float64[n]: what one greedy flow of the pair may hope for, bit/s).

        greedy float64[n]: greedy flows of each pair; they share every port evenly. Raises TrialInvalid for pairs without a way.
        """
        pairs = np.zeros(len(self.ends), r.PAIR)
        if not self.ends:
            return pairs, np.zeros(0)
        columns = [np.array(column, np.int64) for column in zip(*self.ends, strict=True)]
        src, dst, path, back = columns[:4]
        for name, column in zip(
            ("src", "dst", "path", "path_back", "band", "band_back"), columns, strict=True
        ):
            pairs[name] = column
        pairs["copies"][list(self.copies)] = list(self.copies.values())
        there = self._survey(table, src, dst, path)
        home = self._survey(table, dst, src, back)
        pairs["mtu_bytes"] = there.mtu_bytes
        pairs["rate_bps"] = there.rate_bps
        ack_bytes = TCP_IP_HEADERS + TIMESTAMP_OPTION
        pairs["base_rtt_ps"] = (
            there.delay_ps
            + home.delay_ps
            + (there.mtu_bytes * there.ps_per_byte + there.overhead_ps).astype(np.int64)
            + (ack_bytes * home.ps_per_byte + home.overhead_ps).astype(np.int64)
        )
        for name, survey in (("there", there), ("back", home)):
            pairs[f"{name}_ps"] = survey.delay_ps + survey.overhead_ps
            pairs[f"{name}_byte_ps"] = survey.ps_per_byte
        return pairs, there.shares(self.graph, greedy)

    def _survey(self, table: ForwardingTable, src: np.ndarray, dst: np.ndarray, path: np.ndarray) -> Survey:
        """Walk all pairs at once, one hop a round, along explicit paths or the first port of each group."""
        graph = self.graph
        survey = Survey.empty(len(src))
        node, position = src.copy(), path.copy()
        explicit = np.array(self.paths or [DELIVER], np.int64)
        active = np.flatnonzero(node != dst)
        for _ in range(MOST_HOPS):
            if not len(active):
                return survey
            ends = dst[active]
            at_gateway = table.gateway[ends] == node[active]
            group = np.where(
                at_gateway, table.access_group[ends], table.group[node[active], table.column[ends]]
            )
            walked = np.where(group >= 0, table.group_ports[table.group_first[np.maximum(group, 0)]], -1)
            port = np.where(position[active] >= 0, explicit[np.maximum(position[active], 0)], walked)
            lost = active[port < 0]
            if len(lost):
                self._no_way(src, dst, lost)
            survey.cross(graph, active, port)
            node[active] = graph.head[port]
            position[active] = np.where(position[active] >= 0, position[active] + 1, -1)
            active = active[node[active] != dst[active]]
        self._no_way(src, dst, active)
        raise AssertionError("unreachable")

    def _no_way(self, src: np.ndarray, dst: np.ndarray, which: np.ndarray) -> None:
        problems = [
            Problem(self.where[i], explain_no_route(self.graph, int(src[i]), int(dst[i])), "a route")
            for i in which[:20].tolist()
        ]
        raise TrialInvalid(problems)


@dataclass
class Survey:
    """What the way of each pair is like: propagation, least rate and MTU, transmission of a byte and of overheads."""

    delay_ps: np.ndarray
    rate_bps: np.ndarray
    mtu_bytes: np.ndarray
    ps_per_byte: np.ndarray
    overhead_ps: np.ndarray
    hops: list[tuple[np.ndarray, np.ndarray]]

    @classmethod
    def empty(cls, count: int) -> Survey:
        """Ways of no hops."""
        return cls(
            np.zeros(count, np.int64),
            np.full(count, np.iinfo(np.int64).max),
            np.full(count, 65535, np.int64),
            np.zeros(count),
            np.zeros(count),
            [],
        )

    def shares(self, graph: Graph, greedy: np.ndarray) -> np.ndarray:
        """float64[n], bit/s: the least even share of a port among the greedy flows that cross it."""
        flows = np.zeros(graph.port_count)
        for which, port in self.hops:
            np.add.at(flows, port, greedy[which])
        share = self.rate_bps.astype(np.float64)
        for which, port in self.hops:
            share[which] = np.minimum(share[which], graph.rate_bps[port] / np.maximum(flows[port], 1.0))
        return share

    def cross(self, graph: Graph, which: np.ndarray, port: np.ndarray) -> None:
        """Add one port to the ways `which`."""
        self.hops.append((which, port))
        ps_per_byte = 8.0e12 / graph.rate_bps[port]
        self.delay_ps[which] += graph.delay_ps[port]
        self.rate_bps[which] = np.minimum(self.rate_bps[which], graph.rate_bps[port])
        self.mtu_bytes[which] = np.minimum(self.mtu_bytes[which], graph.mtu_bytes[port])
        self.ps_per_byte[which] += ps_per_byte
        self.overhead_ps[which] += ps_per_byte * graph.overhead_bytes[port]
