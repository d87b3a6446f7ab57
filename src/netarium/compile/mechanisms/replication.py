"""Replication and elimination of IEEE 802.1CB (docs/kinds/replication.md)."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from netarium.compile.mechanisms.terms import Bound


def bound(members: Sequence[Bound], failures: int = 0) -> Bound:
    """From the source to the sink behind elimination, with the bounds of each path from end to end.

    failures: how many paths may lose packets. With none, a packet is there by the smallest of the largest latencies; with f, by
    the smallest but f. backlog_bytes adds up: every path carries everything. Thomas, Mifdaoui and Le Boudec, Worst-case delay
    bounds in time-sensitive networks with packet replication and elimination, IEEE/ACM ToN 2022, section IV.
    """
    if not 0 <= failures < len(members):
        raise ValueError(f"{failures} failures among {len(members)} paths")
    latest = sorted(member.latency_ps for member in members)
    return Bound(
        latest[failures],
        sum(member.backlog_bytes for member in members),
        min(member.least_ps for member in members),
    )


def history_length(members: Sequence[Bound], packet_gap_ps: float) -> int:
    """The shortest history that tells every repeated packet: numbers that pass while the slowest copy is behind the fastest.

    IEEE 802.1CB-2017 annex C.7; packet_gap_ps: least time between two packets of the stream.
    """
    spread_ps = max(m.latency_ps for m in members) - min(m.least_ps for m in members)
    return max(2, ceil(spread_ps / packet_gap_ps) + 1)
