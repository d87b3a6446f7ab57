"""Figures of a run: matplotlib objects (no windows, no global figure), saved as PNG, PDF and CSV.

To add a figure: one module with `draw(record, width_in) -> Drawing | None`, one line in FIGURES. None means
that the run has nothing to show there (no TCP, no drops), and the figure is left out instead of being empty.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from netarium.errors import RecordError, did_you_mean, one_of
from netarium.show.plots import (
    deadlines,
    delay,
    drops,
    jitter,
    latency,
    promises,
    queue,
    slowdown,
    style,
    throughput,
    topology,
    windows,
)
from netarium.show.plots.style import COLUMN_IN, PAGE_IN, Drawing
from netarium.show.record import Record

__all__ = ["COLUMN_IN", "FIGURES", "PAGE_IN", "Drawing", "draw", "save", "save_all"]

FIGURES: dict[str, Callable[[Record, float], Drawing | None]] = {
    "topology": topology.draw,
    "throughput": throughput.draw,
    "latency": latency.draw,
    "jitter": jitter.draw,
    "queue": queue.draw,
    "delay_cdf": delay.draw,
    "deadlines": deadlines.draw,
    "slowdown": slowdown.draw,
    "cwnd": windows.draw,
    "slices": promises.draw,
    "drops": drops.draw,
}
FORMATS = ("png", "pdf", "csv")
PNG_DPI = 300


def draw(record: Record, names: Iterable[str] | None = None, width_in: float = COLUMN_IN) -> list[Drawing]:
    """The figures `names` (default: every one the run has something to show in), `width_in` inches wide."""
    wanted = list(FIGURES if names is None else names)
    for name in wanted:
        if name not in FIGURES:
            raise RecordError(
                f"found figure {name!r}, expected {one_of(FIGURES)}; {did_you_mean(name, FIGURES)}"
            )
    with style.context():
        drawn = [FIGURES[name](record, width_in) for name in wanted]
    return [drawing for drawing in drawn if drawing is not None]


def save(drawing: Drawing, folder: Path, formats: Sequence[str] = FORMATS) -> list[Path]:
    """Writes one file per format, named after the figure; the caption goes into the files' own metadata."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for extension in formats:
        path = folder / f"{drawing.name}.{extension}"
        if extension == "csv":
            _write_csv(path, drawing)
        else:
            metadata = {
                "Title": drawing.title,
                ("Subject" if extension == "pdf" else "Description"): drawing.caption,
            }
            with style.context():
                drawing.figure.savefig(path, dpi=PNG_DPI, facecolor="white", metadata=metadata)
        paths.append(path)
    return paths


def save_all(record: Record, folder: Path | None = None, formats: Sequence[str] = FORMATS) -> list[Path]:
    """Every figure of `record` at column width into `folder` (default: figures/ in the run folder)."""
    target = record.folder / "figures" if folder is None else folder
    return [path for drawing in draw(record) for path in save(drawing, target, formats)]


def _write_csv(path: Path, drawing: Drawing) -> None:
    columns = [list(values) for values in drawing.data.values()]
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(drawing.data)
        writer.writerows(zip(*columns, strict=True))
