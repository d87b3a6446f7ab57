"""The JSON Schema of a campaign file, for completion and checking in editors.

Published as src/netarium/schema/campaign.schema.json; `python -m netarium.describe.campaignschema` writes it anew.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from netarium import units
from netarium.describe.campaign import RANGE_KEYS, Campaign
from netarium.describe.part import Part
from netarium.describe.schema import DIALECT, FILE, _complete, _models, _tidied

CAMPAIGN_FILE = FILE.with_name("campaign.schema.json")
VALUES = {
    "anyOf": [
        {"type": "array", "minItems": 1},
        {
            "type": "object",
            "properties": {
                "from": {"description": "Smallest value."},
                "to": {"description": "Largest value."},
                "count": {
                    "type": "integer",
                    "minimum": 1,
                    "description": "How many values, both ends among them.",
                },
                "scale": {"enum": ["linear", "log"], "description": "How they are spaced."},
            },
            "required": ["from", "to"],
            "additionalProperties": False,
        },
    ]
}


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a campaign file."""
    document = Campaign.model_json_schema(by_alias=True)
    definitions = document["$defs"]
    for name, model in _models(Part).items():
        definition = document if model is Campaign else definitions.get(name)
        if definition is not None and model.__module__ == Campaign.__module__:
            _complete(definition, model)
    document = _tidied(document)
    for definition in document["$defs"].values():
        if "required" in definition:
            definition["required"] = list(dict.fromkeys(definition["required"]))
        parameters = definition.get("properties", {}).get("parameters")
        if parameters is not None:
            parameters["additionalProperties"] = {"$ref": "#/$defs/Values"}
    grid = document["$defs"]["GridSweep"]
    grid["required"].remove("kind")  # a sweep without a kind is a grid
    metric = {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/KeptMetric"}]}
    document["properties"]["metrics"]["items"] = metric
    document["properties"]["sweeps"]["items"] = {"anyOf": document["properties"]["sweeps"]["items"]["anyOf"]}
    document["$defs"]["Values"] = VALUES
    document["$defs"] |= {d.name.capitalize(): units.json_schema(d) for d in (units.TIME, units.SIZE)}
    return {"$schema": DIALECT, **document, "title": "netarium campaign file (*.campaign.yml)"}


def text() -> str:
    """The schema as it is published."""
    return json.dumps(schema(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def main() -> None:
    """Write the schema."""
    if len(sys.argv) > 1:
        sys.exit("this command takes no arguments")
    CAMPAIGN_FILE.write_text(text(), encoding="utf-8")


assert set(VALUES["anyOf"][1]["properties"]) == set(RANGE_KEYS)

if __name__ == "__main__":
    main()
