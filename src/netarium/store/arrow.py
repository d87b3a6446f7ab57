"""Arrow for programs that never ask for pandas.

Arrow looks for pandas when it makes its first array, and imports it where it is installed: 0.3 s, of which a command of a
second has no use. A library must not decide that for others (`table.to_pandas()` then says that there is no
pandas), so only the command line and its processes do.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any


def without_pandas() -> None:
    """Let Arrow look for pandas now, in vain. Others of this process can import it as ever."""
    import pyarrow as pa

    hidden = _Hidden()
    sys.meta_path.insert(0, hidden)
    try:
        pa.array([])
    finally:
        sys.meta_path.remove(hidden)


class _Hidden:
    """A finder of modules that says of pandas that it is not there."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: Any = None) -> None:  # noqa: ARG002
        """None, so that the next finder is asked, for all others."""
        if name == "pandas":
            raise ModuleNotFoundError("pandas is hidden from Arrow", name=name)
