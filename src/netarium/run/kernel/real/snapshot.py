"""Samples taken while the engine runs on: copied where they wait to be fetched by Python."""

from __future__ import annotations

from ..events import NEVER
from ..jit import kernel
from ..observe import BIN_COUNT
from ..records import NONE
from .records import LATE_WINDOW

PORT_COLUMNS = 6


@kernel
def full(sim):
    """Whether no more samples can wait."""
    real = sim.real[0]
    return real.next_sample - real.collected >= real.shots


@kernel
def shoot(sim, now_ps):
    """Put aside what `sampling.look` found and the lateness since the last sample, and begin the next interval."""
    real = sim.real[0]
    rank = real.next_sample % real.shots
    services = len(sim.services)
    for index in range(services):
        copy_service(sim.services[index], sim.shot_services[rank * services + index])
        begin_interval(sim.services[index])
    ports = len(sim.port_row)
    for index in range(ports):
        for column in range(PORT_COLUMNS):
            sim.shot_ports[rank * ports + index, column] = sim.port_row[index, column]
    for bin_ in range(BIN_COUNT):
        sim.shot_late[rank, bin_] = sim.late[LATE_WINDOW, bin_]
        sim.late[LATE_WINDOW, bin_] = 0
    real.next_sample += 1


@kernel
def copy_service(source, target):
    """Copy a record of SERVICE."""
    target.delivered_bytes = source.delivered_bytes
    target.sent_bytes = source.sent_bytes
    target.sent_packets = source.sent_packets
    target.received_packets = source.received_packets
    target.delivered_packets = source.delivered_packets
    target.retransmissions = source.retransmissions
    target.active_flows = source.active_flows
    target.in_flight_packets = source.in_flight_packets
    target.latency_count = source.latency_count
    target.latency_sum_ps = source.latency_sum_ps
    target.latency_min_ps = source.latency_min_ps
    target.latency_max_ps = source.latency_max_ps
    target.rtt_count = source.rtt_count
    target.rtt_sum_ps = source.rtt_sum_ps
    target.rtt_min_ps = source.rtt_min_ps
    target.rtt_max_ps = source.rtt_max_ps


@kernel
def begin_interval(service):
    """Latency and round-trip times are counted from here (fill.reset_windows)."""
    service.latency_count = 0
    service.latency_sum_ps = 0
    service.latency_min_ps = NEVER
    service.latency_max_ps = NONE
    service.rtt_count = 0
    service.rtt_sum_ps = 0
    service.rtt_min_ps = NEVER
    service.rtt_max_ps = NONE
