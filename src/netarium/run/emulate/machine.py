"""The machine of an emulated run: its real hosts in a Facility, programs on them, and the engine at their interfaces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from netarium.compile.hosts import Program
from netarium.run.emulate.facility import Facility
from netarium.run.emulate.overseer import Overseer, Supervising
from netarium.run.emulate.processes import Supervisor


class RealMachine:
    """Programs on the hosts of a facility that is up (see `Machine` of emulate.py)."""

    def __init__(
        self, facility: Facility, shown: tuple[Path, ...] = (), overseer: Overseer | None = None
    ) -> None:
        """shown: folders that programs shall see wherever they are. overseer: watches the programs of other runs too."""
        self._facility, self._overseer = facility, overseer
        self._sandbox = replace(facility.sandbox, shown=tuple(str(path.resolve()) for path in shown))
        self._hosts = {host.node: host for host in facility.hosts.emulation.hosts}

    @property
    def fds(self) -> Mapping[tuple[str, str], int]:
        """(node, interface name) -> the engine's side."""
        return self._facility.hosts.by_interface

    def supervise(self, programs: tuple[Program, ...], folder: Path) -> Supervising:
        """A block in which programs run: servers at once, all others once it is told when the trial begins."""
        facility = self._facility
        supervisor = Supervisor(programs, self._hosts, facility.hosts.netns_fds, self._sandbox, folder)
        facility.supervisor = supervisor  # what `netarium ps` shows
        return Supervising(supervisor, overseer=self._overseer)
