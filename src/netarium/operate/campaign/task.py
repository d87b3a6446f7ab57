"""What goes to a worker and comes back: the task of a campaign, and how each trial ended. Imports no engine."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from netarium.describe.design import Base, Variant


@dataclass(frozen=True)
class Task:
    """What a workshop needs to know of a campaign before the first trial."""

    bases: Sequence[Base]
    variants: Sequence[Variant]
    metrics: Sequence[Any]
    folder: str
    keep: str
    kernel_digest: str
    known: bytes = b""
    """First 8 bytes of the plan digests that other campaigns have results for, sorted, as an array of uint64."""


@dataclass(frozen=True)
class Result:
    """How one trial ended. `columns` is the tuple of metric names that `values` (float64) are of.

    known: an identical plan is in the store, nothing was run.
    """

    id: str
    status: str
    cause: str = ""
    wall_s: float = 0.0
    trial_digest: str = ""
    plan_digest: str = ""
    columns: tuple[str, ...] = ()
    values: bytes = b""
    expect: bool | None = None
    certified: bool | None = None
    run: str = ""
    known: bool = False
    traceback: str = ""
    engine_s: float = 0.0
    number: int = -1
    error: Exception | None = None
    """What ends the campaign, since it is no fault of the trial: a full disk."""

    def numbered(self, number: int) -> Result:
        """The same with the number of its columns in their place, for the way between processes."""
        return dataclasses.replace(self, columns=(), number=number)

    def named(self, columns: tuple[str, ...]) -> Result:
        """The same with its columns again."""
        return dataclasses.replace(self, columns=columns, number=-1)
