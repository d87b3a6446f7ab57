"""A queue from the user's own file: eight FIFO bands, and the user's functions that choose among them.

    enqueue(queue, packet, now_ps)    required; the band (0 to 7) that the packet joins, or DROP (-1)
    select(queue, packet, now_ps)     optional; the band to serve, or HOLD (-1): nothing before queue.next_ps;
                                      `packet` heads the first band that is not empty, which is the default
    dequeue(queue, packet, now_ps)    optional; `packet` heads the selected band: PASS (0), or DROP (-1)

queue and packet are records (QUEUE and PACKET of kernel/records.py). enqueue and dequeue may mark a packet
that can carry it: `if packet.ecn != 0: packet.ecn = 3`. queue.packets and queue.bytes are what waits,
queue.i[0..7] the packets in each band; queue.i[8..15] and queue.f[0..4] are the user's own, zero at first;
queue.f[5] is a new random number, uniform in [0, 1), at every call of enqueue and dequeue. packet.time_ps is
when the packet was enqueued. A band above 7 counts as 7, an empty one as the first that is not. A constant
`LIMIT_PACKETS` (default 1000) is how many packets may wait: beyond it they are dropped without asking.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..jit import call_hook, kernel
from ..pool import drop
from ..records import CE, DROP_AQM, DROP_TAIL, NONE, PACKET, QUEUE
from ..rng import next_uniform
from .fifo import full, pop, push

if TYPE_CHECKING:
    from ..congestion.userfile import UserFile

BANDS = 8
RANDOM = 5
"""Slot of `f`."""
ENQUEUE, DEQUEUE, SELECT = range(3)
"""Offsets of the user's functions in hooks."""
REQUIRED, OPTIONAL = ("enqueue",), ("dequeue", "select")
"""Their names, in the order of the offsets."""
LIMIT_PACKETS = 1000
"""Packets that may wait when the file says nothing: as pfifo."""


@kernel
def ask(sim, queue, verb, p, default, now_ps):
    """Call one of the user's functions about packet `p` (its default when missing); a mark it makes is
    counted."""
    address = sim.hooks[queue.hook + verb]
    if address == 0:
        return default
    packet = sim.packets[p]
    before = packet.ecn
    if verb != SELECT:
        queue.f[RANDOM] = next_uniform(sim.streams[queue.stream])
    answer = call_hook(address, queue, packet, now_ps)
    if packet.ecn == CE and before != CE:
        sim.ports[queue.port].marks += 1
    return answer


@kernel
def first_band(queue):
    """The first band that is not empty, or NONE."""
    for band in range(BANDS):
        if queue.i[band] > 0:
            return band
    return NONE


@kernel
def enqueue(sim, queue, p, now_ps):
    """Packet `p` joins the band that the user's function gives it, or is dropped."""
    if full(sim, queue, p):
        drop(sim, queue.port, p, DROP_TAIL)
        return
    band = ask(sim, queue, ENQUEUE, p, 0, now_ps)
    if band < 0:
        drop(sim, queue.port, p, DROP_AQM)
        return
    band = min(band, BANDS - 1)
    push(sim, sim.queues[queue.child_first + band], p)
    queue.i[band] += 1
    queue.packets += 1
    queue.bytes += sim.packets[p].size_bytes


@kernel
def dequeue(sim, queue, now_ps):
    """The next packet, or NONE."""
    while True:
        first = first_band(queue)
        if first == NONE:
            return NONE
        band = ask(sim, queue, SELECT, sim.queues[queue.child_first + first].head, first, now_ps)
        if band < 0 and queue.next_ps > now_ps:
            return NONE
        if band < 0 or band >= BANDS or queue.i[band] <= 0:
            band = first
        chosen = sim.queues[queue.child_first + band]
        verdict = ask(sim, queue, DEQUEUE, chosen.head, 0, now_ps)
        p = pop(sim, chosen)
        queue.i[band] -= 1
        queue.packets -= 1
        queue.bytes -= sim.packets[p].size_bytes
        if verdict >= 0:
            return p
        drop(sim, queue.port, p, DROP_AQM)


def read(
    path: str | Path,
    name: str,
    parameters: Mapping[str, float] | None = None,
    where: str = "",
    source: str | None = None,
) -> UserFile:
    """Read and check a file without compiling it. Raises TrialInvalid with every mistake found.

    name: what the trial calls the queue. where: its place in the trial, for messages. source: the file's
    text, if it is at hand.
    """
    from ..congestion.userfile import UserFile

    return UserFile(
        path, REQUIRED, OPTIONAL, (QUEUE, PACKET), parameters or {}, where or f"queue {name}", source
    )


def limit_packets(file: UserFile) -> int:
    """How many packets may wait: the file's (or the trial's) LIMIT_PACKETS."""
    return max(1, int(file.constant("LIMIT_PACKETS", LIMIT_PACKETS)))


def load(
    path: str | Path,
    name: str,
    parameters: Mapping[str, float] | None = None,
    where: str = "",
    source: str | None = None,
) -> list[int]:
    """Compile a file: addresses of its functions in the order of their offsets, 0 for those it does not have.

    Raises TrialInvalid for mistakes in the file.
    """
    return read(path, name, parameters, where, source).addresses()


def children(spec: Any) -> int:
    """One record a band."""
    return BANDS


def encode(queue: Any, hook: int, limit: int) -> None:
    """Write the limit (packets) and the index of the user's first function in hooks."""
    queue.limit_packets = limit
    queue.hook = hook
