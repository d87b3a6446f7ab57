"""Draws the README's picture from the record of a run: python docs/images/draw.py runs/NAME"""

from __future__ import annotations

import sys
from pathlib import Path

from netarium.show import record
from netarium.show.plots import draw, save, style

WIDTH_IN = 7.0


def main(run: str) -> None:
    folder = Path(__file__).resolve().parent
    (drawing,) = draw(record.read(run), ["throughput"], WIDTH_IN)
    drawing.name = "interference-ab"
    with style.context():
        save(drawing, folder, ["png"])


if __name__ == "__main__":
    main(sys.argv[1])
