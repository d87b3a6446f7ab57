"""Where the bytes of frames lie: slots of two sizes in one arena, for frames alone and for trains.

Slots are taken from a list of used ones, last freed first, else from those never used, so that no more memory is touched than
frames are on their way at once. Before the slots there is room for one header that is being written.
"""

from __future__ import annotations

from ..jit import kernel
from ..records import NONE
from .system import copy

HEADER_ROOM = 512
"""At the start of the arena: the header that is written next, and behind it a whole one of an answer."""
HEADER_AT = 16
"""Where its Ethernet header begins; the virtio-net header stands right before."""
VNET_ROOM = 16
"""Room for the virtio-net header before the Ethernet header of each slot."""
LARGE_BYTES = 68 * 1024
"""Room of a slot for a train: the longest IP packet, its Ethernet header, and some."""


@kernel
def place_of(sim, slot):
    """Where a slot's room begins in the arena."""
    real = sim.real[0]
    if slot < real.small_count:
        return HEADER_ROOM + slot * real.small_bytes
    return HEADER_ROOM + real.small_count * real.small_bytes + (slot - real.small_count) * LARGE_BYTES


@kernel
def take_small(sim):
    """A small slot, or NONE when all are taken."""
    real = sim.real[0]
    slot = real.small_free
    if slot != NONE:
        real.small_free = sim.slots[slot].next
    elif real.small_fresh < real.small_count:
        slot = real.small_fresh
        real.small_fresh = slot + 1
    return slot


@kernel
def take_large(sim):
    """A large slot, or NONE when all are taken."""
    real = sim.real[0]
    slot = real.large_free
    if slot != NONE:
        real.large_free = sim.slots[slot].next
    elif real.large_fresh < len(sim.slots):
        slot = real.large_fresh
        real.large_fresh = slot + 1
    return slot


@kernel
def let_go(sim, slot):
    """One packet less needs these bytes."""
    held = sim.slots[slot]
    held.refs -= 1
    if held.refs > 0:
        return
    real = sim.real[0]
    if slot < real.small_count:
        held.next = real.small_free
        real.small_free = slot
    else:
        held.next = real.large_free
        real.large_free = slot


@kernel
def settle_down(sim, frame_bytes):
    """The slot for the frame of `frame_bytes` that stands in the large slot `reading`: itself, or a small one it is copied to;
    NONE when there is no room."""
    real = sim.real[0]
    reading = real.reading
    if frame_bytes + VNET_ROOM <= real.small_bytes:
        slot = take_small(sim)
        if slot != NONE:
            sim.slots[slot].frame = place_of(sim, slot) + VNET_ROOM
            source = sim.slots[reading].frame - VNET_ROOM
            copy(sim, sim.slots[slot].frame - VNET_ROOM, source, frame_bytes + VNET_ROOM)
            return slot
    large = take_large(sim)
    if large == NONE:
        return NONE
    sim.slots[large].frame = place_of(sim, large) + VNET_ROOM
    real.reading = large
    return reading
