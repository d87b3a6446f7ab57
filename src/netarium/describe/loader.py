"""Load a trial from YAML, all mistakes at once with their lines; and write one back."""

from __future__ import annotations

import copy
import dataclasses
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from netarium.describe import yamltext
from netarium.describe.overrides import apply_overrides
from netarium.describe.paths import parse_path
from netarium.describe.problems import problems_of
from netarium.describe.salvage import salvaged
from netarium.describe.trial import UNCHECKED, Source, Trial
from netarium.errors import Mistake, Problem, TrialInvalid


def load(path_or_text: str | os.PathLike[str], overrides: Iterable[str] = ()) -> Trial:
    """The trial in a file, or in a text (anything with a line break). Raises TrialInvalid with every mistake.

    `overrides` are changes such as "services.bulk1.rate=1 Gbit/s", applied before anything is checked.
    """
    if isinstance(path_or_text, str) and "\n" in path_or_text:
        return loads(path_or_text, overrides=overrides)
    path = Path(path_or_text)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        found = f"a byte that is not UTF-8 at position {error.start}"
        raise TrialInvalid([Problem("", found, "a trial in YAML", file=str(path))]) from None
    except OSError as error:
        found = f"a file that cannot be read ({error.strerror})"
        raise TrialInvalid([Problem("", found, "a trial in YAML", file=str(path))]) from None
    return loads(text, file=str(path), folder=path.resolve().parent, overrides=overrides)


def loads(text: str, *, file: str = "", folder: Path | None = None, overrides: Iterable[str] = ()) -> Trial:
    """The trial in a text. `file` is the name for messages, `folder` where file names in the trial start.

    Raises TrialInvalid with every mistake of syntax, of every part, and of the whole, in the order of lines.
    """
    changes = tuple(overrides)
    document = yamltext.read(text)
    problems = list(document.problems)
    data = document.data
    if not isinstance(data, dict) and not problems:
        found = "an empty text" if data is None else "a text that is not a mapping"
        problems.append(Problem("", found, "a trial: keys trial, duration, network, services, …"))
    if not isinstance(data, dict):
        raise TrialInvalid(_located(problems, document, file, set()))
    data, changed = _changed(data, changes, problems)
    trial, found_problems = build(data, folder)
    problems += found_problems
    if trial is None or problems:
        raise TrialInvalid(_located(problems, document, file, changed))
    return trial.placed(folder, Source(text, file, changes))


def build(data: Mapping[str, Any], folder: Path | None = None) -> tuple[Trial | None, list[Problem]]:
    """(trial, problems) of plain data: the trial is None when a part of it cannot be read.

    Parts that can be read are still checked against each other, so that one round shows every mistake.
    """
    try:
        trial = Trial.model_validate(data, context={UNCHECKED: True}).placed(folder)
    except ValidationError as error:
        problems = problems_of(error, Trial, data)
        return None, [*problems, *salvaged(data, problems, folder)]
    except TrialInvalid as invalid:
        return None, invalid.problems
    return trial, trial.problems()


def _changed(
    data: dict[str, Any], changes: tuple[str, ...], problems: list[Problem]
) -> tuple[dict[str, Any], set[tuple[str | int, ...]]]:
    """The data with the overrides applied that can be, and the paths they set."""
    touched: set[tuple[str | int, ...]] = set()
    for change in changes:
        try:
            data = apply_overrides(data, [change], touched)
        except TrialInvalid as invalid:
            problems += invalid.problems
    return data, touched


def _located(
    problems: list[Problem], document: yamltext.Document, file: str, changed: set[tuple[str | int, ...]]
) -> list[Problem]:
    """Problems with file, line and column, in the order of the text; what an override set says so instead."""
    located = []
    for problem in problems:
        if problem.file or problem.line:
            located.append(problem if problem.file else dataclasses.replace(problem, file=file))
            continue
        try:
            path = parse_path(problem.where)
        except Mistake:
            path = ()
        if any(path[: len(one)] == one for one in changed):
            located.append(dataclasses.replace(problem, file="--set"))
            continue
        line, column = document.place(path)
        located.append(dataclasses.replace(problem, file=file, line=line, column=column))
    return sorted(dict.fromkeys(located), key=lambda problem: (problem.line, problem.column))


def replaced(trial: Trial, changes: Iterable[str]) -> Trial:
    """A copy of a trial with overrides applied. Raises TrialInvalid."""
    from netarium.describe.dump import plain

    wanted = tuple(changes)
    data = apply_overrides(copy.deepcopy(plain(trial)), wanted)
    changed, problems = build(data, trial.folder)
    if changed is None or problems:
        raise TrialInvalid(problems)
    return changed.placed(trial._folder, trial.source)
