"""Keys of random streams: from the seed and names only, so that adding an entity changes no other's draws."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from netarium.run.kernel import records as r

DRAWN = ("permutation", "random")
"""Patterns of pairs that draw from the seed, so that the seed decides more than the keys."""


def stream_key(seed: int, *names: str | int) -> int:
    """A signed 64-bit key for the stream of an entity: BLAKE2b over the seed and the entity's names."""
    text = "\x1f".join([str(seed), *map(str, names)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little", signed=True)


def streams(seed: int, names: Sequence[tuple[str | int, ...]]) -> np.ndarray:
    """STREAM[n] with the key of each entity; at least one record."""
    array = np.zeros(max(1, len(names)), r.STREAM)
    array["key"][: len(names)] = [stream_key(seed, *each) for each in names]
    return array


def only_keys_differ(trial: Any) -> bool:
    """Whether trials that differ only in their seed have plans that differ only in the keys of their streams."""
    return not any(getattr(service, "pairs", None) in DRAWN for service in trial.services.values())


def reseeded(plan: Any, seed: int) -> Any:
    """The plan of the same trial with another seed; as compiled anew, where `only_keys_differ`."""
    trial = plan.trial.model_copy(update={"seed": seed})
    arrays = {**plan.arrays, "streams": streams(seed, plan.stream_names)}
    return dataclasses.replace(plan, trial=trial, arrays=arrays, array_digests=dict(plan.array_digests))
