"""Whether an emulated run can be believed: how late the engine was, what linktest found, what became of the programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from netarium.measure import played
from netarium.measure.verdicts import CERTIFIED, NOT_CERTIFIABLE
from netarium.units import SECOND_PS, format_time


def emulation_document(samples: Any, trial: Any, emulated: Any) -> dict[str, Any]:
    """The `emulation` part of the metrics document. `reasons` says why the run is not certifiable; empty: it is."""
    tolerance_s = trial.emulate.tolerance / SECOND_PS
    lateness = lateness_of(samples.engine)
    reasons = late_reasons(lateness, tolerance_s)
    reasons += [finding.sentence() for finding in emulated.findings if finding.passed is False]
    judged = [finding.passed for finding in emulated.findings if finding.passed is not None]
    return {
        "tolerance_s": tolerance_s,
        "lateness_s": lateness,
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
    """p50, p99 and max of the engine's lateness in seconds, as far as it was measured."""
    found = {word: engine.get(f"lateness_s_{word}") for word in ("p50", "p99", "max")}
    return {word: float(value) for word, value in found.items() if value is not None}


def late_reasons(lateness: Mapping[str, float], tolerance_s: float) -> list[str]:
    """Why lateness makes a run not certifiable; empty when it does not."""
    p99 = lateness.get("p99")
    if p99 is None:
        return ["the engine's lateness was not measured"]
    if p99 <= tolerance_s:
        return []
    late, allowed = format_time(round(p99 * SECOND_PS)), format_time(round(tolerance_s * SECOND_PS))
    return [f"the engine was late by {late} (99 % of the time less), and {allowed} are allowed"]


def doubt(certificates: Mapping[str, dict[str, Any]], reasons: list[str]) -> None:
    """Make every certificate not certifiable, in place, with the reasons; nothing where there are none."""
    for certificate in certificates.values() if reasons else ():
        certificate["verdict"], certificate["certified"] = NOT_CERTIFIABLE, CERTIFIED[NOT_CERTIFIABLE]
        certificate["reasons"] = [*certificate["reasons"], *reasons]
