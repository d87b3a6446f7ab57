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

    class Reader(Console):
        """One that says when nobody reads any more, where Rich's own ends the process as if that were a failure."""

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    console = Reader(width=None if sys.stdout.isatty() else PLAIN_WIDTH, highlight=False)
    for part in parts:
        console.print(part)
