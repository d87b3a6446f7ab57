"""The metrics document: what `netarium run --json` prints and metrics.json keeps (docs/metrics.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from netarium.measure.certify import EXCESS_SHARE, certify
from netarium.measure.emulation import doubt, emulation_document
from netarium.measure.expectations import evaluate_expectations, in_words
from netarium.measure.measure import measure_links, measure_services
from netarium.measure.played import NOT_AS_EXPECTED, laid_over, service_overlays
from netarium.measure.projections import project
from netarium.measure.terms import Terms
from netarium.measure.verdicts import CERTIFIED, NOT_CERTIFIABLE, NOT_DELIVERED, overall
from netarium.measure.violations import violation
from netarium.units import SECOND_PS

if TYPE_CHECKING:
    from netarium.describe.trial import Trial
    from netarium.run.samples import Samples

FORMAT = 1
_BOUNDED = (
    ("latency", "latency_s", "latency_s_max"),
    ("delay variation", "delay_variation_s", "delay_variation_s"),
)


def metrics_document(
    samples: Samples,
    trial: Trial,
    *,
    run: str,
    digests: Mapping[str, str] | None = None,
    bounds: Mapping[str, Mapping[str, float]] | None = None,
    assumptions: Sequence[str] = (),
    terms: Terms | None = None,
    emulated: Any = None,
) -> dict[str, Any]:
    """Metrics, certificates and expectations of one run as one JSON document; keys and units as in
    docs/metrics.md.

    bounds: per slice what admission computed, SI with the unit in the key, such as {"latency_s": 0.0071}.
    emulated: what an emulated run brings beside its samples (run/emulate/outcome.py).
    `status` is succeeded, or failed when `failures` finds a reason; the caller may set another (interrupted).
    """
    document: dict[str, Any] = {
        "format": FORMAT,
        "trial": trial.trial,
        "run": run,
        "mode": str(trial.mode),
        "status": "succeeded",
        "seed": int(trial.seed),
        "digests": {**(digests or {}), "kernel": samples.kernel_digest, "samples": samples.digest()},
        "engine": _plain(samples.engine),
        "conservation": _plain(samples.conservation),
        "services": measure_services(samples, trial),
        "links": measure_links(samples),
        "slices": {},
        "projections": project(samples, trial),
        "expect": [],
        "assumptions": list(assumptions),
    }
    if emulated is not None:
        document["emulation"] = emulation_document(samples, trial, emulated)
        laid_over(document["services"], service_overlays(trial, emulated.outcomes))
    slack_s = 0.0 if emulated is None else trial.emulate.tolerance / SECOND_PS
    for name, certificate in certify(samples, trial, terms).items():
        bound = dict((bounds or {}).get(name, {}))
        document["slices"][name] = {
            "admitted": True,
            "bound": bound,
            **_against_bound(samples, certificate, bound, slack_s),
        }
    if emulated is not None:
        doubt(document["slices"], document["emulation"]["reasons"])
    document["expect"] = evaluate_expectations(trial.expect, samples, document, document["slices"])
    if failures(document):
        document["status"] = "failed"
    return document


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same with Python's own numbers instead of NumPy's, which JSON does not know."""
    return {
        key: _plain(value)
        if isinstance(value, Mapping)
        else value.item()
        if hasattr(value, "item")
        else value
        for key, value in values.items()
    }


def _against_bound(
    samples: Samples, certificate: dict[str, Any], bound: Mapping[str, float], slack_s: float = 0.0
) -> dict[str, Any]:
    """A packet beyond a computed bound is a failed run, whatever the promise was.

    slack_s: by how much an engine in real time may be late, which is added to the bound.
    Bounds hold for traffic within the reservation: services that sent more make it not certifiable instead.
    """
    beyond = [
        f"{word}: observed {in_words(certificate['observed'][seen], 's')}, above the computed bound of "
        f"{in_words(bound[key], 's')}"
        for word, key, seen in _BOUNDED
        if key in bound and certificate["observed"].get(seen, 0.0) > bound[key] + slack_s
    ]
    if not beyond:
        return certificate
    verdict = NOT_CERTIFIABLE if certificate["excess_share"] > EXCESS_SHARE else NOT_DELIVERED
    if verdict == NOT_CERTIFIABLE:
        beyond = [f"{text}, but the services sent more than was reserved" for text in beyond]
    verdict = overall([verdict, certificate["verdict"]])
    reasons = [*certificate["reasons"], *beyond]
    return {
        **certificate,
        "certified": CERTIFIED[verdict],
        "verdict": verdict,
        "reasons": reasons,
        "violation": violation(samples, certificate["services"], bound),
    }


def failures(document: Mapping[str, Any]) -> list[str]:
    """Why the run is not a success (exit code 1): expectations not met, slices not certified. Empty: none.

    A slice that is not certifiable fails too: nobody can say that its promise was kept. A slice about which
    an expectation says `certified: false` is judged by that expectation alone.
    """
    emulation = document.get("emulation") or {}
    reasons = [f"not certifiable: {reason}" for reason in emulation.get("reasons", [])]
    reasons += [
        f"program {name} on {one['node']}: {one['reason'] or one['status']}"
        for name, one in emulation.get("programs", {}).items()
        if one["status"] in NOT_AS_EXPECTED
    ]
    judged = {entry["metric"] for entry in document["expect"] if entry["limit"] is False}
    for name, certificate in document["slices"].items():
        if certificate["certified"] is not True and f"slices.{name}.certified" not in judged:
            why = "; ".join(certificate["reasons"]) or "nothing was promised"
            reasons.append(f"slice {name} {certificate['verdict'].replace('_', ' ')}: {why}")
    for entry in document["expect"]:
        if not entry["met"]:
            reasons.append(f"expected {entry['text']}, found {_found(entry)}")
    return reasons


def _found(entry: Mapping[str, Any]) -> str:
    value = entry["value"]
    if value is None or isinstance(value, bool):
        return entry.get("reason") or ("certified" if value else "not certified")
    return in_words(value, entry["unit"])
