"""Streams as disciplines tell them apart (IEEE 802.1Q-2022 section 8.6.5.3): a filter for each service or slice that a
port names, and behind it a state for each stream.

Each flow of a service is a stream of its own where the service has a fixed number of them; a slice is one stream.
"""

from __future__ import annotations

from typing import Any

from ..jit import kernel
from ..records import NONE, record

FILTER = record(
    ("key", "i8", "2 x service, or 2 x band of a slice + 1; filters of a port are sorted by it"),
    ("meter_first", "i8", "its first state in meters"),
    ("meter_count", "i8", "states: flow number n has number n mod this"),
    ("most_bytes", "i8", "largest IP packet, or NONE"),
    ("oversize_blocks", "i8", "1: a packet that is larger blocks its stream for good"),
    ("metered", "i8", "1: the states hold token buckets"),
    ("gate_first", "i8", "its stream gate's first entry in gates, or NONE"),
    ("gate_count", "i8", "entries"),
    ("cycle_ps", "i8", "the stream gate's cycle"),
    ("base_ps", "i8", "when one begins, on the node's clock"),
    ("invalid_closes", "i8", "1: a packet that finds the gate closed closes it for good"),
    ("closed", "i8", "1: it is"),
    ("yellow_drops", "i8", "1: yellow packets are dropped"),
    ("red_blocks", "i8", "1: a red packet blocks its stream for good"),
)
"""What a port does with the streams of one service or slice."""

METER = record(
    ("byte_time", "i8", "committed bucket: tokens a byte costs (see tokens.py)"),
    ("shift", "i8", "fraction bits of its tokens"),
    ("depth", "i8", "tokens of the full bucket"),
    ("tokens", "i8", "tokens at last_ps"),
    ("excess_byte_time", "i8", "excess bucket: the same, 0 when there is none"),
    ("excess_shift", "i8", ""),
    ("excess_depth", "i8", ""),
    ("excess_tokens", "i8", ""),
    ("last_ps", "i8", "when tokens were last reckoned"),
    ("blocked", "i8", "1: the stream is blocked for good"),
    ("empty_ps", "i8", "ats: BucketEmptyTime, a reading of the node's clock"),
)
"""The state of one stream at one port."""


@kernel
def find_key(sim, first, count, key):
    """The filter of a key among `count` sorted ones, or NONE."""
    low = first
    high = first + count
    while low < high:
        middle = (low + high) >> 1
        if sim.filters[middle].key < key:
            low = middle + 1
        else:
            high = middle
    if low < first + count and sim.filters[low].key == key:
        return low
    return NONE


@kernel
def filter_of(sim, first, count, packet):
    """The filter of a packet: that of its service, else that of its slice, else NONE."""
    found = find_key(sim, first, count, 2 * int(sim.flows[packet.flow].service))
    if found == NONE and packet.band > 0:
        found = find_key(sim, first, count, 2 * int(packet.band) + 1)
    return found


@kernel(inline=True)
def meter_of(sim, filter_record, packet):
    """The state of a packet's stream, as an index of meters."""
    return filter_record.meter_first + int(sim.flows[packet.flow].number) % filter_record.meter_count


def members(entry: Any, site: Any, at: tuple[Any, ...]) -> list[tuple[int, int]]:
    """[(key, streams)] of the services or slices that an entry names. Raises Mistake within `at` for unknown names."""
    from netarium.errors import Mistake

    family = "services" if entry.services is not None else "slices"
    found = []
    for name in getattr(entry, family):
        try:
            known = site.find(family, name)
        except Mistake as mistake:
            raise Mistake(mistake.found, mistake.expected, mistake.hint, (*at, family)) from None
        found.append((2 * known[0], known[1]) if family == "services" else (2 * known + 1, 1))
    return found


def lay_out(spec: Any, site: Any, table: Any, make_filter: Any, make_meter: Any) -> tuple[int, int]:
    """Add the filters and meters of a discipline to the table of a run; returns (first filter, how many).

    make_filter(row, entry), make_meter(row, entry): write what the discipline needs. Raises Mistake for a name that
    is unknown or stands in two entries.
    """
    from netarium.errors import Mistake

    named: dict[int, Any] = {}
    first = len(table.filters)
    for index, entry in enumerate(spec.streams):
        for key, count in members(entry, site, ("streams", index)):
            if key in named:
                raise Mistake("a service or slice named before", "each of them once", at=("streams", index))
            named[key] = (entry, count)
    for key in sorted(named):
        entry, count = named[key]
        row = table.new_filter()
        row["key"], row["meter_first"], row["meter_count"] = key, len(table.meters), count
        make_filter(row, entry)
        for _ in range(count):
            make_meter(table.new_meter(), entry)
    return first, len(named)
