"""Names of runs: two different words, never one that is taken."""

from __future__ import annotations

import re

import pytest

from netarium.errors import RecordError
from netarium.store import names
from netarium.store.words import ADJECTIVES, NOUNS


def test_there_are_enough_words_and_none_twice() -> None:
    assert len(ADJECTIVES) >= 200
    assert len(NOUNS) >= 200
    assert len({*ADJECTIVES, *NOUNS}) == len(ADJECTIVES) + len(NOUNS)
    assert all(re.fullmatch(r"[a-z]{2,11}", word) for word in (*ADJECTIVES, *NOUNS))


def test_a_name_is_an_adjective_and_a_noun() -> None:
    adjective, noun = names.memorable(lambda name: False).split("-")
    assert adjective in ADJECTIVES
    assert noun in NOUNS


def test_names_differ() -> None:
    assert len({names.memorable(lambda name: False) for _ in range(50)}) > 45


def test_a_taken_name_gets_a_number() -> None:
    taken = {"able-acorn", "able-acorn-2"}
    assert names.memorable(taken.__contains__, choose=lambda words: words[0]) == "able-acorn-3"


def test_another_pair_is_tried_first() -> None:
    turn = iter([0, 0, 1, 1])
    found = names.memorable({"able-acorn"}.__contains__, choose=lambda words: words[next(turn)])
    assert found == f"{ADJECTIVES[1]}-{NOUNS[1]}"


@pytest.mark.parametrize("name", ["a", "run-1", "2026.11.23_x"])
def test_names_that_can_be_folders(name: str) -> None:
    assert names.check(name) == name


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "..", "a b", "-x", "x" * 101, "é"])
def test_names_that_cannot(name: str) -> None:
    with pytest.raises(RecordError, match="run name: found"):
        names.check(name)
