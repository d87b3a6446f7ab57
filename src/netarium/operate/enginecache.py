"""Whether the engine is compiled already, and where that is kept. Importing this loads Numba."""

from __future__ import annotations

from pathlib import Path

from netarium.run.kernel.jit import INTERPRETED, cache_folder


def folder() -> Path:
    """The folder of compiled kernels of exactly this version of the sources."""
    return cache_folder()


def compiled() -> bool:
    """True when a run has nothing to compile: kernels are in the cache, or are not compiled at all."""
    return INTERPRETED or any(cache_folder().rglob("*.nbi"))
