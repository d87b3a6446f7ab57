"""Arguments and options that several commands share, with the words that --help shows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

MODES = ("simulate", "emulate")
TrialArgument = Annotated[
    str,
    typer.Argument(
        metavar="TRIAL",
        help="A file, a folder with one *.trial.yml, '-' for standard input, or the name of a bundled trial.",
        show_default="the trial in this folder",
    ),
]
Seed = Annotated[int | None, typer.Option(min=0, help="Another seed than the trial's.", show_default=False)]


def _mode(word: str | None) -> str | None:
    """A mode that there is; else the mistake is one of this option."""
    from netarium.errors import did_you_mean, one_of

    if word is not None and word not in MODES:
        expected = f"{word!r}, expected {one_of(MODES)}"
        hint = did_you_mean(word, MODES)
        raise typer.BadParameter(f"{expected}; {hint}" if hint else expected, param_hint="--mode")
    return word


Mode = Annotated[
    str | None,
    typer.Option(
        metavar="|".join(MODES), callback=_mode, help="Another mode than the trial's.", show_default=False
    ),
]
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
