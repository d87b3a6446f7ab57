"""The `netarium` command; each of its commands is in `commands/`. Nothing heavy is imported for --help."""

from __future__ import annotations

import gc
from typing import Annotated

import typer

from netarium.operate.commands import (
    campaign,
    doctor,
    new,
    query,
    records,
    run,
    schema,
    slices,
    topology,
    up,
    version,
)
from netarium.operate.messages import guarded

GARBAGE_AFTER = 200_000
"""New objects before garbage is looked for. Starting makes some hundred thousand that stay, and looking at them again
and again (Python's 700) takes a sixth of a short run."""

app = typer.Typer(
    name="netarium",
    help="A test facility for future networks: describe, admit, run, certify and record network trials.",
    epilog="First steps: netarium doctor; netarium run interference-ab; netarium new mylab",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


@app.callback()
def options(
    _: Annotated[
        bool,
        typer.Option("--version", "-V", callback=version.and_stop, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """What can stand before a command."""


app.command()(guarded(run.run))
app.command()(guarded(run.check))
app.command()(guarded(campaign.campaign))
app.command()(guarded(records.ls))
app.command()(guarded(records.show))
app.command()(guarded(records.compare))
app.command()(guarded(up.up))
app.command("exec", context_settings=up.WORDS_AS_TYPED)(guarded(up.exec_))
app.command()(guarded(up.ps))
app.command()(guarded(up.down))
app.command()(guarded(query.query))
app.command()(guarded(new.new))
app.command()(guarded(doctor.doctor))
app.command()(guarded(schema.schema))
app.command()(guarded(version.version))
app.add_typer(topology.app, name="topology")
app.add_typer(slices.app, name="slices")


def main() -> None:
    """Entry point of the `netarium` script."""
    gc.set_threshold(GARBAGE_AFTER)
    app()
