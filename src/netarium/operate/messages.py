"""What the command line says when something is wrong: a short block on standard error, never a traceback.

`@guarded` wraps every command: it turns each exception into its block (and, under --json, into one JSON
document on standard output) and its exit code. An exception nobody expected is a bug of netarium: its
traceback goes to a file.
"""

from __future__ import annotations

import functools
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, ParamSpec, TypeVar

import typer

from netarium.errors import AdmissionRefused, NetariumError, Refusal, RunInterrupted, TrialInvalid

BUG = 70  # EX_SOFTWARE of sysexits.h; 0 to 5 are netarium's own (DESIGN: commands)
MACHINE_CANNOT = 4
INTERRUPTED = 5

P = ParamSpec("P")
R = TypeVar("R")


class RunCrashed(NetariumError):
    """A bug ended a run; `report` is the file with its traceback, in the run folder."""

    exit_code: ClassVar[int] = BUG

    def __init__(self, cause: BaseException, report: Path) -> None:
        self.report = report
        super().__init__(one_line(cause))


def guarded(command: Callable[P, R]) -> Callable[P, R]:
    """Run a command; show what it raises and leave with the exit code that belongs to it."""

    @functools.wraps(command)
    def run(*arguments: P.args, **options: P.kwargs) -> R:
        try:
            return command(*arguments, **options)
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise
        except BrokenPipeError:  # the reader went away, as in `netarium ls | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        except BaseException as error:
            document, block = explain(error)
            if options.get("as_json"):
                write_json(document)
            say(block)
            raise typer.Exit(int(document["exit_code"])) from None  # type: ignore[call-overload]

    return run


def say(text: str) -> None:
    """Write lines for people to standard error; the first is bold on a terminal."""
    if sys.stderr.isatty() and "NO_COLOR" not in os.environ:
        first, newline, rest = text.partition("\n")
        text = f"\x1b[1m{first}\x1b[0m{newline}{rest}"
    print(text, file=sys.stderr, flush=True)


def write_json(document: object) -> None:
    """Write one JSON document to standard output."""
    print(json.dumps(document, indent=2, ensure_ascii=False), flush=True)


def explain(error: BaseException) -> tuple[dict[str, object], str]:
    """The JSON document and the block of text that tell of an exception."""
    if isinstance(error, TrialInvalid):
        return _invalid(error)
    if isinstance(error, AdmissionRefused):
        return _refused(error)
    if isinstance(error, RunCrashed):
        return _bug(str(error), error.report)
    if isinstance(error, KeyboardInterrupt):
        error = RunInterrupted("Stopped")
    if isinstance(error, MemoryError):
        return _document("failed", MACHINE_CANNOT, str(error)), "This machine's memory is full."
    if isinstance(error, OSError) and error.filename is not None:
        text = f"{error.filename}: {error.strerror}"
        return _document("failed", MACHINE_CANNOT, text), text
    if isinstance(error, NetariumError):
        status = "interrupted" if isinstance(error, RunInterrupted) else "failed"
        return _document(status, exit_code_of(error), str(error)), str(error)
    return _bug(one_line(error), write_traceback(error))


def exit_code_of(error: BaseException) -> int:
    """The exit code that an error which ends a command stands for; a full disk is the machine's fault."""
    from netarium.store.files import DiskFull

    if isinstance(error, (DiskFull, MemoryError, OSError)):
        return MACHINE_CANNOT
    return error.exit_code if isinstance(error, NetariumError) else BUG


def _invalid(error: TrialInvalid) -> tuple[dict[str, object], str]:
    count = len(error.problems)
    files = {problem.file for problem in error.problems} - {""}
    place = f" in {files.pop()}" if len(files) == 1 else ""
    lines = [f"{count} mistake{'s' if count > 1 else ''}{place}"]
    for problem in error.problems:
        name = "" if place else problem.file
        at = f"line {problem.line}" if problem.line else ""
        heading = ", ".join(part for part in (name, at, problem.where) if part)
        lines += ["", f"  {heading}"] if heading else [""]
        lines += [
            f"    {label} {text}" for label, text in _parts(problem.found, problem.expected, problem.hint)
        ]
    document = _document("invalid", error.exit_code, lines[0])
    document["problems"] = [vars(problem) for problem in error.problems]
    return document, "\n".join(lines)


def _parts(found: str, expected: str, hint: str) -> list[tuple[str, str]]:
    parts = (("found   ", found), ("expected", expected), ("hint    ", hint))
    return [(label, text) for label, text in parts if text]


def _refused(error: AdmissionRefused) -> tuple[dict[str, object], str]:
    count = len(error.refusals)
    lines = [f"Refused by admission: {count} slice{'s' if count > 1 else ''}"]
    for refusal in error.refusals:
        lines += ["", f"  slices.{refusal.slice_name}", f"    asked    {refusal.asked}"]
        lines += [f"    reason   {_reason(refusal)}"]
        lines += [f"    nearest  {alternative}" for alternative in _alternatives(refusal)]
    document = _document("refused", error.exit_code, lines[0])
    document["refusals"] = [
        {
            "slice": refusal.slice_name,
            "resource": refusal.resource,
            "asked": refusal.asked,
            "left": refusal.left,
            "reason": _reason(refusal),
            "alternatives": _alternatives(refusal),
        }
        for refusal in error.refusals
    ]
    return document, "\n".join(lines)


def _reason(refusal: Refusal) -> str:
    return str(getattr(refusal, "reason", "")) or f"{refusal.resource} has {refusal.left} left"


def _alternatives(refusal: Refusal) -> list[str]:
    """Every change with which admission would accept, nearest first."""
    several = [str(alternative) for alternative in getattr(refusal, "alternatives", ())]
    return several or [refusal.alternative] * bool(refusal.alternative)


def _bug(text: str, report: Path) -> tuple[dict[str, object], str]:
    document = _document("crashed", BUG, text)
    document["report"] = str(report)
    block = f"This is a bug in netarium, not in your trial: {text}"
    return document, f"{block}\n  Please report it with the details in {report}"


def _document(status: str, exit_code: int, reason: str) -> dict[str, object]:
    return {"format": 1, "status": status, "exit_code": exit_code, "reason": reason}


def write_traceback(error: BaseException, folder: Path | None = None) -> Path:
    """Keep the traceback of a bug: in `folder`, or in the machine's folder for temporary files."""
    if folder is not None:
        path = folder / "traceback.txt"
    else:
        handle, name = tempfile.mkstemp(prefix="netarium-traceback-", suffix=".txt")
        os.close(handle)
        path = Path(name)
    path.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    return path


def one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
