"""What is read from the engine at a sample instant, gathered by compiled code."""

from __future__ import annotations

from .jit import kernel
from .memory import as_sim
from .port import settle
from .records import DATA, DATAGRAM, FRAME, NONE

SENT_BYTES, SENT_PACKETS, QUEUE_BYTES, QUEUE_PACKETS, DROPS, MARKS = range(6)
"""Columns of port_row: the fields of samples.PORT_SERIES."""


@kernel(entry=True)
def sample(address, now_ps, reasons):
    """Fill port_row, and in_flight_packets of every service. reasons: columns of drops."""
    look(as_sim(address), now_ps, reasons)


@kernel
def look(sim, now_ps, reasons):
    """The same for compiled code."""
    for index in range(len(sim.port_row)):
        sample_port(sim, index, now_ps, reasons)
    for index in range(len(sim.services)):
        sim.services[index].in_flight_packets = 0
    for p in range(len(sim.packets)):
        kind = sim.packets[p].kind
        if kind == DATA or kind == DATAGRAM or (kind == FRAME and sim.packets[p].flow != NONE):
            sim.services[sim.flows[sim.packets[p].flow].service].in_flight_packets += 1


@kernel
def sample_port(sim, index, now_ps, reasons):
    """One row of port_row; what waits at a plain port has been counted as sent already."""
    port = sim.ports[index]
    waiting = 0
    waiting_bytes = 0
    if port.queue == NONE:
        settle(sim, port, now_ps)
        waiting = port.waiting_packets
        waiting_bytes = port.waiting_bytes
        sim.port_row[index, QUEUE_PACKETS] = waiting
        sim.port_row[index, QUEUE_BYTES] = waiting_bytes
    else:
        sim.port_row[index, QUEUE_PACKETS] = sim.queues[port.queue].packets
        sim.port_row[index, QUEUE_BYTES] = sim.queues[port.queue].bytes
    sim.port_row[index, SENT_PACKETS] = port.sent_packets - waiting
    sim.port_row[index, SENT_BYTES] = port.sent_bytes - waiting_bytes - waiting * port.overhead_bytes
    dropped = 0
    for reason in range(reasons):
        dropped += sim.drops[index, reason]
    sim.port_row[index, DROPS] = dropped
    sim.port_row[index, MARKS] = port.marks
