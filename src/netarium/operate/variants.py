"""Variants: named sets of changed values inside a trial file, chosen with `--variant NAME`.

    variants:
      full: {network.defaults.mtu: 9000 B, services.transfer.size: 72 TB}

A variant is what `--set` would be, kept in the file: the chosen one is applied first, then the command line's
own changes. The rest of the program never sees the key; its lines are blanked, so that the line numbers in
messages stay true.
"""

from __future__ import annotations

import dataclasses
import re

from netarium.errors import Problem, TrialInvalid, did_you_mean, one_of
from netarium.operate.trialfile import TrialFile

KEY = "variants"
_OPENING = re.compile(rf"^{KEY}\s*:", re.MULTILINE)
_TOP_LEVEL = re.compile(r"^[^\s#]")


def split(file: TrialFile, chosen: str | None) -> tuple[TrialFile, list[str]]:
    """The file without its variants, and the chosen variant as `path=value` changes.

    Raises TrialInvalid when the file has no variant of that name, or its variants are not a table of tables.
    """
    opening = _OPENING.search(file.text)
    if opening is None:
        if chosen is not None:
            raise _wrong(
                file, 0, f"--variant {chosen}, and no variants in the trial", "a trial with variants"
            )
        return file, []
    lines = file.text.splitlines(keepends=True)
    first = file.text.count("\n", 0, opening.start())
    last = next((n for n in range(first + 1, len(lines)) if _TOP_LEVEL.match(lines[n])), len(lines))
    variants = _parse("".join(lines[first:last]), file, first)
    rest = "".join([*lines[:first], *("\n" * (last - first)), *lines[last:]])
    changes = [] if chosen is None else _changes(variants, chosen, file, first + 1)
    return dataclasses.replace(file, text=rest), changes


def _parse(block: str, file: TrialFile, first: int) -> dict[str, dict[str, object]]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        variants = YAML(typ="safe", pure=True).load(block)[KEY]
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = first + 1 + (mark.line if mark else 0)
        raise _wrong(
            file, line, getattr(error, "problem", "") or "YAML that cannot be read", "a table"
        ) from None
    if not isinstance(variants, dict):
        raise _wrong(file, first + 1, repr(variants), "a table of variants, such as {full: {seed: 2}}")
    for name, changes in variants.items():
        if not isinstance(changes, dict):
            raise _wrong(file, first + 1, repr(changes), "a table of path: value", where=f"{KEY}.{name}")
    return variants


def _changes(variants: dict[str, dict[str, object]], chosen: str, file: TrialFile, line: int) -> list[str]:
    if chosen not in variants:
        raise _wrong(file, line, repr(chosen), one_of(variants), did_you_mean(chosen, variants))
    return [f"{path}={_written(value)}" for path, value in variants[chosen].items()]


def _written(value: object) -> str:
    """A value as it would be typed after `--set path=`; JSON is YAML."""
    import json

    return value if isinstance(value, str) else json.dumps(value)


def _wrong(
    file: TrialFile, line: int, found: str, expected: str, hint: str = "", where: str = KEY
) -> TrialInvalid:
    problem = Problem(where, found, expected, hint, file.name, line, 1 if line else 0)
    return TrialInvalid([problem])
