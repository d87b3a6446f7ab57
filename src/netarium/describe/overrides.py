"""Overrides: `services.bulk1.rate=1 Gbit/s` set in the data of a trial before it is checked."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from netarium.describe import yamltext
from netarium.describe.part import kind_first
from netarium.describe.paths import Path, Spot, format_path, parse_path
from netarium.describe.trial import Trial
from netarium.errors import Mistake, Problem, TrialInvalid, did_you_mean, one_of

FILE = "--set"
# path=value; an '=' inside a quoted key belongs to the path
_OVERRIDE = re.compile(r"""\s*((?:"[^"]*"|'[^']*'|[^="'])+?)\s*=(\s*\S.*)""", re.DOTALL)


def apply_overrides(
    data: Mapping[str, Any], overrides: Iterable[str], touched: set[Path] | None = None
) -> dict[str, Any]:
    """A copy of a trial's data with `path=value` changes applied in order.

    A path may name any key that the part it leads to can have, stated or not; of services, slices, links,
    events and the like only those that are there. `*` in a step means all that match. Values are YAML. The
    paths that were set are added to `touched`. Raises TrialInvalid: a Problem for each that means nothing.
    """
    result: dict[str, Any] = copy.deepcopy(dict(data))
    problems = []
    for override in overrides:
        try:
            _change(result, *parse_override(override), touched)
        except Mistake as mistake:
            where = format_path(mistake.at) if mistake.at else ""
            problems.append(Problem(where, mistake.found, mistake.expected, mistake.hint, FILE))
    if problems:
        raise TrialInvalid(problems)
    return result


def apply_values(
    data: Mapping[str, Any], changes: Iterable[tuple[str, Any]], problems: list[Problem]
) -> dict[str, Any]:
    """A copy of a trial's data with (path, value) changes applied in order, as `apply_overrides` does with text.

    A change that means nothing is left out, and told in `problems`.
    """
    result: dict[str, Any] = copy.deepcopy(dict(data))
    for text, value in changes:
        try:
            _change(result, parse_path(text), value, None)
        except Mistake as mistake:
            where = format_path(mistake.at) if mistake.at else text
            problems.append(Problem(where, mistake.found, mistake.expected, mistake.hint))
    return result


def _change(data: dict[str, Any], path: Path, value: Any, touched: set[Path] | None) -> None:
    """Set every place that a path means. Raises Mistake."""
    for place in list(_places(data, path)):
        _put(data, place, copy.deepcopy(value))
        if touched is not None:
            touched.add(place)


def parse_override(text: str) -> tuple[Path, Any]:
    """(path, value) of one `path=value`. Raises Mistake."""
    match = _OVERRIDE.fullmatch(text)
    if match is None:
        raise Mistake(repr(text), "path=value, such as services.bulk1.rate=1 Gbit/s")
    left, right = match.groups()
    try:
        return parse_path(left.strip()), yamltext.value(right)
    except ValueError as error:
        if isinstance(error, Mistake):
            raise
        raise Mistake(repr(right), "a value in YAML", str(error)) from None


def _places(data: Mapping[str, Any], path: Path) -> Iterator[Path]:
    """Every place that a path with patterns means. Raises Mistake when there is none."""
    found: list[tuple[Path, Spot, Any]] = [((), Spot.of(Trial), data)]
    for depth, step in enumerate(path):
        if isinstance(step, str) and ("*" in step or "?" in step):
            following = [one for place in found for one in _matching(place, step)]
            if not following:
                names = [name for place in found for name in _names(place)]
                expected = one_of(names) if names else "a part with names"
                raise Mistake(f"{step!r}, which matches nothing", expected, at=path[: depth + 1])
        else:
            following = [_step(place, step, path[: depth + 1], depth == len(path) - 1) for place in found]
        found = following
    for place, _, _ in found:
        yield place


def _narrow(spot: Spot, value: Any) -> tuple[Spot, Any]:
    """The spot of the kind that the value has (a word alone is a kind), and the value as a mapping."""
    tags = spot.tags
    if isinstance(value, str) and value in tags:
        value = kind_first(value)
    if not tags:
        return spot, value
    kind = value.get("kind") if isinstance(value, dict) else None
    return spot.narrowed(kind if kind is not None else _default_kind(spot)), value


def _default_kind(spot: Spot) -> str:
    """tcp, where a transport says no kind."""
    return "tcp" if "tcp" in spot.tags else ""


def _names(place: tuple[Path, Spot, Any]) -> list[str]:
    path, spot, value = place
    if isinstance(value, dict):
        return [str(key) for key in value]
    return [f"[{index}]" for index in range(len(value))] if isinstance(value, list) else []


def _matching(place: tuple[Path, Spot, Any], pattern: str) -> Iterator[tuple[Path, Spot, Any]]:
    path, spot, value = place
    spot, value = _narrow(spot, value)
    if isinstance(value, dict):
        for key in value:
            if fnmatchcase(str(key), pattern):
                yield (*path, key), spot.step(key), value[key]
    elif isinstance(value, list) and pattern == "*":
        for index, item in enumerate(value):
            yield (*path, index), spot.step(index), item


def _step(place: tuple[Path, Spot, Any], step: str | int, asked: Path, last: bool) -> tuple[Path, Spot, Any]:
    path, spot, value = place
    spot, value = _narrow(spot, value)
    if isinstance(step, int):
        _check_index(spot, value, step, asked)
        return (*path, step), spot.step(step), value[step]
    fields = spot.fields()
    if step in fields:
        inner = value.get(step) if isinstance(value, dict) else None
        return (*path, step), spot.step(step), inner
    if spot.keyed() is not None:
        if isinstance(value, dict) and step in value:
            return (*path, step), spot.step(step), value[step]
        if (last and not spot.step(step).models) or path == ("network", "nodes"):
            return (*path, step), spot.step(step), None  # a parameter, or a node of the topology
        raise _no_such(step, [str(key) for key in value or ()], asked)
    if fields:
        raise _no_such(step, list(fields), asked)
    found = f"{format_path(path)}, which is a single value" if path else repr(step)
    raise Mistake(found, f"a path that ends at {format_path(path)}", at=asked)


def _check_index(spot: Spot, value: Any, index: int, asked: Path) -> None:
    if spot.listed() is None or not isinstance(value, list):
        known = list(spot.fields()) or [str(key) for key in value or ()]
        raise Mistake(f"[{index}]", one_of(known) if known else "a name", at=asked)
    if index >= len(value):
        expected = f"an index from 0 to {len(value) - 1}" if value else "nothing: the list is empty"
        raise Mistake(f"[{index}]", expected, at=asked)


def _no_such(step: str, known: list[str], asked: Path) -> Mistake:
    expected = one_of(known, limit=30) if known else "nothing: there is none"
    return Mistake(repr(step), expected, did_you_mean(step, known), at=asked)


def _put(data: dict[str, Any], path: Path, value: Any) -> None:
    """Set one value, making the mappings on the way that are not stated yet."""
    holder: Any = data
    for step in path[:-1]:
        inner = holder[step] if isinstance(step, int) else holder.get(step)
        if inner is None:
            inner = holder[step] = {}
        elif isinstance(inner, str):
            inner = holder[step] = kind_first(inner)
        holder = inner
    holder[path[-1]] = value
