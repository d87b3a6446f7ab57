"""Measure one workload in a process of its own: `python -m bench.engine NAME [VIRTUAL_SECONDS]` prints one JSON line.

The clock runs in the event loop only. CPU time is what the figures rest on: it leaves out the time in which the machine did
something else.
"""

from __future__ import annotations

import json
import re
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.workloads import BY_NAME, Workload

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
STEPS = 20
"""Parts of the measured time; memory is read after each."""


def resident_bytes(field: str = "VmRSS") -> int:
    """Resident memory of this process now, or its peak (`VmHWM`)."""
    line = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert line is not None, f"no {field} in /proc/self/status"
    return int(line[1]) * 1024


def plan_of(workload: Workload) -> Any:
    """The compiled trial, as long as the workload says."""
    import netarium
    from netarium.compile.compile import compile_trial

    duration_s = workload.warm_s + workload.virtual_s
    changes = [*workload.changes, f"duration={duration_s:.12g} s", "expect=[]"]
    if "\n" in workload.trial:
        trial = netarium.loads(workload.trial, overrides=changes)
    else:
        trial = netarium.load(EXAMPLES / f"{workload.trial}.trial.yml", changes)
    return compile_trial(trial)


def advance(run: Any, until_ps: int) -> None:
    """Let the loop run to an instant."""
    from netarium.run.kernel import loop

    while (status := loop.run(run.memory.handle, until_ps)) != loop.REACHED:
        run.grow(loop.GROWS[status])


def measure(workload: Workload) -> dict[str, Any]:
    """Packet-hops a second of CPU and of wall time, memory, and what was delivered."""
    started = time.perf_counter()
    plan = plan_of(workload)
    compile_s = time.perf_counter() - started
    from netarium.run.fill import fill

    started = time.perf_counter()
    run = fill(plan)
    advance(run, -1)
    load_s = time.perf_counter() - started
    warm_ps = round(workload.warm_s * 1e12)
    if warm_ps:
        advance(run, warm_ps)
    hops, events = run.packet_hops(), int(run.memory.counters[0].events)
    delivered = int(run.memory.services["delivered_bytes"].sum())
    cpu_s = wall_s = 0.0
    resident = []
    for step in range(1, STEPS + 1):
        until_ps = warm_ps + round(workload.virtual_s * 1e12 * step / STEPS)
        cpu, wall = time.process_time(), time.perf_counter()
        advance(run, until_ps)
        cpu_s += time.process_time() - cpu
        wall_s += time.perf_counter() - wall
        resident.append(resident_bytes())
    hops = run.packet_hops() - hops
    delivered = int(run.memory.services["delivered_bytes"].sum()) - delivered
    return {
        "workload": workload.name,
        "virtual_s": workload.virtual_s,
        "packet_hops": hops,
        "events": int(run.memory.counters[0].events) - events,
        "cpu_s": cpu_s,
        "wall_s": wall_s,
        "packet_hops_per_s": hops / cpu_s,
        "packet_hops_per_wall_s": hops / wall_s,
        "goodput_bps": delivered * 8 / workload.virtual_s,
        "compile_s": compile_s,
        "load_s": load_s,
        "peak_memory_bytes": resident_bytes("VmHWM"),
        "memory_growth_bytes": resident[-1] - resident[STEPS // 2 - 1],
    }


if __name__ == "__main__":
    chosen = BY_NAME[sys.argv[1]]
    if len(sys.argv) > 2:
        chosen = replace(chosen, virtual_s=float(sys.argv[2]))
    sys.stdout.write(json.dumps(measure(chosen)) + "\n")
