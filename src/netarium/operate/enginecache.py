"""Whether the engine is compiled already, and where that is kept.

A run that has compiled leaves a mark that stands for the kernel files and for what else compiled code depends on, and the
next run looks for its own.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from netarium.run.kernel import jit
from netarium.run.kernel.machinecode import circumstances


def folder() -> Path:
    """The folder of compiled kernels of exactly this version of the sources."""
    return jit.cache_folder()


def compiled() -> bool:
    """True when a run has nothing to compile: its kernels are in the cache, or are not compiled at all."""
    return jit.INTERPRETED or _mark().exists()


def remember() -> None:
    """Note that the kernels are compiled now. A cache that cannot be written to is no reason to fail."""
    if not jit.INTERPRETED:
        try:
            _mark().touch()
        except OSError:
            return


def _mark() -> Path:
    kernels = Path(jit.__file__).parent
    identity = hashlib.sha256(f"{kernels} {circumstances()}".encode())
    for path in sorted(kernels.rglob("*.py")):
        about = path.stat()
        identity.update(f"{path} {about.st_mtime_ns} {about.st_size}\n".encode())
    return jit.cache_folder() / f"compiled-{identity.hexdigest()[:16]}"
