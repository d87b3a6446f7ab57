"""The loop paced by the wall clock: read what the hosts sent, handle what is due, write what has arrived, sleep until the next.

One turn of the engine: the clock is read; frames that wait at the interfaces enter the network at that instant; all events
up to it are handled (loop.run, called by address); frames that have arrived are written. Then the engine sleeps until a frame
comes or `spin_ns` before the next event is due, and stays awake for the rest. It never runs ahead of the clock, and notes how
far behind it was. What hosts send before virtual time 0 enters at 0.
"""

from __future__ import annotations

from ..events import next_ps
from ..jit import kernel
from ..memory import as_sim
from ..observe import bin_of
from ..outside import call_entry
from ..records import NONE, REASONS
from ..sampling import look
from .answers import answer_all
from .egress import NS_PS, write_all
from .ingress import read_interface
from .records import LATE_EVENTS
from .snapshot import full, shoot
from .system import clock_ns, forget, is_gone, ready_interface, wait

REACHED, STOPPED, NEED_FRAMES, NEED_COLLECTION = 0, 100, 101, 102
"""Why the engine comes back, beside what loop.run may ask for. NEED_FRAMES: packets or ways must grow, or no slot is left."""
LONGEST_SLEEP_NS = 50_000_000
"""How soon a wish to stop is noticed."""
DROP_REASONS = len(REASONS)
REST_NS = 2_000
"""Shorter sleeps are not worth a system call's time."""


@kernel(entry=True)
def run_paced(address, loop_address, until_ps):
    """Run in real time up to `until_ps`: REACHED, STOPPED, or what is needed to go on."""
    sim = as_sim(address)
    real = sim.real[0]
    ready = wait(sim, 0)
    while True:
        now_ns = clock_ns(sim)
        now_ps = (now_ns - real.start_ns) * NS_PS
        real.passes += 1
        if ready > 0 and now_ps < until_ps:
            if not read_all(sim, ready, max(now_ps, real.now_ps)):
                return NEED_FRAMES
            after_ns = clock_ns(sim)
            real.read_ns += after_ns - now_ns
            real.read_ns_max = max(real.read_ns_max, after_ns - now_ns)
            now_ns = after_ns
            now_ps = (now_ns - real.start_ns) * NS_PS
        target_ps = min(now_ps, until_ps, next_sample_ps(sim))
        note_lateness(sim, now_ps)
        if target_ps >= 0:
            status = call_entry(loop_address, address, target_ps)
            real.now_ps = sim.counters[0].now_ps
            if status != REACHED:
                return status
        if real.answers != NONE:
            answer_all(sim, target_ps)
            continue
        begun_ns = clock_ns(sim)
        real.engine_ns += begun_ns - now_ns
        real.engine_ns_max = max(real.engine_ns_max, begun_ns - now_ns)
        if real.dirty != NONE:
            write_all(sim)
            ended_ns = clock_ns(sim)
            real.write_ns += ended_ns - begun_ns
            real.write_ns_max = max(real.write_ns_max, ended_ns - begun_ns)
            begun_ns = ended_ns
        if target_ps == next_sample_ps(sim):
            if full(sim):
                return NEED_COLLECTION
            look(sim, target_ps, DROP_REASONS)
            shoot(sim, target_ps)
        if target_ps >= until_ps:
            return REACHED
        if real.stop:
            return STOPPED
        ready = rest(sim, begun_ns, until_ps)


@kernel
def read_all(sim, ready, now_ps):
    """Read from the interfaces that are ready; False when arrays must grow first."""
    for rank in range(ready):
        i = ready_interface(sim, rank)
        if is_gone(sim, rank):
            forget(sim, sim.interfaces[i].fd)
            sim.interfaces[i].fd = NONE
        elif not read_interface(sim, i, now_ps):
            return False
    return True


@kernel
def next_sample_ps(sim):
    """The next sample instant; there is always one, the end of the run."""
    return int(sim.sample_at[sim.real[0].next_sample])


@kernel
def note_lateness(sim, now_ps):
    """How late this turn comes to what is due."""
    late_ps = now_ps - next_ps(sim)
    if late_ps >= 0:
        sim.late[LATE_EVENTS, bin_of(late_ps)] += 1


@kernel
def due_ps(sim, until_ps):
    """When something is due next: an event, a sample, the end."""
    return min(until_ps, next_sample_ps(sim), next_ps(sim))


@kernel
def rest(sim, now_ns, until_ps):
    """Sleep until a frame comes or something is nearly due; returns how many interfaces are ready."""
    real = sim.real[0]
    left_ns = due_ps(sim, until_ps) // NS_PS + real.start_ns - now_ns
    sleep_ns = min(left_ns - real.spin_ns, LONGEST_SLEEP_NS)
    if sleep_ns < REST_NS:
        ready = wait(sim, 0)
        while ready == 0:
            after_ns = clock_ns(sim)
            if after_ns - now_ns >= left_ns:
                break
            ready = wait(sim, 0)
        real.spun_ns += clock_ns(sim) - now_ns
        return ready
    ready = wait(sim, sleep_ns)
    slept_ns = clock_ns(sim) - now_ns
    real.idle_ns += slept_ns
    if ready == 0:
        real.sleeps += 1
        real.woken_ns += slept_ns - sleep_ns
        real.woken_ns_max = max(real.woken_ns_max, slept_ns - sleep_ns)
    return ready
