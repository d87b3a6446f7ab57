"""What check says: ways that fit a line."""

from __future__ import annotations

from netarium.operate.judgement import way_text


def test_a_short_way_is_whole() -> None:
    assert way_text(("a", "r", "b")) == "a → r → b"
    assert way_text(tuple("abcdefghij")) == " → ".join("abcdefghij")


def test_a_long_way_keeps_its_ends() -> None:
    nodes = tuple(f"a-rather-long-name-{number}" for number in range(9))
    assert way_text(nodes) == f"{nodes[0]} → {nodes[1]} → … 5 more … → {nodes[-2]} → {nodes[-1]}"
