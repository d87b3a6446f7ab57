"""netarium doctor: what this machine can do, and what to do about the rest."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import typer

from netarium.operate.commands.options import RUNS, AsJson, Runs
from netarium.operate.messages import MACHINE_CANNOT, write_json

if TYPE_CHECKING:
    from netarium.operate.doctor import Finding

INDISPENSABLE = ("Python", "Numba", "engine", "disk")


def doctor(out: Runs = RUNS, as_json: AsJson = False) -> None:
    """Show what this machine can do, and about the rest, what to do."""
    from netarium.operate import doctor_hosts
    from netarium.operate.doctor import SIMULATE, examine

    findings = examine(out)
    able = all(finding.ok for finding in findings if finding.what in INDISPENSABLE)
    lacks = [one.what for one in findings if one.what in doctor_hosts.INDISPENSABLE and not one.ok]
    if as_json:
        listed = [dataclasses.asdict(finding) for finding in findings]
        write_json({"format": 1, "able": able, "able_real_hosts": not lacks, "findings": listed})
    else:
        _table(findings)
        answer = "This machine can run trials." if able else f"This machine cannot {SIMULATE} yet: see above."
        typer.echo("\n" + answer)
        typer.echo(f"Real hosts need {', '.join(lacks)}: see above." if lacks else "It can have real hosts.")
    raise typer.Exit(0 if able else MACHINE_CANNOT)


def _table(findings: list[Finding]) -> None:
    from rich.table import Table
    from rich.text import Text

    from netarium.operate.commands.output import show

    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    group = ""
    for finding in findings:
        if finding.needed_for != group:
            group = finding.needed_for
            table.add_row(Text(f"To {group}" if group == "simulate" else f"For {group}", style="bold"))
        lacks = Text("optional") if finding.optional else Text("missing", "yellow")
        mark = Text("ok", "green") if finding.ok else lacks
        table.add_row(f"  {finding.what}", mark, finding.found)
        if not finding.ok:
            table.add_row("", "", Text(f"→ {finding.advice}", "yellow"))
    show(table)
