"""Other words: every one leads to keys that the description has."""

from __future__ import annotations

import pytest

from netarium.describe import otherwords
from netarium.describe.schema import schema


def keys(node: object) -> set[str]:
    """Every key that the JSON Schema of trials names."""
    if isinstance(node, dict):
        below = set().union(*map(keys, node.values())) if node else set()
        return below | set(node.get("properties", {}))
    return set().union(*map(keys, node)) if isinstance(node, list) and node else set()


def test_every_word_leads_to_a_key_there_is() -> None:
    known = keys(schema())
    meant = {key for candidates in otherwords.CALLED.values() for key in candidates}
    assert meant | {word for _, word in otherwords.INSIDE} <= known


@pytest.mark.parametrize(
    ("word", "fields", "said"),
    [
        ("bw", ("rate", "delay"), "here it is called 'rate'"),
        ("bw", ("from", "bandwidth"), "here it is called 'bandwidth'"),
        ("loss", ("impairments",), "write impairments: {loss: …}"),
        ("service", ("latency", "delay_variation"), otherwords.NAMED_BY_SERVICE),
        ("bandwidth", ("size",), ""),
        ("nonsense", ("rate",), ""),
    ],
)
def test_a_word_is_translated_where_its_key_is(word: str, fields: tuple[str, ...], said: str) -> None:
    assert otherwords.hint(word, fields) == said
