"""Which class a priority belongs to, for disciplines with named classes (drr, htb): sixteen numbers in
eight slots.
"""

from __future__ import annotations

from typing import Any

from ..jit import kernel

CLASS_OF = 2
"""Slots of `i` of the discipline from here on, two priorities to a slot, 32 bits each."""
PRIORITIES = 16


@kernel(inline=True)
def class_of(queue, priority):
    """The class of a priority, as an index among the discipline's classes."""
    return (queue.i[CLASS_OF + (priority >> 1)] >> (32 * (priority & 1))) & 0x7FFFFFFF


def encode(queue: Any, spec: Any) -> None:
    """Write the class of each priority; those that no class names go to `default`, or else to the last
    class."""
    names = list(spec.classes)
    rest = names.index(spec.default) if spec.default is not None else len(names) - 1
    of = [rest] * PRIORITIES
    for index, each in enumerate(spec.classes.values()):
        for priority in each.priorities:
            of[priority] = index
    for slot in range(PRIORITIES // 2):
        queue.i[CLASS_OF + slot] = of[2 * slot] | of[2 * slot + 1] << 32
