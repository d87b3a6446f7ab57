"""Traffic classes of IEEE 802.1Q: which class a priority belongs to, three bits each in one slot."""

from __future__ import annotations

from typing import Any

from ..jit import kernel

CLASS_OF = 0
"""Slot of `i` of the discipline."""
BITS = 3


@kernel(inline=True)
def class_of(queue, priority):
    """The traffic class of a priority."""
    return (queue.i[CLASS_OF] >> (BITS * (priority & 15))) & 7


def encode(queue: Any, spec: Any) -> None:
    """Write the class of each of the 16 priorities."""
    queue.i[CLASS_OF] = sum(number << (BITS * priority) for priority, number in enumerate(spec.class_of))
