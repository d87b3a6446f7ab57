"""The command line as tests use it: in an empty folder, its two outputs apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from stages import Engine, install
from typer.testing import CliRunner, Result

from netarium.show.record import Record

Cli = Callable[..., Result]

TRIAL = """\
trial: lab
duration: 100 ms
network:
  nodes: {a: {kind: host}, r: {}, b: {kind: host}}
  links:
    - {endpoints: [a, r], rate: 100 Mbit/s, delay: 1 ms}
    - {endpoints: [r, b], rate: 10 Mbit/s, delay: 1 ms}
services:
  transfer: {kind: bulk, from: a, to: b}
"""


@pytest.fixture(autouse=True)
def _reports_drawn_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test puts in place of the report would not be seen by a process of its own."""
    monkeypatch.setattr("netarium.operate.reporting.cpus", lambda: 1)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder; runs go to its `runs`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NETARIUM_RUNS", raising=False)
    return tmp_path


@pytest.fixture
def trial(folder: Path) -> Path:
    """A small valid trial in the current folder."""
    path = folder / "lab.trial.yml"
    path.write_text(TRIAL)
    return path


@pytest.fixture
def cli(folder: Path) -> Cli:
    """`cli("check", "lab.trial.yml")` runs the command in this process."""
    from netarium.operate.cli import app

    def call(*arguments: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(app, [str(word) for word in arguments], input=stdin, catch_exceptions=False)

    return call


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """An engine that replaces compile and simulate; a line stands for the report, which takes seconds."""
    fake = install(monkeypatch)

    def write(record: Record) -> Path:
        page = record.folder / "report.html"
        page.write_text("a report")
        return page

    monkeypatch.setattr("netarium.show.report.write", write)
    return fake
