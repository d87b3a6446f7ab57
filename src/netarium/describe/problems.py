"""Turn pydantic's errors into Problems: the place in the file, what was found, expected, the nearest word."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from netarium.errors import Mistake, Problem


def problems_of(error: ValidationError, model: Any, data: Any) -> list[Problem]:
    """Every error of one validation as Problems."""
    found = []
    for item in error.errors():
        mistake = (item.get("ctx") or {}).get("error")
        where = ".".join(str(step) for step in item["loc"])
        if isinstance(mistake, Mistake):
            found.append(Problem(where, mistake.found, mistake.expected, mistake.hint))
        else:
            found.append(Problem(where, repr(item["input"]), item["msg"]))
    return found
