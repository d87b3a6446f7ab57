"""Write a trial as YAML that loads to the same trial."""

from __future__ import annotations

import io
from typing import Any

from netarium.describe.part import Part
from netarium.describe.trial import Trial

_TOP = {"slices", "services", "events", "projections", "expect"}
_SECTIONS_WITH_ENTRIES = _TOP | {"nodes", "links", "capture"}
_WIDTH = 110


def plain(trial: Trial) -> dict[str, Any]:
    """What the trial states, as mappings, lists, text and numbers, without the defaults it left unsaid."""
    data = trial.model_dump(mode="json", exclude_unset=True, by_alias=True)
    order = [info.alias or name for name, info in Trial.model_fields.items()]
    return {key: data[key] for key in order if key in data}


def full(part: Part) -> dict[str, Any]:
    """Everything a part of a trial says, defaults too, as JSON data."""
    return part.model_dump(mode="json", by_alias=True)


def dump(trial: Trial) -> str:
    """YAML text of a trial; `loads(dump(trial)) == trial`."""
    from ruamel.yaml import YAML

    yaml = YAML(typ="rt", pure=True)
    yaml.width = 100_000
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.allow_unicode = True
    stream = io.StringIO()
    yaml.dump(_styled(plain(trial)), stream)
    return stream.getvalue()


def _styled(value: Any, entry: bool = False) -> Any:
    """Ruamel's mappings and lists: entries of a section on one line where they fit."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    if isinstance(value, dict):
        styled = CommentedMap()
        for key, item in value.items():
            inside = isinstance(item, (dict, list)) and key in _SECTIONS_WITH_ENTRIES
            styled[key] = _entries(item) if inside else _styled(item)
        if entry or not any(isinstance(item, (dict, list)) for item in value.values()):
            _flow(styled, value)
        return styled
    if isinstance(value, list):
        items = CommentedSeq(_styled(item) for item in value)
        if not any(isinstance(item, dict) for item in value):
            _flow(items, value)
        return items
    return _text(value) if isinstance(value, str) else value


def _text(value: str) -> str:
    """Text of several lines as a block; text with characters that do not show, escaped."""
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

    lines = value.split("\n")
    if not all(line.isprintable() for line in lines):
        return DoubleQuotedScalarString(value)
    if len(lines) > 1 and all(line == line.strip() for line in lines) and lines[0]:
        return LiteralScalarString(value)
    return value


def _entries(value: Any) -> Any:
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    if isinstance(value, list):
        return CommentedSeq(_styled(item, entry=True) for item in value)
    styled = CommentedMap()
    for key, item in value.items():
        styled[key] = _styled(item, entry=True)
    return styled


def _flow(styled: Any, value: Any) -> None:
    if len(str(value)) <= _WIDTH * 1.2 or not value:
        styled.fa.set_flow_style()
