"""Turn pydantic's errors into Problems: the place, what was found, what was expected, the nearest word."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable, Iterable
from typing import Any

from pydantic import BaseModel, ValidationError

from netarium.describe import otherwords
from netarium.describe.paths import Path, Spot, format_path, parse_path
from netarium.errors import Mistake, Problem, did_you_mean, nearest, one_of


def problems_of(error: ValidationError, model: type[BaseModel], data: Any = None) -> list[Problem]:
    """Every error of one validation as a Problem, without lines; one Problem for one mistake."""
    read = [(item, *_place(item["loc"], model)) for item in error.errors(include_url=False)]
    misspelled = {_meant(item, path, spot) for item, path, spot in read if item["type"] == "extra_forbidden"}
    found: dict[tuple[str, str], Problem] = {}
    for item, path, spot in read:
        if item["type"] == "missing" and path in misspelled:
            continue
        problem = _problem(item, path, spot)
        if data is not None and problem.where:
            where = format_path(_as_typed(parse_path(problem.where), data))
            problem = dataclasses.replace(problem, where=where)
        found.setdefault((problem.where, problem.found), problem)
    return list(found.values())


def _place(loc: tuple[int | str, ...], model: type[BaseModel]) -> tuple[Path, Spot]:
    """The path in the file of pydantic's `loc` (kinds of unions taken out), and the spot that holds its end.

    The spot is that of the mapping or list that has the last step as key or index.
    """
    path: list[str | int] = []
    spot = holder = Spot.of(model)
    for step in loc:
        if isinstance(step, str) and (step.startswith("<") or step == "[key]"):
            spot = _without_words(spot) if step == "<mapping>" else spot
            continue
        if isinstance(step, str) and step in spot.tags and spot is not holder:
            spot = spot.narrowed(step)
            continue
        holder, spot = spot, spot.step(step)
        path.append(_as_written(holder, step))
        if len(spot.options) == 0:
            spot = Spot(())
    return tuple(path), holder


def _as_typed(path: Path, data: Any) -> Path:
    """The path cut where the text has a short form, such as a ratio in place of a loss model."""
    for depth, step in enumerate(path):
        if isinstance(data, (str, int, float)) and depth:
            return path[:depth]
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            break
    return path


def _without_words(spot: Spot) -> Spot:
    return Spot(tuple(spot.models)) if spot.models else spot


def _as_written(holder: Spot, step: str | int) -> str | int:
    """`from_` is `from` in a file."""
    for model in holder.models:
        info = model.model_fields.get(str(step))
        if info is not None and info.alias:
            return info.alias
    return step


def _meant(item: Any, path: Path, holder: Spot) -> Path:
    fields = holder.fields()
    near = nearest(path[-1], fields) or otherwords.called(str(path[-1]), fields)
    return (*path[:-1], near) if near else ()


def _problem(item: Any, path: Path, holder: Spot) -> Problem:
    context = item.get("ctx") or {}
    mistake = context.get("error")
    if isinstance(mistake, Mistake):
        where = format_path((*path, *mistake.at))
        return Problem(where, mistake.found, mistake.expected, mistake.hint)
    describe = _DESCRIBED.get(item["type"], _as_pydantic_says)
    return describe(item, path, holder, context)


def _extra(item: Any, path: Path, holder: Spot, context: Any) -> Problem:
    key, fields = str(path[-1]), holder.fields()
    kind = _kind_of(holder)
    found = f"{key!r}, which {kind} does not have" if kind else f"{key!r}"
    hint = did_you_mean(key, fields) or otherwords.hint(key, fields) or _other_kind(key, holder)
    return Problem(format_path(path), found, one_of(fields, limit=30), hint)


def _kind_of(holder: Spot) -> str:
    models = holder.models
    kind = models[0].model_fields.get("kind") if len(models) == 1 else None
    return f"kind {kind.default}" if kind is not None and isinstance(kind.default, str) else ""


def _other_kind(key: str, holder: Spot) -> str:
    """Which sibling kinds do have the key."""
    owners = [kind for model in _siblings(holder) for kind in _having(model, key)]
    return f"kind {' and '.join(owners)} has it" if len(owners) in (1, 2) else ""


def _siblings(holder: Spot) -> Iterable[type[BaseModel]]:
    models = holder.models
    if len(models) != 1:
        return []
    parent = next((base for base in models[0].__mro__[1:] if len(base.__subclasses__()) > 1), None)
    module = models[0].__module__
    return [m for m in (parent.__subclasses__() if parent else []) if m.__module__ == module]


def _having(model: type[BaseModel], key: str) -> list[str]:
    kind = model.model_fields.get("kind")
    has = any(key == (info.alias or name) for name, info in model.model_fields.items())
    return [kind.default] if has and kind is not None and isinstance(kind.default, str) else []


def _missing(item: Any, path: Path, holder: Spot, context: Any) -> Problem:
    if isinstance(path[-1], int):
        return Problem(format_path(path[:-1]), f"a list of {path[-1]}", "a longer list, such as [a, b]")
    return Problem(format_path(path[:-1]), f"no {path[-1]}", f"{path[-1]}: {_wanted(holder, path[-1])}")


def _wanted(holder: Spot, key: str | int) -> str:
    """A word about the value that is missing: its kinds, its choices, or an example of the quantity."""
    spot = holder.step(key)
    if spot.tags:
        return f"{{kind: {' | '.join(spot.tags)}}}"
    for info in (model.model_fields.get(f"{key}") for model in holder.models):
        for extra in info.metadata if info is not None else ():
            dimension = getattr(extra, "dimension", None)
            if dimension is not None:
                return str(dimension.expected)
    if spot.models:
        return f"{{{', '.join(list(spot.fields())[:4])}, …}}"
    return _EXAMPLES.get(str(key), "a value")


_EXAMPLES = {
    "trial": "a name of letters, digits, '-' and '_'",
    "from": "the name of a node",
    "to": "the name of a node",
    "endpoints": "[a, b], two nodes",
    "file": "the name of a file",
    "node": "the name of a node",
    "link": "the name of a link, or its two nodes",
    "port": 'the name of a port, such as "a->b"',
}


def _unknown_kind(item: Any, path: Path, holder: Spot, context: Any) -> Problem:
    kinds = _listed_tags(context.get("expected_tags", ""))
    tag = context.get("tag")
    where = format_path((*path, "kind") if isinstance(item["input"], dict) else path)
    return Problem(where, repr(tag), one_of(kinds, limit=30), did_you_mean(tag, kinds))


def _listed_tags(text: str) -> list[str]:
    return [tag.strip().strip("'") for tag in text.split(",")]


def _no_kind(item: Any, path: Path, holder: Spot, context: Any) -> Problem:
    kinds = list((holder.step(path[-1]) if path else holder).tags)
    if not isinstance(item["input"], dict):
        return Problem(format_path(path), _shown(item["input"]), "a mapping with a kind", one_of(kinds, 30))
    return Problem(format_path(path), "no kind", f"kind: {one_of(kinds, limit=30)}")


def _literal(item: Any, path: Path, holder: Spot, context: Any) -> Problem:
    spot = holder.step(path[-1]) if path else holder
    text = context.get("expected", "")
    choices = [c.strip().strip("'") for c in text.replace(" or ", ", ").split(",")]
    expected = one_of(choices)
    if spot.models:
        expected += ", or a mapping"
    return Problem(format_path(path), _shown(item["input"]), expected, did_you_mean(item["input"], choices))


def _type(expected: str) -> Callable[..., Problem]:
    def describe(item: Any, path: Path, holder: Spot, context: Any) -> Problem:
        return Problem(format_path(path), _shown(item["input"]), expected)

    return describe


def _mapping(item: Any, path: Path, holder: Spot, context: Any) -> Problem:
    spot = holder.step(path[-1]) if path else holder
    fields = list(spot.fields())
    hint = f"with the keys {', '.join(fields[:8])}{', …' if len(fields) > 8 else ''}" if fields else ""
    hint = f"with kind: {one_of(spot.tags, limit=30)}" if spot.tags else hint
    return Problem(format_path(path), _shown(item["input"]), "a mapping (key: value)", hint)


def _bounded(sign: str, key: str) -> Callable[..., Problem]:
    def describe(item: Any, path: Path, holder: Spot, context: Any) -> Problem:
        return Problem(format_path(path), _shown(item["input"]), f"a number {sign} {context[key]:g}")

    return describe


def _length(item: Any, path: Path, holder: Spot, context: Any) -> Problem:
    low, high = context.get("min_length"), context.get("max_length")
    expected = f"at least {low}" if low is not None else f"at most {high}"
    return Problem(format_path(path), f"a list of {context.get('actual_length', 0)}", expected)


def _as_pydantic_says(item: Any, path: Path, holder: Spot, context: Any) -> Problem:
    return Problem(format_path(path), _shown(item["input"]), item["msg"][:1].lower() + item["msg"][1:])


def _shown(value: Any) -> str:
    """A value as the user would know it again, short."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)}"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(value.value if isinstance(value, enum.Enum) else value)
    return text if len(text) <= 80 else text[:77] + "…"


_DESCRIBED: dict[str, Callable[..., Problem]] = {
    "extra_forbidden": _extra,
    "missing": _missing,
    "union_tag_invalid": _unknown_kind,
    "union_tag_not_found": _no_kind,
    "literal_error": _literal,
    "model_type": _mapping,
    "model_attributes_type": _mapping,
    "dict_type": _mapping,
    "tuple_type": _type("a list, such as [a, b]"),
    "list_type": _type("a list, such as [a, b]"),
    "string_type": _type("text"),
    "bool_type": _type("true or false"),
    "bool_parsing": _type("true or false"),
    "int_type": _type("a whole number"),
    "int_parsing": _type("a whole number"),
    "int_from_float": _type("a whole number"),
    "float_type": _type("a number"),
    "float_parsing": _type("a number"),
    "finite_number": _type("a finite number"),
    "greater_than_equal": _bounded("of at least", "ge"),
    "greater_than": _bounded("above", "gt"),
    "less_than_equal": _bounded("of at most", "le"),
    "less_than": _bounded("below", "lt"),
    "too_short": _length,
    "too_long": _length,
}
