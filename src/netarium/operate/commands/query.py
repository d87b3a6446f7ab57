"""netarium query: questions in SQL over the trials of all campaigns."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from netarium.operate.commands.options import RUNS, AsJson, Runs
from netarium.operate.messages import say, write_json

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_SHOWN = 50


def query(
    sql: Annotated[
        str,
        typer.Argument(
            metavar="SQL",
            help="A question over the views trials and campaigns; '-' reads it from standard input.",
        ),
    ],
    out: Runs = RUNS,
    campaign: Annotated[
        list[str] | None,
        typer.Option(
            "--campaign", metavar="NAME", help="Only this campaign; may be repeated.", show_default="all"
        ),
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option(
            "--csv",
            metavar="FILE",
            help="Write the answer as CSV; '-' is standard output.",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=0, help="Rows to show; 0: all.")] = ROWS_SHOWN,
    as_json: AsJson = False,
) -> None:
    """Ask a question in SQL over all recorded trials.

    Such as: SELECT variant, median("metric.flows.goodput") FROM trials GROUP BY variant
    """
    from netarium.store.arrow import without_pandas
    from netarium.store.query import query as ask

    without_pandas()
    answer = ask(sys.stdin.read() if sql == "-" else sql, out, campaign or ())
    if csv is not None:
        write_csv(answer, csv)
    elif as_json:
        write_json(answer.to_pylist())
    else:
        show_rows(answer, limit)


def write_csv(table: pa.Table, target: Path) -> None:
    """Write a table as CSV with a line of names; `-` is standard output."""
    import pyarrow.csv as pc

    if str(target) == "-":
        sys.stdout.flush()
        pc.write_csv(table, sys.stdout.buffer)
        return
    from netarium.store.files import write_atomically

    write_atomically(target, lambda file: pc.write_csv(table, file), table.nbytes)
    say(f"wrote {target}: {len(table):,} rows")


def show_rows(table: pa.Table, limit: int) -> None:
    """Print a table, at most `limit` rows of it."""
    from rich.table import Table
    from rich.text import Text

    from netarium.operate.commands.output import show

    shown = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    rows = table.slice(0, limit) if limit else table
    for name, kind in zip(table.column_names, table.schema.types, strict=True):
        numeric = str(kind) in ("double", "int64", "int32", "float") or str(kind).startswith("decimal")
        shown.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in zip(*(column.to_pylist() for column in rows.columns), strict=True):
        shown.add_row(*(Text(_cell(value)) for value in row))
    show(shown)
    if len(rows) < len(table):
        say(f"and {len(table) - len(rows):,} more; --limit 0 shows all")


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)
