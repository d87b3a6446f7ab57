"""Arguments and options that several commands share, with the words that --help shows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

TrialArgument = Annotated[
    str,
    typer.Argument(
        metavar="TRIAL",
        help="A file, a folder with one *.trial.yml, '-' for standard input, or the name of a bundled trial.",
        show_default="the trial in this folder",
    ),
]
Seed = Annotated[int | None, typer.Option(min=0, help="Another seed than the trial's.", show_default=False)]
Mode = Annotated[str | None, typer.Option(help="Another mode than the trial's.", show_default=False)]
Changes = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Change one value of the trial; may be repeated."),
]
Variant = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Apply a variant that the trial defines.", show_default=False),
]
Full = Annotated[bool, typer.Option("--full", help="The same as --variant full.")]
Runs = Annotated[
    Path,
    typer.Option(
        "--out",
        envvar="NETARIUM_RUNS",
        metavar="FOLDER",
        help="The folder that holds the runs.",
        show_default="runs",
        file_okay=False,
    ),
]
RUNS = Path("runs")
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on standard output, and nothing else there.")
]
