"""Largest delay and backlog of slices at every port, by network calculus: total flow analysis with the shape of
the lines (TFA++), kept up to date while slices are added one by one.

Model. The slices at a port share one class that the port's mechanism serves at least as a rate-latency curve of
rate R and latency T (compile/mechanisms). A slice enters the network within a token bucket (burst sigma, rate rho).
What comes to a port over one line cannot come faster than that line: the slices that arrive over line l, with bursts
b and rates r together, bring at most min(b + r t, L + C t) in any time t, with C the rate of the line and L its
largest frame. So with A(t) the sum over the lines

- every packet of the class leaves the port within D = T + sup A(t)/R - t (horizontal deviation; Le Boudec and Thiran,
  Network Calculus, Springer 2001, theorem 1.4.2), which includes the transmission of the packet itself;
- behind the port a slice has the burst sigma + rho D (theorem 1.4.3, output flow, for a delay of at most D);
- the class holds at most the smaller of R D and sum(b) + sum(r) T (theorem 1.4.1, backlog bound).

The line's share is the grouping of Mifdaoui and Leydier ("Beyond the accuracy-complexity tradeoffs of compositional
analyses using network calculus for complex networks", CRTS 2017); with L because frames arrive whole (Grieu, thesis,
INP Toulouse 2004, section 4.2).
At a host the shaper holds each slice to its bucket and latency counts from there: such a port takes one frame's time.

Jitter j of an impairment at a port shifts by a further 2 j, of single slices and of what a line brings. Where slices meet in a circle the delays depend on each
other: D = F(D) with F monotone. Any D with F(D) <= D lies above the least fixed point (Tarski), which is a bound
(Thomas, Le Boudec and Mifdaoui, On cyclic dependencies and regulators in time-sensitive networks, RTSS 2019, FP-TFA).
The iteration starts from below and ends with such a D, found by adding SLACK to what it has nearly settled on. Where none is
found there is no bound. A new slice only makes F larger, so the iteration goes on from the last result: the
cost of one more slice is that of the ports, not of the slices that stand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from netarium.compile.graph import UNBOUNDED_PS, Graph
from netarium.units import SECOND_PS

SLACK = 1e-9
"""What is added to the settled delays, of each, so that they surely lie above the least fixed point."""
_SETTLED = 1e-12
_ROUNDS_LEAST = 500
_HOPELESS_PS = 1e18
_SMALLEST_PACKET_BYTES = 28
_MERGE_SHARE = 4
_LATE_EVERY = 4


@dataclass(frozen=True)
class Arrival:
    """What one slice sends at most, and where: a token bucket in bits of IP packets, and its ports in order.

    wire_ratio: bits on the wire per bit of IP packets at each port. regulated: its burst is that of the source at
    every port, because each port shapes it anew (asynchronous traffic shaping).
    """

    ports: tuple[int, ...]
    rate_bps: int
    burst_bits: int
    wire_ratio: tuple[float, ...]
    regulated: bool = False


@dataclass(frozen=True, eq=False)
class Service:
    """What each port gives the class of the slices at least: rate_bps, latency_ps float64[P].

    shaped bool[P]: ports of hosts, behind whose shaper latency begins to count.
    """

    rate_bps: NDArray[np.float64]
    latency_ps: NDArray[np.float64]
    shaped: NDArray[np.bool_]


def strict_service(graph: Graph) -> Service:
    """The class before all others: R = C, and T = one largest frame of another class that has just begun
    (non-preemptive priority node; Le Boudec and Thiran, section 1.3.2)."""
    return Service(graph.rate_bps.astype(float), blocking_ps(graph), ~graph.node_forwards[graph.tail])


def blocking_ps(graph: Graph) -> NDArray[np.float64]:
    """float64[P]: what a largest frame lasts at each port."""
    return (graph.mtu_bytes + graph.overhead_bytes) * (8.0 * SECOND_PS) / graph.rate_bps


@dataclass(frozen=True, eq=False)
class Load:
    """All slices of a network as its ports see them. One more slice makes a new Load; none is ever changed.

    A *line* is what comes to one port from one port before it (or enters there): `lines` numbers them by
    (port before or -1, port). line_port, and of all slices of a line burst_bits (at the source), rate_bps, on the
    wire of the port. Behind it, the burst of line l grows by weight x delay for each port that its slices have
    passed: three arrays (line, port, weight in bits per ps). delay_ps float64[P]: settled, not yet a bound.
    bound_ps float64[P]: bounds of the delay; infinite where there is none.
    """

    graph: Graph
    service: Service
    lines: Mapping[tuple[int, int], int]
    line_before: NDArray[np.int64]
    line_port: NDArray[np.int64]
    burst_bits: NDArray[np.float64]
    rate_bps: NDArray[np.float64]
    weight_line: NDArray[np.int64]
    weight_port: NDArray[np.int64]
    weight: NDArray[np.float64]
    merged: int
    delay_ps: NDArray[np.float64]
    bound_ps: NDArray[np.float64]

    @classmethod
    def empty(cls, graph: Graph, service: Service | None = None) -> Load:
        none, numbers = np.zeros(0), np.zeros(0, np.int64)
        nothing = np.zeros(graph.port_count)
        service = strict_service(graph) if service is None else service
        return cls(
            graph, service, MappingProxyType({}), numbers, numbers, none, none, numbers, numbers, none, 0, nothing,
            nothing,
        )  # fmt: skip

    def joined(self, arrival: Arrival) -> Load:
        """With one more slice; its delays are still those without it (see `settled`)."""
        lines = dict(self.lines)
        before = (-1, *arrival.ports[:-1])
        own = [lines.setdefault(key, len(lines)) for key in zip(before, arrival.ports, strict=True)]
        fresh = [key for key, line in zip(zip(before, arrival.ports, strict=True), own, strict=True)
                 if line >= len(self.lines)]  # fmt: skip
        line_before = np.append(self.line_before, np.array([key[0] for key in fresh], np.int64))
        line_port = np.append(self.line_port, np.array([key[1] for key in fresh], np.int64))
        burst = np.append(self.burst_bits, np.zeros(len(fresh)))
        rate = np.append(self.rate_bps, np.zeros(len(fresh)))
        ratio = np.array(arrival.wire_ratio)
        burst[own] += arrival.burst_bits * ratio
        rate[own] += arrival.rate_bps * ratio
        load = replace(
            self, lines=MappingProxyType(lines), line_before=line_before, line_port=line_port, burst_bits=burst,
            rate_bps=rate,
        )  # fmt: skip
        return load if arrival.regulated else load._weighted(arrival, own)

    def _weighted(self, arrival: Arrival, own: list[int]) -> Load:
        """The burst of hop h grows with the delays of hops 0 to h - 1."""
        later, earlier = np.tril_indices(len(own), -1)
        line, port = np.array(own, np.int64)[later], np.array(arrival.ports, np.int64)[earlier]
        weight = (arrival.rate_bps / SECOND_PS) * np.array(arrival.wire_ratio)[later]
        lines = np.concatenate([self.weight_line, line])
        ports = np.concatenate([self.weight_port, port])
        weights = np.concatenate([self.weight, weight])
        merged = self.merged
        if len(weights) > 1000 + merged + merged // _MERGE_SHARE:
            key, place = np.unique(lines * self.graph.port_count + ports, return_inverse=True)
            weights = np.bincount(place, weights, minlength=len(key))
            lines, ports = np.divmod(key, self.graph.port_count)
            merged = len(weights)
        return replace(self, weight_line=lines, weight_port=ports, weight=weights, merged=merged)

    @cached_property
    def _jitter_ps(self) -> NDArray[np.float64]:
        return np.where(self.graph.jitter_ps == UNBOUNDED_PS, np.inf, self.graph.jitter_ps.astype(float))

    @cached_property
    def _shape(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(rate in bit/s, frame in bits) of the line behind each `line`, as bits on the wire of its port."""
        graph, before = self.graph, self.line_before
        overhead, own = graph.overhead_bytes[before], graph.overhead_bytes[self.line_port]
        ratio = np.maximum(1.0, (_SMALLEST_PACKET_BYTES + own) / (_SMALLEST_PACKET_BYTES + overhead))
        rate = np.where(before < 0, np.inf, graph.rate_bps[before] * ratio)
        bunched = graph.rate_bps[before] * 2 * self._jitter_ps[before] / SECOND_PS
        frame = (8.0 * (graph.mtu_bytes[before] + overhead) + bunched) * ratio
        return rate, np.where(before < 0, np.inf, frame)

    def grown(self, delay_ps: NDArray[np.float64]) -> NDArray[np.float64]:
        """float64[lines]: burst of each line when the ports take `delay_ps`."""
        shift = (delay_ps + 2 * self._jitter_ps)[self.weight_port]
        return self.burst_bits + np.bincount(self.weight_line, self.weight * shift, minlength=len(self.burst_bits))

    def delays(self, delay_ps: NDArray[np.float64]) -> NDArray[np.float64]:
        """F: the delay of every port when the ports before it take `delay_ps`; 0 at ports without a slice."""
        bursts = self.grown(delay_ps)
        found = np.zeros(self.graph.port_count)
        ports, waits = self._deviations(bursts)
        found[ports] = self.service.latency_ps[ports] + waits
        found[self.line_port[~np.isfinite(bursts)]] = np.inf
        shaped = ports[self.service.shaped[ports]]
        found[shaped] = blocking_ps(self.graph)[shaped]
        return found

    def _deviations(self, bursts: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """(ports with a line, sup of A(t)/R - t at each in ps).

        A bends where a line has caught up with its burst, at t = (b - L) / (C - r). The supremum is at one of these
        points or at 0. Sorted by port and t, the lines before a point have caught up, the rest are still arriving.
        """
        line_rate, frame = self._shape
        with np.errstate(invalid="ignore"):
            late = (bursts > frame) & (line_rate > self.rate_bps)
            bend = np.where(late, (bursts - frame) / np.where(late, line_rate - self.rate_bps, 1.0), 0.0)
        bend[~np.isfinite(bend)] = 0.0
        order = np.lexsort((bend, self.line_port))
        port, bend, late = self.line_port[order], bend[order], late[order]
        ports, first = np.unique(port, return_index=True)
        segment = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(port))))
        burst = np.where(np.isfinite(bursts), bursts, 0.0)[order]
        rate = self.rate_bps[order]
        # at t = 0: bursts of those that have caught up, frames of those still arriving; changes at each bend
        start_bits = np.where(late, np.where(np.isfinite(frame), frame, 0.0)[order], burst)
        start_rate = np.where(late, np.where(np.isfinite(line_rate), line_rate, 0.0)[order], rate)
        bits = np.add.reduceat(start_bits, first)[segment] + _running(burst - start_bits, first, segment)
        slope = np.add.reduceat(start_rate, first)[segment] + _running(rate - start_rate, first, segment)
        service = self.service.rate_bps[port]
        at_bend = (bits + slope * bend) / service - bend
        at_zero = np.add.reduceat(start_bits, first) / self.service.rate_bps[ports]
        return ports, np.maximum(np.maximum.reduceat(at_bend, first), at_zero) * SECOND_PS

    def settled(self, late: Callable[[NDArray[np.float64]], bool] | None = None) -> Load | None:
        """With the bounds of all its slices together.

        None as soon as `late` says so of the delays so far: what grows does not shrink again.
        """
        if not len(self.line_port):
            return self
        delay, endless = self.delay_ps, np.where(np.isinf(self.delay_ps), np.inf, 0.0)
        for _ in range(2):
            for number in range(max(_ROUNDS_LEAST, 2 * self.graph.port_count)):
                if late is not None and number % _LATE_EVERY == 0 and late(delay):
                    return None
                grown = np.maximum(self.delays(delay), endless)
                change = np.where(np.isfinite(grown), grown - np.where(np.isfinite(delay), delay, 0.0), 0.0)
                if np.array_equal(grown, delay):
                    return replace(self, delay_ps=delay, bound_ps=delay)
                delay, before = grown, delay
                finite = np.isfinite(delay)
                if finite.any() and delay[finite].max() > _HOPELESS_PS:
                    break
                if np.isfinite(before[~finite]).any() or (change > _SETTLED * delay[finite].max(initial=0)).any():
                    continue
                above = delay * (1 + SLACK)
                if (np.maximum(self.delays(above), endless) <= above).all():
                    return replace(self, delay_ps=delay, bound_ps=above)
            endless = np.where(delay > before, np.inf, endless)
            delay = np.maximum(delay, endless)
        nothing = np.where(delay > 0, np.inf, 0.0)
        return replace(self, delay_ps=nothing, bound_ps=nothing)

    def together(self) -> NDArray[np.float64]:
        """float64[P]: bits on the wire that all slices can bring to each port at once, were lines without end."""
        return np.bincount(self.line_port, self.grown(self.bound_ps), minlength=self.graph.port_count)

    def backlog_bits(self) -> NDArray[np.float64]:
        """float64[P]: the most that the class holds at each port."""
        rates = np.bincount(self.line_port, self.rate_bps, minlength=self.graph.port_count)
        plain = self.together() + rates * self.service.latency_ps / SECOND_PS
        with np.errstate(invalid="ignore"):
            return np.minimum(plain, self.service.rate_bps * self.bound_ps / SECOND_PS)


def _running(values: NDArray[np.float64], first: NDArray[np.int64], segment: NDArray[np.int64]) -> NDArray[np.float64]:
    """Running sum of `values` within each segment, the own value included."""
    total = np.cumsum(values)
    return total - (total[first] - values[first])[segment]


def slice_bursts(arrival: Arrival, delay_ps: NDArray[np.float64], jitter_ps: NDArray[np.float64]) -> list[float]:
    """Burst of a slice before each of its hops, bits of IP packets, when the ports take at most `delay_ps`."""
    if arrival.regulated:
        return [float(arrival.burst_bits)] * len(arrival.ports)
    ports = list(arrival.ports)
    shift = np.concatenate([[0.0], np.cumsum(delay_ps[ports] + 2 * jitter_ps[ports])[:-1]])
    return (arrival.burst_bits + arrival.rate_bps / SECOND_PS * shift).tolist()
