"""Gate control lists (IEEE 802.1Q-2022 sections 8.6.8.4 and 8.6.5.4): what is open when, on the node's clock.

A list is a run of GATE records; it repeats every cycle, before its base time too, and its last entry lasts to the end
of the cycle.
"""

from __future__ import annotations

from typing import Any

from ..jit import kernel
from ..records import record

GATE = record(
    ("end_ps", "i8", "end of the entry, from the beginning of the cycle"),
    ("open", "i8", "bit k: class k may send (a stream gate: bit 0)"),
    ("most_bytes", "i8", "stream gate: IP bytes that may pass in the entry, or NONE"),
    ("passed_bytes", "i8", "stream gate: IP bytes that have passed in it"),
    ("turn", "i8", "stream gate: number of the cycle they passed in"),
)
"""One entry of a list."""


@kernel
def entry_at(sim, first, count, phase_ps):
    """The entry (0 to count - 1) in force at a phase of the cycle."""
    low = 0
    high = count - 1
    while low < high:
        middle = (low + high) >> 1
        if sim.gates[first + middle].end_ps <= phase_ps:
            low = middle + 1
        else:
            high = middle
    return low


def rows(entries: Any, cycle_ps: int) -> list[tuple[int, int, int, int, int]]:
    """GATE rows of entries (interval_ps, open mask, most_bytes); the last lasts to the end of the cycle."""
    found: list[tuple[int, int, int, int, int]] = []
    end_ps = 0
    for interval_ps, mask, most_bytes in entries:
        end_ps += interval_ps
        found.append((end_ps, mask, most_bytes, 0, -1))
    found[-1] = (cycle_ps, *found[-1][1:])
    return found


def windows(entries: Any, cycle_ps: int, bit: int) -> list[int]:
    """Lengths of the windows in which `bit` is open, those over the end of the cycle as one; [-1]: always open."""
    gates = rows(entries, cycle_ps)
    if all(gate[1] >> bit & 1 for gate in gates):
        return [-1]
    lengths = [
        (gate[0] - before, gate[1] >> bit & 1)
        for gate, before in zip(gates, [0, *(g[0] for g in gates)], strict=False)
    ]
    closed = next(k for k, (_, is_open) in enumerate(lengths) if not is_open)
    found, running = [], 0
    for length, is_open in [*lengths[closed:], *lengths[:closed], (0, 0)]:
        if is_open:
            running += length
        elif running:
            found.append(running)
            running = 0
    return found
