"""request_response: open-loop arrivals (Poisson); each opens a connection, asks, and receives an answer of random size.

Sizes are drawn from a cumulative distribution by linear interpolation between its points, as flow-size files of the field are
read. The pair of each request is drawn uniformly.
"""

from __future__ import annotations

from ..jit import kernel
from ..rng import next_bits, next_exponential, next_uniform
from ..transport.connection import open_flow
from .codes import CDF_COUNT, CDF_FIRST, MEAN_GAP


@kernel
def draw_size(sim, source):
    """A size in bytes, at least 1."""
    first = source.i[CDF_FIRST]
    count = source.i[CDF_COUNT]
    probability = next_uniform(sim.streams[source.stream])
    low = first
    high = first + count - 1
    while high - low > 1:
        middle = (low + high) >> 1
        if sim.cdf[middle, 1] <= probability:
            low = middle
        else:
            high = middle
    span = sim.cdf[high, 1] - sim.cdf[low, 1]
    size = sim.cdf[low, 0]
    if span > 0.0:
        share = min(max((probability - sim.cdf[low, 1]) / span, 0.0), 1.0)
        size += (sim.cdf[high, 0] - size) * share
    return max(int(size), 1)


@kernel
def arrive(sim, source_index, now_ps):
    """One request; returns the time to the next."""
    source = sim.sources[source_index]
    stream = sim.streams[source.stream]
    size_bytes = draw_size(sim, source)
    pair = source.pair_first + next_bits(stream) % source.pair_count
    number = int(source.number)
    source.number = number + 1
    gap = int(next_exponential(stream, source.f[MEAN_GAP])) + 1
    open_flow(sim, source_index, pair, number, size_bytes, now_ps)
    return gap
