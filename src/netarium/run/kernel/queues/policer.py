"""The policer at a slice's ingress: a token bucket that a packet passes or does not (RFC 2697's single
rate, one bucket; Linux: act_police.c with `conform-exceed drop`).

A packet costs its IP bytes and a fixed overhead, so that small packets are held to what was reserved on the
wire. The bucket is full at the start. Before the slice starts and after it ends nothing passes.
"""

from __future__ import annotations

from typing import Any

from ..events import NEVER
from ..jit import kernel
from ..records import record
from .tokens import bucket, refilled

SLICE = record(
    ("rate_bps", "i8", "reserved bandwidth, overhead of each packet included"),
    ("burst_bytes", "i8", "bytes it may send at once above its bandwidth"),
    ("byte_time", "i8", "tokens a byte costs: picoseconds at the rate, fixed point"),
    ("shift", "i8", "fraction bits of tokens"),
    ("depth", "i8", "tokens of the full bucket"),
    ("tokens", "i8", "tokens at last_ps"),
    ("last_ps", "i8", "when tokens were last reckoned"),
    ("conforming_packets", "i8", "packets that passed"),
    ("conforming_bytes", "i8", "their IP bytes"),
    ("policed_packets", "i8", "packets refused"),
    ("policed_bytes", "i8", "their IP bytes"),
    ("overhead_bytes", "i8", "what a packet costs above its IP bytes"),
    ("start_ps", "i8", "from when on it may be used"),
    ("end_ps", "i8", "until when it may be used"),
    ("port", "i8", "where it is policed: the first port of its path behind its source"),
)
"""A slice as its ingress sees it."""


@kernel
def police(slice_record, size_bytes, now_ps):
    """Whether a packet of `size_bytes` conforms to (rate, burst); if so it takes its tokens."""
    tokens = refilled(
        slice_record.tokens, now_ps - slice_record.last_ps, slice_record.depth, slice_record.shift
    )
    slice_record.last_ps = now_ps
    cost = (size_bytes + slice_record.overhead_bytes) * slice_record.byte_time
    if cost > tokens or now_ps < slice_record.start_ps or now_ps >= slice_record.end_ps:
        slice_record.tokens = tokens
        slice_record.policed_packets += 1
        slice_record.policed_bytes += size_bytes
        return False
    slice_record.tokens = tokens - cost
    slice_record.conforming_packets += 1
    slice_record.conforming_bytes += size_bytes
    return True


def encode(
    slice_record: Any,
    rate_bps: int,
    burst_bytes: int,
    overhead_bytes: int = 0,
    start_ps: int = 0,
    end_ps: int = NEVER,
) -> None:
    """Fill a SLICE record; rate and burst count the overhead of every packet. Raises Mistake when the burst takes
    longer than days at the rate."""
    slice_record.rate_bps = rate_bps
    slice_record.burst_bytes = burst_bytes
    slice_record.byte_time, slice_record.shift, slice_record.depth = bucket(rate_bps, burst_bytes)
    slice_record.tokens = slice_record.depth
    slice_record.last_ps = 0
    slice_record.overhead_bytes = overhead_bytes
    slice_record.start_ps, slice_record.end_ps = start_ps, end_ps
