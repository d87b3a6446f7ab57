"""Run a plan in real time: the engine paced by the wall clock (pacer.py), real hosts at its interfaces."""

from __future__ import annotations

import resource
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from netarium.errors import MachineCannot
from netarium.run.emulate.lateness import Lateness
from netarium.run.emulate.load import backlog_drops, stolen_s
from netarium.run.emulate.pacer import Pacer, Spent
from netarium.run.emulate.tap import refused_of
from netarium.run.emulate.wiring import FRAMES_AT_FIRST, wire
from netarium.run.fill import Run, fill
from netarium.run.kernel import loop
from netarium.run.kernel.observe import BIN_COUNT
from netarium.run.kernel.real.paced import NEED_COLLECTION, NEED_FRAMES
from netarium.run.kernel.real.records import LATE_EVENTS, LATE_FRAMES
from netarium.run.recorder import Recorder
from netarium.run.samples import Samples
from netarium.run.simulate import Progress

LEAD_NS = 20_000_000
"""How far ahead virtual time 0 is set when the caller does not say when it is."""
LOOK_S, LOOK_S_PER_RUN = 0.1, 0.01
"""How often samples are fetched and a wish to stop is looked for: seldom, and the more so the more runs there are at once."""


def emulate(
    plan: Any,
    fds: Mapping[tuple[str, str], int],
    *,
    start_ns: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Samples:
    """Run a plan with real hosts to its end, or until `stop()` says so; then the samples end there.

    fds: (node, interface name) -> the engine's side of that interface (tap.open_tap). start_ns: CLOCK_MONOTONIC of virtual
    time 0.
    The lateness is in `engine["real_time"]` of the samples. Raises MachineCannot when memory runs out.
    """
    engine = Engine(plan, fds)
    try:
        return engine.run(start_ns, progress, stop)
    finally:
        engine.close()


class Engine:
    """One run in real time. Made before the hosts start, because the kernel may have to be compiled.

    pacer: the thread that paces it beside others; without one it has its own.
    """

    def __init__(self, plan: Any, fds: Mapping[tuple[str, str], int], pacer: Pacer | None = None) -> None:
        loading = time.perf_counter()
        self.plan = plan
        self.filled: Run = fill(plan)
        self.memory = self.filled.memory
        wire(self.filled, plan, fds)
        self.real = self.memory.real[0]
        interfaces = self.memory.interfaces[: int(self.real.interfaces)]
        self.fds = {int(row.fd): index for index, row in enumerate(interfaces)}
        self.until_ps = plan.duration_ps
        self.tolerance_ps = plan.emulation.tolerance_ps
        loop.run(self.memory.handle, -1)
        self.pacer, self._owns_pacer = pacer or Pacer(), pacer is None
        if len(self.memory.packets) < FRAMES_AT_FIRST:
            self.filled.grow("packets")
        self.recorder = Recorder(plan, self.filled)
        self.over_time: list[np.ndarray] = []
        self.ended = threading.Event()
        self.failure: BaseException | None = None
        self.collecting = threading.Lock()
        self._refused_before, self._stolen_before_s = sum(map(refused_of, self.fds)), stolen_s()
        self._overrun_before = backlog_drops()
        self._spent_before: Spent = self.pacer.spent
        self._spent_after = self._spent_before
        self.compile_s = time.perf_counter() - loading

    def close(self) -> None:
        """Let go of what waits for the interfaces; their descriptors are the caller's."""
        if self._owns_pacer:
            self.pacer.close()

    def run(
        self,
        start_ns: int | None,
        progress: Callable[[Progress], None] | None,
        stop: Callable[[], bool] | None,
    ) -> Samples:
        """See `emulate`."""
        self.drive(start_ns, progress, stop)
        return self.samples()

    def drive(
        self,
        start_ns: int | None,
        progress: Callable[[Progress], None] | None,
        stop: Callable[[], bool] | None,
    ) -> None:
        """The part of `run` that takes its time in real time; what it brought are the `samples`."""
        self._spent_before = self._spent_after = self.pacer.spent
        self.real.start_ns = start_ns if start_ns is not None else time.monotonic_ns() + LEAD_NS
        self.pacer.pace(self)
        try:
            self._watch(progress, stop)
        finally:
            self.real.stop = 1
            self.ended.wait()
        self._spent_after = self.pacer.spent
        if self.failure is not None:
            raise self.failure

    def serve(self, status: int) -> None:
        """Give the engine what it came back for (pacer.py). Raises MachineCannot."""
        if status == NEED_COLLECTION:
            self._collect()
            return
        try:
            self.filled.grow(self._short_of(status))
        except MemoryError:
            raise MachineCannot(
                "out of memory while hosts were running: fewer flows, or a larger machine"
            ) from None

    def _short_of(self, status: int) -> str:
        """The array that has to grow."""
        if status != NEED_FRAMES:
            return loop.GROWS[status]
        if self.real.loss_of_slots:
            raise MachineCannot(
                "more frames are on their way at once than the engine has room for: shorter delays or queues"
            )
        if self.memory.pool[0].free_count < len(self.memory.packets) // 2:
            return "packets"
        raise MachineCannot("more ways between real hosts than the engine has room for")

    def _watch(self, progress: Callable[[Progress], None] | None, stop: Callable[[], bool] | None) -> None:
        """The caller's thread: fetch samples, tell progress, look for a wish to stop."""
        while not self.ended.wait(max(LOOK_S, LOOK_S_PER_RUN * self.pacer.runs)):
            self._collect()
            self.pacer.look_at_load()
            reached = int(self.real.now_ps)
            if progress is not None and reached > 0:
                hops = self.filled.packet_hops()
                progress(Progress(reached, self.plan.duration_ps, hops, reached / 1e12))
            if stop is not None and stop():
                self.real.stop = 1

    def _collect(self) -> None:
        """Fetch the samples that wait."""
        with self.collecting:
            memory, real, recorder = self.memory, self.real, self.recorder
            services, ports = len(memory.services), len(memory.port_row)
            while real.collected < real.next_sample:
                rank = int(real.collected) % int(real.shots)
                recorder.put(
                    int(memory.sample_at[int(real.collected)]),
                    memory.shot_services[rank * services : (rank + 1) * services],
                    memory.shot_ports[rank * ports : (rank + 1) * ports],
                )
                self.over_time.append(memory.shot_late[rank].copy())
                real.collected += 1

    def samples(self) -> Samples:
        """What was seen until the end; while the hosts are up, which are asked what they dropped."""
        self._collect()
        memory, real, recorder = self.memory, self.real, self.recorder
        reached = int(memory.counters[0].now_ps)
        if not recorder.taken or (
            reached > recorder.end_ps and recorder.taken < len(self.plan.sample_times_ps)
        ):
            recorder.take(max(1, reached))
        _note_variation(memory, int(real.rules))
        hops, wall_s = self.filled.packet_hops(), recorder.end_ps / 1e12
        return recorder.samples(
            {
                "virtual_s": recorder.end_ps / 1e12,
                "wall_s": wall_s,
                "packet_hops": hops,
                "packet_hops_per_s": hops / wall_s if wall_s > 0 else 0.0,
                "events": int(memory.counters[0].events),
                "compile_s": self.compile_s,
                "warmup_s": 0.0,
                "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
                "real_time": {**self.lateness().figures(), **self._traffic()},
            }
        )

    def lateness(self) -> Lateness:
        """How late the engine was, and what hosts dropped because it did not read in time."""
        late, real, pacer = self.memory.late, self.real, self.pacer.row
        before, now = self._spent_before, self._spent_after
        steered_s = now.steered_s - before.steered_s
        shares = {name: getattr(real, f"{name}_ns") / 1e9 for name in ("read", "engine", "write")}
        shares |= {"idle": now.idle_s - before.idle_s, "spin": now.spin_s - before.spin_s}
        if not self._owns_pacer:
            took_s = int(real.now_ps) / 1e12
            shares["other runs"] = max(0.0, took_s - sum(shares.values()))
        return Lateness(
            frames=late[LATE_FRAMES].copy(),
            events=late[LATE_EVENTS].copy(),
            unread=now.unread - before.unread,
            over_time=np.array(self.over_time).reshape(-1, BIN_COUNT),
            time_s=shares,
            longest_s={
                "read": real.read_ns_max / 1e9,
                "engine": real.engine_ns_max / 1e9,
                "write": real.write_ns_max / 1e9,
                "waking": pacer.woken_ns_max / 1e9,
                "one write": real.call_ns_max / 1e9,
            },
            refused=sum(map(refused_of, self.fds)) - self._refused_before,
            overrun=backlog_drops() - self._overrun_before if steered_s else 0,
            steered_s=steered_s,
            stolen_s=stolen_s() - self._stolen_before_s,
        )

    def _traffic(self) -> dict[str, Any]:
        """What went through the interfaces, and what no rule names."""
        rows, real = self.memory.interfaces[: int(self.real.interfaces)], self.real
        names = ("read_frames", "read_calls", "written_frames", "write_calls", "refused_frames")
        totals = {name: int(rows[name].sum()) for name in names}
        totals["host_down_frames"] = totals.pop("refused_frames")
        return totals | {
            "turns": int(real.passes),
            "other_packets": int(real.other_sent),
            "other_bytes": int(real.other_bytes),
            "other_delivered": int(real.other_delivered),
            "corrupted_frames": int(real.corrupted),
        }


def _note_variation(memory: Any, flows: int) -> None:
    """Largest difference of one-way latencies within a direction of a flow, per service."""
    rules = memory.rules[: 2 * flows]
    measured = rules[rules["latency_max_ps"] >= 0]
    variation = memory.services["variation_max_ps"]
    np.maximum.at(variation, measured["service"], measured["latency_max_ps"] - measured["latency_min_ps"])
