"""netarium up, exec, ps and down: keep a network of real hosts up, and work in it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from netarium.operate.commands.options import AsJson, Changes, Full, Seed, TrialArgument, Variant
from netarium.operate.messages import say, write_json

if TYPE_CHECKING:
    from rich.table import Table

    from netarium.run.emulate.facility import Facility

READY_FD = "NETARIUM_READY_FD"
"""Environment variable of a detached `up`: the descriptor on which it says that the network is up."""

WORDS_AS_TYPED = {"ignore_unknown_options": True, "allow_interspersed_args": False}

Network = Annotated[
    str | None,
    typer.Argument(metavar="NETWORK", help="Name of a network that is up.", show_default="the only one"),
]
Words = Annotated[
    list[str],
    typer.Argument(
        metavar="[NETWORK] NODE [-- PROGRAM ARGUMENTS…]",
        help="The node, and what to run there; nothing: a shell. NETWORK can be left out when only one is up.",
    ),
]


def up(
    trial: TrialArgument = ".",
    name: Annotated[
        str | None, typer.Option("--name", help="What to call it.", show_default="the trial's name")
    ] = None,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Return once it is up, and leave it up.")
    ] = False,
    seed: Seed = None,
    changes: Changes = None,
    variant: Variant = None,
    full: Full = False,
) -> None:
    """Keep a trial's network up with real hosts, to work in.

    Ctrl-C or netarium down ends it. Its services run as described; nothing is measured or recorded.
    """
    from netarium.operate import privilege

    privilege.ensure()
    if detach:
        raise typer.Exit(_detached(trial))
    from netarium.operate import keeping, networks, runner
    from netarium.operate.commands.run import variant_of
    from netarium.operate.interrupts import stop_on_signals
    from netarium.run.emulate.tap import open_tap

    request = runner.Request(trial, "emulate", seed, tuple(changes or ()), variant_of(variant, full))
    asked, plan = keeping.plan_of(request)
    called = name or asked.trial
    with stop_on_signals(lambda: say("Taking the network down.")) as stop:
        failures = networks.keep_up(
            called,
            plan.emulation,
            open_tap,
            keeping.engine(plan),
            stop=stop,
            announce=lambda facility: _announce(called, facility),
            shown=(asked.folder,),
            speak=lambda emulation, folder: keeping.spoken(plan, emulation, folder),
            trial=asked.trial,
            command="up",
        )
    for failure in failures:
        say(failure)


def _announce(name: str, facility: Facility) -> None:
    hosts = facility.hosts.emulation.hosts
    commands = {
        f"netarium exec {name} {hosts[0].node}": f"a shell on {hosts[0].node}",
        "netarium ps": "what runs",
        f"netarium down {name}": "the end of it",
    }
    width = max(map(len, commands))
    lines = [f"  {command:{width}}   {meaning}" for command, meaning in commands.items()]
    say("\n".join([f"{name} is up: {len(hosts)} real host{'s' * (len(hosts) != 1)}", *lines]))
    if READY_FD in os.environ:
        fd = int(os.environ.pop(READY_FD))
        os.write(fd, b"up\n")
        os.close(fd)


def _detached(trial: str) -> int:
    """Start this command again in the background; 0 once its network is up, else its exit code, with what it said."""
    from netarium.run.emulate import ownership

    runtime = ownership.runtime_folder()
    runtime.mkdir(mode=0o700, parents=True, exist_ok=True)
    log_path = runtime / f"up-{os.getpid()}.log"
    ours, theirs = os.pipe()
    argv = [word for word in sys.argv[1:] if word not in ("--detach", "-d")]
    with open(log_path, "wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-c", "from netarium.operate.cli import main; main()", *argv],
            stdin=None if trial == "-" else subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[theirs],
            env=os.environ | {READY_FD: str(theirs)},
            start_new_session=True,
        )
    os.close(theirs)
    with os.fdopen(ours, "rb") as told:
        is_up = told.readline() == b"up\n"
    said = log_path.read_text(errors="replace").strip()
    log_path.unlink()  # what it says later, nobody reads: `ps` tells what runs
    say(said)
    return 0 if is_up else child.wait()


def exec_(words: Words) -> None:
    """Run a program or open a shell on a node that is up."""
    from netarium.operate import networks

    _reap()
    network, node, argv = networks.split_words(words)
    raise typer.Exit(networks.enter(networks.find(network), node, argv))


def ps(
    network: Network = None,
    as_json: AsJson = False,
) -> None:
    """Show the networks that are up, and what runs on their nodes."""
    from netarium.errors import MachineCannot
    from netarium.operate import control, networks

    _reap()
    runs = [networks.find(network)] if network is not None else networks.alive()
    listed: list[dict[str, Any]] = []
    for run in runs:
        entry = {"network": run.facts.get("network"), "pid": run.owner.pid, "since": run.facts["since"]}
        entry |= {key: run.facts[key] for key in ("trial", "command") if key in run.facts}
        try:
            entry |= (
                control.ask(run, verb="ps") if run.control.exists() else {"count": run.facts.get("nodes")}
            )
        except MachineCannot as error:
            entry["problem"] = str(error)
        listed.append(entry)
    if as_json:
        write_json({"format": 1, "networks": listed})
        return
    if not listed:
        typer.echo("No network is up; start one with: netarium up TRIAL")
        return
    from netarium.operate.commands.output import show

    show(*(_table(entry) for entry in listed))


def _table(entry: dict[str, Any]) -> Table:
    from rich.table import Table

    minutes, seconds = divmod(int(time.time() - entry["since"]), 60)
    title = f"{entry['network']}  {entry.get('command', '')}, process {entry['pid']}, up {minutes} min {seconds} s"
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for heading in ("node", "addresses", "process", "what runs", "status"):
        table.add_column(heading)
    for node in entry.get("nodes", []):
        running = [one for one in entry["programs"] if one["node"] == node["node"]]
        running += [one for one in entry["entered"] if one["node"] == node["node"]]
        addresses = "\n".join(node["addresses"])
        first = running[0] if running else {"argv": [node["way_out"] or ""], "status": ""}
        table.add_row(node["node"], addresses, *_process(first))
        for one in running[1:]:
            table.add_row("", "", *_process(one))
    if "count" in entry:
        table.add_row(f"{entry['count']} nodes")
    if "problem" in entry:
        table.add_row(entry["problem"])
    return table


def _process(one: dict[str, Any]) -> tuple[str, str, str]:
    text = " ".join(one["argv"])
    return str(one.get("pid") or ""), text if len(text) <= 48 else text[:47] + "…", one["status"]


def _reap() -> bool:
    """Take back what dead networks left, and say so; whether there was any."""
    from netarium.run.emulate import ownership

    reaped = ownership.reap()
    for run in reaped:
        say(f"{run.facts.get('network')} was dead; what it left is gone")
    return bool(reaped)


def down(
    network: Network = None,
    every: Annotated[bool, typer.Option("--all", help="Take all down that 'up' keeps.")] = False,
) -> None:
    """Take down a network that is up, with all that is in it.

    Every process, host and interface is gone then. A trial that is being run is ended only by its name; its
    record says that it was interrupted.
    """
    from netarium.operate import networks

    reaped = _reap()
    nothing_else = network is None and reaped and not networks.alive()
    meant = networks.kept_up() if every or nothing_else else [networks.find(network, among_runs=False)]
    for run in meant:
        networks.take_down(run)
        say(f"{run.facts.get('network')} is down")
