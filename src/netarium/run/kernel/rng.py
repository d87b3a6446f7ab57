"""Counter-based random numbers: one independent stream per entity, so that adding one changes no other's draws.

Draw n of a stream is splitmix64's finaliser applied to key + n * 0x9E3779B97F4A7C15 (Steele, Lea and Flood, "Fast splittable
pseudorandom number generators", OOPSLA 2014). All arithmetic is on int64 with wrap-around, in halves of 32 bits where plain
Python would otherwise leave the 64-bit range, so that compiled and interpreted runs draw the same numbers.
"""

from __future__ import annotations

import math

from .jit import INTERPRETED, kernel

GOLDEN = -7046029254386353131
"""0x9E3779B97F4A7C15 as a signed 64-bit integer."""
MIX_1 = -4658895280553007687
"""0xBF58476D1CE4E5B9 as a signed 64-bit integer."""
MIX_2 = -7723592293110705685
"""0x94D049BB133111EB as a signed 64-bit integer."""
TO_UNIT = 1.0 / 9007199254740992.0
"""2**-53."""


def plain_mix64(value: int) -> int:
    """splitmix64's finaliser on a signed 64-bit integer, in plain Python."""
    mask = 0xFFFFFFFFFFFFFFFF
    x = int(value) & mask
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & mask
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & mask
    x ^= x >> 31
    return x - (1 << 64) if x >> 63 else x


def plain_advance(key: int, count: int) -> int:
    """The state of a stream after `count` steps, in plain Python."""
    x = (int(key) + int(count) * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    return x - (1 << 64) if x >> 63 else x


if INTERPRETED:
    mix64, advance = plain_mix64, plain_advance
else:

    @kernel(inline=True)
    def mix64(value):
        """splitmix64's finaliser on a signed 64-bit integer."""
        x = (value ^ ((value >> 30) & 0x3FFFFFFFF)) * MIX_1
        x = (x ^ ((x >> 27) & 0x1FFFFFFFFF)) * MIX_2
        return x ^ ((x >> 31) & 0x1FFFFFFFF)

    @kernel(inline=True)
    def advance(key, count):
        """The state of a stream after `count` steps."""
        return key + count * GOLDEN


@kernel(inline=True)
def next_bits(stream):
    """The next 63 random bits of a stream record, as a non-negative int64."""
    stream.count += 1
    return mix64(advance(stream.key, stream.count)) & 0x7FFFFFFFFFFFFFFF


@kernel(inline=True)
def next_uniform(stream):
    """The next draw of a stream, uniform in [0, 1) with 53 bits."""
    return (next_bits(stream) >> 10) * TO_UNIT


@kernel
def next_exponential(stream, mean):
    """An exponential draw with the given mean (inverse transform)."""
    return -mean * math.log(1.0 - next_uniform(stream))


@kernel
def next_normal(stream):
    """A standard normal draw (Box and Muller 1958, the cosine half only: two uniforms a draw)."""
    radius = math.sqrt(-2.0 * math.log(1.0 - next_uniform(stream)))
    return radius * math.cos(6.283185307179586 * next_uniform(stream))
