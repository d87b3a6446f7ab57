"""containerlab's topology files (*.clab.yml): read as emulated trials, and written from them."""

from __future__ import annotations

from netarium.describe.containerlab.reading import read
from netarium.describe.containerlab.writing import write

__all__ = ["read", "write"]
