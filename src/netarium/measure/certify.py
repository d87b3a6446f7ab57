"""Certify: what each slice promised against what its endpoints saw, one verdict per objective.

Written apart from the engine: it reads counts and timestamps taken at the hosts
(netarium.measure.endpoints), never a counter of a port, queue or policer. A verdict is `delivered`,
`not_delivered` or `not_certifiable`, always with the promised and the observed value, the margin, the
figures behind it and the reason.

Objectives are those of RFC 9543, section 5.1.1.1:
- bandwidth: guaranteed minimum bandwidth, over every window in which the services had that much to send;
- latency: guaranteed maximum latency, one way (RFC 7679), the largest of all packets that arrived;
- delay_variation: the largest minus the smallest one-way delay of a flow (RFC 3393 with the selection
function of
  RFC 5481, section 4.2, PDV against the minimum);
- loss: maximum packet loss ratio (RFC 7680).
The exact meaning of each, and what is not certifiable, is in docs/metrics.md.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from netarium.measure.certify_bandwidth import certify_bandwidth, excess_bytes
from netarium.measure.certify_packets import (
    certify_delay_variation,
    certify_latency,
    certify_loss,
    packets_known_and_lost,
)
from netarium.measure.endpoints import Endpoints, endpoints_of
from netarium.measure.terms import Terms
from netarium.measure.verdicts import CERTIFIED, DELIVERED, NOT_CERTIFIABLE, NOT_DELIVERED, overall
from netarium.units import SECOND_PS, format_rate

if TYPE_CHECKING:
    from netarium.describe.trial import Trial
    from netarium.run.samples import Samples

EXCESS_SHARE = 0.01  # of the bytes sent: beyond it a failed objective may be the services' own doing


def certify(samples: Samples, trial: Trial, terms: Terms | None = None) -> dict[str, dict[str, Any]]:
    """A certificate per slice of the trial, by name.

    Each: certified (True, False, or None where it cannot be said), verdict, services, observed, reasons,
    objectives (list of dict: objective, verdict, promised, observed, margin, unit, figures, reason),
    excess_share (of the bytes sent, above the reservation), terms.
    """
    return {name: _certificate(samples, trial, name, terms or Terms()) for name in trial.slices}


def _certificate(samples: Samples, trial: Trial, name: str, terms: Terms) -> dict[str, Any]:
    promised = trial.slices[name]
    if promised.over is not None:
        terms = replace(terms, window_ps=promised.over)
    members = endpoints_of(samples, trial, name, terms)
    objectives = [certify_bandwidth(samples, members, int(promised.bandwidth), terms)]
    if promised.latency is not None:
        objectives.append(certify_latency(samples, members, int(promised.latency)))
    if promised.delay_variation is not None:
        objectives.append(certify_delay_variation(samples, members, int(promised.delay_variation)))
    if promised.loss is not None:
        objectives.append(
            certify_loss(samples, members, float(promised.loss), terms.confidence, promised.over)
        )
    excess = _excuse_excess(samples, members, promised, objectives, terms)
    verdict = overall(entry["verdict"] for entry in objectives)
    return {
        "certified": CERTIFIED[verdict],
        "verdict": verdict,
        "services": [samples.services[member.index] for member in members],
        "observed": _observed(samples, members, objectives),
        "reasons": [
            f"{entry['objective']} {entry['verdict'].replace('_', ' ')}: {entry['reason']}"
            for entry in objectives
            if entry["verdict"] != DELIVERED
        ],
        "objectives": objectives,
        "excess_share": excess,
        "terms": {
            "bandwidth_tolerance": terms.tolerance,
            "confidence": terms.confidence,
            "over_s": None if promised.over is None else promised.over / SECOND_PS,
        },
    }


def _observed(samples: Samples, members: list[Endpoints], objectives: list[dict[str, Any]]) -> dict[str, Any]:
    """What was seen, promised or not: the worst over the services of the slice; only what was measured."""
    found = {
        "bandwidth_bps": [entry["observed"] for entry in objectives if entry["objective"] == "bandwidth"],
        "latency_s_max": [],
        "delay_variation_s": [],
        "loss": [],
    }
    for member in members:
        if samples.latency_count[member.index]:
            found["latency_s_max"].append(int(samples.latency_max_ps[member.index]) / SECOND_PS)
            found["delay_variation_s"].append(int(samples.delay_variation_max_ps[member.index]) / SECOND_PS)
    known, lost = packets_known_and_lost(samples, members)
    found["loss"] = [lost / known] if known else []
    return {key: max(values) for key, values in found.items() if values and None not in values}


def _excuse_excess(
    samples: Samples, members: list[Endpoints], promised: Any, objectives: list[dict[str, Any]], terms: Terms
) -> float:
    """Loss and delay of a service that sent more than was reserved cannot be held against the slice.

    Returns the share of the bytes sent that was above the reservation.

    The promise is for traffic within the reservation (bandwidth and burst); what exceeds it may be policed.
    The endpoints cannot tell which packets were in excess, so such an objective is not certifiable, not
    failed; except a loss of more than all that was in excess (of what the bandwidth objective tolerates).
    """
    if not members:
        return 0.0
    bandwidth, burst = int(promised.bandwidth), int(promised.burst or 0)
    excess, sent = excess_bytes(samples, members, bandwidth, burst)
    if sent == 0 or excess / sent <= EXCESS_SHARE:
        return excess / sent if sent else 0.0
    policed, _ = excess_bytes(samples, members, round(bandwidth * (1 - terms.tolerance)), burst)
    for entry in objectives:
        beyond = entry["objective"] == "loss" and entry["figures"]["loss_ratio"] > policed / sent
        if entry["objective"] == "bandwidth" or entry["verdict"] != NOT_DELIVERED or beyond:
            continue
        entry["verdict"] = NOT_CERTIFIABLE
        entry["figures"]["excess_share"] = excess / sent
        entry["reason"] += (
            f"; but {100 * excess / sent:.3g} % of what the services sent was above the reservation of "
            f"{format_rate(bandwidth)}, and the promise is for traffic within it"
        )
    return excess / sent
