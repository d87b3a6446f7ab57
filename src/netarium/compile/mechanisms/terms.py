"""Ports, streams and bounds as the mechanisms reckon with them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from netarium.units import SECOND_PS

INFINITE = float("inf")


@dataclass(frozen=True)
class PortTerms:
    """A port: rate, largest IP packet, bytes on the wire beside the IP packet, propagation; its node's clock, or None."""

    rate_bps: int
    mtu_bytes: int = 1500
    overhead_bytes: int = 38
    delay_ps: int = 0
    clock: object = None

    def wire_bits(self, size_bytes: int) -> int:
        """Bits that an IP packet takes on the wire."""
        return 8 * (size_bytes + self.overhead_bytes)

    def sending_ps(self, size_bytes: int) -> float:
        """How long an IP packet is on the wire."""
        return self.time_ps(self.wire_bits(size_bytes))

    def time_ps(self, bits: float) -> float:
        """How long so many bits take on the wire."""
        return bits * SECOND_PS / self.rate_bps


@dataclass(frozen=True)
class StreamTerms:
    """A stream: what its token bucket of IP bytes lets pass, and its smallest and largest packet.

    name: of the service or slice that carries it.
    """

    rate_bps: float
    burst_bytes: float
    largest_bytes: int
    smallest_bytes: int = 0
    name: str = ""
    is_slice: bool = True

    def wire_rate_bps(self, port: PortTerms) -> float:
        """Its rate on the wire of a port."""
        return self.rate_bps * self._wire_ratio(port)

    def wire_burst_bits(self, port: PortTerms) -> float:
        """Its burst on the wire of a port."""
        return 8 * self.burst_bytes * self._wire_ratio(port)

    def _wire_ratio(self, port: PortTerms) -> float:
        """Bits on the wire for each bit of IP packets, of its smallest packets."""
        smallest = self.smallest_bytes or self.largest_bytes
        return (smallest + port.overhead_bytes) / smallest


@dataclass(frozen=True)
class Bound:
    """What a packet meets at most at a port: time from its arrival to its last bit on the wire, at least and at most; bytes
    on the wire that wait at most, without the packet being sent. Infinite where there is no bound."""

    latency_ps: float
    backlog_bytes: float
    least_ps: float = 0.0

    @property
    def variation_ps(self) -> float:
        """Largest difference of two packets' times."""
        return self.latency_ps - self.least_ps


UNBOUNDED = Bound(INFINITE, INFINITE)


def together(streams: Iterable[StreamTerms], port: PortTerms) -> tuple[float, float]:
    """(rate in bit/s, burst in bits) of streams together, on the wire of a port."""
    listed = list(streams)
    rate_bps = sum(stream.wire_rate_bps(port) for stream in listed)
    return rate_bps, sum(stream.wire_burst_bits(port) for stream in listed)


def smallest_ps(streams: Iterable[StreamTerms], port: PortTerms) -> float:
    """The least time on the wire of any packet of the streams."""
    return min((port.sending_ps(s.smallest_bytes or s.largest_bytes) for s in streams), default=0.0)


def rate_latency(
    port: PortTerms, streams: Iterable[StreamTerms], rate_bps: float, latency_ps: float
) -> Bound:
    """Bounds of token buckets at a server of rate and latency (Le Boudec and Thiran, Network Calculus, Springer 2001, theorems
    1.4.1 and 1.4.2; section 1.4.1 works this case out)."""
    listed = list(streams)
    arrival_bps, burst_bits = together(listed, port)
    if arrival_bps > rate_bps * (1 + 1e-12) or rate_bps <= 0:
        return UNBOUNDED
    return Bound(
        latency_ps + burst_bits * SECOND_PS / rate_bps,
        (burst_bits + arrival_bps * latency_ps / SECOND_PS) / 8,
        smallest_ps(listed, port),
    )
