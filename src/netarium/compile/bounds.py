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

Jitter j of an impairment at a port shifts by a further 2 j, of single slices and of what a line brings.

Where slices meet in a circle the delays depend on each
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
class Lines:
    """What comes to one port from one port before it (or enters there) is a line; `numbers` by (port before or -1, port).

    before, port int64[lines]. Everything that follows from them alone is worked out once.
    """

    graph: Graph
    service: Service
    numbers: Mapping[tuple[int, int], int]
    before: NDArray[np.int64]
    port: NDArray[np.int64]

    def joined(self, ports: tuple[int, ...], regulated: bool = False) -> tuple[Lines, list[int]]:
        """(with the lines of a path, their numbers in the order of its hops). What a port has shaped anew may come faster
        than the line: it enters there."""
        before = (-1,) * len(ports) if regulated else (-1, *ports[:-1])
        hops = list(zip(before, ports, strict=True))
        fresh = [hop for hop in hops if hop not in self.numbers]
        if not fresh:
            return self, [self.numbers[hop] for hop in hops]
        numbers = {**self.numbers, **{hop: len(self.numbers) + i for i, hop in enumerate(fresh)}}
        tails = np.append(self.before, np.array([hop[0] for hop in fresh], np.int64))
        port = np.append(self.port, np.array([hop[1] for hop in fresh], np.int64))
        return Lines(self.graph, self.service, numbers, tails, port), [numbers[hop] for hop in hops]

    @cached_property
    def jitter_ps(self) -> NDArray[np.float64]:
        """float64[P]: infinite where there is no largest."""
        return np.where(self.graph.jitter_ps == UNBOUNDED_PS, np.inf, self.graph.jitter_ps.astype(float))

    @cached_property
    def shape(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(rate in bit/s, frame in bits) of each line, as bits on the wire of its port."""
        graph, before = self.graph, self.before
        overhead, own = graph.overhead_bytes[before], graph.overhead_bytes[self.port]
        ratio = np.maximum(1.0, (_SMALLEST_PACKET_BYTES + own) / (_SMALLEST_PACKET_BYTES + overhead))
        rate = np.where(before < 0, np.inf, graph.rate_bps[before] * ratio)
        bunched = graph.rate_bps[before] * 2 * self.jitter_ps[before] / SECOND_PS
        frame = (8.0 * (graph.mtu_bytes[before] + overhead) + bunched) * ratio
        return rate, np.where(before < 0, np.inf, frame)

    @cached_property
    def of_ports(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """(ports with a line; with the lines in the order of ports, where each port's begin; and whose each is)."""
        ports, first = np.unique(np.sort(self.port), return_index=True)
        return ports, first, np.repeat(np.arange(len(first)), np.diff(np.append(first, len(self.port))))

    @cached_property
    def shaped(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """(ports of hosts that have a line, what a frame lasts there in ps)."""
        ports = self.of_ports[0][self.service.shaped[self.of_ports[0]]]
        return ports, blocking_ps(self.graph)[ports]


@dataclass(frozen=True, eq=False)
class Load:
    """All slices of a network as its ports see them. One more slice makes a new Load; none is ever changed.

    Of all slices of a line: burst_bits (at the source), rate_bps float64[lines], on the wire of its port. Behind
    that, the burst of a line grows by weight x delay for each port that its slices have passed: three arrays
    (line, port, weight in bits per ps). delay_ps float64[P]: settled, not yet a bound. bound_ps float64[P]: bounds
    of the delay; infinite where there is none.
    """

    lines: Lines
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
        lines = Lines(graph, strict_service(graph) if service is None else service, {}, numbers, numbers)
        return cls(lines, none, none, numbers, numbers, none, 0, *[np.zeros(graph.port_count)] * 2)

    @property
    def graph(self) -> Graph:
        return self.lines.graph

    @property
    def service(self) -> Service:
        return self.lines.service

    def joined(self, arrival: Arrival) -> Load:
        """With one more slice; its delays are still those without it (see `settled`)."""
        if not arrival.ports:
            return self
        lines, own = self.lines.joined(arrival.ports, arrival.regulated)
        more = np.zeros(len(lines.port) - len(self.lines.port))
        burst, rate = np.append(self.burst_bits, more), np.append(self.rate_bps, more)
        ratio = np.array(arrival.wire_ratio)
        burst[own] += arrival.burst_bits * ratio
        rate[own] += arrival.rate_bps * ratio
        load = replace(self, lines=lines, burst_bits=burst, rate_bps=rate)
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

    def grown(self, delay_ps: NDArray[np.float64]) -> NDArray[np.float64]:
        """float64[lines]: burst of each line when the ports take `delay_ps`."""
        shift = (delay_ps + 2 * self.lines.jitter_ps)[self.weight_port]
        return self.burst_bits + np.bincount(
            self.weight_line, self.weight * shift, minlength=len(self.burst_bits)
        )

    def delays(self, delay_ps: NDArray[np.float64]) -> NDArray[np.float64]:
        """F: the delay of every port when the ports before it take `delay_ps`; 0 at ports without a slice."""
        bursts = self.grown(delay_ps)
        found = np.zeros(self.graph.port_count)
        ports = self.lines.of_ports[0]
        endless = ~np.isfinite(bursts)
        found[ports] = self.service.latency_ps[ports] + self._deviations(np.where(endless, 0.0, bursts))
        if endless.any():
            found[self.lines.port[endless]] = np.inf
        shaped, frame_ps = self.lines.shaped
        found[shaped] = frame_ps
        return found

    def _deviations(self, bursts: NDArray[np.float64]) -> NDArray[np.float64]:
        """sup of A(t)/R - t at each port with a line, ps.

        A bends where a line has caught up with its burst, at t = (b - L) / (C - r). The supremum is at one of these
        points or at 0. Sorted by port and t, the lines before a point have caught up, the rest are still arriving.
        """
        line_rate, frame = self.lines.shape
        late = (bursts > frame) & (line_rate > self.rate_bps)
        bend = np.zeros(len(bursts))
        np.divide(bursts - frame, line_rate - self.rate_bps, out=bend, where=late)
        # what a line brings at t = 0, and from then on, until it has caught up
        at_once, coming = np.where(late, frame, bursts), np.where(late, line_rate, self.rate_bps)
        order = np.lexsort((bend, self.lines.port))
        ports, first, segment = self.lines.of_ports
        bend, at_once, coming = bend[order], at_once[order], coming[order]
        from_start = np.add.reduceat(at_once, first)
        bits = from_start[segment] + _running(bursts[order] - at_once, first, segment)
        slope = np.add.reduceat(coming, first)[segment] + _running(
            self.rate_bps[order] - coming, first, segment
        )
        rate = self.service.rate_bps[ports]
        at_bend = (bits + slope * bend) / rate[segment] - bend
        return np.maximum(np.maximum.reduceat(at_bend, first), from_start / rate) * SECOND_PS

    def settled(self, late: Callable[[NDArray[np.float64]], bool] | None = None) -> Load | None:
        """With the bounds of all its slices together.

        None as soon as `late` says so of the delays so far: what grows does not shrink again.
        """
        if not len(self.burst_bits):
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
                if (
                    np.isfinite(before[~finite]).any()
                    or (change > _SETTLED * delay[finite].max(initial=0)).any()
                ):
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
        return np.bincount(self.lines.port, self.grown(self.bound_ps), minlength=self.graph.port_count)

    def backlog_bits(self) -> NDArray[np.float64]:
        """float64[P]: the most that the class holds at each port."""
        rates = np.bincount(self.lines.port, self.rate_bps, minlength=self.graph.port_count)
        plain = self.together() + rates * self.service.latency_ps / SECOND_PS
        with np.errstate(invalid="ignore"):
            return np.minimum(plain, self.service.rate_bps * self.bound_ps / SECOND_PS)


def _running(
    values: NDArray[np.float64], first: NDArray[np.int64], segment: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Running sum of `values` within each segment, the own value included."""
    total = np.cumsum(values)
    return total - (total[first] - values[first])[segment]


def slice_bursts(
    arrival: Arrival, delay_ps: NDArray[np.float64], jitter_ps: NDArray[np.float64]
) -> list[float]:
    """Burst of a slice before each of its hops, bits of IP packets, when the ports take at most `delay_ps`."""
    if arrival.regulated:
        return [float(arrival.burst_bits)] * len(arrival.ports)
    ports = list(arrival.ports)
    shift = np.concatenate([[0.0], np.cumsum(delay_ps[ports] + 2 * jitter_ps[ports])[:-1]])
    return (arrival.burst_bits + arrival.rate_bps / SECOND_PS * shift).tolist()
