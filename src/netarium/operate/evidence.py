"""The packets around a violated bound: the run is repeated up to that moment, bit for bit, with the ports captured.

Nobody knows before which packet will be late, and to keep all packets of all slices would cost more than the run. A run
is deterministic, so its second time shows the same packets; the ports of a slice are served by events with or without
a capture, which therefore changes nothing.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from netarium.units import SECOND_PS

if TYPE_CHECKING:
    from netarium.compile.plan import Plan
    from netarium.operate.progress import Watcher
    from netarium.run.samples import Samples

SLICES_MOST = 4
"""Slices whose violation is kept; the first ones in the order of the trial."""
PACKETS_MOST = 20_000
"""Packets kept of each port."""


def keep(plan: Plan, samples: Samples, document: dict[str, Any], watcher: Watcher) -> None:
    """Add to `samples` captures of the ports of slices beyond their bounds, and to `document` where they are."""
    broken = {name: entry for name, entry in document["slices"].items() if entry.get("violation")}
    if not broken or plan.trial.mode != "simulate":
        return
    watcher.stage("repeating the run to keep the packets around the violation")
    chosen = list(broken)[:SLICES_MOST]
    wanted = _captures(plan, {name: broken[name]["violation"] for name in chosen})
    if wanted:
        known = {table.port for table in samples.captures}
        samples.captures.extend(each for each in _repeated(plan, wanted).captures if each.port not in known)
    for name in chosen:
        ports = list(plan.admission[name].port_names)
        broken[name]["violation"] = {**broken[name]["violation"], "captured_ports": ports}


def _captures(plan: Plan, violations: dict[str, dict[str, float]]) -> dict[str, tuple[int, int]]:
    """Port -> (from, to) in ps, wide enough for every slice on it."""
    wanted: dict[str, tuple[int, int]] = {}
    taken = {capture.port for capture in plan.trial.probes.capture}
    for name, found in violations.items():
        window = int(found["from_s"] * SECOND_PS), int(found["to_s"] * SECOND_PS) + 1
        for port in plan.admission[name].port_names:
            if port not in taken:
                first, last = wanted.get(port, window)
                wanted[port] = min(first, window[0]), max(last, window[1])
    return wanted


def _repeated(plan: Plan, wanted: dict[str, tuple[int, int]]) -> Samples:
    """The same run up to the last instant wanted, with captures."""
    from netarium.compile.compile import compile_trial
    from netarium.describe.probes import Capture
    from netarium.run.simulate import simulate

    trial = plan.trial
    captures = tuple(
        Capture.model_construct(port=port, packets=PACKETS_MOST, snap=128, from_=first, to=last)
        for port, (first, last) in wanted.items()
    )
    probes = trial.probes.model_copy(update={"capture": captures})
    changed = trial.model_copy(update={"probes": probes})
    changed._folder, changed._source = trial._folder, trial._source
    until_ps = max(last for _, last in wanted.values())
    repeated = compile_trial(changed)
    times = repeated.sample_times_ps
    count = int((times < until_ps).sum()) + 1
    return simulate(dataclasses.replace(repeated, sample_times_ps=times[:count]))
