"""A figure as SVG text to put inside a page: unique ids; colours and font come from its style sheet."""

from __future__ import annotations

import io
import re
from html import escape

from matplotlib import rc_context
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from netarium.show.plots import style

INKS = {
    style.INK: "ink",
    style.MUTED: "muted",
    style.GRID: "grid",
    style.SHADE: "shade",
    style.PAPER: "paper",
    **{colour: f"heat-{index}" for index, colour in enumerate(style.HEAT)},
    **{colour: f"series-{index}" for index, colour in enumerate(style.SERIES)},
}
_ID = re.compile(r'\bid="([^"]+)"')
_GROUP_ID = re.compile(r'<g id="[^"]*">')
_REFERENCE = re.compile(r'(url\(#|href="#)([^")]+)')
_FONT = re.compile(r"(font: [^;\"]*?px) [^;\"]*")
_COLOUR = re.compile("|".join(INKS), re.IGNORECASE)
_WORDS = {colour.lower(): word for colour, word in INKS.items()}
_COORDINATE = re.compile(r"(-?\d+\.\d\d)\d+")


def text_of(drawing: style.Drawing, prefix: str = "") -> str:
    """<svg> element of `drawing`; colours become CSS variables --fig-... with the printed colour as fallback.

    `prefix` keeps the ids of two pages' worth of figures apart when several runs are shown together.
    """
    name = f"{prefix}{drawing.name}"
    text = _drawn(drawing.figure, salt=name)
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", text, flags=re.S)
    text = _GROUP_ID.sub("<g>", text)
    text = _ID.sub(rf'id="{name}-\1"', text)
    text = _REFERENCE.sub(rf"\1{name}-\2", text)
    text = _FONT.sub(r"\1 var(--fig-font, sans-serif)", text)
    text = _COORDINATE.sub(r"\1", text)
    text = _COLOUR.sub(_variable, text)
    opening = f'<svg role="img" aria-label="{escape(drawing.title, quote=True)}" '
    text = re.sub(r'(<svg [^>]*?)width="[^"]*pt" height="[^"]*pt" ', r"\1", text, count=1)
    return text.replace("<svg ", opening, 1).strip()


def _variable(colour: re.Match[str]) -> str:
    return f"var(--fig-{_WORDS[colour[0].lower()]}, {colour[0].upper()})"


def _drawn(figure: Figure, salt: str) -> str:
    """The SVG document without backgrounds. `savefig` would draw twice, the first time only to lay out."""
    style.settle(figure)
    backgrounds = [figure.patch, *(axes.patch for axes in figure.axes)]
    stream = io.StringIO()
    for patch in backgrounds:
        patch.set_visible(False)
    try:
        with rc_context({"svg.hashsalt": salt}):
            FigureCanvasSVG(figure).print_svg(stream, metadata={"Date": None})
    finally:
        for patch in backgrounds:
            patch.set_visible(True)
    return stream.getvalue()
