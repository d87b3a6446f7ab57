"""Replays: a CSV of packets or flows, each with its time and size."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from netarium.errors import Mistake, Problem, TrialInvalid
from netarium.units import DAY_PS, SECOND_PS, SIZE, TIME, parse

LONGEST_PS = 100 * DAY_PS
"""As a trial's duration."""
LARGEST_BYTES = 2**62


def read(path: str | Path, where: str, smallest_bytes: int, largest_bytes: int) -> list[tuple[int, int]]:
    """Lines `time,size`: quantities with units, or bare seconds and bytes; a header and # lines are skipped.

    smallest_bytes, largest_bytes: what a line may have. Returns [(time_ps, size_bytes)] in the order of the file,
    which is that of time. Raises TrialInvalid with every mistake and its line.
    """
    file = str(path)
    try:
        text = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        problem = Problem(where, "a file that is not UTF-8 text", "lines of time,size", file=file)
        raise TrialInvalid([problem]) from None
    lines: list[tuple[int, int]] = []
    problems: list[Problem] = []
    for number, row in enumerate(csv.reader(text.splitlines(), skipinitialspace=True), start=1):
        if not row or row[0].startswith("#") or (not lines and row[0].lower().startswith("time")):
            continue
        try:
            lines.append(_line(row, lines[-1][0] if lines else 0, smallest_bytes, largest_bytes))
        except Mistake as mistake:
            problems.append(Problem(where, mistake.found, mistake.expected, mistake.hint, file, number, 1))
    if not lines and not problems:
        problems.append(Problem(where, "no lines", "lines time,size such as 1.5 ms,1400 B", file=file))
    if problems:
        raise TrialInvalid(problems)
    return lines


def _line(row: list[str], before_ps: int, smallest_bytes: int, largest_bytes: int) -> tuple[int, int]:
    """(time, size) of one line. Raises Mistake."""
    if len(row) != 2:
        raise Mistake(",".join(row), "two columns: time,size")
    time_ps = _quantity(row[0], TIME, SECOND_PS, LONGEST_PS)
    size_bytes = _quantity(row[1], SIZE, 1, LARGEST_BYTES)
    if time_ps < before_ps:
        raise Mistake(f"time {row[0]}, before the line above", "times that do not fall")
    if size_bytes == 0:
        raise Mistake("a size of 0 B", "a size above 0")
    if not smallest_bytes <= size_bytes <= largest_bytes:
        expected = f"a packet of {smallest_bytes} B to {largest_bytes} B, headers counted"
        raise Mistake(f"{size_bytes} B", expected)
    return time_ps, size_bytes


def _quantity(text: str, dimension: Any, scale: int, largest: int) -> int:
    """A quantity with its unit, or a bare number in SI. Raises Mistake."""
    try:
        number = float(text) * scale
    except ValueError:
        number = parse(text, dimension)
    if not 0 <= number <= largest:
        raise Mistake(repr(text), dimension.expected)
    return round(number)
