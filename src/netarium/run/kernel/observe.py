"""What the endpoints see: one-way latency and round-trip time, as histograms and since the last sample.

Bins are those of `samples.log_linear_edges_ps`: 64 even ones below 2**16 ps, then 64 to an octave up to 2**47 ps, so a value
is known to 1.6 %; the last bin takes what is longer.
"""

from __future__ import annotations

from .instructions import float_bits
from .jit import kernel

LOW_BITS, HIGH_BITS, BINS_LOG2 = 16, 47, 6
BIN_COUNT = (HIGH_BITS - LOW_BITS + 1) << BINS_LOG2
_OFFSET = (1023 + LOW_BITS - 1) << BINS_LOG2


@kernel(inline=True)
def bin_of(value_ps):
    """The bin of a non-negative time: exponent and top six mantissa bits of its floating-point form."""
    if value_ps < 1 << LOW_BITS:
        return value_ps >> (LOW_BITS - BINS_LOG2)
    return min((float_bits(float(value_ps)) >> (52 - BINS_LOG2)) - _OFFSET, BIN_COUNT - 1)


@kernel(inline=True)
def observe_latency(sim, conn, latency_ps):
    """A data packet of a connection took `latency_ps` from the sender's stack to the receiver's."""
    sim.latency[conn.service, bin_of(latency_ps)] += 1
    if latency_ps < conn.latency_min_ps:
        conn.latency_min_ps = latency_ps
    if latency_ps > conn.latency_max_ps:
        conn.latency_max_ps = latency_ps
    service = sim.services[conn.service]
    service.latency_count += 1
    service.latency_sum_ps += latency_ps
    if latency_ps < service.latency_min_ps:
        service.latency_min_ps = latency_ps
    if latency_ps > service.latency_max_ps:
        service.latency_max_ps = latency_ps


@kernel(inline=True)
def observe_rtt(sim, service_index, rtt_ps):
    """A sender measured a round-trip time."""
    sim.rtt[service_index, bin_of(rtt_ps)] += 1
    service = sim.services[service_index]
    service.rtt_count += 1
    service.rtt_sum_ps += rtt_ps
    if rtt_ps < service.rtt_min_ps:
        service.rtt_min_ps = rtt_ps
    if rtt_ps > service.rtt_max_ps:
        service.rtt_max_ps = rtt_ps
