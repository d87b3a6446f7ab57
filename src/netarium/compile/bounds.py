"""Largest waiting time of slices at strict-priority ports, by network calculus.

Model. All slices share one class at each port, served first come first served and before everything else; a
frame of another class that has begun is finished. So the class has a rate-latency service of rate R = C and
latency T = Lmax/C, with C the rate of the port and Lmax its largest frame (Le Boudec and Thiran, Network
Calculus, Springer 2001, section 1.3, non-preemptive priority node). A slice enters the network within a
token bucket (burst sigma, rate rho), policed at its source. Then

- every packet of the class leaves a port within D = T + sum(sigma)/C (theorem 1.4.2, delay bound; the sum
  is over the slices at the port; it includes the transmission of the packet itself);
- behind the port a slice has the burst sigma + rho D (theorem 1.4.3, output flow, for a delay of at most
  D);
- the class holds at most sum(sigma) + sum(rho) T (theorem 1.4.1, backlog bound).

Jitter j of an impairment at a port shifts by a further 2 j. Where slices meet in a circle the equations
depend on each other; their least fixed point, reached from below, is a bound (Thomas, Le Boudec and
Mifdaoui, On cyclic dependencies and regulators in time-sensitive networks, RTSS 2019). Where there is none,
there is no bound.

A further mechanism (Qav, Qbv, Qch, Qcr) is a further function from arrivals at ports to Bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netarium.compile.graph import UNBOUNDED_PS, Graph
from netarium.units import SECOND_PS

_ROUNDS_LEAST = 500
_HOPELESS_PS = 1e18


@dataclass(frozen=True)
class Arrival:
    """What one slice sends at most, and where: a token bucket in bits of IP packets, and its ports in order.

    wire_ratio: bits on the wire per bit of IP packets at each port, for full packets.
    """

    ports: tuple[int, ...]
    rate_bps: int
    burst_bits: int
    wire_ratio: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Bounds:
    """What slices meet at most.

    hop_delay_ps[i][h]: time of slice i in hop h of its path, from a packet's arrival to its last bit on the
    wire; infinite where there is no bound. burst_bits float64[P]: what all slices together can bring to a
    port at once, on the wire. backlog_bits float64[P]: the most that their class holds. hop_burst_bits
    float64[S, H]: burst of each slice before each hop, in IP packets.
    """

    hop_delay_ps: tuple[tuple[float, ...], ...]
    burst_bits: NDArray[np.float64]
    backlog_bits: NDArray[np.float64]
    hop_burst_bits: NDArray[np.float64]


def strict_priority_bounds(
    graph: Graph,
    arrivals: Sequence[Arrival],
    before: Bounds | None = None,
    most_ps: Sequence[float] | None = None,
) -> Bounds | None:
    """Bounds of all slices together; every slice's rates must fit its ports (admission sees to that).

    `before`: the bounds of the first of these slices alone, to start from; it saves time and changes nothing,
    since more slices never make a burst smaller. `most_ps`: the time that each slice may wait in all its
    hops; None is returned as soon as it is clear that one waits longer.
    """
    table = _Table(graph, arrivals)
    start = table.bursts(np.zeros(table.ports + 1))
    if before is not None:
        rows, hops = before.hop_burst_bits.shape
        start[:rows, :hops] = before.hop_burst_bits
    allowed_ps = np.full(len(arrivals), np.inf) if most_ps is None else np.array(most_ps, float) + 1.0
    bursts = _least_fixed_point(table, max(_ROUNDS_LEAST, 2 * graph.port_count), start, allowed_ps)
    if bursts is None:
        return None
    delays = table.delays(bursts)
    together = table.together(bursts)
    hop_delay_ps = tuple(tuple(delays[list(arrival.ports)].tolist()) for arrival in arrivals)
    backlog = together + table.rate_bps * table.blocking_ps / SECOND_PS
    return Bounds(hop_delay_ps, together, backlog, bursts)


def _least_fixed_point(
    table: _Table, rounds: int, bursts: NDArray[np.float64], most_ps: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Burst of each slice before each hop; infinite where they grow without end (or settle too slowly).

    None when a slice waits longer than `most_ps` on the way there: what grows does not shrink again.
    """
    endless = np.where(np.isinf(bursts), np.inf, 0.0)
    for _ in range(2):
        for _ in range(rounds):
            delays = table.delays(bursts)
            if (delays[table.port].sum(axis=1) > most_ps).any():
                return None
            grown = np.maximum(table.bursts(delays), endless)
            if np.array_equal(grown, bursts):
                return bursts
            if delays[np.isfinite(delays)].max() > _HOPELESS_PS:
                break
            bursts, before = grown, bursts
        endless = np.where(grown > before, np.inf, 0.0)
        bursts = np.maximum(bursts, endless)
    return np.full_like(bursts, np.inf)


class _Table:
    """Slices x hops, filled up with a port of no delay (index P) where a path is shorter than the longest."""

    def __init__(self, graph: Graph, arrivals: Sequence[Arrival]) -> None:
        hops = max((len(arrival.ports) for arrival in arrivals), default=1)
        shape = (len(arrivals), hops)
        self.port = np.full(shape, graph.port_count)
        self.ratio = np.zeros(shape)
        for i, arrival in enumerate(arrivals):
            self.port[i, : len(arrival.ports)] = arrival.ports
            self.ratio[i, : len(arrival.ports)] = arrival.wire_ratio
        self.rate = np.array([arrival.rate_bps for arrival in arrivals], float).reshape(-1, 1)
        self.burst = np.array([arrival.burst_bits for arrival in arrivals], float).reshape(-1, 1)
        self.jitter_ps = np.append(np.where(graph.jitter_ps == UNBOUNDED_PS, np.inf, graph.jitter_ps), 0.0)
        self.ports = graph.port_count
        self.line_bps = graph.rate_bps.astype(float)
        self.blocking_ps = blocking_ps(graph)
        self.rate_bps = self._sum(self.rate * self.ratio)

    def _sum(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        used = self.port < self.ports
        return np.bincount(self.port[used], values[used], minlength=self.ports)

    def bursts(self, delays: NDArray[np.float64]) -> NDArray[np.float64]:
        """Burst of each slice before each hop, from the delays of the ports (float64[P + 1])."""
        shifts = np.zeros(self.port.shape)
        shift = (delays + 2 * self.jitter_ps)[self.port]
        shifts[:, 1:] = np.cumsum(shift, axis=1)[:, :-1]
        return self.burst + self.rate / SECOND_PS * shifts

    def together(self, bursts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Bits on the wire that all slices at a port can bring at once."""
        return self._sum(np.where(self.ratio > 0, bursts, 0.0) * self.ratio)

    def delays(self, bursts: NDArray[np.float64]) -> NDArray[np.float64]:
        """float64[P + 1]: largest delay of the class at each port, 0 at the port that fills up."""
        waiting = self.together(bursts) * SECOND_PS / self.line_bps
        return np.append(self.blocking_ps + waiting, 0.0)


def blocking_ps(graph: Graph) -> NDArray[np.float64]:
    """T = Lmax / C of each port: one largest frame of another class that has just begun."""
    return (graph.mtu_bytes + graph.overhead_bytes) * (8.0 * SECOND_PS) / graph.rate_bps
