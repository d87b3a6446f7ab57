"""A user's own functions, compiled and given addresses that the kernel can call."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

KEPT = 1024
"""Files (with their parameters) whose compiled code is found again by later runs of the same process."""


def addresses(functions: Sequence[Any]) -> list[int]:
    """The kernel's table of hooks for the user's files of a plan, in their order.

    Raises TrialInvalid naming the line of the user's file that cannot be compiled.
    """
    return [address for entry in functions for address in _compiled(entry)]


@functools.lru_cache(KEPT)
def _compiled(entry: Any) -> list[int]:
    """Addresses of one file's functions; the entry holds its text, so an edit is another entry."""
    arguments = (entry.file, entry.name, dict(entry.parameters), entry.where, entry.source)
    if entry.family == "congestion":
        from netarium.run.kernel.congestion import user as congestion

        return congestion.load(*arguments)
    if entry.family == "queue":
        from netarium.run.kernel.queues import user as queue

        return queue.load(*arguments)
    from netarium.run.kernel.workloads import userfile

    return userfile.load(*arguments)
