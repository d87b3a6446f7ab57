"""The notice of the first compilation: said once for these very files, and again when they change."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from netarium.operate import enginecache


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
