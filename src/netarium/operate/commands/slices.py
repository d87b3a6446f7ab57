"""netarium slices: book the slices of a trial for a time, list and release bookings, find the next free slot."""

from __future__ import annotations

import getpass
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from netarium.operate.commands.options import AsJson, Changes, TrialArgument
from netarium.operate.messages import guarded, say, write_json

if TYPE_CHECKING:
    from netarium.operate.bookings import Wish
    from netarium.store.calendar import Booking

app = typer.Typer(
    help="Book guaranteed slices in time, in a facility's calendar.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
CalendarFile = Annotated[
    Path,
    typer.Option(
        "--calendar",
        envvar="NETARIUM_CALENDAR",
        metavar="FILE",
        help="The facility's calendar.",
        dir_okay=False,
    ),
]
CALENDAR = Path("runs/calendar.sqlite")
Length = Annotated[str, typer.Option("--for", metavar="TIME", help="How long, such as '2 h'.")]
Start = Annotated[
    str, typer.Option("--start", metavar="WHEN", help="'now', or date and time such as '2026-12-01 09:00'.")
]
Owner = Annotated[str, typer.Option("--owner", help="Whose booking it is.", show_default="your user name")]


@app.command()
@guarded
def book(
    trial: TrialArgument = ".",
    start: Start = "now",
    length: Length = "1 h",
    owner: Owner = "",
    changes: Changes = None,
    calendar: CalendarFile = CALENDAR,
    as_json: AsJson = False,
) -> None:
    """Book all slices of a trial; or say why not, and when.

    A refusal has reasons, alternatives, and the next time at which the whole trial fits.
    """
    from netarium.errors import AdmissionRefused
    from netarium.operate import bookings
    from netarium.store.calendar import Calendar

    start_s, length_s = _instant(start), _seconds(length)
    if start_s + length_s <= time.time():
        end = bookings.in_words(start_s + length_s)
        raise typer.BadParameter(f"found {start!r}: it would end on {end}, in the past", param_hint="--start")
    wanted = _wanted(trial, changes, owner)
    with_calendar = Calendar(calendar)
    try:
        booking = bookings.book(with_calendar, wanted, start_s, start_s + length_s)
    except AdmissionRefused:
        _say_next(with_calendar, wanted, start_s, length_s)
        raise
    if as_json:
        write_json(_row(booking))
        return
    when = f"{bookings.in_words(booking.start_s)} to {bookings.in_words(booking.end_s)}"
    slices = f"{len(booking.slices)} slice{'' if len(booking.slices) == 1 else 's'}"
    typer.echo(f"booking {booking.id}: {slices} of {booking.trial} for {booking.owner}, {when}")


@app.command("list")
@guarded
def list_bookings(
    every: Annotated[bool, typer.Option("--all", help="Past and released ones too.")] = False,
    calendar: CalendarFile = CALENDAR,
    as_json: AsJson = False,
) -> None:
    """List the bookings in the order of their making."""
    from netarium.operate.bookings import in_words
    from netarium.store.calendar import Calendar

    now_s = int(time.time())
    found = [
        each for each in Calendar(calendar).all() if every or (each.released_s is None and each.end_s > now_s)
    ]
    if as_json:
        write_json([_row(each) for each in found])
        return
    from netarium.operate.commands.output import show
    from netarium.show.columns import Columns
    from netarium.units import format_rate

    headings = (("booking", "right"), ("owner", "left"), ("trial", "left"), ("start", "left"), ("end", "left"),
                ("slices", "right"), ("reserved", "right"), ("state", "left"))  # fmt: skip
    rows = [
        (str(each.id), each.owner, each.trial, in_words(each.start_s), in_words(each.end_s), str(len(each.slices)),
         format_rate(sum(part.rate_bps for part in each.slices)), _state(each, now_s))
        for each in found
    ]  # fmt: skip
    show(Columns(headings, rows))


@app.command()
@guarded
def release(
    booking: Annotated[int, typer.Argument(help="Number of the booking.")],
    calendar: CalendarFile = CALENDAR,
    as_json: AsJson = False,
) -> None:
    """Give a booking back; its capacity is free at once."""
    from netarium.store.calendar import Calendar

    given = Calendar(calendar).release(booking)
    if as_json:
        write_json({"format": 1, "released": given.id})
        return
    typer.echo(f"released booking {given.id}: {given.trial} of {given.owner}")


@app.command()
@guarded
def free(
    trial: TrialArgument = ".",
    start: Start = "now",
    length: Length = "1 h",
    changes: Changes = None,
    calendar: CalendarFile = CALENDAR,
    as_json: AsJson = False,
) -> None:
    """Find the next time at which a whole trial fits."""
    from netarium.operate import bookings
    from netarium.store.calendar import Calendar

    length_s = _seconds(length)
    found = bookings.next_free(Calendar(calendar), _wanted(trial, changes, ""), _instant(start), length_s)
    if as_json:
        write_json({"format": 1, "start_s": found, "end_s": found + length_s})
        return
    typer.echo(f"free from {bookings.in_words(found)} to {bookings.in_words(found + length_s)}")


def _wanted(trial: str, changes: list[str] | None, owner: str) -> Wish:
    from netarium.operate import bookings, runner

    asked = runner.load(runner.Request(trial, changes=tuple(changes or ())))
    return bookings.wish(asked, owner or getpass.getuser())


def _instant(text: str) -> int:
    from netarium.operate.bookings import instant

    try:
        return instant(text, time.time)
    except ValueError:
        expected = "'now', or a date and time such as '2026-12-01 09:00' or '2026-12-01T09:00+08:00'"
        raise typer.BadParameter(f"found {text!r}, expected {expected}", param_hint="--start") from None


def _seconds(text: str) -> int:
    from netarium.errors import Mistake
    from netarium.units import SECOND_PS, TIME, parse

    try:
        whole = -(-int(parse(text, TIME)) // SECOND_PS)
        if whole > 0:
            return whole
        raise Mistake(repr(text), "a time above 0")
    except Mistake as mistake:
        raise typer.BadParameter(str(mistake), param_hint="--for") from None


def _say_next(calendar: Any, wanted: Wish, start_s: int, length_s: int) -> None:
    from netarium.errors import AdmissionRefused
    from netarium.operate import bookings

    try:
        found = bookings.next_free(calendar, wanted, start_s, length_s)
    except AdmissionRefused:
        return
    say(f"The whole trial fits from {bookings.in_words(found)} on.")


def _state(booking: Booking, now_s: int) -> str:
    if booking.released_s is not None:
        return "released"
    if now_s < booking.start_s:
        return "booked"
    return "running" if now_s < booking.end_s else "over"


def _row(booking: Booking) -> dict[str, Any]:
    return {
        "booking": booking.id,
        "owner": booking.owner,
        "trial": booking.trial,
        "facility": booking.facility,
        "start_s": booking.start_s,
        "end_s": booking.end_s,
        "state": _state(booking, int(time.time())),
        "slices": {
            each.name: {"rate_bps": each.rate_bps, "ports": list(each.ports), "bound": each.bound}
            for each in booking.slices
        },
    }
