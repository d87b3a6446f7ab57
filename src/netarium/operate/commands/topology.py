"""netarium topology: list, show, convert and draw networks, generated, imported or built in; containerlab both ways."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from netarium.operate.commands.options import AsJson, TrialArgument
from netarium.operate.messages import guarded, say, write_json

app = typer.Typer(
    help="List, show, convert and draw topologies.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
Topology = Annotated[
    str,
    typer.Argument(
        metavar="TOPOLOGY",
        help="Such as fat_tree:8, topohub:sndlib/germany50, reference_backbone, or graphml:FILE.",
    ),
]
Format = Annotated[
    str | None,
    typer.Option("--format", help="json, graphml, dot or svg.", show_default="by the suffix of the target"),
]


@app.command("list")
@guarded
def list_builtin(
    group: Annotated[
        str, typer.Argument(help="A group of topohub, such as topohub/sndlib.", show_default=False)
    ] = "",
    as_json: AsJson = False,
) -> None:
    """List the topologies that need no file."""
    from netarium.describe import topology

    rows = topology.list_builtin(group)
    if as_json:
        write_json(rows)
        return
    from netarium.operate.commands.output import show as display
    from netarium.show.columns import Columns

    headings = (("name", "left"), ("nodes", "right"), ("links", "right"), ("what", "left"))
    display(Columns(headings, [(row["name"], row["nodes"], row["links"], row["what"]) for row in rows]))


@app.command()
@guarded
def show(topology: Topology, as_json: AsJson = False) -> None:
    """Show size, rates, connectivity, assumptions."""
    from netarium.describe import topology as topologies

    facts = topologies.describe(topologies.parse(topology), Path.cwd())
    if as_json:
        write_json(facts)
        return
    assumptions = facts.pop("assumptions")
    width = max(map(len, facts)) + 2
    for name, value in facts.items():
        typer.echo(f"{name.replace('_', ' '):{width}}{_shown(value)}")
    _assumed(assumptions)


@app.command()
@guarded
def convert(
    topology: Topology,
    target: Annotated[Path, typer.Argument(help="The file to write.")],
    format_name: Format = None,
) -> None:
    """Write a topology as JSON, GraphML, DOT or SVG."""
    from netarium.describe import topology as topologies

    _assumed(topologies.convert(topologies.parse(topology), target, format_name, Path.cwd()))
    typer.echo(f"wrote {target}")


@app.command()
@guarded
def draw(
    topology: Topology,
    target: Annotated[Path, typer.Argument(help="The SVG file to write.")] = Path("topology.svg"),
) -> None:
    """Draw a topology as an SVG file."""
    convert(topology, target, "svg")


@app.command("import")
@guarded
def import_lab(
    file: Annotated[Path, typer.Argument(metavar="FILE.clab.yml", help="A containerlab topology file.")],
    target: Annotated[
        Path | None,
        typer.Argument(metavar="TARGET", help="The trial to write.", show_default="NAME.trial.yml"),
    ] = None,
    duration: Annotated[str, typer.Option(help="How long the trial takes.")] = "60 s",
    force: Annotated[bool, typer.Option("--force", help="Write over an existing file.")] = False,
) -> None:
    """Make an emulated trial of a containerlab file.

    It says what is not carried over.
    """
    from netarium.describe import containerlab
    from netarium.describe.dump import dump

    trial, notes = containerlab.read(file, duration)
    place = target or Path(f"{trial.trial}.trial.yml")
    _written(place, dump(trial), force)
    _noted(notes)
    typer.echo(f"wrote {place}\nnext: netarium check {place}")


@app.command("export")
@guarded
def export_lab(
    trial: TrialArgument,
    target: Annotated[
        Path | None,
        typer.Argument(metavar="TARGET", help="The file to write.", show_default="NAME.clab.yml"),
    ] = None,
    image: Annotated[str, typer.Option(help="Container image of every node.")] = "alpine:3",
    force: Annotated[bool, typer.Option("--force", help="Write over an existing file.")] = False,
) -> None:
    """Write a trial as a containerlab file.

    It says what is not carried over.
    """
    from netarium.describe import containerlab
    from netarium.operate import runner

    asked = runner.load(runner.Request(trial))
    text, notes = containerlab.write(asked, image)
    place = target or Path(f"{asked.trial}.clab.yml")
    _written(place, text, force)
    _noted(notes)
    typer.echo(f"wrote {place}")


def _written(place: Path, text: str, force: bool) -> None:
    """Write a file that is not there yet. Raises TrialInvalid when it is."""
    from netarium.errors import Problem, TrialInvalid

    if place.exists() and not force:
        problem = Problem("", f"{place}, which exists", "a new name", "write over it with --force")
        raise TrialInvalid([problem])
    place.write_text(text, encoding="utf-8")


def _noted(notes: list[str]) -> None:
    for sentence in notes:
        say(f"note: {sentence}")


def _assumed(assumptions: list[str]) -> None:
    for sentence in assumptions:
        say(f"assumed: {sentence}")


def _shown(value: Any) -> str:
    """A fact as people read it: yes and no, three digits, name and count."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.3g}" if value < 1000 else f"{value:,.0f}"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_shown(entry)}" for name, entry in value.items()) or "none"
    return "not known" if value is None else str(value)
