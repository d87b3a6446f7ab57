"""Lay out the records of a port's queue discipline: the compile stage calls `build` once a port.

A root and its children: children are neighbours, and child_first points at the first. A class of drr or htb
is a record whose one child is its leaf.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netarium.errors import Mistake

from ..records import NONE, QUEUE
from . import (
    ats,
    cbs,
    codel,
    cqf,
    drr,
    fifo,
    fq_codel,
    gates,
    htb,
    kinds,
    pie,
    prio,
    psfp,
    red,
    shaper,
    streams,
    strict,
    taprio,
    tbf,
    traffic_classes,
    user,
)
from .site import NOWHERE, Site

KINDS: dict[str, int] = {
    "pfifo": kinds.PFIFO,
    "bfifo": kinds.BFIFO,
    "tbf": kinds.TBF,
    "red": kinds.RED,
    "codel": kinds.CODEL,
    "fq_codel": kinds.FQ_CODEL,
    "pie": kinds.PIE,
    "user": kinds.USER,
    "prio": kinds.PRIO,
    "drr": kinds.DRR,
    "htb": kinds.HTB,
    "mqprio": kinds.MQPRIO,
    "cbs": kinds.CBS,
    "taprio": kinds.TAPRIO,
    "cqf": kinds.CQF,
    "ats": kinds.ATS,
    "psfp": kinds.PSFP,
    "strict": kinds.STRICT,
    "shaper": kinds.SHAPER,
}
"""Word of a discipline -> its code."""

ENCODERS: dict[str, Callable[[Any, Any, int, int], None]] = {
    "pfifo": fifo.encode_pfifo,
    "bfifo": fifo.encode_bfifo,
    "tbf": tbf.encode,
    "red": red.encode,
    "codel": codel.encode,
    "pie": pie.encode,
    "cbs": cbs.encode,
}
"""Leaves without records of their own below them."""


CLASS_PACKETS = 1000
"""Packets that wait in a traffic class that states no queue, as pfifo's default."""


class QueueTable:
    """The queue records of all ports, growing while ports are laid out."""

    def __init__(self) -> None:
        self._records = np.zeros(64, QUEUE)
        self.count = 0
        self.gates: list[tuple[int, ...]] = []
        self.filters: list[NDArray[Any]] = []
        self.meters: list[NDArray[Any]] = []

    def take(self, count: int) -> int:
        """Room for `count` neighbouring empty queues; returns the index of the first."""
        first, end = self.count, self.count + count
        if end > len(self._records):
            grown = np.zeros(max(end, 2 * len(self._records)), QUEUE)
            grown[:first] = self._records[:first]
            self._records = grown
        new = self._records[first:end]
        for field in ("head", "tail", "child_first", "stream", "hook", "port"):
            new[field] = NONE
        new["limit_packets"] = kinds.NO_LIMIT_PACKETS
        new["limit_bytes"] = kinds.NO_LIMIT_BYTES
        self.count = end
        return first

    def __getitem__(self, index: int) -> Any:
        """One record, to be written through. Invalid after the next `take`."""
        return self._records[index]

    def span(self, first: int, count: int) -> NDArray[Any]:
        """Neighbouring records. Invalid after the next `take`."""
        return self._records[first : first + count]

    def new_filter(self) -> Any:
        """One more filter of streams, zeroed, to be written by field."""
        self.filters.append(np.zeros((), streams.FILTER))
        return self.filters[-1]

    def new_meter(self) -> Any:
        """One more state of a stream, zeroed, to be written by field."""
        self.meters.append(np.zeros((), streams.METER))
        return self.meters[-1]

    def extras(self) -> dict[str, NDArray[Any]]:
        """The arrays beside the records: gates, filters, meters; at least one element each."""
        found = {
            "gates": np.array(self.gates, np.int64).reshape(-1, len(gates.GATE.names or ())),
            "filters": np.array(self.filters, streams.FILTER),
            "meters": np.array(self.meters, streams.METER),
        }
        lists = np.zeros(max(1, len(self.gates)), gates.GATE)
        for column, name in enumerate(gates.GATE.names or ()):
            lists[name][: len(self.gates)] = found["gates"][:, column]
        found["gates"] = lists
        for name, dtype in (("filters", streams.FILTER), ("meters", streams.METER)):
            found[name] = found[name] if len(found[name]) else np.zeros(1, dtype)
        return found

    def array(self) -> NDArray[Any]:
        """QUEUE[count], at least one element."""
        return self._records[: max(1, self.count)].copy()


def children(spec: Any, site: Site = NOWHERE) -> int:
    """How many records a discipline needs beside its root, all levels together."""
    if spec.kind == "mqprio":
        return spec.num_tc + sum(children(each, site) for each in spec.queues.values())
    if spec.kind == "taprio":
        return 2 * spec.num_tc + sum(children(each, site) for each in spec.queues.values())
    if spec.kind == "cqf":
        return cqf.children(spec, site) + children(spec.queue, site)
    if spec.kind == "ats":
        return ats.children(spec, site)
    if spec.kind == "psfp":
        return 1 + children(spec.queue, site)
    if spec.kind == "fq_codel":
        return fq_codel.children(spec)
    if spec.kind == "user":
        return user.children(spec)
    if spec.kind == "prio":
        return spec.bands * (1 + children(spec.child))
    if spec.kind in ("drr", "htb"):
        return sum(2 + children(each.queue) for each in spec.classes.values())
    if spec.kind == "strict":
        return 2 + children(spec.best_effort)
    if spec.kind == "shaper":
        return len(spec.slices) + 1 + children(spec.best_effort)
    return 0


def build(
    spec: Any,
    port: int,
    rate_bps: int,
    mtu_bytes: int,
    table: QueueTable,
    stream: int = NONE,
    hook_of: Callable[[Any], tuple[int, int]] | None = None,
    site: Site = NOWHERE,
) -> int:
    """Lay out a discipline at a port; returns the index of its root in the table.

    spec: a queue of the description (describe/queues.py), or strict.Strict or shaper.Shaper around one.
    stream: the port's random stream (red, pie and user draw from it). hook_of: for a user's queue, the index
    of its first function in hooks (user.load) and its limit (user.limit_packets). site: what surrounds the port.
    Raises Mistake (its `at` within spec) for parameters that cannot work on this link, and for classes inside
    classes.
    """
    layout = _Layout(port, rate_bps, mtu_bytes, table, stream, hook_of, site)
    layout.root = table.take(1)
    layout.place(layout.root, spec, ())
    return layout.root


class _Layout:
    """One port's discipline while it is laid out."""

    def __init__(
        self,
        port: int,
        rate_bps: int,
        mtu_bytes: int,
        table: QueueTable,
        stream: int,
        hook_of: Callable[[Any], tuple[int, int]] | None,
        site: Site,
    ) -> None:
        self.site, self.root = site, NONE
        self.port, self.rate_bps, self.mtu_bytes = port, rate_bps, mtu_bytes
        self.table, self.stream, self.hook_of = table, stream, hook_of

    def place(self, index: int, spec: Any, at: tuple[str | int, ...]) -> None:
        """Fill record `index` and everything below it."""
        record = self.table[index]
        record.kind = KINDS[spec.kind]
        record.port = self.port
        record.stream = self.stream
        try:
            getattr(self, f"_{spec.kind}", self._plain)(index, spec, at)
        except Mistake as mistake:
            if mistake.at[: len(at)] == at:
                raise
            raise Mistake(mistake.found, mistake.expected, mistake.hint, (*at, *mistake.at)) from None

    def _children(self, index: int, count: int, kind: int = kinds.CLASS) -> int:
        first = self.table.take(count)
        self.table[index].child_first = first
        self.table[index].child_count = count
        span = self.table.span(first, count)
        span["kind"] = kind
        span["port"] = self.port
        span["stream"] = self.stream
        return first

    def _leaf(self, index: int, spec: Any, at: tuple[str | int, ...]) -> None:
        if KINDS[spec.kind] > kinds.LAST_LEAF:
            leaves = ", ".join(word for word, code in KINDS.items() if code <= kinds.LAST_LEAF)
            raise Mistake(f"{spec.kind} inside another discipline with classes", f"one of {leaves}", at=at)
        self.place(index, spec, at)

    def _plain(self, index: int, spec: Any, at: tuple[str | int, ...]) -> None:
        ENCODERS[spec.kind](self.table[index], spec, self.rate_bps, self.mtu_bytes)

    def _fq_codel(self, index: int, spec: Any, at: tuple[str | int, ...]) -> None:
        first = self._children(index, spec.flows, kinds.FLOW)
        flows = self.table.span(first, spec.flows)
        fq_codel.encode(self.table[index], flows, spec, self.rate_bps, self.mtu_bytes)

    def _user(self, index: int, spec: Any, at: tuple[str | int, ...]) -> None:
        if self.hook_of is None:
            raise ValueError("a user's queue needs hook_of")
        self._children(index, user.BANDS, kinds.FLOW)
        user.encode(self.table[index], *self.hook_of(spec))

    def _prio(self, index: int, spec: Any, at: tuple[str | int, ...]) -> None:
        prio.encode(self.table[index], spec)
        first = self._children(index, spec.bands)
        for band in range(spec.bands):
            self._leaf(first + band, spec.child, (*at, "child"))

    def _drr(self, index: int, spec: Any, at: tuple[str | int, ...]) -> None:
        drr.encode(self.table[index], spec)
        first = self._children(index, len(spec.classes))
        for k, (name, each) in enumerate(spec.classes.items()):
            drr.encode_class(self.table[first + k], each, self.mtu_bytes)
            self._leaf(self._children(first + k, 1), each.queue, (*at, "classes", name, "queue"))

    def _htb(self, index: int, spec: Any, at: tuple[str | int, ...]) -> None:
        htb.encode(self.table[index], spec)
        first = self._children(index, len(spec.classes))
        rate_min_bps = min(each.rate for each in spec.classes.values())
        for k, (name, each) in enumerate(spec.classes.items()):
            htb.encode_class(self.table[first + k], each, rate_min_bps, self.mtu_bytes)
            self._leaf(self._children(first + k, 1), each.queue, (*at, "classes", name, "queue"))

    def _strict(self, index: int, spec: Any, at: tuple[str | int, ...]) -> None:
        first = self._children(index, 2)
        strict.encode(self.table[first + strict.SLICES], spec)
        self.place(first + strict.BEST_EFFORT, spec.best_effort, at)

    def _shaper(self, index: int, spec: Any, at: tuple[str | int, ...]) -> None:
        shaper.encode(self.table[index], spec, self.site.wire_ps(self.mtu_bytes, self.rate_bps) + 1)
        slices = sorted(spec.slices, key=lambda each: each.band)
        first = self._children(index, len(slices) + 1)
        for k, each in enumerate(slices):
            shaper.encode_class(self.table[first + k], each)
        self.place(first + len(slices), spec.best_effort, at)

    def _class_leaf(self, index: int, spec: Any, k: int, at: tuple[str | int, ...]) -> None:
        """The leaf of traffic class k: as stated, else a pfifo of 1000 packets."""
        if k in spec.queues:
            self._leaf(index, spec.queues[k], (*at, "queues", k))
        else:
            self.table[index].kind = kinds.PFIFO
            self.table[index].limit_packets = CLASS_PACKETS

    def _mqprio(self, index: int, spec: Any, at: tuple[str | int, ...]) -> None:
        traffic_classes.encode(self.table[index], spec)
        first = self._children(index, spec.num_tc)
        for k in range(spec.num_tc):
            self._class_leaf(first + k, spec, k, at)

    def _taprio(self, index: int, spec: Any, at: tuple[str | int, ...]) -> None:
        taprio.encode(self.table[index], spec, self.table.gates)
        first = self._children(index, spec.num_tc)
        for k in range(spec.num_tc):
            taprio.encode_class(self.table[first + k], spec, k, self.mtu_bytes, self._longest_reading_ps)
            if k in spec.queues and spec.queues[k].kind == "cbs":
                hint = "give the class a tbf, or the port an mqprio"
                raise Mistake("cbs behind a gate", "a queue without credit", hint, at=(*at, "queues", k))
            self._class_leaf(self._children(first + k, 1), spec, k, at)

    def _longest_reading_ps(self, size_bytes: int) -> int:
        """What the node's clock shows at most while a packet is sent."""
        return self.site.reading_ps(self.site.wire_ps(size_bytes, self.rate_bps))

    def _cqf(self, index: int, spec: Any, at: tuple[str | int, ...]) -> None:
        cqf.encode(self.table[index], spec, self.rate_bps, self.mtu_bytes, self.site)
        first = self._children(index, cqf.children(spec, self.site), kinds.FLOW)
        for k, ingress in enumerate(cqf.labelled_neighbours(spec, self.site)):
            cqf.encode_neighbour(self.table[first + spec.queues + 1 + k], spec, ingress, self.site)
        self._leaf(first + spec.queues, spec.queue, (*at, "queue"))

    def _ats(self, index: int, spec: Any, at: tuple[str | int, ...]) -> None:
        count = ats.children(spec, self.site)
        first = self._children(index, count, kinds.FLOW)
        ats.encode(self.table[index], self.table.span(first, count), spec, self.site, self.table)

    def _psfp(self, index: int, spec: Any, at: tuple[str | int, ...]) -> None:
        if index != self.root:
            raise Mistake("psfp inside another discipline", "psfp around it", at=at)
        psfp.encode(self.table[index], spec, self.site, self.table)
        if spec.queue.kind == "psfp":
            raise Mistake("psfp inside psfp", "one list of streams", at=(*at, "queue"))
        self.place(self._children(index, 1), spec.queue, (*at, "queue"))
