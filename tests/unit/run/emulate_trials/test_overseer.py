"""The thread that watches programs: what goes wrong in it reaches whoever waits, and nobody waits for ever."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from netarium.run.emulate.overseer import Overseer, Supervising


def test_an_overseer_that_fails_tells_everyone_who_waits() -> None:
    """A supervisor that it cannot even wait for: the block ends with that error, and so does the next one's of a new thread."""

    def fileno() -> int:
        raise OSError("no descriptor is left")

    supervisor: Any = SimpleNamespace(fileno=fileno, outcomes={}, failures=[])
    overseer = Overseer()
    for _ in range(2):
        with (
            pytest.raises(OSError, match="no descriptor is left"),
            Supervising(supervisor, overseer=overseer),
        ):
            pass
