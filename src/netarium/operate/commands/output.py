"""Rich renderables to standard output, at the width of the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType

PLAIN_WIDTH = 110


def show(*parts: RenderableType) -> None:
    """Print to standard output; without a terminal, at a fixed width and without colour."""
    import sys

    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH, highlight=False)
    for part in parts:
        console.print(part)
