"""The loop paced by the wall clock: read what the hosts sent, handle what is due, write what has arrived, sleep until the next.

One turn of the engine: the clock is read; frames that wait at the interfaces enter the network at that instant; all events
up to it are handled (loop.run, called by address); frames that have arrived are written. Then the engine sleeps until a frame
comes or `spin_ns` before the next event is due, and stays awake for the rest. It never writes ahead of the clock, and notes how
far behind it was; after a calm it handles the next event up to `ahead_ns` early, and waits with what it brings. What hosts send
before virtual time 0 enters at 0.

One thread paces any number of runs, its *members*: each has its own memory, its own virtual time 0 and its own end. Where there
are many the turns begin `quantum_ns` apart at least, because waking costs more than what a single frame asks for.
"""

from __future__ import annotations

from ..events import NEVER, next_ps
from ..jit import INTERPRETED, kernel
from ..memory import as_sim
from ..observe import bin_of
from ..outside import call_entry
from ..records import NONE, REASONS
from ..sampling import look
from .answers import answer_all
from .egress import NS_PS, write_all
from .ingress import read_interface
from .records import LATE_EVENTS, LATE_UNREAD
from .snapshot import full, shoot
from .system import clock_ns, forget, is_gone, nap, ready_place, ring, wait

REACHED, UNDER_WAY, STOPPED, NEED_FRAMES, NEED_COLLECTION = 0, -1, 100, 101, 102
"""How a run is, or what it needs, beside what loop.run may ask for (above 0). NEED_FRAMES: packets or ways must grow, or no
slot is left."""
LONGEST_SLEEP_NS = 50_000_000
"""How soon a wish to stop is noticed."""
DROP_REASONS = len(REASONS)
REST_NS = 2_000
"""Shorter sleeps are not worth a system call's time."""
CALM_PS = 200_000_000
"""Without a write for so long, nothing that writing needs is near the core any more: events are then handled ahead."""
PLACE_BITS = 32

if INTERPRETED:

    def member_handle(fleet, m):
        """What `as_sim` and the loop take for member `m`."""
        return fleet.runs[m]

else:

    @kernel
    def member_handle(fleet, m):
        """What `as_sim` and the loop take for member `m`."""
        return fleet.members[m].address


@kernel(entry=True)
def run_paced(address, loop_address):
    """Pace all members until one of them needs something: its rank, with `status` saying what; NONE when `stop` is set or no
    member is under way any more. One that has ended rings the bell, and the others go on."""
    fleet = as_sim(address)
    pacer = fleet.pacer[0]
    ready = wait(fleet, 0)
    while not pacer.stop and pacer.under_way > 0:
        now_ns = clock_ns(fleet)
        pacer.turns += 1
        read_all(fleet, ready, now_ns)
        back = NONE
        for m in range(pacer.members):
            member = fleet.members[m]
            if member.status == UNDER_WAY and member.due_ns <= now_ns:
                sim = as_sim(member_handle(fleet, m))
                member.status = turn(sim, fleet, m, loop_address)
                if member.status == REACHED or member.status == STOPPED:
                    leave(fleet, sim, m)
            if member.status > REACHED and member.status != STOPPED:
                back = m
        if back != NONE:
            return back
        ready = rest(fleet, now_ns)
    return NONE


@kernel
def read_all(fleet, ready, now_ns):
    """Read from the interfaces that are ready; a member whose arrays must grow first gets its status."""
    for rank in range(ready):
        place = ready_place(fleet, rank)
        if place == NONE:
            continue
        m, i = place >> PLACE_BITS, place & ((1 << PLACE_BITS) - 1)
        member = fleet.members[m]
        sim = as_sim(member_handle(fleet, m))
        real = sim.real[0]
        now_ps = (now_ns - real.start_ns) * NS_PS
        if member.status != UNDER_WAY or now_ps >= member.until_ps or real.stop:
            continue
        begun_ns = clock_ns(sim)
        if is_gone(fleet, rank):
            forget(fleet, sim.interfaces[i].fd)
            sim.interfaces[i].fd = NONE
        elif not read_interface(sim, i, max(now_ps, real.now_ps)):
            member.status = NEED_FRAMES
        member.due_ns = now_ns
        spent_ns = clock_ns(sim) - begun_ns
        real.read_ns += spent_ns
        real.read_ns_max = max(real.read_ns_max, spent_ns)


@kernel
def turn(sim, fleet, m, loop_address):
    """What is due in the run of member `m`: handled and written. UNDER_WAY, or why it comes back."""
    real = sim.real[0]
    if real.stop:
        return STOPPED
    member = fleet.members[m]
    until_ps = member.until_ps
    real.passes += 1
    now_ns = clock_ns(sim)
    now_ps = (now_ns - real.start_ns) * NS_PS
    note_lateness(sim, now_ps)
    event_ps = next_ps(sim)
    if 0 < event_ps - now_ps <= fleet.pacer[0].ahead_ns * NS_PS and now_ps - real.written_ps > CALM_PS:
        now_ps = event_ps
    target_ps = min(now_ps, until_ps, next_sample_ps(sim))
    while target_ps >= 0:
        status = call_entry(loop_address, member_handle(fleet, m), target_ps)
        real.now_ps = sim.counters[0].now_ps
        if status != REACHED:
            return status
        if real.answers == NONE:
            break
        answer_all(sim, target_ps)
    begun_ns = clock_ns(sim)
    real.engine_ns += begun_ns - now_ns
    real.engine_ns_max = max(real.engine_ns_max, begun_ns - now_ns)
    if real.dirty != NONE:
        due_ns = target_ps // NS_PS + real.start_ns
        while begun_ns < due_ns:
            begun_ns = clock_ns(sim)
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
    due_ns = due_ps(sim, until_ps) // NS_PS + real.start_ns
    member.due_ns = min(due_ns, begun_ns + LONGEST_SLEEP_NS)
    return UNDER_WAY


@kernel
def leave(fleet, sim, m):
    """Member `m` has ended: nobody waits for its interfaces any more."""
    for i in range(sim.real[0].interfaces):
        if sim.interfaces[i].fd != NONE:
            forget(fleet, sim.interfaces[i].fd)
    fleet.members[m].due_ns = NEVER
    fleet.pacer[0].under_way -= 1
    ring(fleet)


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
def rest(fleet, begun_ns):
    """Sleep until a frame comes or something is nearly due; returns how many interfaces are ready."""
    pacer = fleet.pacer[0]
    now_ns = clock_ns(fleet)
    if now_ns - begun_ns < pacer.quantum_ns:
        nap(fleet, pacer.quantum_ns - (now_ns - begun_ns))
        after_ns = clock_ns(fleet)
        pacer.idle_ns += after_ns - now_ns
        pacer.woken_ns_max = max(pacer.woken_ns_max, after_ns - begun_ns - pacer.quantum_ns)
        now_ns = after_ns
    fleet.late[LATE_UNREAD, bin_of((now_ns - begun_ns) * NS_PS)] += 1
    due_ns = now_ns + LONGEST_SLEEP_NS
    for m in range(pacer.members):
        due_ns = min(due_ns, fleet.members[m].due_ns)
    left_ns = due_ns - pacer.ahead_ns - now_ns
    sleep_ns = left_ns - pacer.spin_ns
    if sleep_ns < REST_NS:
        ready = wait(fleet, 0)
        while ready == 0:
            after_ns = clock_ns(fleet)
            if after_ns - now_ns >= left_ns:
                break
            ready = wait(fleet, 0)
        pacer.spun_ns += clock_ns(fleet) - now_ns
        return ready
    ready = wait(fleet, sleep_ns)
    slept_ns = clock_ns(fleet) - now_ns
    pacer.idle_ns += slept_ns
    if ready == 0:
        pacer.woken_ns_max = max(pacer.woken_ns_max, slept_ns - sleep_ns)
    return ready
