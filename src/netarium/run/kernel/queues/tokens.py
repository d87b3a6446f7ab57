"""The token bucket behind tbf, htb, shapers and policers, in integers.

A bucket of `burst` bytes fills at a rate. Tokens are kept as time: the picoseconds that the rate needs for
them, in fixed point with `shift` fraction bits. A byte costs `byte_time`, rounded up, so that what leaves
never exceeds burst + rate x time, and falls short of it by less than one part in 2**shift of a picosecond a
byte.
"""

from __future__ import annotations

from netarium.errors import Mistake
from netarium.units import format_rate, format_size

from ..jit import kernel

BIT_PS = 8 * 10**12
"""Picoseconds a byte takes at 1 bit/s."""
SHIFT_MAX = 24
DEPTH_MAX = 1 << 60
PACKET_BYTES_MAX = 65_535
"""Largest IP packet."""


@kernel(inline=True)
def refilled(tokens, elapsed_ps, depth, shift):
    """Tokens after `elapsed_ps`: never more than `depth`."""
    if elapsed_ps > (depth - tokens) >> shift:
        return depth
    return tokens + (elapsed_ps << shift)


@kernel(inline=True)
def wait_ps(lack, shift):
    """Time until `lack` tokens (above 0) have flowed in, rounded up."""
    return (lack + (1 << shift) - 1) >> shift


def bucket(rate_bps: int, burst_bytes: int) -> tuple[int, int, int]:
    """(byte_time, shift, depth) of a bucket. Raises Mistake when the burst would take longer than days at the
    rate."""
    room_bytes = max(burst_bytes, PACKET_BYTES_MAX)
    for shift in range(SHIFT_MAX, -1, -1):
        byte_time = -((-BIT_PS << shift) // rate_bps)
        if byte_time * room_bytes < DEPTH_MAX:
            return byte_time, shift, byte_time * burst_bytes
    raise Mistake(
        f"a burst of {format_size(burst_bytes)} at {format_rate(rate_bps)}",
        "a burst that the rate carries within ten days",
        "raise the rate or lower the burst",
    )
