"""What a run says of messages one by one: which came in time, and which came at all where each went several ways."""

from __future__ import annotations

from typing import Any

import numpy as np

from netarium.run.kernel import records as r
from netarium.run.kernel.transport import deadlines, replication
from netarium.run.kernel.transport.features import REPLICATED
from netarium.run.kernel.workloads import codes
from netarium.run.samples import MESSAGES


def messages(plan: Any, memory: Any, end_ps: int) -> np.ndarray:
    """MESSAGES[V]: of control loops the judged ones, of replicated services those sent and those still on their way."""
    found = np.zeros(len(plan.service_names), MESSAGES)
    sources = memory.sources[: len(plan.arrays["sources"])]
    for index in np.flatnonzero((sources["kind"] == codes.CONTROL_LOOP) & (sources["conn"] != r.NONE)):
        source = sources[index]
        judged, misses, longest = _judged_at_end(source, memory.conns[int(source["conn"])], end_ps)
        row = found[int(source["service"])]
        row["judged"] += judged
        row["misses"] += misses
        row["longest_run"] = max(int(row["longest_run"]), longest)
    copied = np.flatnonzero((memory.conns["flow"] != r.NONE) & (memory.conns["features"] & REPLICATED != 0))
    for k in copied:
        conn = memory.conns[int(k)]
        row = found[int(conn["service"])]
        row["paths"] = int(conn["i"][replication.COPIES]) + 1
        row["sent"] += int(conn["nxt"])
    for k, seq in _on_their_way(memory, set(copied.tolist())):
        found[int(memory.conns[k]["service"])]["undecided"] += 1 if _new(memory.conns[k], seq) else 0
    return found


def _judged_at_end(source: Any, conn: Any, end_ps: int) -> tuple[int, int, int]:
    """(messages judged, misses, longest run) with those whose deadline passed since the source last looked."""
    state, marks = source["i"], conn["i"]
    judged, misses = int(state[codes.LOOP_JUDGED]), int(state[codes.LOOP_MISSES])
    run, longest = int(state[codes.LOOP_RUN]), int(state[codes.LOOP_LONGEST])
    period_ps, deadline_ps = int(state[codes.LOOP_PERIOD]), int(state[codes.LOOP_DEADLINE])
    first_ps = int(marks[deadlines.START_PS])
    while judged < int(conn["nxt"]) and first_ps + judged * period_ps + deadline_ps <= end_ps:
        word = int(marks[deadlines.MARKS + (judged % deadlines.WINDOW) // deadlines.WORD_BITS])
        in_time = word >> (judged % deadlines.WORD_BITS) & 1
        run = 0 if in_time else run + 1
        misses += 1 - in_time
        longest = max(longest, run)
        judged += 1
    return judged, misses, longest


def _on_their_way(memory: Any, conns: set[int]) -> set[tuple[int, int]]:
    """(connection, number) of the datagrams of some connections that are on their way, each once."""
    packets = memory.packets[memory.packets["kind"] == r.DATAGRAM]
    flows = memory.conns["flow"][packets["conn"]]
    packets = packets[flows == packets["flow"]]
    pairs = zip(packets["conn"].tolist(), packets["seq"].tolist(), strict=True)
    return {(k, seq) for k, seq in pairs if k in conns}


def _new(conn: Any, seq: int) -> bool:
    """Whether a datagram that comes now may still be the first of its number."""
    state = conn["i"]
    newest = int(state[replication.NEWEST])
    if newest == r.NONE or seq > newest:
        return True
    if newest - seq >= int(state[replication.LENGTH]):
        return False
    word = int(state[replication.HISTORY + (seq % replication.LENGTH_MAX) // replication.WORD_BITS])
    return not word >> (seq % replication.WORD_BITS) & 1
