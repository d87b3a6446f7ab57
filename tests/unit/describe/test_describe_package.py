"""The names at the top of the package: all there, imported late; `run` can be called."""

from __future__ import annotations

import subprocess
import sys

import netarium


def test_every_name_exists() -> None:
    for name in netarium.__all__:
        assert getattr(netarium, name) is not None
    assert set(netarium.__all__) == set(dir(netarium))


def test_a_name_that_does_not_exist() -> None:
    assert not hasattr(netarium, "Trail")


def test_importing_is_light() -> None:
    code = "import sys, netarium; print(' '.join(m for m in sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"pydantic", "ruamel", "numpy", "numba", "netarium.units"} & set(loaded)


def test_run_is_callable_and_still_the_stage() -> None:
    for code in (
        "import netarium; f = netarium.run",
        "import netarium.run.samples as s; import netarium; f = netarium.run",
        "from netarium import run as f",
    ):
        check = f"{code}; import netarium.run.samples; assert callable(f) and f is netarium.run"
        subprocess.run([sys.executable, "-c", check], check=True)
