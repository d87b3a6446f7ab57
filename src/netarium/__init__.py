"""netarium: a test facility for future networks.

    import netarium as nt

    trial = nt.load("interference.trial.yml", ["duration=5 s"])
    nt.check(trial)  # the plan, or the reasons why there is none
    nt.run(trial)

The names of a trial file are the names here; each is imported when it is first used. `netarium.run` is both
the stage of that name (a package) and, called, the run of a trial.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

_NAMES = {
    "errors": "NetariumError TrialInvalid AdmissionRefused MachineCannot RunInterrupted ExpectationFailed "
    "RecordError Problem Refusal",
    "describe.trial": "Trial",
    "describe.network": "Network Node Link Direction Defaults Routing RateTrace",
    "describe.queues": "Pfifo Bfifo Prio Drr DrrClass Htb HtbClass Tbf Red Codel FqCodel Pie UserQueue",
    "describe.tsn": "Mqprio Cbs Taprio SchedEntry Cqf Ats AtsStream Psfp PsfpStream StreamGate Meter",
    "describe.clock": "Clock",
    "describe.impairments": "Impairments BernoulliLoss GilbertElliottLoss PeriodicLoss Jitter Reorder",
    "describe.transport": "Tcp Udp UserCongestion DelayedAck",
    "describe.services": "Bulk Stream RequestResponse Sizes Replay Demands MatrixFile ControlLoop Replication Custom",
    "describe.slices": "Slice",
    "describe.events": "LinkDown LinkUp NodeDown NodeUp RateChange ImpairmentChange",
    "describe.probes": "Probes Capture",
    "describe.projections": "Projection",
    "describe.expect": "Expect",
    "describe.campaign": "Campaign GridSweep ZipSweep CasesSweep RandomSweep LatinHypercubeSweep FilesSweep KeptMetric",
    "describe.loader": "load loads",
    "describe.dump": "dump",
    "operate.runner": "check",
    "operate.campaign.api": "load_campaign run_campaign",
    "store.campaigns": "read_campaign",
}
_WHERE = {name: module for module, names in _NAMES.items() for name in names.split()}

_CALLED = {"check": "admit"}  # where the name differs from the one in its module

__all__ = ["__version__", "run", *_WHERE]  # noqa: PLE0604

if TYPE_CHECKING:
    __version__: str
    from netarium.describe.dump import dump as dump
    from netarium.describe.loader import load as load
    from netarium.describe.loader import loads as loads
    from netarium.describe.network import Link as Link
    from netarium.describe.network import Network as Network
    from netarium.describe.network import Node as Node
    from netarium.describe.services import Bulk as Bulk
    from netarium.describe.services import Stream as Stream
    from netarium.describe.slices import Slice as Slice
    from netarium.describe.transport import Tcp as Tcp
    from netarium.describe.transport import Udp as Udp
    from netarium.describe.trial import Trial as Trial


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("netarium")
    if name == "run":
        return import_module("netarium.run")  # importing binds it here, callable
    if name not in _WHERE:
        raise AttributeError(f"module 'netarium' has no attribute {name!r}")
    value = getattr(import_module(f"netarium.{_WHERE[name]}"), _CALLED.get(name, name))
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


class _RunStage(ModuleType):
    """The package netarium.run, which can be called to run a trial."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run a trial: see netarium.operate.runner.run."""
        return import_module("netarium.operate.runner").run(*args, **kwargs)


class _Package(ModuleType):
    """The package netarium: makes its stage `run` callable, whoever imports it first."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "run" and type(value) is ModuleType:
            value.__class__ = _RunStage
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
