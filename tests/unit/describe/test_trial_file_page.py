"""docs/trial-file.md names every key of every part, and its examples load."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from netarium import catalog
from netarium.describe.loader import loads
from netarium.describe.part import Part
from netarium.describe.schema import field_texts
from netarium.describe.trial import Trial

PAGE = (Path(__file__).resolve().parents[3] / "docs/trial-file.md").read_text(encoding="utf-8")
EXAMPLES = [
    block for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if block.startswith("trial:")
]
PYTHON = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def models(base: type[Part]) -> list[type[Part]]:
    return [one for model in base.__subclasses__() for one in (model, *models(model))]


CAMPAIGNS = "netarium.describe.campaign"  # has a page of its own, test_campaign_file.py
MODELS = [
    model
    for model in models(Part)
    if model.__module__.startswith("netarium.") and model.__module__ != CAMPAIGNS
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_key_is_on_the_page(model: type[Part]) -> None:
    assert Trial in MODELS
    keys = {info.alias or name for name, info in model.model_fields.items()}
    assert [key for key in sorted(keys) if f"`{key}`" not in PAGE] == []


def test_every_word_is_on_the_page() -> None:
    words = [word for family in catalog.KINDS for word in catalog.words(family)]
    said = set(re.findall(r"[a-z0-9_]+", " ".join(re.findall(r"(?m)^### .*|^\|.*|`[^`]*`", PAGE))))
    assert [word for word in words if word not in said] == []
    stems = {name.split(".")[0] for name in (*catalog.SERVICE_METRICS, *catalog.PORT_METRICS)}
    assert [stem for stem in sorted(stems) if f"`{stem}`" not in PAGE and f"`{stem}." not in PAGE] == []


@pytest.mark.parametrize(
    "model", [m for m in MODELS if not m.__subclasses__()], ids=lambda model: model.__name__
)
def test_what_a_key_means_is_said_in_the_schema(model: type[Part]) -> None:
    if model.__module__.endswith(("queues", "topology.spec", "events")):
        return  # tc's names and the pages of the topologies; at, link and node say it themselves
    texts: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if isinstance(one, type) and issubclass(one, Part) and one is not Part:
            texts |= field_texts(one)
    silent = set(model.model_fields) - set(texts) - {"kind", "probability", "every"}
    assert not silent, f"{model.__name__}: {silent}"


@pytest.mark.parametrize("text", EXAMPLES)
def test_examples_load(text: str) -> None:
    assert loads(text).services


def test_the_python_example_builds() -> None:
    (code,) = PYTHON
    lines = [line for line in code.splitlines() if "nt.load(" not in line and "print(" not in line]
    names: dict[str, object] = {}
    exec("\n".join(lines), names)  # noqa: S102
    assert len(names["trial"].endpoints("load")) == 4
