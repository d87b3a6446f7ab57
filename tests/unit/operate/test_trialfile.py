"""Where a trial comes from: files, folders, standard input, bundled names, and what is said of the rest."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from netarium.errors import TrialInvalid
from netarium.operate import trialfile


@pytest.fixture
def bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bundled"
    (folder / "own").mkdir(parents=True)
    (folder / "interference-ab.trial.yml").write_text("trial: interference-ab\n")
    (folder / "own" / "own-control.trial.yml").write_text("trial: own-control\n")
    monkeypatch.setattr(trialfile, "examples_folder", lambda: folder)
    monkeypatch.chdir(tmp_path)
    return folder


def problem(word: str) -> str:
    with pytest.raises(TrialInvalid) as caught:
        trialfile.find(word)
    (only,) = caught.value.problems
    return str(only)


def test_bundled_trial_by_name_wherever_it_lies_below_the_folder(bundled: Path) -> None:
    assert list(trialfile.examples()) == ["interference-ab", "own-control"]
    found = trialfile.find("own-control")
    assert found.text == "trial: own-control\n"
    assert found.folder == bundled / "own", "files beside a bundled trial are found from there"


def test_a_file_goes_before_a_bundled_trial_of_the_same_name(bundled: Path, tmp_path: Path) -> None:
    (tmp_path / "interference-ab.trial.yml").write_text("trial: mine\n")
    assert trialfile.find("interference-ab").text == "trial: mine\n"
    assert trialfile.find("interference-ab.trial.yml").text == "trial: mine\n"


def test_a_folder_of_that_name_without_a_trial_does_not_hide_a_bundled_trial(
    bundled: Path, tmp_path: Path
) -> None:
    (tmp_path / "interference-ab").mkdir()
    assert trialfile.find("interference-ab").path == bundled / "interference-ab.trial.yml"


def test_the_only_trial_of_a_folder(bundled: Path, tmp_path: Path) -> None:
    (tmp_path / "lab.trial.yml").write_text("trial: lab\n")
    assert trialfile.find(".").name == "lab.trial.yml"


def test_two_trials_in_a_folder_are_named(bundled: Path, tmp_path: Path) -> None:
    (tmp_path / "one.trial.yml").touch()
    (tmp_path / "two.trial.yml").touch()
    text = problem(".")
    assert "2 trials in this folder (one.trial.yml, two.trial.yml)" in text
    assert "name the file" in text


def test_an_empty_folder_points_to_the_bundled_trials(bundled: Path) -> None:
    assert "or a bundled trial: interference-ab, own-control" in problem(".")


def test_standard_input(bundled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("trial: piped\n"))
    found = trialfile.find("-")
    assert (found.text, found.name, found.folder) == ("trial: piped\n", "standard input", Path.cwd())


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("interfernce-ab", "interference-ab"), ("lba", "lab"), ("lba.trial.yml", "lab.trial.yml")],
)
def test_a_misspelt_name_brings_the_nearest(bundled: Path, tmp_path: Path, typed: str, meant: str) -> None:
    (tmp_path / "lab.trial.yml").touch()
    assert f"did you mean '{meant}'?" in problem(typed)


def test_a_misspelt_file_in_another_folder(bundled: Path) -> None:
    assert "did you mean 'bundled/interference-ab.trial.yml'?" in problem("bundled/interferenceab.trial.yml")


def test_a_file_that_is_not_text(bundled: Path, tmp_path: Path) -> None:
    (tmp_path / "picture.trial.yml").write_bytes(b"\x89PNG\xff")
    assert "a byte that is not UTF-8 at position 0" in problem("picture.trial.yml")
