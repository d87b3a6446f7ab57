"""The calendar of a facility: who has which slices from when to when, and what they take of every link.

One SQLite file in WAL mode, by the standard library: a booking is one short transaction of one writer, which is
what SQLite does best, and a facility without a server needs nothing else. `BEGIN IMMEDIATE` takes the write lock before
anything is read, so that what was read is still true when it is written: of two who ask at once for the same
capacity the second sees the first's booking, whoever asks first.

Times are whole seconds since 1970 (UTC).
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from netarium.errors import RecordError

FORMAT = 1
WAIT_S = 60.0
"""How long to wait for another writer."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS bookings (
    id INTEGER PRIMARY KEY, facility TEXT NOT NULL, owner TEXT NOT NULL, trial TEXT NOT NULL,
    start_s INTEGER NOT NULL, end_s INTEGER NOT NULL, made_s INTEGER NOT NULL, released_s INTEGER,
    CHECK (end_s > start_s)
);
CREATE TABLE IF NOT EXISTS slices (
    booking INTEGER NOT NULL REFERENCES bookings (id), position INTEGER NOT NULL, name TEXT NOT NULL,
    request TEXT NOT NULL, ports TEXT NOT NULL, rate_bps INTEGER NOT NULL, start_s INTEGER NOT NULL,
    end_s INTEGER NOT NULL, bound TEXT NOT NULL, mechanism TEXT NOT NULL, PRIMARY KEY (booking, position)
);
CREATE TABLE IF NOT EXISTS taken (
    booking INTEGER NOT NULL REFERENCES bookings (id), port TEXT NOT NULL,
    start_s INTEGER NOT NULL, end_s INTEGER NOT NULL, rate_bps INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS by_time ON bookings (facility, end_s, start_s);
"""


@dataclass(frozen=True)
class BookedSlice:
    """One slice of a booking: what was asked (names and units of the model), its ports, the bounds promised."""

    name: str
    request: dict[str, Any]
    ports: tuple[str, ...]
    rate_bps: int
    start_s: int
    end_s: int
    bound: dict[str, float | None]
    mechanism: str = "strict"


@dataclass(frozen=True)
class Booking:
    """Slices of one trial for one owner. id 0: not in the calendar yet. released_s: when it was given back."""

    facility: str
    owner: str
    trial: str
    start_s: int
    end_s: int
    slices: tuple[BookedSlice, ...] = ()
    id: int = 0
    made_s: int = field(default_factory=lambda: int(time.time()))
    released_s: int | None = None


class Calendar:
    """The bookings in one file, made when it does not exist. Raises RecordError when it cannot be used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.db = sqlite3.connect(path, timeout=WAIT_S, isolation_level=None)
            self.db.execute("PRAGMA journal_mode = WAL")
            self.db.execute("PRAGMA foreign_keys = ON")
            with self._transaction():
                for statement in _SCHEMA.split(";"):
                    self.db.execute(statement)
                found = self.db.execute("PRAGMA user_version").fetchone()[0]
                if found > FORMAT:
                    raise RecordError(
                        f"{path}: a calendar of format {found}, expected {FORMAT} or older; upgrade"
                    )
                self.db.execute(f"PRAGMA user_version = {FORMAT}")
        except (sqlite3.DatabaseError, OSError) as error:
            raise RecordError(f"{path}: cannot be used as a calendar ({error})") from error

    def close(self) -> None:
        self.db.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self.db.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise RecordError(f"{self.path}: busy for more than {WAIT_S:g} s ({error})") from error
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def book(self, wanted: Booking, decide: Callable[[list[Booking]], Sequence[BookedSlice]]) -> Booking:
        """Enter `wanted` with the slices that `decide` makes of it beside the standing bookings it is given.

        Nobody else can book meanwhile; what `decide` raises leaves the calendar as it was.
        """
        with self._transaction():
            slices = tuple(decide(self.standing(wanted.facility, wanted.start_s)))
            row = (wanted.facility, wanted.owner, wanted.trial, wanted.start_s, wanted.end_s, wanted.made_s)
            cursor = self.db.execute(
                "INSERT INTO bookings (facility, owner, trial, start_s, end_s, made_s) VALUES (?, ?, ?, ?, ?, ?)",
                row,
            )
            number = int(cursor.lastrowid or 0)
            for position, each in enumerate(slices):
                self._enter(number, position, each)
        return Booking(*row[:5], slices, number, wanted.made_s)

    def _enter(self, number: int, position: int, each: BookedSlice) -> None:
        row = (number, position, each.name, json.dumps(each.request), json.dumps(each.ports), each.rate_bps,
               each.start_s, each.end_s, json.dumps(each.bound), each.mechanism)  # fmt: skip
        self.db.execute(f"INSERT INTO slices VALUES ({', '.join('?' * len(row))})", row)
        self.db.executemany(
            "INSERT INTO taken VALUES (?, ?, ?, ?, ?)",
            [(number, port, each.start_s, each.end_s, each.rate_bps) for port in each.ports],
        )

    def release(self, number: int) -> Booking:
        """Give a booking back from now on. Raises RecordError when there is none, or it was released or is over."""
        now_s = int(time.time())
        with self._transaction():
            found = self._read("id = ?", number)
            if not found:
                raise RecordError(f"{self.path}: no booking {number}")
            booking = found[0]
            if booking.released_s is not None:
                raise RecordError(f"{self.path}: booking {number} was released already")
            if booking.end_s <= now_s:
                raise RecordError(f"{self.path}: booking {number} is over")
            self.db.execute("UPDATE bookings SET released_s = ? WHERE id = ?", (now_s, number))
            self.db.execute("DELETE FROM taken WHERE booking = ?", (number,))
        return booking

    def standing(self, facility: str, from_s: int) -> list[Booking]:
        """Bookings of a facility that are not released and end after `from_s`, in the order they were made."""
        return self._read("facility = ? AND end_s > ? AND released_s IS NULL", facility, from_s)

    def all(self) -> list[Booking]:
        """Every booking that was ever made."""
        return self._read("1")

    def most_taken_bps(self, facility: str, port: str, from_s: int, to_s: int) -> int:
        """The most that is booked of a port at any instant of an interval."""
        rows = self.db.execute(
            "SELECT taken.start_s, taken.end_s, rate_bps FROM taken JOIN bookings ON bookings.id = booking "
            "WHERE facility = ? AND port = ? AND taken.start_s < ? AND taken.end_s > ?",
            (facility, port, to_s, from_s),
        ).fetchall()
        instants = [max(from_s, start) for start, _, _ in rows]
        return max((sum(rate for a, b, rate in rows if a <= now < b) for now in instants), default=0)

    def _read(self, where: str, *values: Any) -> list[Booking]:
        columns = "id, facility, owner, trial, start_s, end_s, made_s, released_s"
        rows = self.db.execute(f"SELECT {columns} FROM bookings WHERE {where} ORDER BY id", values).fetchall()
        return [
            Booking(facility, owner, trial, start, end, self._slices(number), number, made, released)
            for number, facility, owner, trial, start, end, made, released in rows
        ]

    def _slices(self, number: int) -> tuple[BookedSlice, ...]:
        columns = "name, request, ports, rate_bps, start_s, end_s, bound, mechanism"
        rows = self.db.execute(f"SELECT {columns} FROM slices WHERE booking = ? ORDER BY position", (number,))
        return tuple(
            BookedSlice(
                name, json.loads(request), tuple(json.loads(ports)), *rest, json.loads(bound), mechanism
            )
            for name, request, ports, *rest, bound, mechanism in rows
        )
