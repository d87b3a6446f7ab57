"""HTML pages: templates and style sheet of this folder, filled with escaped text and inline SVG figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from netarium.show.verdict import MARKS

if TYPE_CHECKING:
    from netarium.show.plots import Drawing

Cell = str | dict[str, str]


@dataclass(frozen=True)
class Column:
    """A table column: figures are right-aligned, wide ones may wrap."""

    name: str
    is_figure: bool = False
    is_wide: bool = False


@dataclass
class Grid:
    """A table of a page; `more` rows are left out."""

    columns: list[Column]
    rows: list[Sequence[Cell]] = field(default_factory=list)
    more: int = 0


@dataclass(frozen=True)
class Picture:
    """A figure of a page; `svg` is trusted markup made by matplotlib."""

    name: str
    title: str
    caption: str
    svg: Markup


def columns(*names: str) -> list[Column]:
    """Columns by name; a leading ">" makes one of figures, a leading "~" one that wraps."""
    return [Column(name.lstrip(">~"), name.startswith(">"), name.startswith("~")) for name in names]


def marked(level: str, words: str) -> Cell:
    return {"level": level, "words": words}


def linked(href: str, words: str) -> Cell:
    """A cell that leads to `href`, relative to the page."""
    return {"href": href, "words": words}


def pictures(drawings: Iterable[Drawing]) -> list[Picture]:
    from netarium.show.plots import style, svg

    with style.context():
        return [Picture(d.name, d.title, d.caption, Markup(svg.text_of(d))) for d in drawings]


def fill(template: str, **values: Any) -> str:
    """The page as text."""
    return _environment().get_template(template).render(marks=MARKS, **values)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("netarium.show", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
