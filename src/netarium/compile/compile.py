"""Trial -> Plan: admission first, then every part of the description as arrays for the kernel."""

from __future__ import annotations

from typing import Any

import numpy as np

from netarium.compile import probes
from netarium.compile.admission import admit
from netarium.compile.emulation import emulation_of
from netarium.compile.epochs import epochs, links_named
from netarium.compile.estimate import estimate
from netarium.compile.graph import Graph, build_graph
from netarium.compile.keys import streams
from netarium.compile.pairs import DELIVER, Pairs
from netarium.compile.plan import Plan
from netarium.compile.ports import Ports
from netarium.compile.routing import ForwardingTable, next_hop_tables
from netarium.compile.traffic import Traffic
from netarium.describe.real import real_nodes
from netarium.run.kernel import records as r
from netarium.run.kernel.events import NEVER
from netarium.run.kernel.flags import IMPAIR, PORT_DOWN, PORT_UP, ROUTES
from netarium.run.kernel.queues.clock import CLOCK
from netarium.run.kernel.queues.clock import encode as encode_clock
from netarium.run.kernel.queues.policer import SLICE
from netarium.run.kernel.queues.policer import encode as encode_policer
from netarium.run.kernel.workloads.codes import BULK


def compile_trial(trial: Any) -> Plan:
    """Compile a trial.

    Raises TrialInvalid for what cannot be built as described, AdmissionRefused when a slice cannot be held,
    MachineCannot when the run would not fit this machine's memory.
    """
    network = trial.network.expand()
    graph = build_graph(network)
    metric = network.routing.metric
    admission = admit(slices_asked(trial), graph, metric, until_ps=trial.duration).require()
    pairs = Pairs(graph)
    traffic = Traffic(trial, graph, admission, pairs).add_all()
    user_queue = traffic.queue_function
    senders, flow_counts = pairs.senders(), traffic.flow_counts()
    ports = Ports(trial, graph, admission, user_queue, traffic.keys, senders, flow_counts).add_all()
    real = real_nodes(trial)
    destinations = sorted({*pairs.destinations(), *(graph.node_index[node] for node in real)})
    changes = epochs(graph, trial.events, network.routing.reconvergence)
    ecmp = network.routing.kind == "ecmp"
    tables = [next_hop_tables(graph, destinations, metric, ecmp, down, aggregate=True) for _, down in changes]
    pair_records, shares = pairs.array(tables[0], _bulk_flows(traffic.sources, len(pairs.ends)))
    actions = _actions(trial, graph, ports, changes)  # adds impairments and their streams
    arrays = {
        "ports": ports.ports,
        "queues": ports.queues.array(),
        **ports.queues.extras(),
        "clocks": _clocks(network),
        "pairs": _at_least_one(pair_records, r.PAIR),
        "slices": _policers(admission, graph),
        "sources": _stacked(traffic.sources, r.SOURCE),
        "transports": _stacked(traffic.transports, r.TRANSPORT),
        "impairments": _stacked(ports.impairments, None, "IMPAIRMENT"),
        "actions": actions,
        "cdf": np.vstack(traffic.cdf_rows) if traffic.cdf_rows else np.zeros((1, 2)),
        "replay": np.array(traffic.replay_rows or [(0, 0, 0)], np.int64),
        "streams": streams(trial.seed, traffic.keys),
        **_tables(tables),
        **_traces(ports.traces),
    }
    span = _route_span(tables, graph)
    arrays["routes"] = np.array([*pairs.paths, DELIVER], np.int64)
    captures = probes.captures(trial, graph, arrays["ports"])
    arrays["captures"] = probes.capture_records(captures)
    times_ps = probes.sample_times(trial)
    watched = probes.watched_ports(trial, graph)
    plan = Plan(
        trial=trial,
        graph=graph,
        admission=admission,
        arrays=arrays,
        route_span=span,
        ecmp=ecmp,
        duration_ps=trial.duration,
        sample_times_ps=times_ps,
        service_names=tuple(trial.services),
        service_kinds=tuple(service.kind for service in trial.services.values()),
        service_header_bytes=np.array(traffic.header_bytes, np.int64),
        watched_ports=watched,
        tracked_flows=probes.tracked_flows(trial, traffic.sources),
        captures=captures,
        user_functions=tuple(traffic.functions),
        estimate=estimate(trial, graph, arrays, shares, len(times_ps), len(watched)),
        assumptions=tuple(network.assumptions),
        emulation=emulation_of(trial, graph, tables[0], traffic.programs),
        stream_names=tuple(traffic.keys),
    )
    plan.estimate.require_memory()
    return plan


def slices_asked(trial: Any) -> dict[str, Any]:
    """The trial's slices; one that states no packet_size gets the smallest that its services state."""
    stated: dict[str, list[int]] = {}
    for service in trial.services.values():
        size = getattr(service, "packet_size", None)
        if size is not None and service.slice is not None:
            stated.setdefault(service.slice, []).append(size)
    return {
        name: each.model_copy(update={"packet_size": min(stated[name])})
        if each.packet_size is None and name in stated
        else each
        for name, each in trial.slices.items()
    }


def _bulk_flows(sources: list[Any], pair_count: int) -> np.ndarray:
    """float64[pairs]: greedy flows of each pair."""
    flows = np.zeros(pair_count)
    for source in sources:
        if source.kind == BULK:
            flows[source.pair_first] += 1
    return flows


def _clocks(network: Any) -> np.ndarray:
    """CLOCK[N]: the clock of every node."""
    clocks = np.zeros(max(1, len(network.nodes)), CLOCK)
    for record, node in zip(clocks, network.nodes.values(), strict=False):
        encode_clock(record, node.clock)
    return clocks


def _at_least_one(array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    return array if len(array) else np.zeros(1, dtype)


def _stacked(rows: list[Any], dtype: Any, name: str = "") -> np.ndarray:
    if dtype is None:
        from netarium.run.kernel.impairments import IMPAIRMENT

        dtype = IMPAIRMENT
    stacked = np.zeros(max(1, len(rows)), dtype)
    for index, row in enumerate(rows):
        stacked[index] = row
    return stacked


def _policers(admission: Any, graph: Graph) -> np.ndarray:
    """SLICE[n] in the order of bands; each is policed at the first port behind its source."""
    slices = np.zeros(max(1, len(admission.paths)), SLICE)
    for row, reservation in zip(slices, admission.paths, strict=False):
        shaped = not graph.node_forwards[graph.tail[reservation.ports[0]]]
        ingress = 1 if shaped and len(reservation.ports) > 1 else 0
        wire = reservation.wire_bps / reservation.bandwidth_bps
        burst = reservation.wire_burst_bytes
        if ingress:
            burst = int(np.ceil(reservation.hop_burst_bound_bytes[1] * wire)) + reservation.mtu_bytes
        end = NEVER if reservation.end_ps is None else reservation.end_ps
        encode_policer(
            row, reservation.wire_bps, burst, reservation.overhead_bytes, reservation.start_ps, end
        )  # fmt: skip
        row.port = reservation.ports[ingress]
    return slices


def _tables(tables: list[ForwardingTable]) -> dict[str, np.ndarray]:
    """Forwarding tables of all epochs, one under the other; group numbers made unique."""
    groups, first, count, members, access = [], [], [], [], []
    for table in tables:
        offset, position = sum(map(len, first)), sum(map(len, members))
        groups.append(np.where(table.group >= 0, table.group + offset, -1).astype(np.int32))
        access.append(np.where(table.access_group >= 0, table.access_group + offset, -1))
        first.append(table.group_first + position)
        count.append(table.group_count)
        members.append(table.group_ports)
    width = max(group.shape[1] for group in groups)
    padded = [np.pad(group, ((0, 0), (0, width - group.shape[1])), constant_values=-1) for group in groups]
    stacked = np.vstack(padded) if width else np.full((len(tables) * len(tables[0].column), 1), -1, np.int32)
    return {
        "groups": np.ascontiguousarray(stacked, np.int32),
        "columns": np.concatenate([np.maximum(table.column, 0) for table in tables]).astype(np.int32),
        "gateways": np.concatenate([table.gateway for table in tables]).astype(np.int32),
        "access_groups": np.concatenate(access).astype(np.int32),
        "group_first": np.concatenate([*first, [0]]).astype(np.int32),
        "group_count": np.concatenate([*count, [0]]).astype(np.int32),
        "group_ports": np.concatenate([*members, [0]]).astype(np.int32),
    }


def _traces(traces: list[Any]) -> dict[str, np.ndarray]:
    from netarium.run.kernel.traces import TRACE, TRACE_POINT

    records = np.zeros(max(1, len(traces)), TRACE)
    points = [np.zeros(1, TRACE_POINT)] if not traces else []
    position = 0
    for index, (record, own_points) in enumerate(traces):
        records[index] = record
        records[index].first = position
        position += len(own_points)
        points.append(own_points)
    return {"traces": records, "trace_points": np.concatenate(points)}


def _route_span(tables: list[ForwardingTable], graph: Graph) -> int:
    """Room for the longest way: shortest paths visit each node at most once."""
    return min(graph.node_count, 254) + 2


def _actions(
    trial: Any, graph: Graph, ports: Ports, changes: list[tuple[int, tuple[int, ...]]]
) -> np.ndarray:
    """ACTION[n] by time: failures and repairs act on ports at once, tables follow after the reconvergence time."""
    rows: list[tuple[int, int, int, int]] = []
    for number, event in enumerate(trial.events):
        where = f"events[{number}]"
        for port in _ports_of_event(event, graph, where):
            if event.kind.endswith("_down"):
                rows.append((event.at, PORT_DOWN, port, 0))
            elif event.kind.endswith("_up"):
                rows.append((event.at, PORT_UP, port, 0))
            elif event.kind == "impairment":
                impairs = event.impairments != type(event.impairments)()
                value = (
                    ports.impair(event.impairments, graph.port_names[port], number + 1) if impairs else r.NONE
                )
                rows.append((event.at, IMPAIR, port, value))
    rows.extend((time, ROUTES, epoch, 0) for epoch, (time, _) in enumerate(changes) if epoch)
    rows.sort(key=lambda row: row[0])
    actions = np.zeros(max(1, len(rows)), r.ACTION)
    actions["kind"] = r.NONE
    for index, row in enumerate(rows):
        actions[index].time_ps, actions[index].kind, actions[index].target, actions[index].value = row
    return actions


def _ports_of_event(event: Any, graph: Graph, where: str) -> list[int]:
    if event.kind in ("node_down", "node_up"):
        node = graph.node(event.node, where)
        return [*graph.out_ports[node], *graph.in_ports[node]]
    if event.kind == "rate_change":
        return []
    return [port for link in links_named(graph, event.link, where) for port in (2 * link, 2 * link + 1)]
