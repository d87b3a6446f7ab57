"""netarium schema: the JSON Schema of trial files or campaign files, for completion in editors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def schema(
    target: Annotated[
        Path | None, typer.Argument(help="A file to write to.", show_default="standard output")
    ] = None,
    campaign: Annotated[bool, typer.Option("--campaign", help="That of campaign files instead.")] = False,
) -> None:
    """Print the JSON Schema of trial files, for editors."""
    from netarium.describe.schema import FILE

    file = FILE.with_name("campaign.schema.json") if campaign else FILE
    text = file.read_text(encoding="utf-8")
    if target is None:
        typer.echo(text, nl=False)
    else:
        target.write_text(text, encoding="utf-8")
        typer.echo(f"wrote {target}")
