"""Whether an emulated run can be believed: how late the engine was, what linktest found, what became of the programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from netarium.measure import played
from netarium.measure.verdicts import CERTIFIED, NOT_CERTIFIABLE
from netarium.units import SECOND_PS, format_time

DROPPED = {
    "refused_frames": "in hosts before the engine could read them",
    "overrun_frames": "by hosts' kernels, which could not take them so fast",
}
"""What hosts dropped because of the engine, by its key in the record."""


def emulation_document(samples: Any, trial: Any, emulated: Any) -> dict[str, Any]:
    """The `emulation` part of the metrics document. `reasons` says why the run is not certifiable; empty: it is."""
    tolerance_s = trial.emulate.tolerance / SECOND_PS
    reasons = late_reasons(samples.engine, tolerance_s)
    reasons += [finding.sentence() for finding in emulated.findings if finding.passed is False]
    judged = [finding.passed for finding in emulated.findings if finding.passed is not None]
    return {
        "tolerance_s": tolerance_s,
        "lateness_s": lateness_of(samples.engine),
        "certifiable": not reasons,
        "reasons": reasons,
        "linktest": {
            "passed": all(judged) if judged else None,
            "findings": [asdict(finding) for finding in emulated.findings],
            "left_out": list(emulated.left_out),
        },
        "programs": played.program_documents(emulated.outcomes),
    }


def lateness_of(engine: Mapping[str, Any]) -> dict[str, float]:
    """p50, p99, p999 and max of how late frames reached their hosts, in seconds; empty when it was not measured."""
    frames = (engine.get("real_time") or {}).get("frames") or {}
    return {word: float(frames[word]) for word in ("p50", "p99", "p999", "max") if word in frames}


def late_reasons(engine: Mapping[str, Any], tolerance_s: float) -> list[str]:
    """Why a run that was so late is not certifiable, and where the engine's time went; empty when it is.

    It is when 99.9 % of its frames were written within the tolerance, when in 99.9 % of its turns nothing had waited longer to
    be read, and when hosts dropped none.
    """
    real_time, lateness = engine.get("real_time") or {}, lateness_of(engine)
    if not lateness:
        return ["the engine's lateness was not measured"]
    reasons = []
    allowed = format_time(round(tolerance_s * SECOND_PS))
    late_s, unread_s = lateness["p999"], float((real_time.get("unread") or {}).get("p999", 0.0))
    if late_s > tolerance_s:
        late = format_time(round(late_s * SECOND_PS))
        reasons.append(
            f"one frame in a thousand reached its host {late} late or later, and {allowed} are allowed"
        )
    if unread_s > tolerance_s:
        unread = format_time(round(unread_s * SECOND_PS))
        reasons.append(
            f"in one turn of a thousand what hosts sent had waited up to {unread} or longer to be read, and "
            f"{allowed} are allowed"
        )
    for key, what in DROPPED.items():
        if count := int(real_time.get(key, 0)):
            reasons.append(f"{count} frames were dropped {what}")
    spent = real_time.get("time_s") or {}
    total = sum(spent.values())
    if reasons and total:
        shares = ", ".join(f"{name} {100 * value / total:.0f} %" for name, value in spent.items())
        stolen_s = float(real_time.get("stolen_s", 0.0))
        stolen = f"; the hypervisor took {stolen_s:.2g} s of CPU time" if stolen_s else ""
        reasons[-1] += f" (the engine's time: {shares}{stolen})"
    return reasons


def doubt(certificates: Mapping[str, dict[str, Any]], reasons: list[str]) -> None:
    """Make every certificate not certifiable, in place, with the reasons; nothing where there are none."""
    for certificate in certificates.values() if reasons else ():
        certificate["verdict"], certificate["certified"] = NOT_CERTIFIABLE, CERTIFIED[NOT_CERTIFIABLE]
        certificate["reasons"] = [*certificate["reasons"], *reasons]
