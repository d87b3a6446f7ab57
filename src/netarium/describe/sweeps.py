"""The points of a sweep: which values each one gives to which paths of the trial."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from netarium.describe.campaign import (
    CasesSweep,
    FilesSweep,
    GridSweep,
    LatinHypercubeSweep,
    RandomSweep,
    ZipSweep,
)
from netarium.units import DIMENSIONS, Value, write

SIGNIFICANT_DIGITS = 6
"""Of the values in a range, so that they can be read and typed again."""


@dataclass(frozen=True)
class Point:
    """One point: the changes it makes, in order, and what the columns of its parameters say.

    where: the place of each change in the campaign's file, behind the sweep, such as ("parameters", PATH, 2).
    """

    changes: tuple[tuple[str, Any], ...] = ()
    parameters: tuple[tuple[str, Any], ...] = ()
    where: tuple[tuple[str | int, ...], ...] = ()
    file: str = ""

    def joined(self, other: Point, at: tuple[str | int, ...]) -> Point:
        """This point and another one of a later sweep, which is at `at` in the campaign's file."""
        return Point(
            self.changes + other.changes,
            self.parameters + other.parameters,
            self.where + tuple((*at, *place) for place in other.where),
            self.file or other.file,
        )


def points(sweep: Any, matching: Callable[[str], Sequence[str]]) -> list[Point]:
    """The points of a sweep, in order. matching: the files or bundled trials that a pattern names."""
    return _POINTS[type(sweep)](sweep, matching)


def crossed(sweeps: Sequence[Any], matching: Callable[[str], Sequence[str]]) -> list[Point]:
    """Every combination of the points of all sweeps, the last sweep changing fastest."""
    found = [Point()]
    for index, sweep in enumerate(sweeps):
        own = points(sweep, matching)
        found = [point.joined(other, ("sweeps", index)) for point in found for other in own]
    return found


def crossed_count(sweeps: Sequence[Any], matching: Callable[[str], Sequence[str]]) -> int:
    """How many points there are, without making them."""
    return math.prod(_COUNTS[type(sweep)](sweep, matching) for sweep in sweeps)


def _grid(sweep: GridSweep, matching: Any) -> list[Point]:
    columns = [_column(path, values_of(given)) for path, given in sweep.parameters.items()]
    return [_together(chosen) for chosen in itertools.product(*columns)]


def _zip(sweep: ZipSweep, matching: Any) -> list[Point]:
    columns = [_column(path, values_of(given)) for path, given in sweep.parameters.items()]
    return [_together(chosen) for chosen in zip(*columns, strict=True)]


def _cases(sweep: CasesSweep, matching: Any) -> list[Point]:
    return [
        Point(
            tuple(changes.items()),
            ((sweep.name, name),),
            tuple(("cases", name, path) for path in changes),
        )
        for name, changes in sweep.cases.items()
    ]


def _random(sweep: RandomSweep, matching: Any) -> list[Point]:
    generator = random.Random(f"{sweep.draw_seed}/random")
    return _drawn(sweep, [[generator.random() for _ in sweep.parameters] for _ in range(sweep.count)])


def _latin_hypercube(sweep: LatinHypercubeSweep, matching: Any) -> list[Point]:
    """Each of `count` equal parts of every range has one point, at a random place within it.

    McKay, Beckman, Conover: A comparison of three methods for selecting values of input variables, 1979.
    """
    from scipy.stats import qmc

    sampler = qmc.LatinHypercube(len(sweep.parameters), rng=sweep.draw_seed)
    return _drawn(sweep, sampler.random(sweep.count).tolist())


def _files(sweep: FilesSweep, matching: Callable[[str], Sequence[str]]) -> list[Point]:
    return [
        Point((), (("file", file),), (), file)
        for file in dict.fromkeys(found for word in sweep.files for found in matching(word))
    ]


def _drawn(sweep: Any, quantiles: list[list[float]]) -> list[Point]:
    found = []
    for row in quantiles:
        chosen = zip(sweep.parameters.items(), row, strict=True)
        found.append(
            _together(
                [Point(((path, at_quantile(g, q)),), ((path, at_quantile(g, q)),), (("parameters", path),))
                 for (path, g), q in chosen]
            )
        )  # fmt: skip
    return found


def _column(path: str, values: Sequence[Any]) -> list[Point]:
    return [
        Point(((path, value),), ((path, value),), (("parameters", path, index),))
        for index, value in enumerate(values)
    ]


def _together(chosen: Sequence[Point]) -> Point:
    result = Point()
    for point in chosen:
        result = result.joined(point, ())
    return result


def values_of(given: Any) -> list[Any]:
    """The values of a list, or of a range {from, to, count, scale}, both ends among them."""
    if not isinstance(given, dict):
        return list(given)
    count = given["count"]
    return [at_quantile(given, index / (count - 1) if count > 1 else 0.0) for index in range(count)]


def at_quantile(given: Any, quantile: float) -> Any:
    """The value at a quantile (0 to 1): of a list, the entry there; of a range, the value on its scale.

    A range keeps the kind of its ends: whole numbers stay whole, a quantity keeps its unit.
    """
    if not isinstance(given, dict):
        return given[min(int(quantile * len(given)), len(given) - 1)]
    low, high = Value(given["from"]), Value(given["to"])
    if given.get("scale") == "log":
        number = math.exp(math.log(low) + quantile * (math.log(high) - math.log(low)))
    else:
        number = low + quantile * (high - low)
    if low.dimension is None:
        whole = isinstance(given["from"], int) and isinstance(given["to"], int)
        return round(number) if whole else float(f"{number:.{SIGNIFICANT_DIGITS}g}")
    return _written(float(f"{number:.{SIGNIFICANT_DIGITS}g}"), low.dimension)


def _written(number: float, dimension: str) -> Any:
    """A number in SI units as the text of a quantity."""
    kind = DIMENSIONS[dimension]
    if kind.bare:
        return number
    exact = Decimal(repr(number)) * (10**12 if dimension == "time" else 1)
    return write(int(exact.to_integral_value()) if kind.integer else float(exact), kind)


_POINTS: dict[type, Callable[[Any, Any], list[Point]]] = {
    GridSweep: _grid,
    ZipSweep: _zip,
    CasesSweep: _cases,
    RandomSweep: _random,
    LatinHypercubeSweep: _latin_hypercube,
    FilesSweep: _files,
}
_COUNTS: dict[type, Callable[[Any, Any], int]] = {
    GridSweep: lambda sweep, _: math.prod(
        given["count"] if isinstance(given, dict) else len(given) for given in sweep.parameters.values()
    ),
    ZipSweep: lambda sweep, _: len(values_of(next(iter(sweep.parameters.values())))),
    CasesSweep: lambda sweep, _: len(sweep.cases),
    RandomSweep: lambda sweep, _: sweep.count,
    LatinHypercubeSweep: lambda sweep, _: sweep.count,
    FilesSweep: lambda sweep, matching: len(_files(sweep, matching)),
}
