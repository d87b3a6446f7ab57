"""Where a trial comes from: a file, a folder with one in it, standard input, or a bundled example."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from netarium.errors import Problem, TrialInvalid, did_you_mean, one_of

SUFFIX = ".trial.yml"
STANDARD_INPUT = "-"


@dataclass(frozen=True)
class TrialFile:
    """A description as typed: its text, its name in messages, and the folder its own paths start from."""

    text: str
    name: str
    folder: Path
    path: Path | None = None


def examples_folder() -> Path:
    """The bundled trials: `examples/` of a source checkout, or the package data of an installed wheel."""
    package = Path(__file__).resolve().parents[1]
    checkout = package.parents[1]
    return checkout / "examples" if (checkout / "pyproject.toml").is_file() else package / "examples"


def examples() -> dict[str, Path]:
    """Name and file of every bundled trial, in alphabetical order."""
    return _trials_below(examples_folder())


def find(word: str) -> TrialFile:
    """The trial that `word` means on the command line. Raises TrialInvalid when it means none, or several."""
    if word == STANDARD_INPUT:
        return TrialFile(sys.stdin.read(), "standard input", Path.cwd())
    path = Path(word)
    if path.is_dir():
        found = sorted(path.glob("*" + SUFFIX))
        if len(found) == 1:
            return read(found[0])
        if word not in examples():
            raise _not_one(path, found)
    elif path.exists():
        return read(path)
    bundled = examples()
    for candidate in (path.with_name(path.name + SUFFIX), bundled.get(word)):
        if candidate is not None and candidate.is_file():
            return read(candidate)
    raise _no_such_trial(word, bundled)


def read(path: Path) -> TrialFile:
    """Read a trial file. Raises TrialInvalid when it cannot be read as text."""
    try:
        return TrialFile(path.read_text(encoding="utf-8"), str(path), path.resolve().parent, path)
    except UnicodeDecodeError as error:
        found = f"a byte that is not UTF-8 at position {error.start}"
    except OSError as error:
        found = f"a file that cannot be read ({error.strerror})"
    raise TrialInvalid([Problem("", found, "a trial in YAML", file=str(path))])


def _trials_below(folder: Path) -> dict[str, Path]:
    return {path.name.removesuffix(SUFFIX): path for path in sorted(folder.rglob("*" + SUFFIX))}


def _not_one(folder: Path, found: list[Path]) -> TrialInvalid:
    if found:
        names = ", ".join(path.name for path in found)
        problem = Problem(
            "", f"{len(found)} trials in {_place(folder)} ({names})", "exactly one", "name the file"
        )
    else:
        hint = f"name one, or a bundled trial: {', '.join(examples())}"
        problem = Problem("", f"no *{SUFFIX} file in {_place(folder)}", "exactly one", hint)
    return TrialInvalid([problem])


def _no_such_trial(word: str, bundled: dict[str, Path]) -> TrialInvalid:
    near = Path(word).parent
    files = [str(path) for path in near.glob("*" + SUFFIX)] if near.is_dir() else []
    shortened = {name.removesuffix(SUFFIX): name for name in files}
    guess = did_you_mean(word, [*bundled, *files, *shortened])
    expected = f"a trial file, or {one_of(bundled)}" if bundled else "a trial file"
    return TrialInvalid(
        [Problem("", f"{word!r}, which is neither a file nor a bundled trial", expected, guess)]
    )


def _place(folder: Path) -> str:
    return "this folder" if folder == Path(".") else str(folder)
