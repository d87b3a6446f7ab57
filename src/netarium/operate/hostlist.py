"""What `netarium check` says of the real hosts of an emulated trial: addresses, programs, needs of the machine."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from netarium.units import SECOND_PS, format_size, format_time

if TYPE_CHECKING:
    from rich.console import RenderableType

    from netarium.compile.hosts import Emulation, Program, RealHost

ROWS_MAX = 20
COMMAND_LETTERS = 48


def document(emulation: Emulation) -> dict[str, Any]:
    """Real hosts, programs and needs as one JSON object, in SI units with the unit in the key."""
    from netarium.run.emulate.tally import missing, tally_of

    return {
        "hosts": {host.node: _host(host) for host in emulation.hosts},
        "programs": {program.name: _program(program) for program in emulation.programs},
        "needs": dataclasses.asdict(tally_of(emulation)),
        "missing": missing(emulation),
        "tolerance_s": emulation.tolerance_ps / SECOND_PS,
        "linktest": emulation.linktest,
    }


def _host(host: RealHost) -> dict[str, Any]:
    return {
        "hostname": host.hostname,
        "why": host.why,
        "forwards": host.forwards,
        "interfaces": {
            one.name: {"addresses": list(one.addresses), "mac": one.mac, "mtu_bytes": one.mtu_bytes}
            for one in host.interfaces
        },
        "routes": [dataclasses.asdict(route) for route in host.routes],
        **({"way_out": dataclasses.asdict(host.way_out)} if host.way_out else {}),
    }


def _program(program: Program) -> dict[str, Any]:
    return {"node": program.node, "argv": list(program.argv), "start_s": program.start_ps / SECOND_PS}


def tables(emulation: Emulation) -> Iterator[RenderableType]:
    """The same for people."""
    from rich.text import Text

    from netarium.run.emulate.tally import missing, tally_of
    from netarium.show.columns import Columns

    headings = (
        ("real host", "left"),
        ("interface", "left"),
        ("IPv4", "left"),
        ("IPv6", "left"),
        ("why", "left"),
    )
    rows = [row for host in emulation.hosts for row in _host_rows(host)]
    yield Columns(headings, rows[:ROWS_MAX])
    if len(rows) > ROWS_MAX:
        yield Text(f"and {len(rows) - ROWS_MAX:,} more interfaces, see --json", style="dim")
    if emulation.programs:
        yield Text()
        headings = (("program", "left"), ("on", "left"), ("starts", "right"), ("command", "left"))
        yield Columns(headings, [_program_row(program) for program in emulation.programs[:ROWS_MAX]])
        if len(emulation.programs) > ROWS_MAX:
            yield Text(f"and {len(emulation.programs) - ROWS_MAX:,} more, see --json", style="dim")
    taken = tally_of(emulation)
    yield Text()
    yield Text(
        f"needs {taken.hosts:,} real hosts, {taken.taps:,} TAP devices, {taken.files:,} file descriptors, "
        f"{taken.programs:,} programs, about {format_size(taken.memory_bytes)} of memory"
    )
    for sentence in missing(emulation):
        yield Text(f"missing: {sentence}", style="bold red")


def _host_rows(host: RealHost) -> Iterator[tuple[str, ...]]:
    name, why = host.node, host.why
    for one in host.interfaces:
        ipv4 = [text for text in one.addresses if ":" not in text]
        ipv6 = [text for text in one.addresses if ":" in text]
        yield name, one.name, ", ".join(ipv4), ", ".join(ipv6), why
        name = why = ""


def _program_row(program: Program) -> tuple[str, ...]:
    text = " ".join(program.argv).removeprefix("{python} -I -S {programs}/")
    text = text if len(text) <= COMMAND_LETTERS else text[: COMMAND_LETTERS - 1] + "…"
    after = f"after {', '.join(program.after)}" if program.after else ""
    start = format_time(program.start_ps) if program.start_ps else after or "at once"
    return program.name, program.node, start, text
