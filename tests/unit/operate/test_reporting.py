"""Reports drawn in a process of their own: the same page as drawn here, and never a page less."""

from __future__ import annotations

from pathlib import Path

import pytest

from netarium.operate import reporting, runner
from netarium.operate.progress import Watcher

TRIAL = """\
trial: small
duration: 20 ms
network:
  topology: {kind: dumbbell, left: 1, rate: 100 Mbit/s, delay: 1 ms}
services:
  transfer: {kind: bulk, from: s1, to: r1}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run without its report."""
    place = tmp_path_factory.mktemp("reported")
    (place / "small.trial.yml").write_text(TRIAL)
    return runner.run(runner.load(runner.Request(str(place / "small.trial.yml"))), runs=place / "runs").folder


@pytest.fixture
def two_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "cpus", lambda: 2)


@pytest.mark.usefixtures("two_cpus")
def test_the_process_draws_what_would_be_drawn_here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = runner.draw_report(folder, Watcher())
    assert here is not None
    expected = here.read_text()
    here.unlink()
    monkeypatch.setattr(runner, "draw_report", lambda *_: pytest.fail("drawn here"))
    with reporting.Drawer() as drawer:
        drawer.begin(folder)
        assert drawer.draw(folder, Watcher()) == here
    assert here.read_text() == expected


@pytest.mark.usefixtures("two_cpus")
def test_a_process_that_is_gone_costs_no_report(folder: Path) -> None:
    with reporting.Drawer() as drawer:
        assert drawer._process is not None
        drawer._process.kill()
        drawer._process.wait()
        drawer.begin(folder)
        assert drawer.draw(folder, Watcher()) == folder / "report.html"


@pytest.mark.usefixtures("two_cpus")
def test_what_cannot_be_drawn_is_said_by_the_one_who_asked(tmp_path: Path) -> None:
    class Heard(Watcher):
        said: list[str] = []

        def say(self, text: str) -> None:
            self.said.append(text)

    with reporting.Drawer() as drawer:
        drawer.begin(tmp_path / "none")
        assert drawer.draw(tmp_path / "none", heard := Heard()) is None
    assert any("could not be drawn" in text for text in heard.said)


@pytest.mark.usefixtures("two_cpus")
def test_nothing_is_left_behind() -> None:
    with reporting.Drawer() as drawer:
        process = drawer._process
    assert process is not None
    assert process.returncode is not None


def test_one_cpu_starts_no_second_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "cpus", lambda: 1)
    with reporting.Drawer() as drawer:
        assert drawer._process is None


@pytest.mark.parametrize("count", [1, 2])
def test_drawing_is_announced_once(folder: Path, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """In a process of its own, and where none was started."""

    class Heard(Watcher):
        def __init__(self) -> None:
            self.stages: list[str] = []

        def stage(self, text: str) -> None:
            self.stages.append(text)

    monkeypatch.setattr(reporting, "cpus", lambda: count)
    heard = Heard()
    with reporting.Drawer() as drawer:
        drawer.begin(folder)
        assert drawer.draw(folder, heard) == folder / "report.html"
    assert heard.stages == ["drawing the report"]
