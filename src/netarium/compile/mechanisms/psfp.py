"""Per-stream filtering and policing of IEEE 802.1Qci (docs/kinds/queues/psfp.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from netarium.compile.mechanisms.terms import StreamTerms
from netarium.describe.tsn import Meter, Psfp, StreamGate


def encode(streams: Sequence[StreamTerms], queue: Mapping[str, Any] | Any) -> Psfp:
    """A meter for each stream, at what it reserved, before a queue."""
    return Psfp(
        streams=[
            {
                ("slices" if stream.is_slice else "services"): [stream.name],
                "meter": {
                    "cir": f"{ceil(stream.rate_bps)} bit/s",
                    "cbs": f"{ceil(stream.burst_bytes)} B",
                    "drop_on_yellow": True,
                },
            }
            for stream in streams
        ],
        queue=queue,
    )


def bound(meter: Meter) -> tuple[int, int]:
    """(rate in bit/s, burst in bytes) of what passes a meter, whatever is offered: two token buckets one beside the
    other (MEF 10.3 section 12; RFC 4115 section 3), the second only if yellow passes."""
    if meter.drop_on_yellow:
        return meter.cir, meter.cbs
    return meter.cir + meter.eir, meter.cbs + meter.ebs


def gate_bound(gate: StreamGate, rate_bps: int) -> tuple[float, float]:
    """(rate in bit/s, burst in bytes) of what passes a stream gate from a line of `rate_bps`: all that comes while it
    is open, or the octets of its entries.

    In an interval of length t there are at most t / cycle + 1 whole cycles' worth of open time.
    """
    bits = 0.0
    at_ps = 0
    for index, entry in enumerate(gate.sched_entries):
        last = index == len(gate.sched_entries) - 1
        length_ps = gate.cycle_ps - at_ps if last else entry.interval
        at_ps += entry.interval
        if entry.gate == "open":
            most_bits = rate_bps * length_ps / 10**12
            bits += most_bits if entry.maxoctets is None else min(most_bits, 8 * entry.maxoctets)
    return bits * 10**12 / gate.cycle_ps, bits / 8
