"""The published schema is up to date, accepts the examples, and refuses what the loader refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML
from small_trials import SMALL

from netarium.describe import schema

ROOT = Path(__file__).resolve().parents[3]
PUBLISHED = json.loads(schema.FILE.read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(PUBLISHED)
EXAMPLES = sorted((ROOT / "examples").rglob("*.trial.yml"))


def read(text: str) -> object:
    return json.loads(json.dumps(YAML(typ="safe", pure=True).load(text)))


def test_the_published_schema_is_up_to_date() -> None:
    assert schema.FILE.read_text(encoding="utf-8") == schema.text(), "run python -m netarium.describe.schema"


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(PUBLISHED)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_examples_are_valid(path: Path) -> None:
    data = read(path.read_text(encoding="utf-8"))
    data.pop("variants", None)  # --variant is taken out before a trial is read
    assert [error.message for error in VALIDATOR.iter_errors(data)] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("duration: 10 s", "duration: 10"),
        ("duration: 10 s", "duraton: 10 s"),
        ("kind: bulk", "kind: bluk"),
        ("rate: 10 Mbit/s", "rate: 10 Mbps"),
        ("rate: 10 Mbit/s", "rate: 10 ms"),
        ("kind: host", "kind: hst"),
    ],
)
def test_it_refuses_mistakes(old: str, new: str) -> None:
    assert VALIDATOR.is_valid(read(SMALL))
    assert not VALIDATOR.is_valid(read(SMALL.replace(old, new, 1)))


def test_every_field_says_its_default_with_its_unit() -> None:
    tcp = PUBLISHED["$defs"]["Tcp"]["properties"]
    assert tcp["min_rto"]["default"] == "200 ms"
    assert "RFC 6298" in tcp["min_rto"]["description"]
    assert PUBLISHED["$defs"]["Stream"]["properties"]["rate"]["$ref"] == "#/$defs/Rate"
