"""The notice of the first compilation: said once for these very files, and again when they change."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from netarium.operate import enginecache
from netarium.operate.campaign import nurse


@pytest.fixture(autouse=True)
def kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small kernel folder and an empty cache."""
    sources, cache = tmp_path / "kernel", tmp_path / "cache"
    sources.mkdir()
    cache.mkdir()
    (sources / "jit.py").touch()
    monkeypatch.setattr(enginecache.jit, "__file__", str(sources / "jit.py"))
    monkeypatch.setattr(enginecache.jit, "cache_folder", lambda: cache)
    monkeypatch.setattr(enginecache.jit, "INTERPRETED", False)
    return sources


def test_said_once() -> None:
    assert not enginecache.compiled()
    enginecache.remember()
    assert enginecache.compiled()


def test_said_again_for_changed_files(kernels: Path) -> None:
    enginecache.remember()
    os.utime(kernels / "jit.py", (1, 1))
    assert not enginecache.compiled(), "Numba does not take kernels of a file with another time"


def test_never_said_when_interpreted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enginecache.jit, "INTERPRETED", True)
    assert enginecache.compiled()


def test_a_cache_that_cannot_be_written_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enginecache.jit, "cache_folder", lambda: Path("/proc/no/such/folder"))
    enginecache.remember()
    assert not enginecache.compiled()


def test_workers_of_a_campaign_find_what_a_run_has_compiled() -> None:
    """The nursery has an environment of its own, which must not make it look for machine code of another name."""
    look = "from netarium.run.kernel.machinecode import place_of; print(place_of('loop.run'))"
    told = [
        subprocess.run(
            [sys.executable, "-c", look], env=env, capture_output=True, text=True, check=True
        ).stdout
        for env in ({**os.environ}, nurse.surroundings(), {**os.environ, "NUMBA_NUM_THREADS": "1"})
    ]
    assert len(set(told)) == 1


def test_a_setting_of_numba_that_changes_code_counts() -> None:
    look = "from netarium.run.kernel.machinecode import circumstances; print(circumstances())"
    told = [
        subprocess.run(
            [sys.executable, "-c", look], env=env, capture_output=True, text=True, check=True
        ).stdout
        for env in ({**os.environ}, {**os.environ, "NUMBA_OPT": "1"})
    ]
    assert len(set(told)) == 2
