"""Run a plan in virtual time: fill the kernel's memory, let the loop run from sample to sample, hand over the samples."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from netarium.errors import MachineCannot
from netarium.run.fill import fill
from netarium.run.kernel import loop
from netarium.run.recorder import Recorder
from netarium.run.samples import Samples

PROGRESS_S = 0.1
"""How often progress is told and a wish to stop is looked for."""


@dataclass(frozen=True)
class Progress:
    """Where a run stands: virtual time (ps) of its whole, packet-hops so far, wall seconds since the loop began."""

    virtual_ps: int
    duration_ps: int
    packet_hops: int
    wall_s: float


def simulate(
    plan: Any,
    *,
    progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Samples:
    """Run a plan to its end, or until `stop()` says so; then the samples end there.

    progress: called about ten times a second. Raises MachineCannot when the memory runs out.
    """
    loading = time.perf_counter()
    run = fill(plan)
    loop.run(run.memory.handle, -1)
    compile_s = time.perf_counter() - loading
    recorder = Recorder(plan, run)
    began = time.perf_counter()
    clock = _Clock(plan, run, began, progress, stop)
    for until_ps in plan.sample_times_ps.tolist():
        reached = clock.advance(until_ps)
        recorder.take(reached)
        if reached < until_ps or clock.stopped:
            break
    wall_s = time.perf_counter() - began
    hops = run.packet_hops()
    return recorder.samples(
        {
            "virtual_s": recorder.end_ps / 1e12,
            "wall_s": wall_s,
            "packet_hops": hops,
            "packet_hops_per_s": hops / wall_s if wall_s > 0 else 0.0,
            "events": int(run.memory.counters[0].events),
            "compile_s": compile_s,
            "warmup_s": 0.0,
            "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        }
    )


class _Clock:
    """Moves virtual time on in steps of about PROGRESS_S of wall time, whatever a step of virtual time costs."""

    def __init__(
        self,
        plan: Any,
        run: Any,
        began: float,
        progress: Callable[[Progress], None] | None,
        stop: Callable[[], bool] | None,
    ) -> None:
        self.plan, self.run, self.began, self.progress, self.stop = plan, run, began, progress, stop
        self.step_ps = max(1, plan.duration_ps // 1000)
        self.now_ps = 0
        self.told = began
        self.stopped = False

    def advance(self, until_ps: int) -> int:
        """Run to `until_ps`, or to where the user stopped the run; returns the instant reached."""
        while self.now_ps < until_ps and not self.stopped:
            target = min(until_ps, self.now_ps + self.step_ps)
            started = time.perf_counter()
            self._run(target)
            self.now_ps = target
            self._pace(time.perf_counter(), started)
        return self.now_ps

    def _run(self, target: int) -> None:
        while (status := loop.run(self.run.memory.handle, target)) != loop.REACHED:
            try:
                self.run.grow(loop.GROWS[status])
            except MemoryError:
                name = loop.GROWS[status]
                raise MachineCannot(
                    f"out of memory after {self.now_ps / 1e12:.6g} s of virtual time, when {name} had to grow: "
                    "fewer flows, smaller buffers, or a larger machine"
                ) from None

    def _pace(self, now: float, started: float) -> None:
        spent = now - started
        if spent < PROGRESS_S / 4:
            self.step_ps *= 2
        elif spent > PROGRESS_S:
            self.step_ps = max(1, self.step_ps // 2)
        if now - self.told >= PROGRESS_S:
            self.told = now
            if self.progress is not None:
                hops = self.run.packet_hops()
                self.progress(Progress(self.now_ps, self.plan.duration_ps, hops, now - self.began))
            if self.stop is not None and self.stop():
                self.stopped = True
