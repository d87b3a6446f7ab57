"""Cumulative counts over time: value at an instant, rise over a window, and when a service was active.

Between two sample instants a count is taken to rise evenly. A window whose ends fall on sample instants is
exact; otherwise the error is at most what one sample interval at each end carried.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from netarium.run.samples import Samples

ENDS_WITH_ITS_FLOWS = ("bulk", "stream", "demands")  # other kinds start flows until the service stops
RECEIVED = ("delivered_bytes", "delivered_packets")  # complete at the instant the last flow finishes


@dataclass(frozen=True)
class Curve:
    """A count that never decreases: `values` (float64[K]) at `times_ps` (int64[K]), linear between, flat
    outside."""

    times_ps: np.ndarray
    values: np.ndarray

    def at(self, instants_ps: Any) -> np.ndarray:
        return np.interp(instants_ps, self.times_ps, self.values)

    def rise(self, from_ps: Any, to_ps: Any) -> np.ndarray:
        return self.at(to_ps) - self.at(from_ps)


def flows_of(samples: Samples, service: int) -> np.ndarray:
    """FLOWS[n]: the flows of one service."""
    return samples.flows[samples.flows["service"] == service]


def flows_by_service(samples: Samples) -> list[np.ndarray]:
    """FLOWS[n] of every service, in the order of the services; one pass over the flows."""
    order = np.argsort(samples.flows["service"], kind="stable")
    grouped = samples.flows[order]
    bounds = np.searchsorted(grouped["service"], np.arange(len(samples.services) + 1))
    return [grouped[low:high] for low, high in zip(bounds, bounds[1:], strict=False)]


def service_curve(samples: Samples, service: int, key: str, flows: np.ndarray | None = None) -> Curve:
    """One cumulative field of one service; it starts to rise where its first flow starts.

    flows: those of the service, if the caller has them.
    """
    times = np.concatenate([[0], samples.times_ps])
    values = np.concatenate([[0], samples.service_series[key][:, service]]).astype(np.float64)
    flows = flows_of(samples, service) if flows is None else flows
    if len(flows):
        times, values = _with_knot(times, values, int(flows["start_ps"].min()), 0.0)
        if key in RECEIVED and (flows["end_ps"] >= 0).all():
            times, values = _with_knot(times, values, int(flows["end_ps"].max()), values[-1])
    return Curve(times, values)


def port_curve(samples: Samples, port: int, key: str) -> Curve:
    """One cumulative field of one port, which has a series."""
    times = np.concatenate([[0], samples.times_ps])
    values = samples.port_series[key][:, samples.watched_column(port)]
    return Curve(times, np.concatenate([[0], values]).astype(np.float64))


def _with_knot(
    times: np.ndarray, values: np.ndarray, at_ps: int, value: float
) -> tuple[np.ndarray, np.ndarray]:
    """The curve with one more point, left as it was if the point would break its order."""
    index = int(np.searchsorted(times, at_ps))
    if index == 0 or index == len(times) or times[index] == at_ps:
        return times, values
    if not values[index - 1] <= value <= values[index]:
        return times, values
    return np.insert(times, index, at_ps), np.insert(values, index, value)


def active_interval_ps(
    samples: Samples, service_model: Any, service: int, flows: np.ndarray | None = None
) -> tuple[int, int]:
    """(start, stop) in ps: from the service's start to the earliest of its stop, the end of the run, and
    (bulk, stream and demands) the completion of its last flow. Start equals stop if it never began.
    """
    end = int(samples.times_ps[-1])
    start = min(int(getattr(service_model, "start", 0) or 0), end)
    stop = getattr(service_model, "stop", None)
    stop = end if stop is None else min(int(stop), end)
    flows = flows_of(samples, service) if flows is None else flows
    if samples.service_kind[service] in ENDS_WITH_ITS_FLOWS and len(flows) and (flows["end_ps"] >= 0).all():
        stop = min(stop, int(flows["end_ps"].max()))
    return start, max(start, stop)


def layer3_curve(samples: Samples, service: int, flows: np.ndarray | None = None) -> Curve:
    """Bytes of IP packets delivered: goodput plus the headers of the packets that brought it."""
    payload = service_curve(samples, service, "delivered_bytes", flows)
    packets = service_curve(samples, service, "delivered_packets", flows)
    header = int(samples.service_header_bytes[service])
    return Curve(payload.times_ps, payload.values + header * packets.at(payload.times_ps))
