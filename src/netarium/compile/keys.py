"""Keys of random streams: from the seed and names only, so that adding an entity changes no other's draws."""

from __future__ import annotations

import hashlib


def stream_key(seed: int, *names: str | int) -> int:
    """A signed 64-bit key for the stream of an entity: BLAKE2b over the seed and the entity's names."""
    text = "\x1f".join([str(seed), *map(str, names)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little", signed=True)
