"""What to ask instead of a slice that was refused: changes that were tried, and would be accepted.

Values are rounded to four significant digits to the safe side, so that they can be typed as they are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import floor, isfinite, log10
from typing import Any

import numpy as np

from netarium.compile.ledger import Request
from netarium.compile.placement import (
    ALTERNATIVE,
    BURST_PACKETS,
    allowed_ports,
    examine,
    least_steps,
    place,
    search_paths,
    width_bps,
)
from netarium.compile.search import PathSearch, widest
from netarium.compile.timetable import ALWAYS_PS, Span, Timetable
from netarium.units import RATE, SIZE, TIME, write

_DIMENSIONS = {
    "bandwidth": RATE, "latency": TIME, "delay_variation": TIME, "burst": SIZE, "start": TIME, "end": TIME,
}  # fmt: skip
_PROMISES = ("latency", "delay_variation", "loss")


@dataclass(frozen=True)
class Alternative:
    """A change of some fields of a slice (names and units of the model) with which it would be accepted."""

    what: str
    changes: tuple[tuple[str, Any], ...]

    def applied(self, request: Request) -> Request:
        return replace(request, **dict(self.changes))

    def __str__(self) -> str:
        return f"{self.what}: " + ", ".join(
            f"{field}: {_typed(field, value)}" for field, value in self.changes
        )


def _typed(field: str, value: Any) -> str:
    """A value as it is written in a trial."""
    dimension = _DIMENSIONS.get(field)
    if dimension is not None:
        return write(value, dimension)
    if isinstance(value, str):
        return value
    return f"[{', '.join(value)}]" if isinstance(value, tuple) else f"{value:g}"


def alternatives(
    span: Span,
    request: Request,
    wanted: tuple[str, ...],
    times: Timetable | None = None,
    until_ps: int = ALWAYS_PS,
) -> tuple[Alternative, ...]:
    """Changes to `request`, which `span` refuses, each accepted when asked again. `wanted`: nodes of its
    path; times: what stands at other times, `until_ps` the end of all.

    First single changes: less bandwidth on the wanted path, then on any path; another path; a longer latency
    or delay variation, more loss, another burst. If no single change does, the promises and the bandwidth
    together. A later time is offered beside these.
    """
    asked, request = request, replace(request, mechanism=span.mechanism)
    found = [change for change in _single_changes(span, request, wanted) if _accepted(span, request, change)]
    other = place(span, replace(asked, mechanism="auto")) if asked.mechanism != "auto" else None
    if other is not None:
        found.append(Alternative("another mechanism", (("mechanism", other.mechanism),)))
    later = None if times is None else later_time(times, asked, until_ps)
    if later is not None:
        found.append(later)
    if not found:
        found = [change for change in _joint_changes(span, request) if _accepted(span, request, change)]
    return tuple(found)


def later_time(times: Timetable, request: Request, until_ps: int) -> Alternative | None:
    """The earliest later start, as long as asked, at which the slice is accepted before `until_ps`."""
    for start in times.starts_after(request):
        end = None if request.end is None else request.end - request.start + start
        if start >= until_ps or (end is not None and end > until_ps):
            return None
        moved = replace(request, start=start, end=end)
        if place(times.span(moved), moved) is not None:
            changes = (("start", start),) if end is None else (("start", start), ("end", end))
            return Alternative("a later time", changes)
    return None


def _accepted(span: Span, request: Request, change: Alternative) -> bool:
    return place(span, change.applied(request)) is not None


def _quick(span: Span, request: Request) -> bool:
    return place(span, request, ALTERNATIVE) is not None


def _single_changes(span: Span, request: Request, wanted: tuple[str, ...]) -> Iterator[Alternative]:
    here = most_bandwidth(span, replace(request, path=wanted))
    anywhere = most_bandwidth(span, replace(request, path=None))
    if 0 < here < request.bandwidth:
        change = (
            {"bandwidth": here} if request.path or here == anywhere else {"bandwidth": here, "path": wanted}
        )
        yield Alternative("the largest bandwidth on the wanted path", tuple(change.items()))
    if max(here, 0) < anywhere < request.bandwidth:
        change = {"bandwidth": anywhere}
        if request.path:
            change["path"] = _path(place(span, replace(request, path=None, bandwidth=anywhere)))
        yield Alternative("the largest bandwidth on any path", tuple(change.items()))
    if request.path:
        other = place(span, replace(request, path=None))
        if other is not None:
            yield Alternative("another path", (("path", _path(other)),))
    for promise in _PROMISES:
        if getattr(request, promise) is not None:
            after = least(span, replace(request, **{promise: None}), promise)
            if after is not None and _promised(after, promise) is not None:
                text = f"the smallest {promise.replace('_', ' ')} that can be promised"
                yield Alternative(text, ((promise, _promised(after, promise)),))
    yield from _other_bursts(span, request)


def _other_bursts(span: Span, request: Request) -> Iterator[Alternative]:
    """The smallest burst when less than a packet is asked, otherwise the largest below the one asked; none for a
    message."""
    if request.period is not None:
        return
    mtus = [int(mtu) for mtu in np.unique(span.graph.mtu_bytes)]
    asked = BURST_PACKETS * max(mtus) if request.burst is None else request.burst
    if asked < max(mtus):
        for mtu in mtus:
            if mtu > asked and place(span, replace(request, burst=mtu)):
                yield Alternative("the smallest burst", (("burst", mtu),))
                return
    burst = most(min(mtus), asked - 1, lambda size: _quick(span, replace(request, burst=size)))
    if burst > 0:
        yield Alternative("the largest burst", (("burst", burst),))


def _joint_changes(span: Span, request: Request) -> Iterator[Alternative]:
    """The most bandwidth without the other promises, with what can then be promised; with a small burst if
    need be."""
    packet = int(span.graph.mtu_bytes.max())
    for burst in dict.fromkeys((request.burst, packet if request.period is None else None)):
        for path in dict.fromkeys((request.path, None)):
            bare = replace(request, latency=None, delay_variation=None, loss=None, burst=burst, path=path)
            bandwidth = min(request.bandwidth, most_bandwidth(span, bare))
            after = place(span, replace(bare, bandwidth=bandwidth)) if bandwidth > 0 else None
            changes = _differences(request, after) if after is not None else None
            if changes:
                yield Alternative("together", changes)
                return


def _differences(request: Request, after: Span) -> tuple[tuple[str, Any], ...] | None:
    """What `request` must change to be the last slice of `after`; None when a promise has no bound there."""
    fit = after.fits[-1]
    changes: dict[str, Any] = {}
    for field in ("bandwidth", "burst"):
        if getattr(fit.request, field) != getattr(request, field):
            changes[field] = getattr(fit.request, field)
    if fit.request.path != request.path:
        changes["path"] = _path(after)
    for promise in _PROMISES:
        asked = getattr(request, promise)
        if asked is not None and _value(after, promise) > asked:
            changes[promise] = _promised(after, promise)
    return None if None in changes.values() else tuple(changes.items())


def _path(span: Span | None) -> tuple[str, ...]:
    return span.graph.nodes_along(span.fits[-1].ports) if span is not None else ()


def _promised(after: Span, promise: str) -> int | float | None:
    """What the last slice of `after` can promise, rounded up; None when there is no bound."""
    value = _value(after, promise)
    if not isfinite(value):
        return None
    return _up(value * 1e15) / 1e15 if promise == "loss" else _up(int(value))


def _value(after: Span, promise: str) -> float:
    if promise == "loss":
        return after.fits[-1].loss
    return after.latency_ps() if promise == "latency" else after.variation_ps()


def least(span: Span, request: Request, promise: str) -> Span | None:
    """With `request` on the path of the smallest bound of one promise, over all paths (branch and bound)."""
    span = replace(span, shortest_cycle=True)
    steps = least_steps(span, request, promise)
    best: Span | None = None
    search = search_paths(span, request, steps, partial_most=ALTERNATIVE.partial_most)
    for number, (length, ports) in enumerate(search, 1):
        if best is not None and (promise == "loss" or length > _value(best, promise)):
            break
        after = examine(span, request, ports)
        if after is not None and (best is None or _value(after, promise) < _value(best, promise)):
            best = after
        if number >= ALTERNATIVE.whole_most:
            break
    return best


def most_bandwidth(span: Span, request: Request) -> int:
    """Largest bandwidth in bit/s with which `request` is accepted, all else as asked; 0 when there is
    none."""
    wide = max((_widest(span, request, int(mtu)) for mtu in np.unique(span.graph.mtu_bytes)), default=0)
    return most(1, wide, lambda bandwidth: _quick(span, replace(request, bandwidth=bandwidth)))


def _widest(span: Span, request: Request, mtu: int) -> int:
    """Bandwidth of the widest path for packets of `mtu` bytes, looking only at what is left."""
    graph = span.graph
    allowed = allowed_ports(graph, request) & (graph.mtu_bytes >= mtu)
    search = PathSearch(graph, graph.node(request.from_), graph.node(request.to), allowed, span.costs)
    return widest(search, width_bps(span, mtu, request).tolist())


def most(low: int, high: int, works: Callable[[int], bool]) -> int:
    """Largest value from `low` to `high` that works, rounded down to four digits; 0 when none does.

    What works for a value works for every smaller one.
    """
    high = _down(high)
    if high < low or not works(low):
        return 0
    if works(high):
        return high
    while high - low > max(1, low // 10**5):
        middle = (low + high) // 2
        low, high = (middle, high) if works(middle) else (low, middle)
    return max(_down(low), 1)


def _down(value: int) -> int:
    """Rounded down to four significant digits."""
    unit = 10 ** max(0, len(str(value)) - 4)
    return value // unit * unit


def _up(value: float) -> int:
    """Rounded up to a whole number of four significant digits."""
    if value <= 0:
        return 0
    unit = 10 ** max(0, floor(log10(value)) - 3)
    return int(-(-value // unit) * unit)
