"""Asynchronous traffic shaping of IEEE 802.1Qcr (docs/kinds/queues/ats.md)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil

from netarium.compile.mechanisms.terms import UNBOUNDED, Bound, PortTerms, StreamTerms, smallest_ps, together
from netarium.describe.tsn import Ats
from netarium.units import SECOND_PS


def encode(streams: Sequence[StreamTerms], limit_packets: int = 10_000) -> Ats:
    """The queue of a class (in an mqprio) with a scheduler for each stream; streams with the same bucket share an entry."""
    entries: dict[tuple[str, int, int], list[str]] = {}
    for stream in streams:
        family = "slices" if stream.is_slice else "services"
        key = (family, ceil(stream.rate_bps), ceil(stream.burst_bytes))
        entries.setdefault(key, []).append(stream.name)
    return Ats(
        streams=[
            {
                family: names,
                "committed_information_rate": f"{rate} bit/s",
                "committed_burst_size": f"{burst} B",
            }
            for (family, rate, burst), names in entries.items()
        ],
        limit=limit_packets,
    )


def bound(
    port: PortTerms,
    streams: Sequence[StreamTerms],
    above: Iterable[StreamTerms] = (),
    below_bytes: int | None = None,
) -> Bound:
    """Of the streams of a class, each of them held to its bucket: from eligibility at this port to the last bit on the wire.

    Specht and Samii, Urgency-based scheduler for time-sensitive switched Ethernet networks, ECRTS 2016, theorem 5;
    IEEE 802.1Q-2022 annex V: (b_above + b_class - l + L_below) / (C - r_above) + l / C with the least packet l. Over
    several hops the bounds add up and no burst grows: waiting for eligibility at the next port adds nothing to the
    worst case (Le Boudec, A theory of traffic regulators for deterministic networks with application to interleaved
    regulators, IEEE/ACM ToN 2018, theorem 5).
    """
    above_bps, above_bits = together(above, port)
    own_bps, own_bits = together(streams, port)
    left_bps = port.rate_bps - above_bps
    if left_bps <= 0 or own_bps > left_bps:
        return UNBOUNDED
    lower_bits = port.wire_bits(port.mtu_bytes if below_bytes is None else below_bytes)
    least_ps = smallest_ps(streams, port)
    least_bits = least_ps * port.rate_bps / SECOND_PS
    waiting_bits = max(0.0, above_bits + own_bits - least_bits + lower_bits)
    latency_ps = waiting_bits * SECOND_PS / left_bps + least_ps
    return Bound(latency_ps, (own_bits + own_bps * latency_ps / SECOND_PS) / 8, least_ps)


def path_bound(ports: Sequence[tuple[PortTerms, Bound]]) -> Bound:
    """Of a path whose ports have these bounds, regulated at each: from arrival at the first port to the far end of
    the last link."""
    delay_ps = sum(port.delay_ps for port, _ in ports)
    return Bound(
        sum(each.latency_ps for _, each in ports) + delay_ps,
        max(each.backlog_bytes for _, each in ports),
        sum(each.least_ps for _, each in ports) + delay_ps,
    )
