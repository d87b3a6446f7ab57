"""Variants of a trial file: applied as changes, invisible to the rest, and errors that name the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from netarium.errors import TrialInvalid
from netarium.operate import variants
from netarium.operate.trialfile import TrialFile

TEXT = """\
trial: express
variants:
  # every packet
  full: {services.transfer.size: 72 TB, seed: 7}

  tiny:
    network.defaults.mtu: 1500 B
    services.transfer.transport.sack: false
duration: 10 s
"""


def file(text: str = TEXT) -> TrialFile:
    return TrialFile(text, "express.trial.yml", Path())


def test_lines_keep_their_numbers_when_the_key_goes() -> None:
    rest, changes = variants.split(file(), None)
    assert changes == []
    assert rest.text.splitlines() == ["trial: express", *[""] * 7, "duration: 10 s"]


def test_the_chosen_variant_becomes_changes() -> None:
    assert variants.split(file(), "full")[1] == ["services.transfer.size=72 TB", "seed=7"]
    assert variants.split(file(), "tiny")[1] == [
        "network.defaults.mtu=1500 B",
        "services.transfer.transport.sack=false",
    ]


def test_variants_at_the_end_of_the_file() -> None:
    rest, changes = variants.split(file("trial: x\nvariants: {full: {seed: 2}}"), "full")
    assert rest.text == "trial: x\n\n"
    assert changes == ["seed=2"]


def test_a_trial_without_variants_is_left_alone() -> None:
    plain = file("trial: x\nservices:\n  variants: {kind: bulk}\n")
    assert variants.split(plain, None) == (plain, [])


@pytest.mark.parametrize(
    ("text", "chosen", "line", "words"),
    [
        (TEXT, "ful", 2, ["'ful'", "one of full, tiny", "did you mean 'full'?"]),
        ("trial: x\n", "full", 0, ["--variant full", "no variants in the trial"]),
        ("trial: x\nvariants: 3\n", None, 2, ["found 3", "a table of variants"]),
        (
            "trial: x\nvariants: {full: 72 TB}\n",
            "full",
            2,
            ["variants.full", "'72 TB'", "a table of path: value"],
        ),
        ("trial: x\nvariants:\n  full: {a: b\nseed: 1\n", None, 4, ["variants"]),
    ],
)
def test_mistakes_name_their_line(text: str, chosen: str | None, line: int, words: list[str]) -> None:
    with pytest.raises(TrialInvalid) as caught:
        variants.split(file(text), chosen)
    (problem,) = caught.value.problems
    assert problem.line == line
    for word in words:
        assert word in str(problem)
