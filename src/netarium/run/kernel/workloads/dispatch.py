"""The one place that knows every workload: a source's event goes to its kind."""

from __future__ import annotations

from ..events import SOURCE, push
from ..jit import kernel
from ..records import NONE
from ..transport.connection import stop_writing
from . import bulk, control_loop, replay, requests, stream, user
from .codes import BULK, CONTROL_LOOP, REPLAY, REQUESTS, STREAM


@kernel
def on_source(sim, source_index, now_ps):
    """A source's time has come: let it act, and schedule its next time before its stop."""
    source = sim.sources[source_index]
    kind = source.kind
    if kind == STREAM:
        gap = stream.emit(sim, source_index, now_ps)
    elif kind == BULK:
        gap = bulk.begin(sim, source_index, now_ps)
    elif kind == REQUESTS:
        gap = requests.arrive(sim, source_index, now_ps)
    elif kind == REPLAY:
        gap = replay.play(sim, source_index, now_ps)
    elif kind == CONTROL_LOOP:
        gap = control_loop.send(sim, source_index, now_ps)
    else:
        gap = user.ask(sim, source_index, now_ps)
    if gap != NONE and now_ps + gap < source.stop_ps:
        push(sim, now_ps + gap, SOURCE, source_index)


@kernel
def on_stop(sim, source_index, now_ps):
    """A source's stop time has come; its slot may carry another source's flow when its own has ended."""
    source = sim.sources[source_index]
    if source.conn != NONE and sim.conns[source.conn].stream == source.stream:
        stop_writing(sim, source.conn, now_ps)
