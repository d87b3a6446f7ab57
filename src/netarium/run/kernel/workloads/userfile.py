"""A workload from the user's own file: `next_arrival(source, stream, now_ps)`, see workloads/user.py."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..congestion.userfile import UserFile
from ..records import SOURCE, STREAM

REQUIRED = ("next_arrival",)


def read(
    path: str | Path,
    name: str,
    parameters: Mapping[str, float] | None = None,
    where: str = "",
    source: str | None = None,
) -> UserFile:
    """Read and check a file without compiling it. Raises TrialInvalid with every mistake found."""
    return UserFile(
        path, REQUIRED, (), (SOURCE, STREAM), parameters or {}, where or f"workload {name}", source
    )


def load(
    path: str | Path,
    name: str,
    parameters: Mapping[str, float] | None = None,
    where: str = "",
    source: str | None = None,
) -> list[int]:
    """Compile a file: the address of its function. Raises TrialInvalid."""
    return read(path, name, parameters, where, source).addresses()
