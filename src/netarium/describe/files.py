"""Files that a trial names: each must exist, and a Python file must define what the trial takes from it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from netarium.describe.command import Command, Ready
from netarium.describe.paths import Path as TrialPath
from netarium.describe.paths import format_path
from netarium.errors import Problem, did_you_mean, one_of

FILE_FIELDS = ("file", "demands")
BESIDE_TRIAL = "{trial}/"
"""How a word of a command begins that names a file beside the trial."""


def parts_of(part: Any, path: TrialPath = ()) -> Iterator[tuple[TrialPath, BaseModel]]:
    """Every model inside a model with its path, the model itself first."""
    if isinstance(part, BaseModel):
        yield path, part
        for name, info in type(part).model_fields.items():
            yield from parts_of(getattr(part, name), (*path, info.alias or name))
    elif isinstance(part, dict):
        for key, value in part.items():
            yield from parts_of(value, (*path, key))
    elif isinstance(part, (list, tuple)):
        for index, value in enumerate(part):
            yield from parts_of(value, (*path, index))


def file_problems(trial: Any, locate: Callable[[str], Path]) -> list[Problem]:
    """Files that do not exist, and Python files without the name that the trial takes from them."""
    problems = []
    for path, part, file in named_files(trial):
        where = format_path(path)
        if isinstance(part, Command) and locate(file).is_dir():
            continue
        found = _missing(where, file, locate(file))
        if found is None and isinstance(name := getattr(part, "name", None), str):
            found = _without_name(format_path((*path[:-1], "name")), where, locate(file), name)
        if found is not None:
            problems.append(found)
    return problems


def named_files(trial: Any) -> Iterator[tuple[TrialPath, BaseModel, str]]:
    """(path of the value, part it is in, file name) of every file of the user's that a trial names."""
    for path, part in parts_of(trial):
        if isinstance(part, Command):
            for index, word in enumerate(part.argv):
                if word.startswith(BESIDE_TRIAL) and len(word) > len(BESIDE_TRIAL):
                    yield (*path, "argv", index), part, word.removeprefix(BESIDE_TRIAL)
        for field in FILE_FIELDS:
            file = getattr(part, field, None)
            in_a_host = isinstance(part, Ready)  # it appears there, during the run
            if field in type(part).model_fields and isinstance(file, str) and not in_a_host:
                yield (*path, field), part, file


def _missing(where: str, file: str, path: Path) -> Problem | None:
    if path.is_file():
        return None
    try:
        beside = [entry.name for entry in path.parent.iterdir() if entry.is_file()]
    except OSError:
        hint = f"there is no folder {str(path.parent)!r}"
    else:
        hint = did_you_mean(path.name, beside) or f"file names start from the folder {str(path.parent)!r}"
    return Problem(where, f"{file!r}, which does not exist", "a file", hint)


def _without_name(where: str, where_file: str, path: Path, name: str) -> Problem | None:
    try:
        module = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    except (SyntaxError, UnicodeDecodeError, ValueError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
        return Problem(where_file, f"{path.name!r}, which is not Python{line}: {error}", "a Python file")
    defined = list(_defined(module))
    if name in defined:
        return None
    expected = (
        f"a name defined in {path.name}: {one_of(defined)}" if defined else "a name defined in the file"
    )
    return Problem(where, repr(name), expected, did_you_mean(name, defined))


def _defined(module: ast.Module) -> Iterator[str]:
    for node in module.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (alias.asname or alias.name for alias in node.names)
