"""Booking in time: a trial's slices against the calendar of the facility that its network is.

The facility is the network as expanded: trials with the same nodes and links share its capacity. A booking is decided
by the same admission as a trial, beside the slices of all bookings that stand at the same time, each on the
path it was promised; nothing that was booked is moved.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from netarium.errors import AdmissionRefused, Problem, TrialInvalid
from netarium.store.calendar import BookedSlice, Booking, Calendar
from netarium.units import SECOND_PS

if TYPE_CHECKING:
    from netarium.compile.graph import Graph
    from netarium.compile.ledger import Request
    from netarium.compile.timetable import Timetable
    from netarium.describe.trial import Trial


@dataclass(frozen=True)
class Wish:
    """A trial to be booked: its slices as requests, counted in ps from 1970, on the graph of its facility."""

    trial: Trial
    owner: str
    graph: Graph
    facility: str
    metric: str

    def requests(self, start_s: int, end_s: int) -> list[Request]:
        """The slices for a slot: a slice's own start and end count from the slot's start."""
        from netarium.compile.admission import request_of
        from netarium.compile.compile import slices_asked

        found = []
        for name, asked in slices_asked(self.trial).items():
            request = request_of(name, asked)
            first = start_s * SECOND_PS
            start = first + request.start
            end = end_s * SECOND_PS if request.end is None else first + request.end
            if end > end_s * SECOND_PS:
                where, slot = f"slices.{name}.end", f"{end_s - start_s} s"
                raise TrialInvalid(
                    [Problem(where, f"{request.end / SECOND_PS:g} s", f"at most the slot, {slot}")]
                )
            found.append(replace(request, start=start, end=end))
        return found


def wish(trial: Trial, owner: str) -> Wish:
    """What a trial asks of its facility. Raises TrialInvalid when it has no slices."""
    from netarium.compile.admission import check, request_of
    from netarium.compile.graph import build_graph

    if not trial.slices:
        raise TrialInvalid([Problem("slices", "none", "slices to book: best effort needs no booking")])
    network = trial.network.expand()
    graph = build_graph(network)
    check(graph, [request_of(name, asked) for name, asked in trial.slices.items()])
    return Wish(trial, owner, graph, facility_of(graph), network.routing.metric)


def facility_of(graph: Graph) -> str:
    """The digest of nodes and links by which trials of one facility know each other."""
    import numpy as np

    digest = hashlib.sha256(repr((graph.node_names, graph.port_names)).encode())
    for name in ("rate_bps", "delay_ps", "mtu_bytes", "overhead_bytes", "loss_ratio", "jitter_ps"):
        digest.update(np.ascontiguousarray(getattr(graph, name)).tobytes())
    return digest.hexdigest()[:16]


def book(calendar: Calendar, wanted: Wish, start_s: int, end_s: int) -> Booking:
    """Book a slot. Raises AdmissionRefused with reasons, alternatives and, last, the next free slot."""

    def decide(standing: list[Booking]) -> Sequence[BookedSlice]:
        return _decide(wanted, standing, start_s, end_s)

    booking = Booking(wanted.facility, wanted.owner, wanted.trial.trial, start_s, end_s)
    return calendar.book(booking, decide)


def next_free(calendar: Calendar, wanted: Wish, from_s: int, length_s: int) -> int:
    """The first instant from `from_s` on at which the whole trial can be booked for `length_s`.

    Only what ends can make room, so these instants are tried. Raises AdmissionRefused, with the reasons on
    the empty network, when there is none.
    """
    standing = calendar.standing(wanted.facility, from_s)
    ends = sorted({each.end_s for booking in standing for each in booking.slices if each.end_s > from_s})
    for start_s in (from_s, *ends):
        try:
            _decide(wanted, standing, start_s, start_s + length_s)
        except AdmissionRefused as refused:
            last = refused
        else:
            return start_s
    raise last


def _decide(wanted: Wish, standing: Sequence[Booking], start_s: int, end_s: int) -> list[BookedSlice]:
    from netarium.compile.admission import RESERVABLE_SHARE, admission_of, decide

    times = _timetable(wanted, [each for each in standing if each.start_s < end_s and each.end_s > start_s])
    requests = wanted.requests(start_s, end_s)
    refusals = decide(
        times, [_usable(each) for each in requests], until_ps=0
    )  # next_free tells of later times
    if refusals:
        raise AdmissionRefused(refusals)
    admission = admission_of(times, requests, (), RESERVABLE_SHARE)
    return [_booked(request, admission[request.name]) for request in requests]


def _usable(request: Request) -> Request:
    """The slice as admission takes it: its last packets have left the network when the slot ends."""
    from netarium.compile.timetable import released_ps

    assert request.end is not None
    return replace(request, end=max(request.start + 1, 2 * request.end - released_ps(request)))


def _booked(request: Request, reservation: Any) -> BookedSlice:
    start_s, end_s = request.start // SECOND_PS, -(-(request.end or 0) // SECOND_PS)
    bound = {
        "latency_s": _seconds(reservation.latency_bound_ps),
        "delay_variation_s": _seconds(reservation.variation_bound_ps),
    }
    return BookedSlice(
        name=request.name,
        request=asdict(replace(request, release=reservation.release_ps if reservation.planned else None)),
        ports=reservation.port_names,
        rate_bps=reservation.wire_bps,
        start_s=start_s,
        end_s=end_s,
        bound=bound,
        mechanism=reservation.mechanism,
    )


def _seconds(time_ps: int | None) -> float | None:
    return None if time_ps is None else time_ps / SECOND_PS


def _timetable(wanted: Wish, standing: Sequence[Booking]) -> Timetable:
    """What the standing bookings have been promised, each slice on its path."""
    from netarium.compile.admission import RESERVABLE_SHARE
    from netarium.compile.placement import fit_on
    from netarium.compile.timetable import Timetable

    times = Timetable.empty(wanted.graph, wanted.metric, RESERVABLE_SHARE)
    for booking in standing:
        for each in booking.slices:
            request = _usable(_request(each, f"{each.name} of booking {booking.id} ({booking.owner})"))
            ports = tuple(wanted.graph.port_index[name] for name in each.ports)
            span = times.span(request).using(each.mechanism)
            after = span.add(fit_on(span, request, ports))
            assert after is not None
            times.place(request, after)
    return times


def _request(each: BookedSlice, name: str) -> Request:
    from netarium.compile.ledger import Request

    known = {key: value for key, value in each.request.items() if key in Request.__dataclass_fields__}
    path = known.get("path")
    return Request(**(known | {"name": name, "path": tuple(path) if path else None}))


def instant(text: str, now: Callable[[], float]) -> int:
    """Seconds since 1970 of `now` or an ISO 8601 date and time; without an offset it is local time.

    Raises ValueError.
    """
    if text == "now":
        return int(now())
    return int(datetime.fromisoformat(text).astimezone().timestamp())


def in_words(time_s: int) -> str:
    """Date and time in the local zone, with its offset."""
    return datetime.fromtimestamp(time_s, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S %z")
