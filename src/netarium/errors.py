"""The tree of errors, and the Problem: one mistake, where it is, and what to do about it.

NetariumError                 exit code
├── TrialInvalid              2   the description is wrong; carries every Problem found
├── AdmissionRefused          3   the network cannot hold what is asked; carries every Refusal
├── MachineCannot             4   this machine cannot run it
├── RunInterrupted            5   stopped by the user; the record says so
├── ExpectationFailed         1   an expectation or a certification failed
└── RecordError               2   a run folder is missing, unfinished or damaged

Mistake (a ValueError) is what a parser or validator raises about one value; it becomes a Problem once the
place in the file is known.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar


class NetariumError(Exception):
    """Base of everything netarium raises on purpose; `exit_code` is what the command line returns."""

    exit_code: ClassVar[int] = 1


class Mistake(ValueError):
    """One wrong value: what was found, what was expected, and a hint; the place is added later."""

    def __init__(self, found: str, expected: str, hint: str = "", at: tuple[str | int, ...] = ()) -> None:
        self.found = found
        self.expected = expected
        self.hint = hint
        self.at = at
        super().__init__(sentence(found, expected, hint))

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.found, self.expected, self.hint, self.at))


@dataclass(frozen=True)
class Problem:
    """One mistake in a description. `line` and `column` count from 1; 0 means not known."""

    where: str
    found: str
    expected: str
    hint: str = ""
    file: str = ""
    line: int = 0
    column: int = 0

    @property
    def place(self) -> str:
        """file:line:column, as far as known; empty for a trial built in Python."""
        if not self.line:
            return self.file
        return f"{self.file or 'line '}{':' if self.file else ''}{self.line}:{self.column}"

    def __str__(self) -> str:
        prefix = "".join(f"{part}: " for part in (self.place, self.where) if part)
        return prefix + sentence(self.found, self.expected, self.hint)


@dataclass(frozen=True)
class Refusal:
    """One reason why admission refuses: the binding resource, what is left on it, the nearest alternative."""

    slice_name: str
    resource: str
    asked: str
    left: str
    alternative: str = ""

    def __str__(self) -> str:
        text = f"slices.{self.slice_name}: asks {self.asked}; {self.resource} has {self.left} left"
        return f"{text}. Nearest alternative: {self.alternative}" if self.alternative else text


class TrialInvalid(NetariumError):
    """The description has mistakes; `problems` lists all of them, in the order of the file."""

    exit_code: ClassVar[int] = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.problems,))


class AdmissionRefused(NetariumError):
    """The guarantees asked for cannot be held; `refusals` gives every reason."""

    exit_code: ClassVar[int] = 3

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        self.refusals = list(refusals)
        super().__init__("\n".join(str(refusal) for refusal in self.refusals))

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.refusals,))


class MachineCannot(NetariumError):
    """This machine lacks something the run needs (memory, disk, privileges, a kernel feature)."""

    exit_code: ClassVar[int] = 4


class RunInterrupted(NetariumError):
    """The user stopped the run; its folder is kept and says so."""

    exit_code: ClassVar[int] = 5


class ExpectationFailed(NetariumError):
    """The run ended, and an expectation or a certification did not hold."""

    exit_code: ClassVar[int] = 1


class RecordError(NetariumError):
    """A run folder is missing, unfinished, damaged, or of a format this version does not read."""

    exit_code: ClassVar[int] = 2


def sentence(found: str, expected: str, hint: str = "") -> str:
    """found X, expected Y; hint — as one line, leaving out what is empty."""
    text = f"found {found}" if found else ""
    if expected:
        text = f"{text}, expected {expected}" if text else f"expected {expected}"
    return f"{text}; {hint}" if hint and text else text or hint


def nearest(word: object, valid: Iterable[str]) -> str | None:
    """The valid word that looks most like `word`, or None when nothing does."""
    words = list(dict.fromkeys(valid))
    text = str(word)
    lowered = {candidate.lower(): candidate for candidate in reversed(words)}
    plain = text.lower().replace("-", "_").replace(" ", "_")
    for key in (text.lower(), plain):
        if key in lowered:
            return lowered[key]
    close = difflib.get_close_matches(text.lower(), list(lowered), n=1, cutoff=0.6)
    return lowered[close[0]] if close else None


def did_you_mean(word: object, valid: Iterable[str]) -> str:
    """The hint "did you mean 'x'?", or an empty string when no valid word is near."""
    word_near = nearest(word, valid)
    return f"did you mean {word_near!r}?" if word_near is not None else ""


def one_of(words: Iterable[str], limit: int = 12) -> str:
    """one of a, b, c — cut after `limit` words, saying how many there are."""
    listed = list(words)
    if len(listed) == 1:
        return repr(listed[0])
    more = f", … ({len(listed)} in all)" if len(listed) > limit else ""
    return "one of " + ", ".join(listed[:limit]) + more
