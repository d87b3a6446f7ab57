"""netarium schema: the JSON Schema of trial files, for completion in editors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def schema(
    target: Annotated[
        Path | None, typer.Argument(help="A file to write to.", show_default="standard output")
    ] = None,
) -> None:
    """Print the JSON Schema of trial files, for editors."""
    from netarium.describe.schema import FILE

    text = FILE.read_text(encoding="utf-8")
    if target is None:
        typer.echo(text, nl=False)
    else:
        target.write_text(text, encoding="utf-8")
        typer.echo(f"wrote {target}")
