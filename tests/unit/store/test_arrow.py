"""Arrow without pandas: the command line never imports it, others still can."""

from __future__ import annotations

import subprocess
import sys

import pytest

LOOKS = "import sys, pyarrow, netarium.store.arrow as own; own.without_pandas(); pyarrow.array(['a']); "


def said(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_arrays_are_made_without_pandas() -> None:
    assert said(LOOKS + "print('pandas' in sys.modules)") == "False"


def test_pandas_can_be_imported_all_the_same() -> None:
    pytest.importorskip("pandas", reason="pandas is no dependency of netarium")
    assert said(LOOKS + "import pandas; print(pandas.Series([1]).sum())") == "1"
