"""Reading and changing bytes of frames: numbers in network order, the Internet checksum (RFC 1071)."""

from __future__ import annotations

from ..jit import kernel


@kernel(inline=True)
def get8(sim, at):
    """The byte at a place of the arena."""
    return int(sim.arena[at])


@kernel(inline=True)
def get16(sim, at):
    """Two bytes, largest first."""
    return (int(sim.arena[at]) << 8) | int(sim.arena[at + 1])


@kernel
def get32(sim, at):
    """Four bytes, largest first."""
    return (get16(sim, at) << 16) | get16(sim, at + 2)


@kernel
def get48(sim, at):
    """Six bytes, largest first: a MAC address."""
    return (get16(sim, at) << 32) | get32(sim, at + 2)


@kernel
def get64(sim, at):
    """Eight bytes as a signed number: half of an IPv6 address."""
    high = get32(sim, at)
    if high >= 1 << 31:
        high -= 1 << 32
    return (high << 32) | get32(sim, at + 4)


@kernel(inline=True)
def put8(sim, at, value):
    """Write a byte."""
    sim.arena[at] = value & 0xFF


@kernel(inline=True)
def put16(sim, at, value):
    """Write two bytes, largest first."""
    sim.arena[at] = (value >> 8) & 0xFF
    sim.arena[at + 1] = value & 0xFF


@kernel
def put32(sim, at, value):
    """Write four bytes, largest first."""
    put16(sim, at, value >> 16)
    put16(sim, at + 2, value)


@kernel
def put48(sim, at, value):
    """Write six bytes, largest first."""
    put16(sim, at, value >> 32)
    put32(sim, at + 2, value)


@kernel
def words(sim, at, count):
    """The sum of `count` bytes as 16-bit numbers; an odd last byte is the upper half of one."""
    total = 0
    end = at + (count & ~1)
    while at < end:
        total += (int(sim.arena[at]) << 8) | int(sim.arena[at + 1])
        at += 2
    if count & 1:
        total += int(sim.arena[at]) << 8
    return total


@kernel
def fold(total):
    """A sum of 16-bit words brought into 16 bits by adding its carries."""
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    return (total & 0xFFFF) + (total >> 16)
