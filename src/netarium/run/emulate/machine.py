"""The machine of an emulated run: its real hosts in a Facility, programs on them, and the engine at their interfaces."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from netarium.compile.hosts import Program
from netarium.run.emulate.facility import Facility
from netarium.run.emulate.processes import Supervising, Supervisor


class RealMachine:
    """Programs on the hosts of a facility that is up (see `Machine` of emulate.py)."""

    def __init__(self, facility: Facility, shown: tuple[Path, ...] = ()) -> None:
        """shown: folders that programs shall see wherever they are."""
        self._facility = facility
        self._sandbox = replace(facility.sandbox, shown=tuple(str(path.resolve()) for path in shown))
        self._hosts = {host.node: host for host in facility.hosts.emulation.hosts}

    @property
    def fds(self) -> Mapping[tuple[str, str], int]:
        """(node, interface name) -> the engine's side."""
        return self._facility.hosts.by_interface

    @contextmanager
    def supervise(self, programs: tuple[Program, ...], start_ns: int, folder: Path) -> Iterator[Supervisor]:
        """Run programs until the block ends, then stop what still runs."""
        facility = self._facility
        supervisor = Supervisor(programs, self._hosts, facility.hosts.netns_fds, self._sandbox, folder)
        facility.supervisor = supervisor  # what `netarium ps` shows
        with Supervising(supervisor, lambda: (time.monotonic_ns() - start_ns) * 1000):
            yield supervisor
