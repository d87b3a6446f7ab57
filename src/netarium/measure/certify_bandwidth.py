"""Verdict on bandwidth: over every window with enough to send, did the slice carry what it promised?

Counted at layer 3 (IP packets): the goodput plus the headers of the packets that brought it. A window starts
at every sample instant. It binds when the services surely offered the promised rate in it, after the
start-up of tcp. Services that never offered that much have the promise kept when all that they offered
arrived.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from netarium.measure.endpoints import Endpoints
from netarium.measure.terms import Terms
from netarium.measure.verdicts import DELIVERED, NOT_CERTIFIABLE, NOT_DELIVERED, objective
from netarium.units import SECOND_PS, format_rate, format_time

if TYPE_CHECKING:
    from netarium.run.samples import Samples


@dataclass(frozen=True)
class _Windows:
    """Sliding windows of one slice: starts (ps), and layer-3 bytes offered and delivered in each."""

    starts_ps: np.ndarray
    length_ps: int
    offered: np.ndarray
    delivered: np.ndarray

    def rates_bps(self, chosen: np.ndarray) -> np.ndarray:
        return self.delivered[chosen] * 8 * SECOND_PS / self.length_ps


def certify_bandwidth(
    samples: Samples, members: list[Endpoints], promised_bps: int, terms: Terms
) -> dict[str, Any]:
    """The bandwidth row of a certificate; `observed` is the rate of the worst window that binds."""
    moving = [member for member in members if member.sent.values[-1] > 0]
    if not moving:
        reason = "its services sent nothing" if members else "no service uses the slice"
        return objective("bandwidth", "bit/s", NOT_CERTIFIABLE, promised_bps, None, reason, {"windows": 0})
    windows = _windows(samples, moving, terms)
    required = promised_bps * (1 - terms.tolerance)
    needed_bytes = required / 8 * windows.length_ps / SECOND_PS
    binding = windows.offered >= needed_bytes * (1 - 1e-9)
    figures = {
        "window_s": windows.length_ps / SECOND_PS,
        "tolerance": terms.tolerance,
        "required_bps": required,
        "startup_s": max(member.startup_ps for member in moving) / SECOND_PS,
        "ramp_up_s": _ramp_up_s(samples, moving, required),
        "windows": int(binding.sum()),
    }
    if not binding.any():
        return _offered_less(samples, moving, promised_bps, windows, figures)
    rates = windows.rates_bps(binding)
    return _judge(promised_bps, windows.starts_ps[binding], rates, figures)


def _judge(
    promised_bps: int, starts_ps: np.ndarray, rates: np.ndarray, figures: dict[str, Any]
) -> dict[str, Any]:
    worst = int(np.argmin(rates))
    short = int((rates < figures["required_bps"] * (1 - 1e-9)).sum())
    figures |= {
        "mean_bps": float(rates.mean()),
        "worst_at_s": float(starts_ps[worst]) / SECOND_PS,
        "windows_short": short,
    }
    length = format_time(figures["window_s"] * SECOND_PS)
    terms = f"tolerance {figures['tolerance'] * 100:g} %"
    if figures["startup_s"]:
        terms += f", the first {format_time(figures['startup_s'] * SECOND_PS)} of start-up left out"
    seen = f"{len(rates)} windows of {length} ({terms})"
    slowest = f"{format_rate(float(rates[worst]))} in the slowest, at {format_time(float(starts_ps[worst]))}"
    if short:
        reason = f"{short} of {seen} carried less than {format_rate(figures['required_bps'])}: {slowest}"
    else:
        reason = f"kept in all {seen}: {slowest}"
    verdict = NOT_DELIVERED if short else DELIVERED
    return objective("bandwidth", "bit/s", verdict, promised_bps, float(rates[worst]), reason, figures)


def _windows(samples: Samples, members: list[Endpoints], terms: Terms) -> _Windows:
    first = min(member.start_ps for member in members)
    last = max(member.stop_ps for member in members)
    sample_ps = int(np.median(np.diff(np.concatenate([[0], samples.times_ps]))))
    length = terms.window_for(last - first, sample_ps)
    # what a window's end cuts off of packets that are slower than the quickest must lie within the tolerance
    uneven = max(member.spread_ps for member in members) / max(terms.tolerance, 1e-3)
    length = max(length, -(-int(uneven) // sample_ps) * sample_ps)
    shift = max(member.shift_ps for member in members)
    instants = np.concatenate([[0], samples.times_ps])
    starts = instants[(instants >= first) & (instants + length + shift <= int(samples.times_ps[-1]))]
    offered = sum(member.offered_bytes(starts, starts + length) for member in members)
    delivered = sum(member.delivered_bytes(starts, starts + length) for member in members)
    return _Windows(starts, length, np.asarray(offered), np.asarray(delivered))


def _ramp_up_s(samples: Samples, members: list[Endpoints], required_bps: float) -> float | None:
    """Time from the first start to the end of the first sample interval that carried the required rate."""
    edges = np.concatenate([[0], samples.times_ps])
    carried = sum(member.delivered.rise(edges[:-1], edges[1:]) for member in members)
    reached = carried * 8 * SECOND_PS / np.diff(edges) >= required_bps
    if not reached.any():
        return None
    return (int(edges[int(np.argmax(reached)) + 1]) - min(m.start_ps for m in members)) / SECOND_PS


def _offered_less(
    samples: Samples, members: list[Endpoints], promised_bps: int, windows: _Windows, figures: dict[str, Any]
) -> dict[str, Any]:
    """No window binds: the services offered less than promised, or were not active long enough to say."""
    end_ps = int(samples.times_ps[-1])
    offered = sum(member.offered_total_bytes(end_ps) for member in members)
    delivered = sum(float(member.delivered.values[-1]) for member in members)
    first, last = min(m.start_ps for m in members), max(m.stop_ps for m in members)
    rate = delivered * 8 * SECOND_PS / max(last - first, 1)
    if offered == 0 or any(
        member.demand == "saturating" and member.nominal_bps == np.inf for member in members
    ):
        needed = format_time(figures["startup_s"] * SECOND_PS + windows.length_ps)
        reason = f"active for {format_time(last - first)}; start-up and one window take {needed}"
        return objective("bandwidth", "bit/s", NOT_CERTIFIABLE, promised_bps, rate, reason, figures)
    figures |= {
        "offered_bytes": offered,
        "delivered_bytes": delivered,
        "delivered_share": delivered / offered,
    }
    offered_bps = offered * 8 * SECOND_PS / (last - first)
    asked = f"its services offered less than promised, {format_rate(offered_bps)}"
    short = _datagram_windows_short(members, windows, figures["tolerance"])
    if delivered < offered * (1 - figures["tolerance"]):
        reason = f"{asked} on average, and only {100 * delivered / offered:.4g} % of it arrived"
    elif short:
        figures["windows_short"] = short
        reason = f"{asked} on average, and in {short} windows less than that arrived"
    else:
        reason = f"{asked} on average, and {min(100.0, 100 * delivered / offered):.4g} % of it arrived"
        return objective("bandwidth", "bit/s", DELIVERED, promised_bps, rate, reason, figures)
    return objective("bandwidth", "bit/s", NOT_DELIVERED, promised_bps, rate, reason, figures)


def _datagram_windows_short(members: list[Endpoints], windows: _Windows, tolerance: float) -> int:
    """Windows in which fewer datagrams arrived than were sent (one packet of each service apart)."""
    if any(member.demand != "datagram" for member in members):
        return 0
    packet_bytes = 65_535.0 * len(members)  # the largest IP packet: at most one is cut by each window's end
    return int((windows.delivered < windows.offered * (1 - tolerance) - packet_bytes).sum())


def excess_bytes(
    samples: Samples, members: list[Endpoints], bandwidth_bps: int, burst_bytes: int
) -> tuple[float, float]:
    """(layer-3 bytes sent beyond the reservation, all bytes sent), at least: a token bucket over the
    intervals.

    Bursts inside a sample interval are not seen, so the true excess can only be larger.
    """
    edges = np.concatenate([[0], samples.times_ps])
    sent = sum(member.sent.rise(edges[:-1], edges[1:]) for member in members)
    refill = bandwidth_bps / 8 * np.diff(edges) / SECOND_PS
    tokens, excess = float(burst_bytes), 0.0
    for bytes_sent, earned in zip(np.asarray(sent), refill, strict=True):
        tokens += earned - bytes_sent
        if tokens < 0:
            excess, tokens = excess - tokens, 0.0
        tokens = min(tokens, float(burst_bytes))
    return excess, float(np.asarray(sent).sum())
