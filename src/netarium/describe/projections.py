"""Projections: how long a volume would take at the goodput that a service was seen to reach."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import Field, model_validator

from netarium.describe.part import Name, Part
from netarium.errors import Mistake, Problem, did_you_mean, one_of
from netarium.units import PositiveRate, PositiveSize, Time, format_time

if TYPE_CHECKING:
    from netarium.describe.trial import Trial


class Projection(Part):
    """The time of a volume larger than what the run simulates; the rest is extrapolated, and said to be."""

    service: Name
    """The service whose goodput counts."""
    size: PositiveSize
    """The volume."""
    label: str = ""
    """What the volume is, for people; default: the size."""
    from_: Time | None = Field(default=None, alias="from")
    """Start of the window whose goodput is taken as steady; default: when the service starts."""
    to: Time | None = None
    """End of that window; default: when the service stops."""
    line_rate: PositiveRate | None = None
    """A rate; the time of the volume at it is shown beside."""
    published: str = ""
    """What others say it takes; shown beside, compared with nothing."""

    @model_validator(mode="after")
    def _window(self) -> Projection:
        if self.from_ is not None and self.to is not None and self.to <= self.from_:
            raise Mistake("a window that ends before it starts", "to after from", at=("to",))
        return self


def projection_problems(trial: Trial) -> Iterator[Problem]:
    """Projections of services that do not exist, and windows that start after the end."""
    for index, entry in enumerate(trial.projections):
        where = f"projections[{index}]"
        if entry.service not in trial.services:
            hint = did_you_mean(entry.service, trial.services)
            expected = f"the name of a service: {one_of(trial.services)}" if trial.services else "a service"
            yield Problem(f"{where}.service", repr(entry.service), expected, hint)
        if entry.from_ is not None and entry.from_ >= trial.duration:
            expected = f"before the end of the trial at {format_time(trial.duration)}"
            yield Problem(f"{where}.from", format_time(entry.from_), expected)
