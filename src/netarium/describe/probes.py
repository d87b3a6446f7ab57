"""Probes: where a trial looks, and how often."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from netarium.describe.part import Part
from netarium.errors import Mistake
from netarium.units import PositiveSize, PositiveTime, Time


class Capture(Part):
    """Packets of one port, written to a pcapng file."""

    port: str
    """The port, "a->b"."""
    packets: Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)] = 100_000
    """Packets to keep, from the start of the capture."""
    snap: PositiveSize = 128
    """Bytes kept of each packet."""
    from_: Time = Field(default=0, alias="from")
    """When the capture starts."""
    to: PositiveTime | None = None
    """When it stops; default: with the trial."""

    @model_validator(mode="after")
    def _times_in_order(self) -> Capture:
        if self.to is not None and self.to <= self.from_:
            raise Mistake("a capture that stops before it starts", "to after from", at=("to",))
        return self


def _word_or_number(value: Any) -> str:
    return "<number>" if isinstance(value, int) and not isinstance(value, bool) else "<word>"


def _word_or_list(value: Any) -> str:
    return "<list>" if isinstance(value, (list, tuple)) else "<word>"


class Probes(Part):
    """What is recorded besides the totals."""

    interval: PositiveTime | None = None
    """Time between two samples; default: duration / 200."""
    capture: tuple[Capture, ...] = ()
    """Ports whose packets are written to pcapng files."""
    flows: Annotated[
        Annotated[Literal["all", "none"], Tag("<word>")]
        | Annotated[int, Field(ge=0, strict=True), Tag("<number>")],
        Discriminator(_word_or_number),
    ] = 256
    """Flows with a series of their own: all, none, or at most so many (the first of each service)."""
    ports: Annotated[
        Annotated[Literal["all"], Tag("<word>")] | Annotated[tuple[str, ...], Tag("<list>")],
        Discriminator(_word_or_list),
    ] = "all"
    """Ports with a series of their own: all, or a list of names "a->b"."""
