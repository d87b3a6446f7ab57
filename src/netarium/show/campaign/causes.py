"""Why trials did not succeed: causes that differ only in their numbers count together, with the range of each number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from netarium.show.campaign.trials import Trials

SUCCEEDED = "succeeded"
QUANTITY = re.compile(r"(\d+(?:[.,]\d+)*)( ?)(%|[kMGT]?(?:bit/s|B)\b|[mµnp]?s\b)?")
VARIABLE = re.compile(rf"\b(?!p\d)[^\W\d]\w*\d\w*|(?<!\w){QUANTITY.pattern}")
"""A name with a number in it (but no percentile, which says what was measured), or a quantity with its unit."""
BRACKETS = re.compile(r" \([^()]*(?:\)|$)")
PREFIXES = {"p": 1e-12, "n": 1e-9, "µ": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}


@dataclass
class Cause:
    """What trials have in common that ended alike: how many, the cause with ranges, the variant and seed of the first."""

    status: str
    text: str
    trials: int
    example: str


@dataclass
class _Group:
    first: int
    trials: int = 0
    causes: dict[str, None] = field(default_factory=dict)  # each once, in order


def of(trials: Trials) -> list[Cause]:
    """Every trial that did not succeed is in one of these, most frequent first."""
    groups: dict[tuple[str, str], _Group] = {}
    gists: dict[str, str] = {}
    for row in map(int, np.flatnonzero(trials.status != SUCCEEDED)):
        cause = str(trials.cause[row])
        if cause not in gists:
            gists[cause] = gist(cause)
        group = groups.setdefault((str(trials.status[row]), gists[cause]), _Group(row))
        group.trials += 1
        group.causes.setdefault(cause)
    labels = trials.label_of_rows()
    found = [
        Cause(status, together(list(group.causes)), group.trials, f"{labels[group.first]}, seed {trials.seeds[group.first]}")
        for (status, _), group in groups.items()
    ]  # fmt: skip
    return sorted(found, key=lambda each: -each.trials)


def at_most(found: Sequence[Cause], limit: int, where: str) -> list[Cause]:
    """So many of them, with the others counted in the last one; where: where those can be read."""
    if len(found) <= limit:
        return list(found)
    rest = found[limit - 1 :]
    count = sum(each.trials for each in rest)
    return [*found[: limit - 1], Cause("others", f"{len(rest):,} more causes, in {where}", count, "")]


def gist(cause: str) -> str:
    """What a cause has in common with its like: how it begins, without brackets and numbers."""
    return _pattern(_beginning(cause))


def together(causes: Sequence[str]) -> str:
    """One text for causes of one gist: whole where they differ in their numbers only, else how all of them begin."""
    if len({_pattern(cause) for cause in causes}) > 1:
        causes = [_beginning(cause) for cause in causes]
    found = [[match[0] for match in VARIABLE.finditer(cause)] for cause in causes]
    ranges = iter([_range(values) for values in zip(*found, strict=True)])
    return VARIABLE.sub(lambda _: next(ranges), causes[0])


def _beginning(cause: str) -> str:
    return BRACKETS.sub("", cause.split("; ")[0])


def _pattern(cause: str) -> str:
    return VARIABLE.sub(lambda match: re.sub(r"\d+", "#", match[0]) if match[1] is None else "#", cause)


def _range(values: Sequence[str]) -> str:
    """The least and the largest; with the unit once, where they have the same."""
    sizes = {value: _size(value) for value in dict.fromkeys(values)}
    low, high = min(sizes, key=sizes.__getitem__), max(sizes, key=sizes.__getitem__)
    if sizes[low] == sizes[high]:
        return values[0]
    ends = [QUANTITY.fullmatch(each) for each in (low, high)]
    if ends[0] and ends[1] and ends[0][3] == ends[1][3]:
        low = ends[0][1]
    return f"{low} … {high}"


def _size(value: str) -> tuple[float, ...]:
    quantity = QUANTITY.fullmatch(value)
    if quantity is None:
        return tuple(map(float, re.findall(r"\d+", value)))
    number, unit = quantity[1].replace(",", ""), quantity[3] or ""
    factor = PREFIXES.get(unit[:1], 1.0) if unit not in ("", "s", "%") else 1.0
    return (float(number) * factor if number.count(".") < 2 else 0.0,)
