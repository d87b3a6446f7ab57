"""Strict priority between traffic classes, each held to rate and burst (docs/kinds/queues/mqprio.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from netarium.compile.mechanisms.terms import UNBOUNDED, Bound, PortTerms, StreamTerms, rate_latency, together
from netarium.describe.tsn import Mqprio
from netarium.units import SECOND_PS


def encode(
    classes: Mapping[int, Sequence[StreamTerms]], port: PortTerms, priorities: Mapping[int, int]
) -> Mqprio:
    """The queue of a port with streams in some classes. priorities: priority of packets -> class; others go to class 0.

    A class gets a queue of twice what its bound says that it holds.
    """
    queues: dict[int, Any] = {}
    for number, streams in classes.items():
        above = [s for k, others in classes.items() if k > number for s in others]
        held = bound(port, streams, above).backlog_bytes
        if held == float("inf"):
            held = sum(stream.burst_bytes for stream in streams)
        largest = max((stream.largest_bytes for stream in streams), default=port.mtu_bytes)
        queues[number] = {"kind": "bfifo", "limit": f"{int(2 * held) + 2 * largest} B"}
    class_map = [priorities.get(priority, 0) for priority in range(16)]
    return Mqprio(num_tc=max(classes, default=0) + 1, map=class_map, queues=queues)


def bound(
    port: PortTerms,
    streams: Sequence[StreamTerms],
    above: Iterable[StreamTerms] = (),
    below_bytes: int | None = None,
) -> Bound:
    """Of the streams of a class, with those of all higher classes, and the largest packet of lower ones (default: the MTU).

    Service left over by strict priority without interruption: Le Boudec and Thiran, Network Calculus, section 1.3.3; Bouillard,
    Boyer and Le Corronc, Deterministic Network Calculus, Wiley 2018, theorem 7.6: [C t - alpha_above(t) - L_below]+.
    """
    above_bps, above_bits = together(above, port)
    left_bps = port.rate_bps - above_bps
    if left_bps <= 0:
        return UNBOUNDED
    lower_bits = (
        port.wire_bits(port.mtu_bytes if below_bytes is None else below_bytes) if below_bytes != 0 else 0
    )
    latency_ps = (above_bits + lower_bits) * SECOND_PS / left_bps
    return rate_latency(port, streams, left_bps, latency_ps)
