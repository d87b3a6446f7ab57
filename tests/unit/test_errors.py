"""The tree of errors: exit codes, sentences, the nearest word; that they survive a process boundary."""

from __future__ import annotations

import pickle

import pytest

from netarium import errors
from netarium.errors import Mistake, Problem, Refusal, did_you_mean, nearest, one_of


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (errors.TrialInvalid([]), 2),
        (errors.AdmissionRefused([]), 3),
        (errors.MachineCannot(""), 4),
        (errors.RunInterrupted(""), 5),
        (errors.ExpectationFailed(""), 1),
        (errors.RecordError(""), 2),
    ],
)
def test_exit_codes(error: errors.NetariumError, exit_code: int) -> None:
    assert error.exit_code == exit_code
    assert isinstance(error, errors.NetariumError)


def test_a_problem_is_one_sentence_with_its_place() -> None:
    problem = Problem("services.x.rate", "50", "a rate", "did you mean '50 bit/s'?", "a.yml", 3, 7)
    assert str(problem) == "a.yml:3:7: services.x.rate: found 50, expected a rate; did you mean '50 bit/s'?"
    assert str(Problem("", "", "a file")) == "expected a file"
    assert str(Problem("duration", "nothing", "a time")) == "duration: found nothing, expected a time"


def test_errors_carry_their_problems_through_pickle() -> None:
    problem = Problem("a", "b", "c", line=4)
    again = pickle.loads(pickle.dumps(errors.TrialInvalid([problem])))
    assert again.problems == [problem]
    refusal = Refusal("express", "link a-b", "50 Gbit/s", "10 Gbit/s", "10 Gbit/s")
    assert pickle.loads(pickle.dumps(errors.AdmissionRefused([refusal]))).refusals == [refusal]
    mistake = pickle.loads(pickle.dumps(Mistake("a", "b", "c", at=("d", 1))))
    assert (mistake.found, mistake.expected, mistake.hint, mistake.at) == ("a", "b", "c", ("d", 1))


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("cubik", "cubic"),
        ("CUBIC", "cubic"),
        ("fq-codel", "fq_codel"),
        ("fqcodel", "fq_codel"),
        ("zzz", None),
        (5, None),
    ],
)
def test_nearest_word(word: object, near: str | None) -> None:
    assert nearest(word, ["cubic", "reno", "fq_codel", "codel"]) == near
    assert did_you_mean(word, ["cubic", "fq_codel"]) == (f"did you mean {near!r}?" if near else "")


def test_long_lists_are_cut() -> None:
    assert one_of(["a"]) == "'a'"
    assert one_of(["a", "b"]) == "one of a, b"
    assert one_of([str(n) for n in range(100)], limit=2) == "one of 0, 1, … (100 in all)"
