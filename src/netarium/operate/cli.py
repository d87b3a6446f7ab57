"""The `netarium` command; each of its commands is in `commands/`. Nothing heavy is imported for --help."""

from __future__ import annotations

import typer

from netarium.operate.commands import doctor, new, records, run, schema, topology, version
from netarium.operate.messages import guarded

app = typer.Typer(
    name="netarium",
    help="A test facility for future networks: describe, admit, run, certify and record network trials.",
    epilog="First steps: netarium doctor; netarium run interference-ab; netarium new mylab",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)

for command in (run.run, run.check, records.ls, records.show, records.compare, new.new):
    app.command()(guarded(command))
app.add_typer(topology.app, name="topology")
for command in (doctor.doctor, schema.schema, version.version):
    app.command()(guarded(command))


def main() -> None:
    """Entry point of the `netarium` script."""
    app()
