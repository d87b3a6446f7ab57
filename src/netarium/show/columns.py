"""A plain table that fits its terminal: figures are never cut, names and words give way to them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from netarium.show import quantity

NARROWEST = 8
GAP = 2


class Columns:
    """Rows under headings; `columns` are (heading, "left" or "right") pairs, right is for figures.

    When the terminal is too narrow the widest left column is cut in the middle of its words, again and again,
    down to NARROWEST characters each.
    """

    def __init__(self, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str | Text]]) -> None:
        self.columns = columns
        self.rows = rows

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        widths = self.widths(options.max_width)
        gap = GAP if sum(widths) + GAP * (len(widths) - 1) <= options.max_width else 1
        table = Table(box=None, padding=(0, gap, 0, 0), pad_edge=False, show_edge=False, header_style="dim")
        for (heading, justify), width in zip(self.columns, widths, strict=True):
            table.add_column(heading, justify=justify, vertical="bottom", no_wrap=True, width=width)  # type: ignore[arg-type]
        for row in self.rows:
            table.add_row(*(_cut(cell, width) for cell, width in zip(row, widths, strict=True)))
        yield table

    def widths(self, available: int) -> list[int]:
        """Characters of each column so that the table fits in `available`, if it can."""
        widths = [
            max(
                [*(len(line) for line in heading.splitlines()), *(len(row[index]) for row in self.rows)],
                default=0,
            )
            for index, (heading, _) in enumerate(self.columns)
        ]
        flexible = [index for index, (_, justify) in enumerate(self.columns) if justify == "left"]
        excess = sum(widths) + GAP * (len(widths) - 1) - available
        if excess > 0:
            excess -= len(widths) - 1  # the gap shrinks to one first
        while excess > 0:
            widest = max(flexible, key=lambda index: widths[index], default=None)
            if widest is None or widths[widest] <= NARROWEST:
                break
            widths[widest] -= 1
            excess -= 1
        return widths


def _cut(cell: str | Text, width: int) -> str | Text:
    if isinstance(cell, Text):
        return Text(quantity.shorten(cell.plain, width), style=cell.style)
    return Text(quantity.shorten(cell, width))  # Text, so that [brackets] in a name are not taken for markup
