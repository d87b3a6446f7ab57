"""Per-stream filtering and policing (IEEE 802.1Q-2022 sections 8.6.5.2 to 8.6.5.5, first IEEE 802.1Qci; tc-gate(8)).

A packet of a stream that the port knows passes its largest size, its stream gate and its flow meter, in this order,
before it reaches the discipline of the port, the one child. A meter is that of MEF 10.3 section 12, colour-blind: what
the committed bucket holds is green, what the excess bucket holds is yellow, the rest is red.
"""

from __future__ import annotations

from typing import Any

from ..jit import kernel
from ..pool import drop
from ..records import DROP_GATE, DROP_OVERSIZE, DROP_POLICER, NONE
from . import streams
from .clock import clock_of, reading_ps
from .gates import entry_at, rows
from .site import Site
from .streams import filter_of, meter_of
from .tokens import bucket, refilled

FILTER_FIRST, FILTER_COUNT = range(2)
"""Slots of `i`."""


@kernel
def refusal(sim, queue, packet, now_ps):
    """Why a packet does not pass (a reason of DROP_...), or NONE."""
    f = filter_of(sim, queue.i[FILTER_FIRST], queue.i[FILTER_COUNT], packet)
    if f == NONE:
        return NONE
    each = sim.filters[f]
    meter = sim.meters[meter_of(sim, each, packet)]
    if each.most_bytes != NONE and packet.size_bytes > each.most_bytes:
        if each.oversize_blocks:
            meter.blocked = 1
        return DROP_OVERSIZE
    if meter.blocked:
        return DROP_POLICER
    if each.gate_first != NONE and not gate_passes(
        sim, each, reading_ps(clock_of(sim, queue), now_ps), packet.size_bytes
    ):
        return DROP_GATE
    if each.metered and not meter_passes(each, meter, packet.size_bytes, now_ps):
        return DROP_POLICER
    return NONE


@kernel
def gate_passes(sim, each, local_ps, size_bytes):
    """Whether a packet finds the stream gate open, and room in the octets of its entry."""
    if each.closed:
        return False
    turn = (local_ps - each.base_ps) // each.cycle_ps
    phase_ps = local_ps - each.base_ps - turn * each.cycle_ps
    gate = sim.gates[each.gate_first + entry_at(sim, each.gate_first, each.gate_count, phase_ps)]
    if gate.open == 0:
        each.closed = each.invalid_closes
        return False
    if gate.most_bytes == NONE:
        return True
    if gate.turn != turn:
        gate.turn = turn
        gate.passed_bytes = 0
    if gate.passed_bytes + size_bytes > gate.most_bytes:
        return False
    gate.passed_bytes += size_bytes
    return True


@kernel
def meter_passes(each, meter, size_bytes, now_ps):
    """Whether the meter lets a packet pass; it takes the tokens of its colour."""
    elapsed_ps = now_ps - meter.last_ps
    meter.last_ps = now_ps
    meter.tokens = refilled(meter.tokens, elapsed_ps, meter.depth, meter.shift)
    cost = size_bytes * meter.byte_time
    if cost <= meter.tokens:
        meter.tokens -= cost
        if meter.excess_depth > 0:
            meter.excess_tokens = refilled(
                meter.excess_tokens, elapsed_ps, meter.excess_depth, meter.excess_shift
            )
        return True
    if meter.excess_depth > 0:
        meter.excess_tokens = refilled(
            meter.excess_tokens, elapsed_ps, meter.excess_depth, meter.excess_shift
        )
        excess_cost = size_bytes * meter.excess_byte_time
        if excess_cost <= meter.excess_tokens:
            meter.excess_tokens -= excess_cost
            return each.yellow_drops == 0
    if each.red_blocks:
        meter.blocked = 1
    return False


@kernel
def passes(sim, queue, p, now_ps):
    """Whether packet `p` passes; else it is dropped."""
    reason = refusal(sim, queue, sim.packets[p], now_ps)
    if reason == NONE:
        return True
    drop(sim, queue.port, p, reason)
    return False


def _write_meter(meter: Any, entry: Any) -> None:
    spec = entry.meter
    if spec is None:
        return
    meter["byte_time"], meter["shift"], meter["depth"] = bucket(spec.cir, spec.cbs)
    meter["tokens"] = meter["depth"]
    if spec.eir:
        meter["excess_byte_time"], meter["excess_shift"], meter["excess_depth"] = bucket(spec.eir, spec.ebs)
        meter["excess_tokens"] = meter["excess_depth"]


def encode(queue: Any, spec: Any, site: Site, table: Any) -> None:
    """Write filters, gates and meters of the streams."""

    def write_filter(row: Any, entry: Any) -> None:
        row["most_bytes"] = NONE if entry.max_sdu is None else entry.max_sdu
        row["oversize_blocks"] = entry.blocked_due_to_oversize
        row["gate_first"] = NONE
        if entry.gate is not None:
            gate = entry.gate
            row["gate_first"], row["gate_count"] = len(table.gates), len(gate.sched_entries)
            row["cycle_ps"], row["base_ps"] = gate.cycle_ps, gate.base_time
            row["invalid_closes"] = gate.closed_due_to_invalid_rx
            entries = [
                (each.interval, int(each.gate == "open"), NONE if each.maxoctets is None else each.maxoctets)
                for each in gate.sched_entries
            ]
            table.gates.extend(rows(entries, gate.cycle_ps))
        if entry.meter is not None:
            row["metered"] = 1
            row["yellow_drops"] = entry.meter.drop_on_yellow
            row["red_blocks"] = entry.meter.mark_all_frames_red

    lay = streams.lay_out(spec, site, table, write_filter, _write_meter)
    queue.i[FILTER_FIRST], queue.i[FILTER_COUNT] = lay
