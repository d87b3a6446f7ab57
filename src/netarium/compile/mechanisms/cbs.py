"""The credit-based shaper of IEEE 802.1Qav, classes A and B (docs/kinds/queues/cbs.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil

from netarium.compile.mechanisms.terms import UNBOUNDED, Bound, PortTerms, StreamTerms, rate_latency, together
from netarium.describe.tsn import Mqprio
from netarium.units import SECOND_PS, format_rate

CLASS_A, CLASS_B = 2, 1
"""Traffic classes in the queue that `encode` gives; best effort is class 0."""
LARGEST_SHARE = 0.75
"""IEEE 802.1Q-2022 section 34.3.1: deltaBandwidth is at most 75 % by default."""


def encode(
    streams_a: Sequence[StreamTerms],
    streams_b: Sequence[StreamTerms],
    port: PortTerms,
    priorities: Mapping[int, int],
) -> Mqprio:
    """The queue of a port: the idleslope of a class is the rate of its streams on the wire. Raises ValueError when
    both together take more than 75 % of the port. priorities: priority of packets -> CLASS_A or CLASS_B; others are
    best effort."""
    slopes = [ceil(together(streams, port)[0]) for streams in (streams_a, streams_b)]
    if sum(slopes) > LARGEST_SHARE * port.rate_bps:
        told = f"{format_rate(sum(slopes))} of {format_rate(port.rate_bps)}"
        raise ValueError(f"classes A and B take {told}: more than 75 %")
    queues = {
        number: {"kind": "cbs", "idleslope": f"{slope} bit/s"}
        for number, slope in zip((CLASS_A, CLASS_B), slopes, strict=True)
        if slope
    }
    class_map = [priorities.get(priority, 0) for priority in range(16)]
    return Mqprio(num_tc=3, map=class_map, queues=queues)


def bound(
    port: PortTerms,
    streams: Sequence[StreamTerms],
    idleslope_bps: float,
    above: tuple[float, int] | None = None,
    below_bytes: int | None = None,
) -> Bound:
    """Of the streams of a class with a credit-based shaper.

    above: None for class A; for class B (idleslope, largest packet) of the class A above it. below_bytes: largest
    packet of lower classes (default: the MTU). Service curve: De Azua and Boyer, Complete modelling of AVB in network
    calculus framework, RTNS 2014, section 4; credit of class A is at most idleslope x L / C (IEEE 802.1Q-2022 annex
    L.2, equation L-3).
    """
    if not 0 < idleslope_bps <= port.rate_bps:
        return UNBOUNDED
    lower_bits = port.wire_bits(port.mtu_bytes if below_bytes is None else below_bytes)
    waiting_bits = float(lower_bits)
    if above is not None:
        slope_above, largest_above = above
        sendslope = port.rate_bps - slope_above
        if sendslope <= 0:
            return UNBOUNDED
        waiting_bits += port.wire_bits(largest_above) + lower_bits * slope_above / sendslope
    return rate_latency(port, streams, idleslope_bps, waiting_bits * SECOND_PS / port.rate_bps)


def credit_limits_bits(
    port: PortTerms, idleslope_bps: float, own_bytes: int, lower_bytes: int
) -> tuple[float, float]:
    """(hiCredit, loCredit) of class A in bits: IEEE 802.1Q-2022 annex L.1, equations L-1 and L-2."""
    high = idleslope_bps * port.wire_bits(lower_bytes) / port.rate_bps
    return high, -(port.rate_bps - idleslope_bps) * port.wire_bits(own_bytes) / port.rate_bps
