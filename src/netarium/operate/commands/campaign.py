"""netarium campaign: many trials, compared; and what it would take."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from netarium.operate.commands import campaign_records
from netarium.operate.commands.options import RUNS, AsJson, Runs
from netarium.operate.messages import say, write_json

if TYPE_CHECKING:
    from pathlib import Path

    from netarium.describe.design import Design
    from netarium.operate.campaign.runner import CampaignOutcome, Options

SHOWN = 10
CAUSES_SHOWN = 8

CampaignArgument = Annotated[
    str,
    typer.Argument(
        metavar="CAMPAIGN",
        help="A *.campaign.yml file, a folder with one, '-' for standard input, or a bundled campaign's name.",
        show_default="the campaign in this folder",
    ),
]


def campaign(
    campaign: CampaignArgument = ".",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the trials, the estimated time and disk; run nothing.")
    ] = False,
    workers: Annotated[
        int, typer.Option("--workers", "-w", min=0, help="Trials at once.", show_default="cores")
    ] = 0,
    emulated: Annotated[int, typer.Option(min=1, help="Emulated trials at once.")] = 1,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="Run on a Ray cluster; 'local' starts one here.", show_default=False
        ),
    ] = None,
    keep: Annotated[
        str | None,
        typer.Option(
            "--keep-folders",
            metavar="WHICH",
            help="Run folders to keep: all, failed or none.",
            show_default="all of at most 200 trials, else none",
        ),
    ] = None,
    retry: Annotated[
        bool,
        typer.Option("--retry", help="Run trials again that crashed, ran out of time or of memory."),
    ] = False,
    out: Runs = RUNS,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no messages.")] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="ID",
            help="Run this trial of the campaign by itself, as an ordinary run; may be repeated.",
            show_default=False,
        ),
    ] = None,
    list_bundled: Annotated[
        bool, typer.Option("--list", help="List the bundled campaigns and stop.")
    ] = False,
) -> None:
    """Run many trials and keep their results in one table.

    The same command carries on where it was stopped.
    """
    from netarium.operate.campaign import campaignfile, keeping
    from netarium.operate.campaign.runner import Options, run_campaign
    from netarium.store.arrow import without_pandas

    if list_bundled:
        for name in campaignfile.examples():
            typer.echo(name)
        return
    if keep is not None and keep not in keeping.CHOICES:
        raise typer.BadParameter(f"one of {', '.join(keeping.CHOICES)}", param_hint="--keep-folders")
    design = campaignfile.load(campaign)
    options = Options(out, workers, emulated, ray, keep, retry, sys.argv)
    if dry_run:
        _dry_run(design, options, as_json)
        return
    without_pandas()
    if only:
        _run_alone(design, only, out, quiet)
    from netarium.operate.campaign.progress import campaign_watcher

    outcome = run_campaign(design, options, campaign_watcher(quiet))
    if outcome.error is not None:
        say(str(outcome.error))
    if as_json:
        write_json(document(outcome))
    else:
        _summary(outcome)
        campaign_records.ended(outcome.record)
    raise typer.Exit(outcome.exit_code)


def _run_alone(design: Design, ids: list[str], out: Path, quiet: bool) -> None:
    """Run trials of a campaign as `netarium run` would, each with its folder; ends the command."""
    from netarium.operate import runner
    from netarium.operate.progress import watcher

    jobs = {job.id: job for job in design.jobs()}
    wrong = [each for each in ids if each not in jobs]
    if wrong:
        hint = "'netarium ls --campaign NAME' and the column id of its results have them"
        raise typer.BadParameter(f"{wrong[0]!r}, expected the id of a trial; {hint}", param_hint="--only")
    if any(jobs[each].mode == "emulate" for each in ids):
        from netarium.operate import privilege

        privilege.ensure()
    codes = []
    for each in ids:
        job = jobs[each]
        with watcher(quiet) as watching:
            outcome = runner.run(
                design.trial(job.variant, job.seed, job.mode), runs=out, argv=sys.argv, watcher=watching
            )
        typer.echo(f"{each} {outcome.document['status']} {outcome.folder}")
        codes.append(outcome.exit_code)
    raise typer.Exit(max(codes))


def document(outcome: CampaignOutcome) -> dict[str, object]:
    """What --json prints."""
    record = outcome.record
    return {
        "format": 1,
        "campaign": record.name,
        "folder": str(record.path),
        "status": "interrupted" if outcome.error else (record.stop or {}).get("status", "unfinished"),
        "exit_code": outcome.exit_code,
        "trials": record.document["trials"],
        "statuses": outcome.statuses,
        "ran": outcome.ran,
        "taken_from_store": outcome.taken,
        "done_before": outcome.resumed,
        "wall_s": outcome.wall_s,
    }


def _dry_run(design: Design, options: Options, as_json: bool) -> None:
    from itertools import islice

    from netarium.operate.campaign import keeping
    from netarium.operate.campaign.forecast import forecast
    from netarium.operate.progress import clock
    from netarium.units import format_size

    keep = options.keep or keeping.default(len(design))
    found = forecast(design, keep)
    wall_s = found.wall_s(options.workers_here, options.emulated)
    if as_json:
        write_json(
            {
                "format": 1,
                "campaign": design.campaign.campaign,
                "trials": found.trials,
                "variants": found.variants,
                "seeds": len(design.campaign.seeds),
                "modes": list(design.campaign.modes),
                "estimate": {
                    "wall_s": wall_s,
                    "work_s": found.seconds + found.emulated_s,
                    "disk_bytes": found.disk_bytes,
                },
                "keep_folders": keep,
                "refused": found.refused,
                "first": [
                    vars(job) | {"text": design.variants[job.variant].text}
                    for job in islice(design.jobs(), SHOWN)
                ],
            }
        )
        return
    seeds, modes = len(design.campaign.seeds), len(design.campaign.modes)
    points = sum(variant.modes == design.campaign.modes for variant in design.variants)
    times = f"{points:,} variants x {seeds} seed{'s' * (seeds > 1)}" + f" x {modes} modes" * (modes > 1)
    apart = sum(len(variant.seeds) for variant in design.variants if variant.modes != design.campaign.modes)
    real = f", of which {apart:,} with real hosts instead" if apart else ""
    typer.echo(f"{design.campaign.campaign}: {found.trials:,} trials ({times}{real})")
    for parameter in design.parameters():
        values = [str(value) for value in parameter["values"]]
        more = f", … ({len(values)} values)" if len(values) > SHOWN else ""
        typer.echo(f"  {parameter['path']}: {', '.join(values[:SHOWN])}{more}")
    typer.echo("first trials")
    for job in islice(design.jobs(), SHOWN):
        typer.echo(f"  {job.id}  seed {job.seed}  {job.mode}  {design.variants[job.variant].text}")
    typer.echo(
        f"about {clock(wall_s)} with {options.workers_here} workers, {format_size(found.disk_bytes)} on disk "
        f"(run folders kept: {keep}), from the plans of {found.looked_at} variants; right within a factor of a few"
    )
    for text in found.refused[:CAUSES_SHOWN]:
        typer.echo(f"refused: {text}")


def _summary(outcome: CampaignOutcome) -> None:
    from netarium.operate.progress import clock

    record = outcome.record
    counts = ", ".join(
        f"{count:,} {status.replace('_', ' ')}" for status, count in sorted(outcome.statuses.items())
    )
    taken = f", {outcome.taken:,} taken from the store" if outcome.taken else ""
    before = f", {outcome.resumed:,} done before" if outcome.resumed else ""
    typer.echo(
        f"{record.name}: {sum(outcome.statuses.values()):,} of {record.document['trials']:,} trials: {counts}"
    )
    typer.echo(f"{outcome.ran:,} run in {clock(outcome.wall_s)}{taken}{before}")
    typer.echo(f"record {record.path}")
