"""netarium run and netarium check: one trial, executed or only judged."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from netarium.operate.commands.options import (
    RUNS,
    AsJson,
    Changes,
    Full,
    Mode,
    Runs,
    Seed,
    TrialArgument,
    Variant,
)
from netarium.operate.messages import explain, say, write_json


def run(
    trial: TrialArgument = ".",
    mode: Mode = None,
    seed: Seed = None,
    changes: Changes = None,
    variant: Variant = None,
    full: Full = False,
    out: Runs = RUNS,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no messages.")] = False,
    report: Annotated[
        bool, typer.Option("--report/--no-report", help="Draw report.html too (never with --json).")
    ] = True,
    list_bundled: Annotated[bool, typer.Option("--list", help="List the bundled trials and stop.")] = False,
) -> None:
    """Run a trial, certify and record it, print the outcome."""
    if list_bundled:
        _list_bundled()
        return
    from netarium.operate import runner
    from netarium.operate.progress import watcher

    asked = runner.load(runner.Request(trial, mode, seed, tuple(changes or ()), variant_of(variant, full)))
    if asked.mode == "emulate":
        from netarium.operate import privilege

        privilege.ensure()
    with watcher(quiet) as watching:
        outcome = runner.run(asked, runs=out, argv=sys.argv, watcher=watching)
    if as_json:
        write_json(outcome.document)
    if outcome.error is not None:
        say(explain(outcome.error)[1])
    if not as_json and outcome.has_results:
        _summary(outcome.folder)
        if report:
            with watcher(quiet) as watching:
                page = runner.draw_report(outcome.folder, watching)
            typer.echo(f"report {page}" if page else "no report")
    raise typer.Exit(outcome.exit_code)


def check(
    trial: TrialArgument = ".",
    mode: Mode = None,
    seed: Seed = None,
    changes: Changes = None,
    variant: Variant = None,
    full: Full = False,
    as_json: AsJson = False,
) -> None:
    """Validate and admit a trial without running it.

    Shows routes, bounds, resources and cost; or every mistake, or why admission refuses.
    """
    from netarium.operate import judgement, runner

    asked = runner.load(runner.Request(trial, mode, seed, tuple(changes or ()), variant_of(variant, full)))
    plan = runner.admit(asked)
    if as_json:
        write_json(judgement.document(asked, plan))
    else:
        from netarium.operate.commands.output import show

        show(*judgement.tables(asked, plan))


def variant_of(variant: str | None, full: bool) -> str | None:
    """The variant that --variant and --full name together, if any."""
    if full and variant not in (None, "full"):
        raise typer.BadParameter("--full is --variant full; name one of the two", param_hint="--variant")
    return "full" if full else variant


def _list_bundled() -> None:
    from netarium.operate.trialfile import examples

    for name in examples():
        typer.echo(name)


def _summary(folder: Path) -> None:
    from netarium.operate.commands.output import show
    from netarium.show import record, tables

    show(tables.summary(record.read(folder)))
