"""Read YAML text into plain data with the line of every key and item; all duplicate keys at once.

YAML 1.2 (`no` is text, `1:30` is text). Anchors and merge keys work; what they expand to is limited.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from netarium.describe.paths import Path, format_path
from netarium.errors import Problem

VALUES_MAX = 1_000_000
DEPTH_MAX = 60

_PLAIN = {"tag:yaml.org,2002:" + word for word in ("int", "float", "bool", "null")}
_MERGE = "tag:yaml.org,2002:merge"


@dataclass
class Document:
    """What a text says: plain data, where each key or item stands (line and column from 1), what is wrong."""

    data: Any = None
    places: dict[Path, tuple[int, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def place(self, path: Path) -> tuple[int, int]:
        """Line and column of a path, or of the nearest enclosing part that stands in the text."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, (1, 1))


def read(text: str) -> Document:
    """Plain data of a YAML text. Never raises: what is wrong is in `problems`."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    document = Document()
    yaml = YAML(typ="safe", pure=True)
    try:
        node = yaml.compose(text)
        if node is not None:
            document.data = _Reader(yaml.constructor, document).value(node, (), 0)
    except _Endless:
        document.data = None
    except MarkedYAMLError as error:
        document.problems.append(_syntax(error, text))
    except (YAMLError, RecursionError) as error:
        document.problems.append(Problem("", f"text that is not YAML: {_one_line(error)}", "YAML"))
    return document


def value(text: str) -> Any:
    """The value of a short YAML text: `5 s`, `3`, `{kind: tcp}`. Raises ValueError when it is none."""
    document = read(text)
    if document.problems:
        raise ValueError(document.problems[0].found)
    return document.data


class _Endless(Exception):
    """The text expands to more than can be read."""


class _Reader:
    """Turns composed nodes into plain data, noting places and duplicates."""

    def __init__(self, constructor: Any, document: Document) -> None:
        self.constructor = constructor
        self.document = document
        self.count = 0
        self.open: set[int] = set()

    def value(self, node: Any, path: Path, depth: int) -> Any:
        self.count += 1
        if self.count > VALUES_MAX or depth > DEPTH_MAX or id(node) in self.open:
            limit = f"at most {VALUES_MAX:,} values, {DEPTH_MAX} levels, and no anchor inside itself"
            self._problem(path, node.start_mark, "a description too large or too deep", limit)
            raise _Endless
        if node.id == "scalar":
            return self._scalar(node, path)
        self.open.add(id(node))
        if node.id == "sequence":
            result: Any = self._items(node, path, depth)
        else:
            result = self._mapping(node, path, depth)
        self.open.discard(id(node))
        return result

    def _scalar(self, node: Any, path: Path) -> Any:
        if node.tag not in _PLAIN:
            if not node.tag.startswith("tag:yaml.org,2002:"):
                self._problem(path, node.start_mark, f"the tag {node.tag}", "no tags")
            return node.value
        try:
            return self.constructor.construct_object(node)
        except (ValueError, OverflowError):
            self._problem(path, node.start_mark, repr(node.value), "a value")
            return None

    def _items(self, node: Any, path: Path, depth: int) -> list[Any]:
        result = []
        for index, item in enumerate(node.value):
            self.document.places[*path, index] = _mark(item.start_mark)
            result.append(self.value(item, (*path, index), depth + 1))
        return result

    def _mapping(self, node: Any, path: Path, depth: int) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        lines: dict[Any, int] = {}
        merged: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                merged |= self._merged(value_node, path, depth)
                continue
            key = self._key(key_node, path)
            if key is None:
                continue
            if key in result:
                found = f"the key {key!r} a second time (first in line {lines[key]})"
                self._problem((*path, key), key_node.start_mark, found, "each key once")
                continue
            lines[key] = key_node.start_mark.line + 1
            self.document.places[*path, key] = _mark(key_node.start_mark)
            result[key] = self.value(value_node, (*path, key), depth + 1)
        return {**merged, **result} if merged else result

    def _key(self, node: Any, path: Path) -> str | None:
        if node.id != "scalar":
            self._problem(path, node.start_mark, "a key that is a list or a mapping", "a word as key")
            return None
        return str(node.value)

    def _merged(self, node: Any, path: Path, depth: int) -> dict[Any, Any]:
        parts = node.value if node.id == "sequence" else [node]
        result: dict[Any, Any] = {}
        for part in reversed(parts):
            value = self.value(part, path, depth + 1)
            if isinstance(value, dict):
                result |= value
            else:
                self._problem(path, node.start_mark, "<< of something that is not a mapping", "a mapping")
        return result

    def _problem(self, path: Path, mark: Any, found: str, expected: str) -> None:
        line, column = _mark(mark)
        self.document.problems.append(Problem(format_path(path), found, expected, line=line, column=column))


def _mark(mark: Any) -> tuple[int, int]:
    return mark.line + 1, mark.column + 1


def _syntax(error: Any, text: str) -> Problem:
    """A syntax error, said with the line it is in."""
    mark = error.problem_mark or error.context_mark
    line, column = _mark(mark) if mark is not None else (1, 1)
    lines = text.splitlines()
    shown = lines[line - 1].strip() if line <= len(lines) else "the end of the text"
    found = f"{shown[:80]!r}: {_one_line(error.problem or error.context or error)}"
    return Problem("", found, "YAML", _syntax_hint(error, lines, line), line=line, column=column)


def _syntax_hint(error: Any, lines: list[str], line: int) -> str:
    if any("\t" in text[: len(text) - len(text.lstrip())] for text in lines[max(0, line - 2) : line]):
        return "indent with spaces, not with tabs"
    if error.context_mark is not None and error.context_mark.line + 1 != line:
        return f"it belongs to line {error.context_mark.line + 1}"
    return ""


def _one_line(error: object) -> str:
    return " ".join(str(error).split())
