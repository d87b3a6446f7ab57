"""Paths into a trial: `services.bulk1.rate`, `network.links[0]`, `network.nodes["St. Gallen"]`.

A path is a tuple of keys and indices. `Spot` follows one through the models, so that a mistake at the end of
it can be told with the names that would have been right.
"""

from __future__ import annotations

import functools
import re
import types
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from netarium.errors import Mistake

Path = tuple[str | int, ...]

_STEP = re.compile(r"""\[(\d+)\]|\[\*\]|\["((?:[^"\\]|\\.)*)"\]|\['((?:[^'\\]|\\.)*)'\]|\.?([^.\[\]]+)""")
_PLAIN = re.compile(r"[^.\[\]\"'=*]+")


def format_path(path: Iterable[str | int]) -> str:
    """The text of a path; keys with dots, brackets, quotes or '=' are quoted."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN.fullmatch(step):
            text += f".{step}" if text else step
        else:
            quoted = step.replace("\\", "\\\\").replace('"', '\\"')
            text += f'["{quoted}"]'
    return text


def parse_path(text: str) -> Path:
    """The path of a text; `*` stays a step of its own. Raises Mistake when it is not a path."""
    steps: list[str | int] = []
    position = 0
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None or (match[4] is not None and text[position] != "." and steps):
            raise Mistake(repr(text), "a path such as services.bulk1.rate or network.links[0].rate")
        index, double, single, plain = match.groups()
        if index is not None:
            steps.append(int(index))
        elif double is not None or single is not None:
            steps.append(re.sub(r"\\(.)", r"\1", double if double is not None else single))
        else:
            steps.append(plain if plain is not None else "*")
        position = match.end()
    if not steps:
        raise Mistake(repr(text), "a path such as services.bulk1.rate")
    return tuple(steps)


@dataclass(frozen=True)
class Spot:
    """The annotations that a value at some place of a trial may have, optional and union unfolded."""

    options: tuple[Any, ...]

    @staticmethod
    def of(annotation: Any) -> Spot:
        """The spot of one annotation."""
        return Spot(tuple(_unfolded(annotation)))

    @property
    def models(self) -> list[type[BaseModel]]:
        """The models a mapping here may be."""
        return [o for o in self.options if isinstance(o, type) and issubclass(o, BaseModel)]

    @property
    def tags(self) -> dict[str, type[BaseModel]]:
        """kind -> model, where the models are told apart by their kind."""
        models = self.models
        if len(models) < 2:
            return {}
        return {tag: model for model in models for tag in kinds_of(model)}

    def narrowed(self, kind: object) -> Spot:
        """The spot of one kind of those possible; unchanged when the kind is not one of them."""
        model = self.tags.get(kind) if isinstance(kind, str) else None
        return Spot((model,)) if model is not None else self

    def fields(self) -> dict[str, FieldInfo]:
        """Keys (as in a file) that a mapping here may have."""
        return {
            info.alias or name: info for model in self.models for name, info in model.model_fields.items()
        }

    def keyed(self) -> Any | None:
        """The annotation of the values of a mapping with free keys, or None."""
        for option in self.options:
            if get_origin(option) is dict:
                return get_args(option)[1]
        return None

    def listed(self) -> Any | None:
        """The annotation of the items of a list, or None."""
        for option in self.options:
            if get_origin(option) in (list, tuple):
                return get_args(option)[0]
        return None

    def step(self, step: str | int) -> Spot:
        """The spot one step further; without options when there is no such step."""
        if isinstance(step, int):
            item = self.listed()
            return Spot.of(item) if item is not None else Spot(())
        found = [Spot.of(_field(model, step)) for model in self.models if _field(model, step) is not None]
        if found:
            return Spot(tuple(dict.fromkeys(option for spot in found for option in spot.options)))
        value = self.keyed()
        return Spot.of(value) if value is not None else Spot(())


@functools.cache
def kinds_of(model: type[BaseModel]) -> tuple[str, ...]:
    """The values of `kind` of a model that is told apart by it; empty for another model."""
    info = model.model_fields.get("kind")
    if info is None or get_origin(info.annotation) is not Literal:
        return ()
    return get_args(info.annotation)


def _field(model: type[BaseModel], key: str) -> Any | None:
    for name, info in model.model_fields.items():
        if key == (info.alias or name) or key == name:
            return info.annotation
    return None


def _unfolded(annotation: Any) -> Iterator[Any]:
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _unfolded(get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for part in get_args(annotation):
            yield from _unfolded(part)
    elif annotation is not type(None):
        yield annotation
