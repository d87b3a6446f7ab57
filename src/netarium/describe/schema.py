"""The JSON Schema of a trial file, for completion and checking in editors.

Published as src/netarium/schema/trial.schema.json; after a change of the models,
`python -m netarium.describe.schema` writes it anew, and a test fails until that is done.
"""

from __future__ import annotations

import ast
import inspect
import json
import sys
import textwrap
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from netarium import units
from netarium.catalog import DISTRIBUTIONS
from netarium.describe.part import Part
from netarium.describe.paths import kinds_of

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FILE = Path(__file__).resolve().parents[1] / "schema" / "trial.schema.json"


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a trial file."""
    from netarium.describe.trial import Trial

    document = Trial.model_json_schema(by_alias=True)
    definitions = document["$defs"]
    for name, model in _models(Part).items():
        definition = document if model is Trial else definitions.get(name)
        if definition is not None:
            _complete(definition, model)
    document = _tidied(document)
    document["$defs"] |= {d.name.capitalize(): units.json_schema(d) for d in units.DIMENSIONS.values()}
    document["$defs"]["Network"]["properties"]["nodes"]["additionalProperties"] = {
        "anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]
    }
    sizes = _properties(document, "RequestResponse")["sizes"]
    sizes["anyOf"] = [{"$ref": sizes.pop("$ref")}, {"$ref": "#/$defs/Size"}, {"enum": list(DISTRIBUTIONS)}]
    _properties(document, "Tcp")["delayed_ack"]["oneOf"][0] = {"type": "boolean"}
    return {"$schema": DIALECT, **document, "title": "netarium trial file (*.trial.yml)"}


def _properties(document: dict[str, Any], model: str) -> dict[str, Any]:
    """The properties of one definition of a schema."""
    properties: dict[str, Any] = document["$defs"][model]["properties"]
    return properties


def text() -> str:
    """The schema as it is published."""
    return json.dumps(schema(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def write() -> Path:
    """Write the schema to its place in the package; returns the path."""
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(text(), encoding="utf-8")
    return FILE


def _models(base: type[BaseModel]) -> dict[str, type[BaseModel]]:
    found: dict[str, type[BaseModel]] = {}
    for model in base.__subclasses__():
        found[model.__name__] = model
        found |= _models(model)
    return found


def _complete(definition: dict[str, Any], model: type[BaseModel]) -> None:
    """Add what pydantic cannot know: texts of the fields, defaults with units, that a kind must be stated."""
    texts: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if isinstance(one, type) and issubclass(one, BaseModel) and one is not BaseModel:
            texts |= field_texts(one)
    for name, info in model.model_fields.items():
        entry = definition["properties"].get(info.alias or name)
        if entry is None:
            continue
        if name in texts:
            entry["description"] = texts[name]
        dimension = _dimension(entry)
        if dimension is not None and isinstance(info.default, (int, float)):
            entry["default"] = info.default if dimension.bare else units.write(info.default, dimension)
    if len(kinds_of(model)) == 1 and model.__name__ not in ("Tcp", "Pfifo"):
        definition["properties"]["kind"].pop("default", None)
        definition["required"] = ["kind", *definition.get("required", [])]


def field_texts(model: type[BaseModel]) -> dict[str, str]:
    """Field -> the text below it in the class, of the fields that a model itself defines."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(model)))
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    texts = {}
    for field, below in zip(body, body[1:], strict=False):
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            texts[field.target.id] = " ".join(str(below.value.value).split())
    return texts


_QUANTITIES = {
    json.dumps(units.json_schema(d)["anyOf"], sort_keys=True): d for d in units.DIMENSIONS.values()
}


def _dimension(entry: dict[str, Any]) -> units.Dimension | None:
    """The dimension whose schema an entry is, or has as one of its choices."""
    choices = entry.get("anyOf")
    if choices is None:
        return None
    found = _QUANTITIES.get(json.dumps(choices, sort_keys=True))
    return found or next((d for c in choices if isinstance(c, dict) and (d := _dimension(c))), None)


def _tidied(part: Any) -> Any:
    """Quantities by reference, short forms of kinds added, no titles, free names with their pattern."""
    if isinstance(part, list):
        return [_tidied(value) for value in part]
    if not isinstance(part, dict):
        return part
    result = {
        key: _tidied(value) for key, value in part.items() if not (key == "title" and isinstance(value, str))
    }
    dimension = _QUANTITIES.get(json.dumps(part.get("anyOf"), sort_keys=True))
    if dimension is not None:
        del result["anyOf"]
        result["$ref"] = f"#/$defs/{dimension.name.capitalize()}"
        if result.get("description") == units.json_schema(dimension)["description"]:
            del result["description"]
    if "discriminator" in result and "oneOf" in result:
        kinds = list(result.pop("discriminator")["mapping"])
        result["anyOf"] = [*result.pop("oneOf"), *_short_forms(kinds)]
    if len(result.get("patternProperties", {})) == 1:
        ((pattern, value),) = result.pop("patternProperties").items()
        result |= {"propertyNames": {"pattern": pattern}, "additionalProperties": value}
    return result


def _short_forms(kinds: list[str]) -> list[dict[str, Any]]:
    """What else a choice of kinds may be: a ratio for a loss, a word alone, or a word with arguments."""
    if "bernoulli" in kinds:
        return [{"$ref": "#/$defs/Ratio"}]
    if "dumbbell" in kinds:
        words = "|".join(kind.replace("_", "[_-]") for kind in kinds)
        return [{"type": "string", "pattern": rf"^\s*({words})\s*(:.*)?$"}]
    if "bulk" in kinds or "link_down" in kinds:
        return []
    return [{"enum": kinds}]


def main() -> None:
    """Write the schema."""
    if len(sys.argv) > 1:
        sys.exit("this command takes no arguments")
    write()


if __name__ == "__main__":
    main()
