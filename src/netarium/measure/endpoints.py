"""What the endpoints of one service saw: sent and delivered IP bytes, and what the application had to send.

The certification reads only this: counts and timestamps taken at the sending and the receiving host. No
counter of a port, queue or policer is here, so that a mistake in those cannot certify itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from netarium.measure.series import Curve, active_interval_ps, flows_of, layer3_curve, service_curve
from netarium.units import SECOND_PS

if TYPE_CHECKING:
    from netarium.describe.trial import Trial
    from netarium.measure.terms import Terms
    from netarium.run.samples import Samples

SMALLEST_TCP_HEADERS = 40  # IPv4 and TCP without options (RFC 9293, section 3.1); IPv4 and UDP are 28


@dataclass(frozen=True)
class Endpoints:
    """One service of a slice. Curves count layer-3 bytes; times in ps.

    demand: `datagram` (what it sent is what it offered), `saturating` (always more to send while active),
    `paced` (a tcp stream: its nominal rate) or `flows` (what its flows brought and was not sent yet).
    """

    index: int
    demand: str
    start_ps: int
    stop_ps: int
    startup_ps: int
    shift_ps: int
    spread_ps: int  # of datagrams: largest less smallest latency
    delivered: Curve
    sent: Curve
    nominal_bps: float
    layer3_share: float  # layer-3 bytes per payload byte
    unsent: tuple[Curve, Curve] | None  # payload bytes: brought by flows, sent for the first time

    def delivered_bytes(self, from_ps: np.ndarray, to_ps: np.ndarray) -> np.ndarray:
        """Layer-3 bytes that arrived; for datagrams the window is moved by the smallest latency."""
        return self.delivered.rise(from_ps + self.shift_ps, to_ps + self.shift_ps)

    def offered_bytes(self, from_ps: np.ndarray, to_ps: np.ndarray) -> np.ndarray:
        """Layer-3 bytes the service surely had to send in each window; infinite while it is saturating."""
        if self.demand == "datagram":
            return self.sent.rise(from_ps, to_ps)
        inside = (from_ps >= self.start_ps + self.startup_ps) & (to_ps <= self.stop_ps)
        if self.unsent is not None:
            brought, sent = self.unsent
            backlog = np.maximum(brought.at(from_ps - self.startup_ps) - sent.at(from_ps), 0.0)
            return np.where(inside, backlog * self.layer3_share, 0.0)
        if self.nominal_bps == np.inf:
            return np.where(inside, np.inf, 0.0)
        return np.where(inside, self.nominal_bps / 8 * (to_ps - from_ps) / SECOND_PS, 0.0)

    def offered_total_bytes(self, end_ps: int) -> float:
        """Layer-3 bytes offered early enough that they should have arrived by the end of the run."""
        if self.demand == "datagram":
            return float(self.sent.at(end_ps - self.shift_ps - self.spread_ps))
        if self.unsent is not None:
            return float(self.unsent[0].at(end_ps - self.startup_ps)) * self.layer3_share
        if self.nominal_bps == np.inf:
            return 0.0
        lasting = max(0, self.stop_ps - self.start_ps - self.startup_ps)
        return self.nominal_bps / 8 * lasting / SECOND_PS


def endpoints_of(samples: Samples, trial: Trial, slice_name: str, terms: Terms) -> list[Endpoints]:
    """The services of one slice as their endpoints saw them."""
    return [
        _endpoints(samples, trial, index, terms)
        for index, name in enumerate(samples.services)
        if getattr(trial.services[name], "slice", None) == slice_name
    ]


def _endpoints(samples: Samples, trial: Trial, index: int, terms: Terms) -> Endpoints:
    service = trial.services[samples.services[index]]
    start, stop = active_interval_ps(samples, service, index)
    promised = None if service.slice is None else trial.slices[service.slice]
    if promised is not None and promised.period:  # its first message may wait so long for its window
        start = min(start + promised.period, stop)
    demand = _demand(samples, service, index)
    startup = 0
    if demand != "datagram":
        startup = terms.startup_for(stop - start, _rtt_ps(samples, index))
    share = _layer3_share(samples, index)
    return Endpoints(
        index=index,
        demand=demand,
        start_ps=start,
        stop_ps=stop,
        startup_ps=startup,
        shift_ps=int(samples.latency_min_ps[index])
        if demand == "datagram" and samples.latency_count[index]
        else 0,
        spread_ps=int(samples.latency_max_ps[index] - samples.latency_min_ps[index])
        if demand == "datagram" and samples.latency_count[index]
        else 0,
        delivered=layer3_curve(samples, index),
        sent=_sent_curve(samples, index),
        nominal_bps=_nominal_bps(samples, trial, service, index, demand, share),
        layer3_share=share,
        unsent=_unsent(samples, index) if demand == "flows" else None,
    )


def _demand(samples: Samples, service: Any, index: int) -> str:
    if int(samples.service_header_bytes[index]) < SMALLEST_TCP_HEADERS:
        return "datagram"
    if service.kind == "stream":
        return "paced"
    flows = flows_of(samples, index)
    unlimited = len(flows) > 0 and (flows["size_bytes"] < 0).all()
    return "saturating" if service.kind == "bulk" or unlimited else "flows"


def _nominal_bps(
    samples: Samples, trial: Trial, service: Any, index: int, demand: str, share: float
) -> float:
    """Layer-3 rate that the hosts can ask of the network; infinite where nothing at them limits it."""
    if demand == "paced":
        on, off = getattr(service, "on", None), getattr(service, "off", None)
        duty = on / (on + off) if on and off else 1.0
        return float(service.rate) * len(flows_of(samples, index)) * duty
    if demand == "saturating":
        return _buffer_limit_bps(samples, trial, service, index) * share
    return np.inf


def _buffer_limit_bps(samples: Samples, trial: Trial, service: Any, index: int) -> float:
    """Flows x the smaller stated buffer / smallest round trip: what the hosts' own buffers let through."""
    transport = trial.transport_of(service)
    stated = [getattr(transport, key, None) for key in ("send_buffer", "receive_buffer")]
    sizes = [int(size) for size in stated if isinstance(size, int)]
    rtt = _rtt_ps(samples, index)
    if not sizes or not rtt:
        return np.inf
    return len(flows_of(samples, index)) * min(sizes) * 8 * SECOND_PS / rtt


def _rtt_ps(samples: Samples, index: int) -> int:
    if samples.rtt_count[index]:
        return int(samples.rtt_min_ps[index])
    return 2 * int(samples.latency_min_ps[index]) if samples.latency_count[index] else 0


def _layer3_share(samples: Samples, index: int) -> float:
    """Layer-3 bytes per payload byte, from what was sent for the first time."""
    last = samples.service_series[-1, index]
    fresh = int(last["sent_packets"]) - int(last["retransmissions"])
    payload = int(last["sent_bytes"])
    return 1 + fresh * int(samples.service_header_bytes[index]) / payload if payload else 1.0


def _sent_curve(samples: Samples, index: int) -> Curve:
    """Layer-3 bytes put on the network by the sending host, retransmissions included."""
    payload = service_curve(samples, index, "sent_bytes")
    last = samples.service_series[-1, index]
    fresh = int(last["sent_packets"]) - int(last["retransmissions"])
    mean_payload = int(last["sent_bytes"]) / fresh if fresh else 0.0
    paths = max(1, int(samples.messages[index]["paths"]))  # every packet is sent so often, and offered once
    packets = service_curve(samples, index, "sent_packets").at(payload.times_ps) / paths
    again = service_curve(samples, index, "retransmissions").at(payload.times_ps)
    header = int(samples.service_header_bytes[index])
    return Curve(payload.times_ps, payload.values + again * mean_payload + packets * header)


def _unsent(samples: Samples, index: int) -> tuple[Curve, Curve]:
    """(payload brought by the flows so far, payload sent for the first time), bytes."""
    flows = flows_of(samples, index)
    flows = flows[flows["size_bytes"] >= 0]
    order = np.argsort(flows["start_ps"], kind="stable")
    starts = flows["start_ps"][order]
    total = np.cumsum(flows["size_bytes"][order]).astype(np.float64)
    times = np.concatenate([[-1], np.repeat(starts, 2)])
    values = np.concatenate([[0.0], np.stack([total - flows["size_bytes"][order], total], axis=1).ravel()])
    return Curve(_strictly(times), values), service_curve(samples, index, "sent_bytes")


def _strictly(times: np.ndarray) -> np.ndarray:
    """The instants with each step's second point one ps later, so that a step stays a step."""
    moved = times.copy()
    moved[2::2] += 1
    return np.maximum.accumulate(moved)
