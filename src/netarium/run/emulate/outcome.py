"""What an emulated run brings beside its samples: what became of every program, and what linktest found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from netarium.run.emulate.linktest.judge import Finding
from netarium.run.samples import Samples


@dataclass(frozen=True)
class Emulated:
    """One emulated run. outcomes: one of run/emulate/outcomes.py for each program; those of linktest are not among them."""

    samples: Samples
    outcomes: tuple[Any, ...]
    findings: tuple[Finding, ...] = ()
    left_out: tuple[str, ...] = ()
