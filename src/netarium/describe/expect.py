"""Expectations: what must hold for a run to pass."""

from __future__ import annotations

from pydantic import Field, model_validator

from netarium.describe.part import Name, Part
from netarium.errors import Mistake
from netarium.units import Time, Value, format_time

COMPARISONS = ("at_least", "at_most", "equals")


class Expect(Part):
    """A bound on a metric, or that a slice is certified. Values are quantities, or numbers in SI units."""

    metric: str | None = None
    """"service.metric" such as bulk1.goodput, or "links.a->b.metric"; metric or slice."""
    slice_: Name | None = Field(default=None, alias="slice")
    """The slice whose certification is expected; metric or slice."""
    from_: Time | None = Field(default=None, alias="from")
    """Start of the window; default: when the service starts."""
    to: Time | None = None
    """End of the window; default: when the service stops."""
    at_least: Value | None = None
    """Smallest value that holds."""
    at_most: Value | None = None
    """Largest value that holds."""
    equals: Value | None = None
    """The value that holds; see within."""
    within: Value | None = None
    """How far from `equals` still holds: a part of it (5 %) or a quantity."""
    certified: bool | None = None
    """Whether the slice is certified."""

    @property
    def slice(self) -> str | None:
        """Name of the slice whose certification is expected, or None."""
        return self.slice_

    @property
    def text(self) -> str:
        """The expectation as one line for people."""
        if self.metric is None:
            return f"slice {self.slice_} {'certified' if self.certified else 'not certified'}"
        parts = [self.metric]
        if self.from_ is not None:
            parts.append(f"from {format_time(self.from_)}")
        if self.to is not None:
            parts.append(f"to {format_time(self.to)}")
        for name in (*COMPARISONS, "within"):
            value: Value | None = getattr(self, name)
            if value is not None:
                parts.append(f"{name.replace('_', ' ')} {value.text}")
        return " ".join(parts)

    @model_validator(mode="after")
    def _complete(self) -> Expect:
        if (self.metric is None) == (self.slice_ is None):
            found = "neither" if self.metric is None else "both"
            raise Mistake(found, "exactly one of metric and slice")
        if self.metric is None:
            self._check_certification()
        else:
            self._check_comparison()
        if self.from_ is not None and self.to is not None and self.to <= self.from_:
            raise Mistake("a window that ends before it starts", "to after from", at=("to",))
        return self

    def _check_certification(self) -> None:
        if self.certified is None:
            raise Mistake("a slice without certified", "certified: true")
        for name in (*COMPARISONS, "within", "from_", "to"):
            if getattr(self, name) is not None:
                key = name.rstrip("_")
                raise Mistake(f"{key} with a slice", "certified alone, for the whole run", at=(key,))

    def _check_comparison(self) -> None:
        if self.certified is not None:
            raise Mistake("certified with a metric", "at_least, at_most or equals", at=("certified",))
        if all(getattr(self, name) is None for name in COMPARISONS):
            raise Mistake("nothing to compare with", "at_least, at_most or equals")
        if self.within is not None and self.equals is None:
            raise Mistake("within without equals", "equals, and how far from it", at=("within",))
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise Mistake("at_least above at_most", "at_least <= at_most", at=("at_least",))
