"""netarium new: a trial file to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from netarium.errors import Problem, TrialInvalid
from netarium.operate.trialfile import SUFFIX


def new(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Name of the trial; NAME.trial.yml is written.")
    ],
    topology: Annotated[
        str, typer.Option(metavar="KIND", help="Such as dumbbell, fat_tree:4 or topohub:sndlib/germany50.")
    ] = "dumbbell",
    services: Annotated[
        str, typer.Option(metavar="KIND,…", help="Service kinds, separated by commas.")
    ] = "bulk,stream",
    force: Annotated[bool, typer.Option("--force", help="Write over an existing file.")] = False,
) -> None:
    """Write a trial file to start from, with comments."""
    from netarium.describe.new import new_trial

    name = name.removesuffix(SUFFIX)
    target = Path(name + SUFFIX)
    if target.exists() and not force:
        raise TrialInvalid(
            [Problem("", f"{target}, which exists", "a new name", "write over it with --force")]
        )
    kinds = [word.strip() for word in services.split(",") if word.strip()]
    target.write_text(new_trial(target.stem.removesuffix(".trial"), topology, kinds), encoding="utf-8")
    typer.echo(f"wrote {target}\nnext: netarium check {target}")
