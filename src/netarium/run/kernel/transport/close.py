"""A flow's last acknowledgement has arrived: its numbers go to `flows`, its slot back to the free ones."""

from __future__ import annotations

from ..events import NEVER
from ..jit import kernel
from ..records import NONE
from . import ranges, scoreboard
from .state import CLOSED


@kernel
def write_numbers(sim, conn):
    """Copy a connection's counts to its flow."""
    flow = sim.flows[conn.flow]
    flow.delivered_bytes = conn.rcv_bytes
    flow.retransmissions = conn.retransmissions
    flow.timeouts = conn.timeouts
    flow.sent_packets = conn.sent_packets
    flow.delivered_packets = conn.rcv_packets
    if conn.latency_max_ps >= 0:
        service = sim.services[conn.service]
        service.variation_max_ps = max(service.variation_max_ps, conn.latency_max_ps - conn.latency_min_ps)


@kernel
def close(sim, k):
    """End TCP connection `k`."""
    conn = sim.conns[k]
    counters = sim.counters[0]
    write_numbers(sim, conn)
    sim.flows[conn.flow].conn = NONE
    scoreboard.free(sim, int(conn.segments), int(conn.segments_log2))
    ranges.free(sim, int(conn.gaps), int(conn.gaps_log2))
    conn.flow = NONE
    conn.state = CLOSED
    conn.timer_ps = NEVER
    conn.later_ps = NEVER
    conn.una = counters.conn_free
    counters.conn_free = k
    counters.conn_free_count += 1
