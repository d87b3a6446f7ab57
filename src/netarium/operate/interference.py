"""The same trial under attack: best effort that fills every link its slices use, from the first instant to the last.

It is the adversary of the bounds: datagrams of the largest size, without congestion control, at the whole rate of the
link, so that a frame of another class is under way whenever a slice's packet comes. They start at the
transmitter of each link and end behind it, so that no link protects the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netarium.compile.plan import Plan
    from netarium.describe.expect import Expect
    from netarium.describe.trial import Trial

PREFIX = "interference"


@dataclass(frozen=True)
class Attacked:
    """A trial with interference. ports: the links that are filled; dropped: expectations about best effort, which
    interference is meant to break."""

    trial: Trial
    ports: tuple[str, ...]
    dropped: tuple[str, ...]


def attacked(trial: Trial, plan: Plan) -> Attacked:
    """The trial with interference on every link of its admitted slices. Raises TrialInvalid without a slice."""
    from netarium.describe.services import Stream
    from netarium.errors import Problem, TrialInvalid

    if not trial.slices:
        raise TrialInvalid([Problem("slices", "none", "slices to interfere with", "leave --interfere out")])
    graph = plan.graph
    used = sorted({port for each in plan.admission.paths for port in each.ports})
    services = dict(trial.services)
    reached = []
    for port in used:
        tail, head = int(graph.tail[port]), int(graph.head[port])
        number = graph.ports_between(tail, head).index(port) + 1
        ends = (graph.node_names[tail], graph.node_names[head])
        name = f"{PREFIX}_{len(reached)}"
        while name in services:
            name += "_"
        services[name] = Stream(
            **{
                "from": ends[0],
                "to": ends[1],
                "rate": f"{int(graph.rate_bps[port])} bit/s",
                "path": ends if number == 1 else (ends[0], f"{ends[1]}#{number}"),
                "modelled": True,
            }
        )
        reached.append(graph.port_names[port])
    kept = tuple(each for each in trial.expect if _about_slices(each, trial))
    changed = trial.model_copy(update={"services": services, "expect": kept})
    changed._folder, changed._source = trial._folder, trial._source
    dropped = tuple(each.text for each in trial.expect if each not in kept)
    return Attacked(changed, tuple(reached), dropped)


def _about_slices(expectation: Expect, trial: Trial) -> bool:
    """Whether an expectation is about a slice or a service in one."""
    if expectation.slice is not None:
        return True
    metric = expectation.metric or ""
    first = metric.split(".")[0]
    return first == "slices" or (first in trial.services and trial.services[first].slice is not None)
