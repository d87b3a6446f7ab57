"""netarium version: which netarium this is."""

from __future__ import annotations

import platform
from importlib.metadata import version as installed

import typer

from netarium.operate.commands.options import AsJson
from netarium.operate.messages import write_json

NAMED = ("numba", "numpy")


def and_stop(asked: bool) -> None:
    """The option --version, where people look for it first."""
    if asked:
        version()
        raise typer.Exit


def version(as_json: AsJson = False) -> None:
    """Show the version, and of what results depend on."""
    versions = {"netarium": installed("netarium"), "python": platform.python_version()}
    versions |= {name: installed(name) for name in NAMED}
    if as_json:
        write_json({"format": 1, "versions": versions})
    else:
        first, *others = (f"{name} {number}" for name, number in versions.items())
        typer.echo(f"{first} ({', '.join(others)})")
