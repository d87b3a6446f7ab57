"""The trial: everything a user states about one test, frozen and checked as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, ValidationInfo, model_validator

from netarium.describe.command import Command
from netarium.describe.emulate import Emulate
from netarium.describe.endpoints import Pair, endpoints_of
from netarium.describe.events import Event
from netarium.describe.expect import Expect
from netarium.describe.network import Network
from netarium.describe.part import Name, Part
from netarium.describe.probes import Probes
from netarium.describe.projections import Projection
from netarium.describe.services import AnyService, ControlLoop, Demands, Replay, Service, Stream
from netarium.describe.slices import Slice
from netarium.describe.transport import Tcp, Transport, Udp
from netarium.errors import TrialInvalid
from netarium.units import Time

UNCHECKED = "unchecked"  # validation context: the caller looks at the whole itself


@dataclass(frozen=True)
class Source:
    """Where a trial came from: the text as typed, its file ("" if none), and the overrides applied to it."""

    text: str
    file: str = ""
    overrides: tuple[str, ...] = ()


class Trial(Part):
    """A description of one test: network, guarantees, services, events, probes, expectations."""

    trial: Name
    """Name of the trial."""
    title: str = ""
    """One line for people."""
    description: str = ""
    """As much as there is to say."""
    duration: Time
    """Virtual time to run, at most 100 days."""
    mode: Literal["simulate", "emulate"] = "simulate"
    """Virtual time with models, or real time with real hosts."""
    emulate: Emulate = Field(default_factory=Emulate)
    """How it is emulated."""
    seed: Annotated[int, Field(ge=0, le=2**63 - 1, strict=True)] = 1
    """Seed of all random draws."""
    network: Network
    """Nodes and links."""
    transport: Transport = Field(default_factory=Tcp)
    """Transport of the services that state none (streams have udp)."""
    slices: dict[Name, Slice] = Field(default_factory=dict)
    """Guarantees, by name."""
    services: dict[Name, AnyService] = Field(default_factory=dict)
    """What runs, by name."""
    events: tuple[Event, ...] = ()
    """What changes while it runs."""
    probes: Probes = Field(default_factory=Probes)
    """Where to look."""
    projections: tuple[Projection, ...] = ()
    """How long volumes larger than the run would take."""
    expect: tuple[Expect, ...] = ()
    """What must hold."""

    _folder: Path | None = PrivateAttr(default=None)
    _source: Source | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _as_a_whole(self, info: ValidationInfo) -> Trial:
        if not (isinstance(info.context, dict) and info.context.get(UNCHECKED)):
            problems = self.problems()
            if problems:
                raise TrialInvalid(problems)
        return self

    @property
    def folder(self) -> Path:
        """The folder that file names in the trial start from: the trial file's, else the current one."""
        return self._folder if self._folder is not None else Path.cwd()

    @property
    def source(self) -> Source | None:
        """Text, file and overrides this trial was loaded from; None for a trial built in Python."""
        return self._source

    def locate(self, file: str) -> Path:
        """The path of a file named in the trial."""
        return self.folder / Path(file).expanduser()

    def placed(self, folder: Path | None, source: Source | None = None) -> Trial:
        """The same trial with file names starting from `folder`."""
        copy = self.model_copy(update={"network": self.network.placed(folder)})
        copy._folder, copy._source = folder, source
        return copy

    def problems(self) -> list[Any]:
        """What is wrong with the trial as a whole: a list of Problem, empty if nothing is."""
        from netarium.describe.whole import problems_of_whole

        return problems_of_whole(self)

    def service(self, which: str | Service) -> tuple[str, Service]:
        """(name, service) of a service given by its name or itself. Raises KeyError if there is none."""
        if isinstance(which, str):
            return which, self.services[which]
        for name, service in self.services.items():
            if service is which:
                return name, service
        raise KeyError(f"the trial has no such service: {which!r}")

    def endpoints(self, which: str | Service) -> list[Pair]:
        """(source, target) node names of every instance of a service, in order: all pairs, `count` times.

        Deterministic: groups and patterns resolve in the order of the nodes; permutation and random draw from
        a stream of their own, seeded by the trial's seed and the service's name.
        """
        name, service = self.service(which)
        if isinstance(service, Command):
            return [] if service.to is None else [(service.node, service.to)]
        if isinstance(service, Demands):
            return [(source, target) for source, target, _ in self.demands(name)] * service.count
        return endpoints_of(name, service, self.network.expand().nodes, self.seed)

    def demands(self, which: str | Service) -> list[tuple[str, str, float]]:
        """(source, target, rate in bit/s) of every pair of a demands service that has a demand."""
        from netarium.describe.demands import demands_of

        name, service = self.service(which)
        if not isinstance(service, Demands):
            raise KeyError(f"{name!r} is of kind {service.kind}, not demands")
        return demands_of(service, self)

    def transport_of(self, which: str | Service) -> Tcp | Udp:
        """The transport of a service: its own, udp for what sends packets at a rate, else the trial's."""
        _, service = self.service(which)
        if service.transport is not None:
            return service.transport
        packets = isinstance(service, Stream | ControlLoop)
        packets |= isinstance(service, Replay) and service.unit == "packets"
        packets |= isinstance(service, Demands) and service.using == "stream"
        return Udp() if packets else self.transport
