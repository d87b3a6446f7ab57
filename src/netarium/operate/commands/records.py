"""netarium ls, show and compare: the records of runs and campaigns, as tables, figures and pages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from netarium.errors import RecordError
from netarium.operate.commands import campaign_records
from netarium.operate.commands.options import RUNS, AsJson, Runs
from netarium.operate.messages import say, write_json

if TYPE_CHECKING:
    from netarium.show.record import Record
    from netarium.store import store

Names = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN RUN…",
        help="Names or folders of two runs or more; or a campaign and two of its variants.",
    ),
]
Newest = Annotated[
    str | None,
    typer.Argument(metavar="RUN", help="Name or folder of a run or a campaign.", show_default="the newest"),
]


def ls(
    out: Runs = RUNS,
    trials: Annotated[bool, typer.Option("--trials", help="List the trials of campaigns instead.")] = False,
    campaign: Annotated[
        list[str] | None,
        typer.Option(
            "--campaign", metavar="NAME", help="Trials of this campaign; may be repeated.", show_default=False
        ),
    ] = None,
    status: Annotated[
        list[str] | None,
        typer.Option(
            "--status", metavar="WORD", help="Trials that ended so; may be repeated.", show_default=False
        ),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(
            "--where",
            metavar="SQL",
            help="Trials for which this holds, such as seed < 5.",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=0, help="Show this many, newest last; 0: all.")
    ] = 20,
    as_json: AsJson = False,
) -> None:
    """List runs and campaigns, newest last, or trials."""
    if trials or campaign or status or where:
        _trials(out, campaign or [], status or [], where, limit, as_json)
        return
    from netarium.store import store
    from netarium.store.campaigns import summaries

    every, campaigns = store.ls(out), summaries(out)
    listed = every[-limit:] if limit else every
    if as_json:
        write_json([*campaigns, *(_row(record) for record in listed)])
        return
    from netarium.operate.commands.output import show as display
    from netarium.show import record, tables

    if campaigns:
        display(tables.campaign_listing(campaigns))
    if listed or not campaigns:
        display(tables.listing(record.read(entry.path) for entry in listed))
    if len(every) > len(listed):
        say(f"and {len(every) - len(listed)} older; --limit 0 shows all")


LISTED = ("campaign", "id", "variant", "seed", "status", "cause", "wall_s", "run")


def _trials(
    out: Path, campaigns: list[str], statuses: list[str], where: str | None, limit: int, as_json: bool
) -> None:
    from netarium.operate.commands.query import show_rows
    from netarium.store.arrow import without_pandas
    from netarium.store.campaigns import STATUSES
    from netarium.store.query import query

    without_pandas()
    wrong = [word for word in statuses if word not in STATUSES]
    if wrong:
        raise typer.BadParameter(f"{wrong[0]!r}; one of {', '.join(STATUSES)}", param_hint="--status")
    conditions = [f"({where})"] if where else []
    if statuses:
        conditions.append(f"status IN ({', '.join(repr(word) for word in statuses)})")
    condition = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    columns = ", ".join(f'"{name}"' for name in LISTED)
    bound = f" LIMIT {limit}" if limit else ""
    found = query(f"SELECT {columns} FROM trials{condition}{bound}", out, campaigns)
    if as_json:
        write_json(found.to_pylist())
        return
    show_rows(found, 0)
    if limit and len(found) == limit:
        count = query(f"SELECT count(*) AS n FROM trials{condition}", out, campaigns)["n"][0].as_py()
        if count > limit:
            say(f"and {count - limit:,} more; --limit 0 shows all, netarium query asks anything")


def _row(record: store.Record) -> dict[str, object]:
    start = record.start
    known = {key: start.get(key) for key in ("trial", "mode", "seed", "started")}
    return {
        "run": record.name,
        **known,
        "status": record.status,
        "folder": str(record.path),
        "problems": record.problems,
    }


def show(
    run: Newest = None,
    out: Runs = RUNS,
    figures: Annotated[
        bool, typer.Option("--figures", help="Draw every figure too: PNG, PDF and its data as CSV.")
    ] = False,
    redraw: Annotated[bool, typer.Option("--redraw", help="Draw the report again.")] = False,
    iperf3: Annotated[
        str | None,
        typer.Option(
            "--iperf3", metavar="SERVICE", help="Print one service as iperf3's JSON.", show_default=False
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a run or a campaign did."""
    campaign = campaign_records.find(run, out)
    if campaign is not None:
        campaign_records.show(campaign, figures=figures, redraw=redraw, as_json=as_json)
        return
    record = _record(run, out)
    if iperf3 is not None:
        from netarium.show import iperf3 as foreign

        write_json(foreign.document(record, iperf3))
        return
    if as_json:
        write_json(record.metrics)
        return
    from netarium.operate.commands.output import show as display
    from netarium.show import report, tables

    if redraw or not (record.folder / "report.html").exists():
        report.write(record)
    display(tables.summary(record))
    for problem in record.problems:
        say(f"damaged: {problem}")
    if figures:
        from netarium.show import plots

        for path in plots.save_all(record):
            typer.echo(path)


def compare(
    runs: Names,
    out: Runs = RUNS,
    page: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where the page with the figures goes.",
            show_default="compare-….html beside the runs",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show only what differs between runs.

    Parameters and metrics in a table; the figures laid over each other on a page. Of a campaign: two variants, or
    two values of what was swept with everything else equal, such as: netarium compare shootout bbr cubic
    """
    campaign = campaign_records.find(runs[0], out)
    if campaign is not None:
        campaign_records.compare(campaign, runs[1:], as_json=as_json)
        return
    from netarium.show import compare as comparing

    compared = comparing.compare([_record(run, out) for run in runs])
    if as_json:
        write_json(
            {
                "format": 1,
                "runs": compared.names,
                "parameters": [{"path": row.path, "values": row.values} for row in compared.parameters],
                "metrics": [{"path": row.path, "values": row.values} for row in compared.metrics],
                "same_metrics": compared.same,
                "same_samples": compared.same_samples,
            }
        )
        return
    from netarium.operate.commands.output import show as display

    display(comparing.table(compared))
    place = page or Path(out) / f"compare-{'-'.join(compared.names)}.html"
    typer.echo(f"page {comparing.write(compared, place)}")


def _record(run: str | None, root: Path) -> Record:
    from netarium.show import record
    from netarium.store import store

    if run is None:
        every = store.ls(root)
        if not every:
            raise RecordError(f"No runs in {root} yet; make one with: netarium run interference-ab")
        return record.read(every[-1].path)
    return record.read(store.load(run, root).path)
