"""netarium run and netarium check: one trial, executed or only judged."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

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
    interfere: Annotated[
        bool,
        typer.Option("--interfere", help="Run it again with best effort filling every link of its slices."),
    ] = False,
) -> None:
    """Run a trial, certify and record it, print the outcome."""
    if list_bundled:
        _list_bundled()
        return
    if interfere:
        _twice(runner_request(trial, mode, seed, changes, variant, full), out, as_json, quiet)
        return
    from netarium.operate import reporting, runner
    from netarium.operate.progress import watcher
    from netarium.store.arrow import without_pandas

    # Real hosts run in real time: nothing else is started beside them.
    with reporting.Drawer(report and not as_json and mode != "emulate") as drawer:
        asked = runner.load(
            runner.Request(trial, mode, seed, tuple(changes or ()), variant_of(variant, full))
        )
        if asked.mode == "emulate":
            from netarium.operate import privilege

            drawer.close()
            privilege.ensure()
        without_pandas()
        with watcher(quiet) as watching:
            outcome = runner.run(asked, runs=out, argv=sys.argv, watcher=watching)
        if as_json:
            write_json(outcome.document)
        if outcome.error is not None:
            say(explain(outcome.error)[1])
        if not as_json and outcome.has_results:
            _show(outcome.folder, drawer if report else None, quiet)
    raise typer.Exit(outcome.exit_code)


def _show(folder: Path, drawer: Any, quiet: bool) -> None:
    """The outcome as a table, the report drawn meanwhile; `drawer` is None where none is wanted."""
    from netarium.operate.progress import watcher

    if drawer is not None:
        drawer.begin(folder)
    _summary(folder)
    if drawer is not None:
        with watcher(quiet) as watching:
            page = drawer.draw(folder, watching)
        typer.echo(f"report {page}" if page else "no report")


def runner_request(
    trial: str, mode: str | None, seed: int | None, changes: list[str] | None, variant: str | None, full: bool
) -> Any:
    from netarium.operate import runner

    return runner.Request(trial, mode, seed, tuple(changes or ()), variant_of(variant, full))


def _twice(request: Any, out: Path, as_json: bool, quiet: bool) -> None:
    """Run a trial as it is and under interference; both records, side by side."""
    from netarium.operate import interference, runner
    from netarium.operate.progress import watcher

    asked = runner.load(request)
    attack = interference.attacked(asked, runner.admit(asked))
    with watcher(quiet) as watching:
        before = runner.run(asked, runs=out, argv=sys.argv, watcher=watching)
    if before.error is not None:
        say(explain(before.error)[1])
        raise typer.Exit(before.exit_code)
    with watcher(quiet) as watching:
        after = runner.run(attack.trial, runs=out, argv=sys.argv, watcher=watching)
    _tell_both(before, after, attack, as_json)
    if after.error is not None:
        say(explain(after.error)[1])
    raise typer.Exit(max(before.exit_code, after.exit_code))


def _tell_both(before: Any, after: Any, attack: Any, as_json: bool) -> None:
    from netarium.operate.commands.output import show
    from netarium.show import interfered, record

    if as_json:
        write_json(interfered.document(dict(before.document), dict(after.document), attack.ports))
        return
    show(*interfered.tables(record.read(before.folder), record.read(after.folder)))
    typer.echo(f"interference on {len(attack.ports)} links at their whole rate")
    for text in attack.dropped:
        typer.echo(f"not judged under interference: {text}")
    typer.echo(
        f"records {before.folder} {after.folder}; more: netarium compare {before.folder} {after.folder}"
    )


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
