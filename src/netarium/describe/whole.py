"""What is wrong with a trial as a whole: names that mean nothing, no route, times that miss, sizes."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from netarium.catalog import RESERVED_SERVICES
from netarium.describe.command import Command
from netarium.describe.emulated import emulation_problems
from netarium.describe.endpoints import Pair, pairs_of, resolve
from netarium.describe.expected import expect_problems
from netarium.describe.files import file_problems
from netarium.describe.network import Network, Port
from netarium.describe.part import node_of
from netarium.describe.paths import Path, format_path
from netarium.describe.projections import projection_problems
from netarium.describe.reach import Reach
from netarium.describe.services import Demands, Service
from netarium.describe.sizes import size_problems
from netarium.errors import Mistake, Problem, TrialInvalid, did_you_mean, one_of
from netarium.units import DAY_PS, format_time

if TYPE_CHECKING:
    from netarium.describe.trial import Trial

DURATION_DAYS_MAX = 100  # int64 picoseconds reach 106 days
SLICES_MAX = 65_534  # a connection keeps the numbers of its two slices in 16 bits each


def problems_of_whole(trial: Trial) -> list[Problem]:
    """Every problem that needs more than one part of the trial to see."""
    problems = [*_time_problems(trial), *file_problems(trial, trial.locate)]
    to_work_in = trial.mode == "emulate"
    if not trial.services and not trial.slices and not to_work_in:
        problems.append(Problem("services", "a trial without services and slices", "at least one of them"))
    if len(trial.slices) > SLICES_MAX:
        problems.append(Problem("slices", f"{len(trial.slices):,} slices", f"at most {SLICES_MAX:,}"))
    if any(problem.where.startswith("network.topology") for problem in problems):
        return problems
    network = _expanded(trial.network, problems)
    if network is None:
        return problems
    ports, reach = network.ports(), Reach(network)
    for name, service in trial.services.items():
        problems += _service_problems(name, service, trial, reach)
    for name, part in trial.slices.items():
        problems += _slice_problems(name, part, reach)
        problems += _return_problems(name, part, trial)
    problems += _event_problems(trial, network)
    problems += _probe_problems(trial, ports)
    problems += expect_problems(trial, [port.name for port in ports])
    problems += projection_problems(trial)
    problems += size_problems(trial, network)
    problems += emulation_problems(trial, network)
    return problems


def _expanded(typed: Network, problems: list[Problem]) -> Network | None:
    """The expanded network; when links lack something, that is said and the rest can still be checked."""
    try:
        return typed.expand()
    except TrialInvalid as invalid:
        problems += invalid.problems
    known = [link for link in typed.links if all(end in typed.nodes for end in link.endpoints)]
    names = [link.name for link in typed.links if link.name]
    if typed.topology is not None or len(known) < len(typed.links) or len(set(names)) < len(names):
        return None
    defaults = typed.defaults.model_copy(update={"rate": typed.defaults.rate or 1, "delay": 0})
    return typed.model_copy(update={"defaults": defaults}).expand()


def _problem(path: Path, mistake: Mistake) -> Problem:
    return Problem(format_path((*path, *mistake.at)), mistake.found, mistake.expected, mistake.hint)


def _caught(path: Path, work: Callable[[], Any], problems: list[Problem]) -> Any:
    """The result of `work`, or None and a problem more."""
    try:
        return work()
    except Mistake as mistake:
        problems.append(_problem(path, mistake))
    except TrialInvalid as invalid:
        problems += [
            p if p.file else Problem(format_path(path), p.found, p.expected, p.hint) for p in invalid.problems
        ]
    return None


def _time_problems(trial: Trial) -> Iterator[Problem]:
    if trial.duration == 0:
        yield Problem("duration", "0", "a time above 0")
    elif trial.duration > DURATION_DAYS_MAX * DAY_PS:
        yield Problem("duration", format_time(trial.duration), f"at most {DURATION_DAYS_MAX} days")
    end = f"before the trial ends ({format_time(trial.duration)})"
    for name, service in trial.services.items():
        if service.start >= trial.duration > 0:
            yield Problem(format_path(("services", name, "start")), format_time(service.start), end)
    for name, part in trial.slices.items():
        if part.start >= trial.duration > 0:
            yield Problem(format_path(("slices", name, "start")), format_time(part.start), end)
        if part.over is not None and part.over > trial.duration > 0:
            expected = f"at most the duration ({format_time(trial.duration)})"
            yield Problem(format_path(("slices", name, "over")), format_time(part.over), expected)
    for index, event in enumerate(trial.events):
        if event.at >= trial.duration > 0:
            yield Problem(f"events[{index}].at", format_time(event.at), end)
    for index, entry in enumerate(trial.expect):
        if entry.from_ is not None and entry.from_ >= trial.duration > 0:
            yield Problem(f"expect[{index}].from", format_time(entry.from_), end)
        if entry.to is not None and entry.to > trial.duration > 0:
            found = format_time(entry.to)
            yield Problem(
                f"expect[{index}].to", found, f"at most the duration ({format_time(trial.duration)})"
            )
    if trial.probes.interval is not None and trial.probes.interval > trial.duration > 0:
        found = format_time(trial.probes.interval)
        yield Problem("probes.interval", found, f"at most the duration ({format_time(trial.duration)})")


def _service_problems(name: str, service: Service | Command, trial: Trial, reach: Reach) -> list[Problem]:
    problems: list[Problem] = []
    path: Path = ("services", name)
    if name in RESERVED_SERVICES:
        problems.append(Problem(format_path(path), repr(name), "another name: metrics use this word"))
    if service.slice is not None and service.slice not in trial.slices:
        problems.append(_unknown((*path, "slice"), service.slice, trial.slices, "slice"))
    if isinstance(service, Command):
        pairs = [pair for pair in trial.endpoints(name) if pair[0] != pair[1] and {*pair} <= {*reach.nodes}]
    else:
        pairs = _pairs(path, service, trial, reach, problems)
    problems += _route_problems(path, pairs, reach)
    if service.path is not None:
        nodes = tuple(node_of(hop) for hop in service.path)
        problems += _path_problems((*path, "path"), nodes, pairs, reach)
    if service.slice in trial.slices:
        problems += _slice_time_problems(path, service, trial)
    if service.slice in trial.slices and pairs:
        problems += _slice_match_problems(path, service.slice, pairs, trial)
    return problems


def _pairs(path: Path, service: Service, trial: Trial, reach: Reach, problems: list[Problem]) -> list[Pair]:
    """One round of the service's pairs; empty when they cannot be told, which is then a problem."""
    ends: list[list[str]] = []
    for key, names in (("from", service.from_), ("to", service.to)):
        if names is not None:
            ends.append(_caught((*path, key), lambda n=names: resolve(n, reach.nodes), problems) or [])
    if not all(ends):
        return []
    if isinstance(service, Demands):
        found = _caught((*path, "matrix"), lambda: trial.demands(service), problems) or []
        return [(source, target) for source, target, _ in found]
    generator = random.Random(f"{trial.seed}/{path[1]}/pairs")
    return _caught(path, lambda: pairs_of(service, ends[0], ends[1], generator), problems) or []


def _unknown(path: Path, name: str, known: Iterable[str], what: str) -> Problem:
    names = list(known)
    expected = f"the name of a {what}: {one_of(names)}" if names else f"a {what}, but the trial has none"
    return Problem(format_path(path), repr(name), expected, did_you_mean(name, names))


def _route_problems(path: Path, pairs: list[Pair], reach: Reach) -> list[Problem]:
    cut = [(a, b) for a, b in pairs if not reach.joined(a, b)]
    if not cut:
        return []
    more = f" (and {len(cut) - 1} more pairs)" if len(cut) > 1 else ""
    found = f"no route from {cut[0][0]!r} to {cut[0][1]!r}{more}"
    return [Problem(format_path(path), found, "links that join them", reach.why_not(*cut[0]))]


def _path_problems(path: Path, hops: tuple[str, ...], pairs: list[Pair], reach: Reach) -> list[Problem]:
    problems = [
        _unknown((*path, index), hop, reach.nodes, "node")
        for index, hop in enumerate(hops)
        if hop not in reach.nodes
    ]
    if problems or not pairs:
        return problems
    if len(set(pairs)) > 1:
        found = f"a path for {len(set(pairs))} pairs"
        return [Problem(format_path(path), found, "a path only where from and to are single nodes")]
    if len(hops) < 2 or (hops[0], hops[-1]) != pairs[0]:
        found = f"a path from {hops[0]!r} to {hops[-1]!r}" if hops else "an empty path"
        return [Problem(format_path(path), found, f"one from {pairs[0][0]!r} to {pairs[0][1]!r}")]
    if len(set(hops)) < len(hops):
        return [Problem(format_path(path), "a node twice", "each node once")]
    for index, (a, b) in enumerate(zip(hops, hops[1:], strict=False), start=1):
        if b not in reach.neighbours[a]:
            where = format_path((*path, index))
            expected = f"a neighbour of {a!r}: {one_of(sorted(reach.neighbours[a]))}"
            problems.append(Problem(where, repr(b), expected, did_you_mean(b, reach.neighbours[a])))
    return problems


def _slice_match_problems(path: Path, name: str, pairs: list[Pair], trial: Trial) -> list[Problem]:
    """A service in a slice has the ends of the slice."""
    ends = (trial.slices[name].from_, trial.slices[name].to)
    other = next((pair for pair in pairs if pair != ends), None)
    if other is None:
        return []
    found = f"{name!r}, which goes from {ends[0]!r} to {ends[1]!r}"
    expected = f"a slice from {other[0]!r} to {other[1]!r}, as the service"
    return [Problem(format_path((*path, "slice")), found, expected)]


def _slice_time_problems(path: Path, service: Service, trial: Trial) -> Iterator[Problem]:
    """A service is in its slice only while the slice stands."""
    part = trial.slices[service.slice or ""]
    if service.start < part.start:
        expected = f"at or after {format_time(part.start)}, when slice {service.slice!r} starts"
        yield Problem(
            format_path((*path, "start")), format_time(service.start) if service.start else "0", expected
        )
    stop = min(service.stop or trial.duration, trial.duration)
    if part.end is not None and stop > part.end:
        found = format_time(service.stop) if service.stop else "no stop before the trial ends"
        expected = f"at or before {format_time(part.end)}, when slice {service.slice!r} ends"
        yield Problem(format_path((*path, "stop")), found, expected)


def _slice_problems(name: str, part: Any, reach: Reach) -> list[Problem]:
    path: Path = ("slices", name)
    problems = [
        _unknown((*path, key), node, reach.nodes, "node")
        for key, node in (("from", part.from_), ("to", part.to))
        if node not in reach.nodes
    ]
    if problems:
        return problems
    pairs = [(part.from_, part.to)]
    problems += _route_problems(path, pairs, reach)
    if part.path is not None:
        problems += _path_problems((*path, "path"), part.path, pairs, reach)
    return problems


def _return_problems(name: str, part: Any, trial: Trial) -> Iterator[Problem]:
    """The slice of the acknowledgements goes the other way, all the time."""
    if part.return_ is None:
        return
    path: Path = ("slices", name, "return")
    other = trial.slices.get(part.return_)
    if other is None:
        yield _unknown(path, part.return_, trial.slices, "slice")
    elif (other.from_, other.to) != (part.to, part.from_):
        found = f"{part.return_!r}, which goes from {other.from_!r} to {other.to!r}"
        yield Problem(format_path(path), found, f"a slice from {part.to!r} to {part.from_!r}")


def _event_problems(trial: Trial, network: Network) -> list[Problem]:
    problems: list[Problem] = []
    for index, event in enumerate(trial.events):
        node, link = getattr(event, "node", None), getattr(event, "link", None)
        if node is not None and node not in network.nodes:
            problems.append(_unknown(("events", index, "node"), node, network.nodes, "node"))
        if link is not None:
            _caught(("events", index, "link"), lambda ref=link: network.link(ref), problems)
    return problems


def _probe_problems(trial: Trial, ports: list[Port]) -> list[Problem]:
    names = [port.name for port in ports]
    known = set(names)
    asked: list[tuple[Path, str]] = [
        (("probes", "capture", index, "port"), capture.port)
        for index, capture in enumerate(trial.probes.capture)
    ]
    if isinstance(trial.probes.ports, tuple):
        asked += [(("probes", "ports", index), name) for index, name in enumerate(trial.probes.ports)]
    return [_unknown(path, name, names, "port") for path, name in asked if name not in known]
