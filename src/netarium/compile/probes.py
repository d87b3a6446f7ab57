"""Where a trial looks: sample instants, ports and flows with a series of their own, captured ports."""

from __future__ import annotations

from typing import Any

import numpy as np

from netarium.compile.graph import Graph
from netarium.compile.plan import Capture
from netarium.errors import Problem, TrialInvalid
from netarium.run.kernel import records as r
from netarium.run.kernel.events import NEVER
from netarium.run.kernel.workloads.codes import BULK, CONTROL_LOOP, STREAM

SAMPLES = 200
"""Sample instants of a run whose probes state no interval."""
MOST_SAMPLES = 1_000_000
ALL = 2**31 - 1
"""More flows than a run can have."""
LINKS = "links."


def sample_times(trial: Any) -> np.ndarray:
    """Instants of the samples, int64 ps: every interval, and the end. Raises TrialInvalid for too many."""
    interval = trial.probes.interval or max(1, trial.duration // SAMPLES)
    count = -(-trial.duration // interval)
    if count > MOST_SAMPLES:
        found, expected = f"{count:,} samples", f"at most {MOST_SAMPLES:,}"
        raise TrialInvalid([Problem("probes.interval", found, expected, "a longer interval")])
    times = np.arange(1, count + 1, dtype=np.int64) * interval
    times[-1] = trial.duration
    return times


def watched_ports(trial: Any, graph: Graph) -> np.ndarray:
    """Ports with a series of their own, int32[W]: those of probes.ports, and those of expectations."""
    if trial.probes.ports == "all":
        return np.arange(graph.port_count, dtype=np.int32)
    names = set(trial.probes.ports)
    for entry in trial.expect:
        if entry.metric is not None and entry.metric.startswith(LINKS):
            rest = entry.metric.removeprefix(LINKS)
            names.update(name for name in graph.port_names if rest.startswith(f"{name}."))
    return np.array(sorted(graph.port_index[name] for name in names), np.int32)


def tracked_flows(trial: Any, sources: list[Any]) -> np.ndarray:
    """How many flows of each service get a series of their own, the first to begin, int64[V].

    A limit is shared out evenly; what a service cannot use, because it has fewer flows, the others get.
    """
    services = len(trial.services)
    wanted = trial.probes.flows
    if isinstance(wanted, str):
        return np.full(services, ALL if wanted == "all" else 0, np.int64)
    flows = np.zeros(services, np.int64)
    for source in sources:
        flows[source.service] += 1 if source.kind in (BULK, STREAM, CONTROL_LOOP) else ALL
    share = np.zeros(services, np.int64)
    left = wanted
    while left > 0 and (open_ := np.flatnonzero(share < flows)).size:
        each = max(1, left // len(open_))
        for service in open_.tolist():
            more = min(each, int(flows[service] - share[service]), left)
            share[service] += more
            left -= more
    return share


def captures(trial: Any, graph: Graph, ports: np.ndarray) -> tuple[Capture, ...]:
    """The captured ports; their records are told. Raises TrialInvalid for a port that is named twice."""
    asked = [probe.port for probe in trial.probes.capture]
    twice = [index for index, port in enumerate(asked) if port in asked[:index]]
    if twice:
        each = [Problem(f"probes.capture[{i}].port", f"{asked[i]!r} again", "each port once") for i in twice]
        raise TrialInvalid(each)
    found = []
    for probe in trial.probes.capture:
        port = graph.port_index[probe.port]
        ports[port]["capture"] = len(found)
        found.append(Capture(port, probe.port, probe.packets, probe.snap, probe.from_, probe.to))
    return tuple(found)


def capture_records(wanted: tuple[Capture, ...]) -> np.ndarray:
    """CAPTURE[n] of the captured ports."""
    records = np.zeros(max(1, len(wanted)), r.CAPTURE)
    for record, capture in zip(records, wanted, strict=False):
        record.limit, record.snap_bytes = capture.packets, capture.snap_bytes
        record.from_ps = capture.from_ps
        record.to_ps = NEVER if capture.to_ps is None else capture.to_ps
    return records
