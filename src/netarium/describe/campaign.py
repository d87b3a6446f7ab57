"""The campaign: which trials are run and compared: a base, sweeps over it, seeds, modes, and what is kept of each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PrivateAttr, WithJsonSchema, model_validator

from netarium.describe.part import Name, Part, kind_first
from netarium.describe.trial import Trial
from netarium.errors import Mistake, one_of
from netarium.units import SECOND_PS, PositiveSize, PositiveTime, Time, Value

VALUES_MAX = 10_000
TRIALS_MAX = 1_000_000
RANGE_KEYS = ("from", "to", "count", "scale")
Seed = Annotated[int, Field(ge=0, le=2**63 - 1, strict=True)]


class Sweep(Part):
    """A set of points; a point gives values to some paths of the trial. Sweeps of a campaign are crossed."""


class GridSweep(Sweep):
    """Every combination of the values of all parameters."""

    kind: Literal["grid"] = "grid"
    parameters: dict[str, Any]
    """Path of the trial -> its values: a list, or {from, to, count, scale}."""

    @model_validator(mode="after")
    def _complete(self) -> GridSweep:
        return _checked(self, need_count=True)


class ZipSweep(Sweep):
    """The first values of all parameters together, then the second ones, and so on."""

    kind: Literal["zip"]
    parameters: dict[str, Any]
    """Path of the trial -> its values: a list, or {from, to, count, scale}; all of one length."""

    @model_validator(mode="after")
    def _complete(self) -> ZipSweep:
        _checked(self, need_count=True)
        lengths = {path: _length(given) for path, given in self.parameters.items()}
        if len(set(lengths.values())) > 1:
            found = ", ".join(f"{length} for {path}" for path, length in lengths.items())
            raise Mistake(f"values of different number: {found}", "as many values for each parameter")
        return self


class CasesSweep(Sweep):
    """Named sets of changes, as the variants of a trial are."""

    kind: Literal["cases"]
    name: Name
    """What the cases differ in: a column of the results."""
    cases: dict[str, dict[str, Any]]
    """Name of the case -> {path of the trial: value}."""

    @model_validator(mode="after")
    def _complete(self) -> CasesSweep:
        if not self.cases:
            raise Mistake("no cases", "{NAME: {path: value}}", at=("cases",))
        return self


class Drawn(Sweep):
    """Points drawn from ranges and lists."""

    parameters: dict[str, Any]
    """Path of the trial -> {from, to, scale}, or a list to choose from."""
    count: Annotated[int, Field(ge=1, le=VALUES_MAX, strict=True)]
    """How many points."""
    draw_seed: Annotated[int, Field(ge=0, le=2**32 - 1, strict=True)] = 1
    """Seed of the draw."""


class RandomSweep(Drawn):
    """Points drawn independently and evenly."""

    kind: Literal["random"]

    @model_validator(mode="after")
    def _complete(self) -> RandomSweep:
        return _checked(self, need_count=False)


class LatinHypercubeSweep(Drawn):
    """Points that fill the ranges evenly: each of `count` equal parts of every range has one (McKay et al., 1979)."""

    kind: Literal["latin_hypercube"]

    @model_validator(mode="after")
    def _complete(self) -> LatinHypercubeSweep:
        return _checked(self, need_count=False)


class FilesSweep(Sweep):
    """Trials from files, in place of the base or each with its own network and services."""

    kind: Literal["files"]
    files: Annotated[tuple[str, ...], Field(min_length=1)]
    """Files or bundled trials; a name with * means all files that match."""


def _sweep(value: Any) -> Any:
    return kind_first(value, "grid")


AnySweep = Annotated[
    Annotated[
        GridSweep | ZipSweep | CasesSweep | RandomSweep | LatinHypercubeSweep | FilesSweep,
        Field(discriminator="kind"),
    ],
    BeforeValidator(_sweep),
]


class KeptMetric(Part):
    """A metric over a part of the run, as an expectation has it."""

    metric: str
    """SERVICE.METRIC or links.PORT.METRIC, such as flows.goodput."""
    from_: Time | None = Field(default=None, alias="from")
    """Start of the window; default: when the service starts."""
    to: Time | None = None
    """End of the window; default: when the service stops."""
    name: str | None = None
    """Its name in the results; default: the metric with the window behind it."""

    @property
    def column(self) -> str:
        """The name in the results, such as flows.goodput@2s.."""
        if self.name is not None:
            return self.name
        ends = [f"{value / SECOND_PS:g}s" if value is not None else "" for value in (self.from_, self.to)]
        return f"{self.metric}@{ends[0]}..{ends[1]}" if any(ends) else self.metric


class Leader(Part):
    """The metric by which the variant that leads is told while the campaign runs."""

    metric: str
    """Name of a metric that is kept."""
    best: Literal["highest", "lowest"] = "highest"
    """Which end of it leads."""


class Selection(Part):
    """Some of the trials: those in which the swept parameters have these values."""

    where: dict[str, Any]
    """Path of a swept parameter, or name of cases -> the value, or a list of values."""
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)] | None = None
    """Which of the campaign's seeds; default: all."""
    set: dict[str, Any] = Field(default_factory=dict)
    """Path of the trial -> value, for these trials."""


class TrialLimits(Part):
    """What a trial may take; one that takes more is stopped and recorded with the cause."""

    deadline: PositiveTime = 3600 * SECOND_PS
    """Wall time of one trial."""
    memory: PositiveSize | None = None
    """Memory of one trial; default: what is free when the campaign starts, shared by the workers."""


def _base(value: Any) -> Any:
    if isinstance(value, Trial):
        from netarium.describe.dump import plain

        return plain(value)
    if value is not None and not isinstance(value, (str, dict)):
        raise Mistake(type(value).__name__, "a trial's file, the name of a bundled trial, or a trial")
    return value


def _listed_metric(value: Any) -> Any:
    return {"metric": value} if isinstance(value, str) else value


Metrics = tuple[Annotated[KeptMetric, BeforeValidator(_listed_metric)], ...]


def _seeds(value: Any) -> Any:
    """A number n means the seeds 1 to n."""
    if isinstance(value, int) and not isinstance(value, bool):
        if not 1 <= value <= TRIALS_MAX:
            raise Mistake(str(value), f"a number of seeds from 1 to {TRIALS_MAX}, or a list of seeds")
        return tuple(range(1, value + 1))
    return value


class Campaign(Part):
    """A set of trials: base x sweeps x seeds x modes."""

    campaign: Name
    """Name of the campaign, and of its folder."""
    title: str = ""
    """One line for people."""
    description: str = ""
    """As much as there is to say."""
    base: Annotated[
        Any,
        BeforeValidator(_base),
        WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object"}, {"type": "null"}]}),
    ] = None
    """The trial that the sweeps change: a file, a bundled trial's name, or a trial; none with a sweep over files."""
    variant: str | None = None
    """A variant that the base defines, applied first."""
    set: dict[str, Any] = Field(default_factory=dict)
    """Path of the trial -> value, for all trials."""
    sweeps: tuple[AnySweep, ...] = ()
    """What changes from trial to trial; several sweeps are crossed."""
    seeds: Annotated[
        tuple[Seed, ...],
        BeforeValidator(_seeds),
        Field(min_length=1),
        WithJsonSchema(
            {
                "anyOf": [
                    {"type": "integer", "minimum": 1},
                    {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1},
                ]
            }
        ),
    ] = (1,)
    """How many seeds (1 to n), or which."""
    modes: Annotated[tuple[Literal["simulate", "emulate"], ...], Field(min_length=1)] = ("simulate",)
    """Virtual time with models, real time with real hosts, or both."""
    emulated: tuple[Selection, ...] = ()
    """Trials that are run with real hosts, in place of the modes of the others."""
    metrics: Metrics = (KeptMetric(metric="*"),)
    """What is kept of each trial: metrics, patterns of them, or a metric over a window; default: all of services."""
    leader: Leader | None = None
    """The metric by which the leading variant is told while it runs."""
    limits: TrialLimits = Field(default_factory=TrialLimits)
    """What one trial may take."""
    shuffle: Annotated[int, Field(ge=0, le=2**32 - 1, strict=True)] = 1
    """Seed of the order in which trials are run."""

    _folder: Path | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _complete(self) -> Campaign:
        if self.base is None and not any(isinstance(sweep, FilesSweep) for sweep in self.sweeps):
            raise Mistake("no base", "base: FILE, or a sweep of kind files")
        if sum(isinstance(sweep, FilesSweep) for sweep in self.sweeps) > 1:
            raise Mistake("several sweeps of kind files", "one, with all the files", at=("sweeps",))
        if self.base is not None and any(isinstance(sweep, FilesSweep) for sweep in self.sweeps):
            raise Mistake("a base beside a sweep over files", "one of the two", at=("base",))
        for key, values in (("seeds", self.seeds), ("modes", self.modes)):
            if len(set(values)) < len(values):
                twice = next(value for value in values if values.count(value) > 1)
                raise Mistake(f"{twice} more than once", f"each of the {key} once", at=(key,))
        return self


def _length(given: Any) -> int:
    return int(given["count"]) if isinstance(given, dict) else len(given)


def _checked(sweep: Any, need_count: bool) -> Any:
    """The values of a sweep are lists or ranges. Raises Mistake."""
    if not sweep.parameters:
        raise Mistake("no parameters", "parameters: {path of the trial: [values]}")
    for path, given in sweep.parameters.items():
        at = ("parameters", path)
        if isinstance(given, dict):
            _check_range(given, at, need_count)
        elif not isinstance(given, (list, tuple)):
            raise Mistake(repr(given), "a list of values, or {from, to, count, scale}", at=at)
        elif not given:
            raise Mistake("an empty list", "at least one value", at=at)
    return sweep


def _check_range(given: dict[str, Any], at: tuple[str, ...], need_count: bool) -> None:
    keys = RANGE_KEYS if need_count else tuple(key for key in RANGE_KEYS if key != "count")
    wrong = [key for key in given if key not in keys]
    if wrong:
        raise Mistake(f"{wrong[0]!r} in a range", one_of(keys), at=(*at, wrong[0]))
    missing = [key for key in ("from", "to", *(["count"] if need_count else [])) if key not in given]
    if missing:
        raise Mistake(f"a range without {missing[0]}", f"{{{', '.join(keys)}}}", at=at)
    if need_count and not (type(given["count"]) is int and 1 <= given["count"] <= VALUES_MAX):
        raise Mistake(repr(given["count"]), f"a whole number from 1 to {VALUES_MAX}", at=(*at, "count"))
    if given.get("scale", "linear") not in ("linear", "log"):
        raise Mistake(repr(given["scale"]), one_of(("linear", "log")), at=(*at, "scale"))
    low, high = (_end(given[key], (*at, key)) for key in ("from", "to"))
    if low.dimension != high.dimension:
        raise Mistake(f"{given['from']} to {given['to']}", "two quantities of one kind", at=at)
    if low > high:
        raise Mistake(f"from {given['from']} to {given['to']}", "from at most to", at=at)
    if given.get("scale") == "log" and low <= 0:
        raise Mistake(repr(given["from"]), "a value above 0 for a logarithmic scale", at=(*at, "from"))


def _end(value: Any, at: tuple[str, ...]) -> Value:
    try:
        return Value(value)
    except Mistake as mistake:
        raise Mistake(mistake.found, mistake.expected, mistake.hint, at) from None
