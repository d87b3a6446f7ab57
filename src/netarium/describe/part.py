"""Part: the base of every piece of a trial: frozen, no unknown keys, one kind of error."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    ValidationError,
    WithJsonSchema,
)

from netarium.errors import Mistake, TrialInvalid


class _PartMeta(type(BaseModel)):  # type: ignore[misc]
    """Building a part in Python raises TrialInvalid with every problem, as loading a file does."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().__call__(*args, **kwargs)
        except ValidationError as error:
            from netarium.describe.problems import problems_of

            problem_list = problems_of(error, cls, kwargs)
        raise TrialInvalid(problem_list)


class Part(BaseModel, metaclass=_PartMeta):
    """A frozen piece of a description; unknown keys are errors; `from` in a file is `from_` in Python.

    Two parts are equal when all their values are, stated or by default.
    """

    model_config = ConfigDict(
        frozen=True,
        defer_build=True,
        extra="forbid",
        populate_by_name=True,
        serialize_by_alias=True,
        protected_namespaces=(),
    )

    def model_post_init(self, context: Any) -> None:
        """A part that is told apart by its kind always states it when it is written."""
        info = type(self).model_fields.get("kind")
        if (
            info is not None
            and get_origin(info.annotation) is Literal
            and len(get_args(info.annotation)) == 1
        ):
            self.__pydantic_fields_set__.add("kind")

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in type(self).model_fields)

    def __hash__(self) -> int:
        return hash((type(self), *(_frozen(getattr(self, name)) for name in type(self).model_fields)))


def _frozen(value: Any) -> Any:
    return tuple((key, _frozen(item)) for key, item in value.items()) if isinstance(value, dict) else value


def kind_first(value: Any, default: str | None = None) -> Any:
    """A word alone means {kind: word}; a mapping without `kind` gets the default kind, if there is one."""
    if isinstance(value, str):
        return {"kind": value}
    if default is not None and isinstance(value, dict) and "kind" not in value:
        return {"kind": default, **value}
    return value


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def check_name(value: str) -> str:
    """A name of a trial, service, slice or class: letters, digits, '-' and '_'. Raises Mistake."""
    if len(value) > 100 or not _NAME.fullmatch(value):
        fixed = re.sub(r"[^A-Za-z0-9_-]+", "-", value).strip("-_")[:100]
        hint = f"for example {fixed!r}" if fixed else ""
        raise Mistake(repr(value), "a name of letters, digits, '-' and '_' (at most 100)", hint)
    return value


_NODE_RESERVED = ("->", "*", "?", "[", "]", "#", "\n", "\r", "\t")


def check_node_name(value: str) -> str:
    """A name of a node: text on one line without '->', '#' or the characters of patterns. Raises Mistake."""
    for text in _NODE_RESERVED:
        if text in value:
            raise Mistake(repr(value), f"a node name without {text!r}")
    if not value or value != value.strip() or len(value) > 200:
        raise Mistake(repr(value), "a node name of 1 to 200 characters without spaces around it")
    return value


def check_hop(value: str) -> str:
    """A node of a path, or "node#2": to it by the second of parallel links. Raises Mistake."""
    node, mark, number = value.partition("#")
    check_node_name(node)
    if mark and not (number.isdecimal() and int(number) >= 1):
        raise Mistake(repr(value), "a node, or node#2 for the second of parallel links to it")
    return value


def node_of(hop: str) -> str:
    """The node of a hop of a path."""
    return hop.partition("#")[0]


def link_of(hop: str) -> int:
    """Which of the parallel links leads to it, from 1."""
    return int(hop.partition("#")[2] or 1)


def _text(value: Any) -> Any:
    """A YAML number used as a name (a node called 1) is its text."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _listed(value: Any) -> Any:
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        return (_text(value),)
    if isinstance(value, (list, tuple)):
        return tuple(_text(item) for item in value)
    return value


def _not_empty(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value:
        raise Mistake("an empty list", "at least one name")
    return value


def _unlisted(value: Iterable[str]) -> str | list[str]:
    items = list(value)
    return items[0] if len(items) == 1 else items


Name = Annotated[
    str,
    BeforeValidator(_text),
    AfterValidator(check_name),
    WithJsonSchema({"type": "string", "pattern": f"^{_NAME.pattern}$"}),
]
NodeName = Annotated[
    str,
    BeforeValidator(_text),
    AfterValidator(check_node_name),
    WithJsonSchema({"type": ["string", "integer"]}),
]
Hop = Annotated[
    str,
    BeforeValidator(_text),
    AfterValidator(check_hop),
    WithJsonSchema({"type": ["string", "integer"]}),
]
# One name, or a list of them: always a tuple in the model.
Names = Annotated[
    tuple[str, ...],
    BeforeValidator(_listed),
    AfterValidator(_not_empty),
    PlainSerializer(_unlisted),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": ["string", "integer"]},
                {"type": "array", "items": {"type": ["string", "integer"]}, "minItems": 1},
            ]
        }
    ),
]
