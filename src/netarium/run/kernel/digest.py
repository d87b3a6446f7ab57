"""Which engine this is: a digest of all kernel sources."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path


@functools.cache
def kernel_digest() -> str:
    """SHA-256 (hex) over the names and contents of all kernel sources as this process found them; part of every record."""
    root = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
