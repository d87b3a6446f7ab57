"""Captured packets of a run: for each captured port what it put on the wire, and the flows that was of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from netarium.run.kernel import records as r
from netarium.run.kernel.transport.features import ECN, PULL, SACK, TCP

CAPTURED_FLOW = r.record(
    ("flow", "i8", "number of the flow in the run"),
    ("service", "i8", "its service"),
    ("number", "i8", "number within the service"),
    ("src", "i8", "node that sends the data"),
    ("dst", "i8", "node that receives it"),
    ("size_bytes", "i8", "payload to carry, or not above 0 where that is not known before"),
    ("tcp", "i8", "1: TCP, 0: UDP"),
    ("mss_bytes", "i8", "TCP: payload of a full segment"),
    ("header_bytes", "i8", "IP and transport header of a data packet"),
    ("window_bytes", "i8", "TCP: window told by both ends"),
    ("request_bytes", "i8", "TCP: payload of the request that starts the data's sender"),
    ("sack", "i8", "TCP: 1 when both ends agree on SACK"),
    ("ecn", "i8", "TCP: 1 when both ends agree on ECN"),
    ("pull", "i8", "TCP: 1 when the data's receiver opens the connection"),
)


@dataclass(frozen=True, eq=False)
class CaptureTable:
    """What one port sent: CAPTURED[n] in the order of time, CAPTURED_FLOW[k], and int[n]: the flow of each (0 for real frames).

    real_bytes uint8[...]: what was kept of all real frames; of a packet of kind FRAME there are start[0] bytes from seq on,
    of a frame of start[1] bytes. source, target: nodes at its ends. snap_bytes: bytes of each frame to keep.
    """

    port: str
    source: int
    target: int
    rate_bps: int
    snap_bytes: int
    packets: np.ndarray
    flows: np.ndarray
    flow_of: np.ndarray
    real_bytes: np.ndarray = field(default_factory=lambda: np.zeros(0, np.uint8))


def capture_tables(plan: Any, memory: Any) -> list[CaptureTable]:
    """The captures that the plan asks for, in its order."""
    captured = memory.captured[: int(memory.counters[0].captured)] if plan.captures else None
    real_bytes = memory.captured_bytes[: int(memory.real[0].kept_bytes)].copy()
    tables = []
    for wanted in plan.captures:
        packets = captured[captured["port"] == wanted.port].copy()
        modelled = packets["kind"] != r.FRAME
        flow_of = np.zeros(len(packets), np.int64)
        numbers, flow_of[modelled] = np.unique(packets["flow"][modelled], return_inverse=True)
        graph = plan.graph
        tables.append(
            CaptureTable(
                port=wanted.port_name,
                source=int(graph.tail[wanted.port]),
                target=int(graph.head[wanted.port]),
                rate_bps=int(graph.rate_bps[wanted.port]),
                snap_bytes=wanted.snap_bytes,
                packets=packets,
                flows=_flows(plan, memory, numbers),
                flow_of=flow_of,
                real_bytes=real_bytes,
            )
        )
    return tables


def _flows(plan: Any, memory: Any, numbers: np.ndarray) -> np.ndarray:
    """CAPTURED_FLOW of some flows; all flows of a service have one transport."""
    flows = np.zeros(len(numbers), CAPTURED_FLOW)
    if not len(numbers):
        return flows
    flows["flow"] = numbers
    known = memory.flows[numbers]
    for name in ("service", "number", "src", "dst", "size_bytes"):
        flows[name] = known[name]
    sources, transports = plan.arrays["sources"], plan.arrays["transports"]
    first_source = {int(service): index for index, service in reversed(list(enumerate(sources["service"])))}
    of_flow = sources["transport"][[first_source[service] for service in flows["service"].tolist()]]
    used = transports[of_flow]
    flows["tcp"] = used["kind"] == TCP
    from_mtu = plan.arrays["pairs"]["mtu_bytes"][known["pair"]] - used["header_bytes"]
    flows["mss_bytes"] = np.where(used["mss_bytes"] > 0, used["mss_bytes"], from_mtu)
    for name in ("header_bytes", "window_bytes", "request_bytes"):
        flows[name] = used[name]
    for name, bit in (("sack", SACK), ("ecn", ECN), ("pull", PULL)):
        flows[name] = (used["features"] & bit) != 0
    return flows
