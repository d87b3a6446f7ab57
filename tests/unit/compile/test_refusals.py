"""The wording of refusals: tests/golden/refused, each slice refused for another reason, with its alternatives."""

from __future__ import annotations

from pathlib import Path

import pytest

from netarium.compile.admission import admit
from netarium.compile.compile import compile_trial, slices_asked
from netarium.compile.graph import build_graph
from netarium.describe.loader import load
from netarium.errors import AdmissionRefused

REFUSED = Path(__file__).parents[2] / "golden" / "refused"


def test_each_refusal_says_why_where_by_how_much_and_what_would_do() -> None:
    trial = load(REFUSED / "slices.trial.yml")
    admission = admit(slices_asked(trial), build_graph(trial.network.expand()), until_ps=trial.duration)
    assert [each.name for each in admission.reservations] == ["holds"]
    expected = (REFUSED / "slices.expected.txt").read_text().splitlines()
    assert [str(refusal) for refusal in admission.refusals] == expected


def test_a_refused_trial_does_not_compile() -> None:
    with pytest.raises(AdmissionRefused) as raised:
        compile_trial(load(REFUSED / "slices.trial.yml"))
    assert len(raised.value.refusals) == 6
