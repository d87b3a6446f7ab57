"""A user's own functions, compiled and given addresses that the kernel can call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def addresses(functions: Sequence[Any]) -> list[int]:
    """The kernel's table of hooks for the user's files of a plan, in their order.

    Raises TrialInvalid naming the line of the user's file that cannot be compiled.
    """
    table: list[int] = []
    for entry in functions:
        arguments = (entry.file, entry.name, dict(entry.parameters), entry.where, entry.source)
        if entry.family == "congestion":
            from netarium.run.kernel.congestion import user as congestion

            table += congestion.load(*arguments)
        elif entry.family == "queue":
            from netarium.run.kernel.queues import user as queue

            table += queue.load(*arguments)
        else:
            from netarium.run.kernel.workloads import userfile

            table += userfile.load(*arguments)
    return table
