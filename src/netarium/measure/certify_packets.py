"""Verdicts on latency, delay variation and loss, from the packets that the endpoints sent and received."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from netarium.measure.endpoints import Endpoints
from netarium.measure.histogram import later_than, percentiles_ps
from netarium.measure.intervals import lower_limit, trials_to_prove, upper_limit
from netarium.measure.verdicts import DELIVERED, NOT_CERTIFIABLE, NOT_DELIVERED, objective
from netarium.units import SECOND_PS, format_time

if TYPE_CHECKING:
    from netarium.run.samples import Samples


def certify_latency(samples: Samples, members: list[Endpoints], promised_ps: int) -> dict[str, Any]:
    """Delivered when no packet that arrived was later than promised; a lost packet counts as loss, not
    here."""
    chosen = [member.index for member in members if samples.latency_count[member.index]]
    promised = promised_ps / SECOND_PS
    if not chosen:
        reason = "no packet of its services arrived"
        return objective("latency", "s", NOT_CERTIFIABLE, promised, None, reason, {"packets": 0})
    largest = int(samples.latency_max_ps[chosen].max())
    smallest = int(samples.latency_min_ps[chosen].min())
    counts = samples.latency_counts[chosen].sum(axis=0)
    packets = int(samples.latency_count[chosen].sum())
    edges = samples.latency_edges_ps
    p99, p999 = percentiles_ps(counts, edges, (0.99, 0.999), smallest, largest)
    figures = {
        "packets": packets,
        "min_s": smallest / SECOND_PS,
        "p99_s": p99 / SECOND_PS,
        "p999_s": p999 / SECOND_PS,
        "max_s": largest / SECOND_PS,
    }
    if largest <= promised_ps:
        reason = f"all {packets:,} packets arrived within {format_time(largest)}"
        return objective("latency", "s", DELIVERED, promised, largest / SECOND_PS, reason, figures)
    late = max(1, later_than(counts, edges, promised_ps))
    first = _first_late_ps(samples, chosen, promised_ps)
    figures |= {"late_packets_at_least": late, "first_late_s": first / SECOND_PS}
    reason = (
        f"at least {late:,} of {packets:,} packets were later than {format_time(promised_ps)}, "
        f"the first by {format_time(first)}, the latest took {format_time(largest)}"
    )
    return objective("latency", "s", NOT_DELIVERED, promised, largest / SECOND_PS, reason, figures)


def _first_late_ps(samples: Samples, chosen: list[int], promised_ps: int) -> int:
    """End of the first sample interval in which a packet arrived later than promised."""
    windows = samples.window_latency[:, chosen]
    late = ((windows["count"] > 0) & (windows["max_ps"] > promised_ps)).any(axis=1)
    return int(samples.times_ps[int(np.argmax(late))] if late.any() else samples.times_ps[-1])


def certify_delay_variation(samples: Samples, members: list[Endpoints], promised_ps: int) -> dict[str, Any]:
    """Delivered when the largest minus the smallest one-way latency of each flow stays within the promise."""
    chosen = [member.index for member in members if samples.latency_count[member.index] > 1]
    promised = promised_ps / SECOND_PS
    packets = int(samples.latency_count[chosen].sum())
    if not chosen:
        reason = "fewer than two packets of a service arrived, and one has no variation"
        return objective(
            "delay_variation", "s", NOT_CERTIFIABLE, promised, None, reason, {"packets": packets}
        )
    largest = int(samples.delay_variation_max_ps[chosen].max())
    worst = chosen[int(np.argmax(samples.delay_variation_max_ps[chosen]))]
    figures = {"packets": packets, "service": samples.services[worst]}
    verdict = DELIVERED if largest <= promised_ps else NOT_DELIVERED
    reason = f"one-way latency of a flow varied by up to {format_time(largest)} over {packets:,} packets"
    return objective("delay_variation", "s", verdict, promised, largest / SECOND_PS, reason, figures)


def packets_known_and_lost(samples: Samples, members: list[Endpoints]) -> tuple[int, int]:
    """(packets whose fate is known at the end of the run, those of them that never arrived); of a packet that went by
    several paths, when no copy arrived."""
    chosen = [member.index for member in members]
    last, copied = samples.service_series[-1, chosen], samples.messages[chosen]
    twice = copied["paths"] > 0
    known = np.where(
        twice, copied["sent"] - copied["undecided"], last["sent_packets"] - last["in_flight_packets"]
    )
    came = np.where(twice, last["delivered_packets"], last["received_packets"])
    return int(known.sum()), int(np.maximum(known - came, 0).sum())


def certify_loss(
    samples: Samples, members: list[Endpoints], promised: float, confidence: float, over_ps: int | None = None
) -> dict[str, Any]:
    """A promise of 0 is kept when every packet whose fate is known arrived; another needs enough packets.

    With k of n lost the true ratio lies below an exact upper limit (Clopper-Pearson, one-sided): delivered
    when that is within the promise, not delivered when the lower limit exceeds it, else not certifiable. With
    `over_ps` no window of that length may lose more than promised either.
    """
    known, lost = packets_known_and_lost(samples, members)
    figures: dict[str, Any] = {"packets": known, "lost": lost, "loss_ratio": lost / known if known else 0.0}
    if known == 0:
        reason = "no packet of its services was sent that had time to arrive"
        return objective("loss", "ratio", NOT_CERTIFIABLE, promised, None, reason, figures)
    alpha = 1 - confidence
    low, high = lower_limit(lost, known, alpha), upper_limit(lost, known, alpha)
    figures |= {"lower_limit": low, "upper_limit": high, "confidence": confidence}
    verdict, reason = _loss_verdict(promised, lost, known, low, high, figures)
    if over_ps is not None and verdict != NOT_DELIVERED:
        worst, at_ps = _worst_window(samples, members, over_ps)
        figures |= {"worst_window_ratio": worst, "worst_window_at_s": at_ps / SECOND_PS}
        if worst > promised:
            verdict = NOT_DELIVERED
            reason = (
                f"in the {format_time(over_ps)} from {format_time(at_ps)} on a part of {worst:.3g} was lost"
            )
    return objective("loss", "ratio", verdict, promised, lost / known, reason, figures)


def _worst_window(samples: Samples, members: list[Endpoints], over_ps: int) -> tuple[float, int]:
    """(largest part of the packets sent in any window of this length that was lost in it, where the window starts, ps)."""
    once = [member.index for member in members if not samples.messages[member.index]["paths"]]
    rows = samples.service_series[:, once]
    sent = np.concatenate([[0], rows["sent_packets"].sum(axis=1)])
    gone = rows["sent_packets"] - rows["in_flight_packets"] - rows["received_packets"]
    lost = np.concatenate([[0], gone.sum(axis=1)])
    instants = np.concatenate([[0], samples.times_ps])
    last = np.minimum(np.searchsorted(instants, instants + over_ps), len(instants) - 1)
    part = (lost[last] - lost) / np.maximum(sent[last] - sent, 1)
    worst = int(np.argmax(part))
    return float(part[worst]), int(instants[worst])


def _loss_verdict(
    promised: float, lost: int, known: int, low: float, high: float, figures: dict[str, Any]
) -> tuple[str, str]:
    seen = f"{lost:,} of {known:,} packets were lost"
    if promised == 0:
        return (NOT_DELIVERED, seen) if lost else (DELIVERED, f"all {known:,} packets arrived")
    sure = f"at {figures['confidence'] * 100:g} % confidence"
    if high <= promised:
        return DELIVERED, f"{seen}: a ratio of at most {high:.3g} {sure}"
    if low > promised:
        return NOT_DELIVERED, f"{seen}: a ratio of at least {low:.3g} {sure}"
    if lost / known > promised:
        return NOT_CERTIFIABLE, f"{seen}, above the promise, but too few packets to be sure ({sure})"
    needed = _packets_needed(promised, lost, known, 1 - figures["confidence"])
    figures["packets_needed"] = needed
    return NOT_CERTIFIABLE, f"{seen}; {needed:,} packets are needed to prove a ratio of {promised:g} {sure}"


def _packets_needed(promised: float, lost: int, known: int, alpha: float) -> int:
    """The fewest packets (to 1 %) that would prove the promise if the ratio seen so far went on.

    Without a loss it is the rule of three, 3/p at 95 %.
    """
    if lost == 0:
        return trials_to_prove(promised, alpha)
    ratio, low, high = lost / known, known, 2 * known
    while upper_limit(round(ratio * high), high, alpha) > promised and high < 10**18:
        low, high = high, 2 * high
    while high - low > high // 100 + 1:
        middle = (low + high) // 2
        enough = upper_limit(round(ratio * middle), middle, alpha) <= promised
        low, high = (low, middle) if enough else (middle, high)
    return high
