"""The event queue: what is due, in the order of (time, sequence). A calendar holds the near future, a heap the far one.

`key` packs the sequence number (36 bits), the kind (4 bits) and the index (23 bits) of an event; it orders events of one
instant by when they were scheduled. Where an event is kept makes no difference to its order: the next one is the earlier of
the calendar's first and the heap's top.
"""

from __future__ import annotations

from . import calendar, heap
from .instructions import before, prefetch
from .jit import kernel
from .records import NONE

INDEX_BITS, KIND_BITS = 23, 4
INDEX_MASK, KIND_MASK = (1 << INDEX_BITS) - 1, (1 << KIND_BITS) - 1
SEQUENCE_MASK = (1 << 36) - 1
INDEX_LIMIT = 1 << INDEX_BITS
"""Most ports, connections, sources or jittered packets of one run."""

NEVER = (1 << 63) - (1 << 32)
"""A time that does not come: beyond the 100 days of virtual time that a run may last."""
EMPTY = heap.EMPTY
"""The time of a place in the heap that holds no event."""
ROOT = heap.ROOT


# Kinds of events
ARRIVAL, SENT, TIMER, SOURCE, SOURCE_STOP, ACTION, PACKET_ARRIVAL, FRAMES = range(8)


@kernel
def push(sim, time_ps, kind, index):
    """Schedule an event. The loop makes sure, before each event, that there is room."""
    counters = sim.counters[0]
    sequence = counters.sequence
    counters.sequence = sequence + 1
    key = ((sequence & SEQUENCE_MASK) << (INDEX_BITS + KIND_BITS)) | (kind << INDEX_BITS) | index
    if not calendar.insert(sim, time_ps, key):
        heap.push(sim, time_ps, key)


@kernel(inline=True)
def port_of(sim, node):
    """The port at which an entry of the calendar will arrive something, or 0."""
    key = sim.near[node].key
    return key & INDEX_MASK if (key >> INDEX_BITS) & KIND_MASK == ARRIVAL else 0


@kernel(inline=True)
def coming(sim, node, day):
    """An entry that comes a few events after `node`: the one behind it in its day, else the first of a later day."""
    following = sim.near[node].next
    return following if following != NONE else int(sim.day_first[day & (calendar.DAYS - 1)])


@kernel(inline=True)
def look_ahead(sim, node):
    """Ask for what the events after `node` will touch: the port, its first packet, and the port that goes to next.

    Each step needs what the one before it has brought, so it looks at a nearer event.
    """
    counters = sim.counters[0]
    today = counters.now_ps >> counters.day_log2
    soon = coming(sim, node, today + 2)
    later = coming(sim, soon, today + 4)
    last = coming(sim, later, today + 6)
    prefetch(sim.ports[port_of(sim, coming(sim, last, today + 8))], 0)
    prefetch(sim.packets[sim.ports[port_of(sim, last)].head], 0)
    head = sim.ports[port_of(sim, soon)].head
    if head != NONE:
        onward = sim.routes[sim.packets[head].route]
        prefetch(sim.ports[onward], 0)
        prefetch(sim.ports[onward], 64)


@kernel(inline=True)
def pop_until(sim, until_ps):
    """Take off the next event if it is due by `until_ps`, and set the clock to it: its key, or NONE."""
    counters = sim.counters[0]
    top = sim.events[ROOT]
    time_ps, key = top.time_ps, top.key
    node = calendar.first(sim)
    if node != NONE:
        if counters.looks_ahead:
            look_ahead(sim, node)
        entry = sim.near[node]
        if before(entry.time_ps, entry.key, time_ps, key):
            time_ps, key = entry.time_ps, entry.key
            if time_ps > until_ps:
                return NONE
            calendar.remove_first(sim, node)
            counters.now_ps = time_ps
            return key
    if time_ps > until_ps:
        return NONE
    heap.pop(sim)
    counters.now_ps = time_ps
    return key


@kernel
def next_ps(sim):
    """When the next event is due, or EMPTY."""
    time_ps = sim.events[ROOT].time_ps
    node = calendar.first(sim)
    return time_ps if node == NONE else min(time_ps, sim.near[node].time_ps)
