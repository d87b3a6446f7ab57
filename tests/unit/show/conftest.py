"""Run folders to read, written once for all tests of the show stage."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import synthetic

from netarium.show.record import Record, read

sys.path.insert(0, str(Path(__file__).parents[1] / "measure"))  # for made_samples


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs: a flagship that passed, one that failed, UDP only, a crowd, an unfinished one."""
    root = tmp_path_factory.mktemp("runs")
    synthetic.flagship(root / "passed")
    synthetic.flagship(root / "starved", shortfall=0.6, seed=2, congestion="bbr")
    synthetic.without_tcp(root / "udp")
    synthetic.crowd(root / "crowd", services=30, nodes=24, flows_each=40)
    synthetic.unfinished(root / "unfinished")
    return root


@pytest.fixture(scope="session")
def report_of(runs: Path) -> Callable[[str], str]:
    """The HTML report of one of `runs`, made once."""
    from netarium.show import report

    return cache(lambda name: report.html(read(runs / name)))


@pytest.fixture
def passed(runs: Path) -> Record:
    return read(runs / "passed")


@pytest.fixture
def starved(runs: Path) -> Record:
    return read(runs / "starved")


@pytest.fixture
def udp(runs: Path) -> Record:
    return read(runs / "udp")


@pytest.fixture
def crowd(runs: Path) -> Record:
    return read(runs / "crowd")


@pytest.fixture
def unfinished(runs: Path) -> Record:
    return read(runs / "unfinished")
