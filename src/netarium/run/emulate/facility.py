"""The real side of a run, or of a network that is kept up: owned things, hosts, ways out, programs, in order and back."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from netarium.compile.hosts import Emulation
from netarium.run.emulate import needs, ownership, ways_out
from netarium.run.emulate.hosts import Guardian, Hosts, OpenTap, raise_hosts
from netarium.run.emulate.outcomes import Outcome
from netarium.run.emulate.overseer import Supervising
from netarium.run.emulate.ownership import Ownership
from netarium.run.emulate.processes import Supervisor
from netarium.run.emulate.sandbox import Sandbox


class Facility:
    """Everything real of an emulation, within a `with` block. `hosts.fds` are the engine's.

        with Facility("lab", plan.emulation, open_tap, folder=run_folder / "programs") as facility:
            with facility.programs(clock_ps):
                run_engine(facility.hosts.attached)

    Raises MachineCannot when it cannot be made, with nothing left behind.
    """

    hosts: Hosts
    supervisor: Supervisor
    ownership: Ownership
    sandbox: Sandbox

    def __init__(
        self,
        network: str,
        emulation: Emulation,
        open_tap: OpenTap,
        *,
        folder: Path | None = None,
        runtime: Path | None = None,
        alone: bool = False,
        reap: bool = True,
        guardian: Guardian | None = None,
        shown: tuple[Path, ...] = (),
        speak: Callable[[Emulation, Path], Emulation] = lambda emulation, _: emulation,
        **facts: object,
    ) -> None:
        """folder: gets what the programs write; default: a folder that goes with the network. facts: what `ps` shows.

        alone: refuse when a network of this name is up. reap: take back first what dead runs left. guardian: holds the hosts
        of several runs, which are gone when it ends.
        shown: folders that programs shall see wherever they are. speak: fills places in the programs' words, given that folder.
        """
        self._network, self._emulation, self._open_tap = network, emulation, open_tap
        self._folder, self._runtime, self._facts = folder, runtime, facts
        self._shown, self._speak, self._alone, self._reap = shown, speak, alone, reap
        self._guardian = guardian
        self._stack = ExitStack()

    def __enter__(self) -> Facility:
        if self._reap:
            ownership.reap(self._runtime)
        needs.room_for(self._emulation)
        needs.packages(self._emulation.packages)
        with ExitStack() as stack:
            self._make(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def programs(
        self, clock_ps: Callable[[], int], on_end: Callable[[Outcome], None] | None = None
    ) -> Supervising:
        """A block in which the programs run, by a clock in ps from the start of the trial."""
        return Supervising(self.supervisor, clock_ps, on_end)

    def _make(self, stack: ExitStack) -> None:
        emulation = self._emulation
        nodes = {host.node: host.why for host in emulation.hosts}
        facts = {"network": self._network, "nodes": len(nodes), **self._facts}
        self.ownership = ownership.take(self._runtime, alone=self._alone, **facts)
        stack.callback(self.ownership.release)
        scratch = Path(tempfile.gettempdir()) / f"netarium-{self.ownership.token}"
        self.ownership.owns("folder", path=str(scratch))
        resolver = ways_out.resolver_text() if ways_out.has_nat(emulation) else ""
        folder = self._folder or scratch / "programs"
        emulation = self._speak(emulation, folder)
        shown = tuple(str(path.resolve()) for path in self._shown)
        self.sandbox = Sandbox(scratch, emulation, resolver, self.ownership.mark, shown)
        self.sandbox.prepare()
        by_node = {host.node: host for host in emulation.hosts}
        self.hosts = raise_hosts(emulation, self._open_tap, self.ownership.lock_fd, guardian=self._guardian)
        stack.callback(self.hosts.down)
        self.supervisor = Supervisor(emulation.programs, by_node, self.hosts.netns_fds, self.sandbox, folder)
        if emulation.programs:
            self.supervisor.check()
        for host in emulation.hosts:
            if host.way_out is not None:
                ways_out.open_way(host, self.hosts.netns_fds[host.node], self.ownership)
