"""A plan with another seed's keys is the plan compiled with that seed, for every kind there is."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from running import described

sys.path.insert(0, str(Path(__file__).parents[2] / "determinism"))

from every_kind import EVERY_KIND, write_files  # noqa: E402

from netarium.compile.compile import compile_trial  # noqa: E402
from netarium.compile.keys import only_keys_differ, reseeded  # noqa: E402


@pytest.mark.parametrize("name", EVERY_KIND)
def test_as_compiled_anew(name: str, tmp_path: Path) -> None:
    write_files(tmp_path)
    first = described(EVERY_KIND[name], tmp_path)
    other = described(EVERY_KIND[name], tmp_path, seed=77)
    if not only_keys_differ(first):
        return
    changed, compiled = reseeded(compile_trial(first), 77), compile_trial(other)
    assert changed.digest == compiled.digest
    assert changed.trial == other
    for key, array in compiled.arrays.items():
        assert np.array_equal(changed.arrays[key], array), key


def test_drawn_pairs_need_more_than_other_keys() -> None:
    trial = {
        "duration": "1 s",
        "network": {"topology": "star:8"},
        "services": {"a": {"kind": "bulk", "from": "hosts", "to": "hosts", "pairs": "permutation"}},
    }
    assert not only_keys_differ(described(trial))
    trial["services"]["a"]["pairs"] = "all"
    assert only_keys_differ(described(trial))
