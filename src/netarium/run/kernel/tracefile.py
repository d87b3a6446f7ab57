"""Readers of rate traces: a CSV of times and rates, or Mahimahi's packet-delivery format; and what rate
changes amount to.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netarium.errors import Mistake, Problem, TrialInvalid
from netarium.units import DAY_PS, RATE, SECOND_PS, TIME, parse

from .records import NONE
from .traces import OPPORTUNITIES, OPPORTUNITY_BYTES, RATES, TRACE_POINT, TUNNEL_BYTES

MS_PS = 10**9
LONGEST_PS = 100 * DAY_PS
"""As a trial's duration."""


@dataclass(frozen=True)
class RateTrace:
    """A trace in memory.

    kind: RATES or OPPORTUNITIES. points: TRACE_POINT[n] in the order of time. period_ps: one round, when it
    loops (the time of the last point).
    """

    kind: int
    points: NDArray[Any]
    loop: bool
    period_ps: int

    @property
    def mean_bps(self) -> int:
        """Mean rate over one round; for a trace that holds its last rate, that one counts for no time."""
        if self.kind == OPPORTUNITIES:
            return len(self.points) * OPPORTUNITY_BYTES * 8 * SECOND_PS // self.period_ps
        if len(self.points) == 1:
            return int(self.points["rate_bps"][0])
        spans_ps = np.diff(self.points["time_ps"])
        return int(np.sum(spans_ps.astype(float) * self.points["rate_bps"][:-1]) / self.points["time_ps"][-1])

    @property
    def peak_bps(self) -> int:
        """Largest rate; for opportunities, of the millisecond with most of them."""
        if self.kind == RATES:
            return int(self.points["rate_bps"].max())
        _, counts = np.unique(self.points["time_ps"], return_counts=True)
        return int(counts.max()) * OPPORTUNITY_BYTES * 8 * 1000

    def encode(self, trace: Any, first: int, overhead_bytes: int) -> None:
        """Fill a TRACE record whose points begin at `first` of trace_points, for a port of that wire
        overhead."""
        trace.kind = self.kind
        trace.loop = self.loop
        trace.first = first
        looped_rates = self.kind == RATES and self.loop
        trace.count = len(self.points) - 1 if looped_rates else len(self.points)
        trace.period_ps = self.period_ps
        trace.position = 0
        trace.base_ps = 0
        trace.spare_bytes = 0
        trace.end_ps = NONE
        trace.charge_bytes = TUNNEL_BYTES - overhead_bytes


def read(path: str | Path, form: str, loop: bool, where: str) -> RateTrace:
    """Read a trace file. form: "mahimahi" or "csv". where: its place in the trial, for messages.

    Raises TrialInvalid with every mistake in the file, each with its line.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        problem = Problem(where, f"no readable file ({error.strerror})", "a trace", file=str(path))
        raise TrialInvalid([problem]) from None
    except UnicodeDecodeError:
        problem = Problem(where, "a file that is not UTF-8 text", "a trace", file=str(path))
        raise TrialInvalid([problem]) from None
    reader = _Reader(str(path), where)
    return reader.mahimahi(text, loop) if form == "mahimahi" else reader.csv(text, loop)


def changes(rate_bps: int, later: Sequence[tuple[int, int]]) -> RateTrace:
    """A rate that changes: `rate_bps` from the beginning, then each (time_ps, rate_bps).

    Of several changes at one instant the last counts.
    """
    at = {0: rate_bps, **dict(sorted(later, key=lambda change: change[0]))}
    points = np.array(sorted(at.items()), np.int64)
    return RateTrace(RATES, _points(points[:, 0], points[:, 1]), loop=False, period_ps=int(points[-1, 0]))


class _Reader:
    """Reads one file and gathers its mistakes."""

    def __init__(self, path: str, where: str) -> None:
        self.path, self.where = path, where
        self.problems: list[Problem] = []

    def mistake(self, line: int, found: str, expected: str, hint: str = "") -> None:
        problem = Problem(self.where, found, expected, hint, self.path, line, 1 if line else 0)
        self.problems.append(problem)

    def check(self) -> None:
        if self.problems:
            raise TrialInvalid(self.problems)

    def mahimahi(self, text: str, loop: bool) -> RateTrace:
        """One whole number of milliseconds a line, none less than the one before."""
        times: list[int] = []
        for number, line in enumerate(text.splitlines(), start=1):
            word = line.strip()
            if not (word.isascii() and word.isdigit()):
                hint = "is it a CSV? then say format: csv" if "," in word else ""
                self.mistake(number, repr(word) if word else "an empty line", "whole milliseconds", hint)
            elif times and int(word) < times[-1]:
                self.mistake(number, f"{word} after {times[-1]}", "times that do not go back")
            elif int(word) * MS_PS > LONGEST_PS:
                self.mistake(number, f"{word} ms", "times of at most 100 days")
            else:
                times.append(int(word))
        if not times and not self.problems:
            self.mistake(0, "no times", "one time a line, in milliseconds")
        elif times and times[-1] == 0:
            self.mistake(0, "only the time 0", "a trace that lasts longer than 0 ms")
        self.check()
        times_ps = np.array(times, np.int64) * MS_PS
        return RateTrace(OPPORTUNITIES, _points(times_ps, 0), loop, int(times_ps[-1]))

    def csv(self, text: str, loop: bool) -> RateTrace:
        """Lines `time,rate`: quantities with units, or bare seconds and bit/s; a header and # lines are
        skipped."""
        times: list[int] = []
        rates: list[int] = []
        for number, row in enumerate(csv.reader(text.splitlines(), skipinitialspace=True), start=1):
            if not row or row[0].startswith("#") or (not times and row[0].lower().startswith("time")):
                continue
            if len(row) != 2:
                self.mistake(number, ",".join(row), "two columns: time,rate")
                continue
            try:
                time_ps = _quantity(row[0], TIME, SECOND_PS)
                rate_bps = _quantity(row[1], RATE, 1)
            except Mistake as mistake:
                self.mistake(number, mistake.found, mistake.expected, mistake.hint)
                continue
            if time_ps > LONGEST_PS:
                self.mistake(number, f"time {row[0]}", "times of at most 100 days")
                continue
            if times and time_ps <= times[-1]:
                self.mistake(number, f"time {row[0]}, not after the line before", "times that grow")
                continue
            times.append(time_ps)
            rates.append(rate_bps)
        if not self.problems:
            self._shape(times, rates, loop)
        self.check()
        points = _points(np.array(times, np.int64), np.array(rates, np.int64))
        return RateTrace(RATES, points, loop, times[-1])

    def _shape(self, times: list[int], rates: list[int], loop: bool) -> None:
        if not times:
            self.mistake(0, "no rates", "lines time,rate such as 1.5 s,20 Mbit/s")
        elif times[0] != 0:
            self.mistake(0, "a trace that begins later than 0 s", "a first line with time 0")
        elif loop and len(times) < 2:
            self.mistake(0, "one line", "a last line: the time of the end of the round", "or say loop: false")
        elif not any(rates[:-1] if loop else rates):
            self.mistake(0, "no rate above 0", "a rate that lets packets through")


def _points(times_ps: Any, rates_bps: Any) -> NDArray[Any]:
    points = np.zeros(len(times_ps), TRACE_POINT)
    points["time_ps"] = times_ps
    points["rate_bps"] = rates_bps
    return points


def _quantity(text: str, dimension: Any, scale: int) -> int:
    """A quantity with its unit, or a bare number in SI. Raises Mistake."""
    try:
        number = float(text)
    except ValueError:
        return int(parse(text, dimension))
    if not 0 <= number <= 9e18 / scale:
        raise Mistake(repr(text), dimension.expected)
    return round(number * scale)
