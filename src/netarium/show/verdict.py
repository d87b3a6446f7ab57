"""What a run amounts to in one line: passed, failed, or why there is no result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from netarium.errors import MachineCannot
from netarium.show import quantity
from netarium.show.record import Record

DELIVERED, NOT_DELIVERED, NOT_CERTIFIABLE = "delivered", "not delivered", "not certifiable"
GOOD, BAD, UNSURE, PLAIN = "good", "bad", "unsure", "plain"
PROGRAM_FAILED = ("failed", "not started")
MARKS = {GOOD: "✓", BAD: "✗", UNSURE: "?", PLAIN: "•"}


@dataclass(frozen=True)
class Verdict:
    """`level` is good, bad, unsure or plain; `headline` is one word or two; `sentences` say why."""

    level: str
    headline: str
    sentences: list[str]

    @property
    def text(self) -> str:
        return ". ".join([self.headline, *self.sentences])


def slice_verdict(certificate: dict[str, Any]) -> str:
    """delivered, not delivered or not certifiable, for one entry of metrics.json's slices."""
    if certificate.get("admitted") is False:
        return "refused"
    stated = certificate.get("verdict")
    if isinstance(stated, str):
        return stated.replace("_", " ")
    return {True: DELIVERED, False: NOT_DELIVERED}.get(certificate.get("certified"), NOT_CERTIFIABLE)


def slice_reasons(certificate: dict[str, Any]) -> list[str]:
    """Why a slice was not delivered, as far as no objective says it: a bound exceeded, nothing sent."""
    if slice_verdict(certificate) in (DELIVERED, "refused"):
        return []
    told = [str(entry.get("reason") or "") for entry in certificate.get("objectives") or []]
    return [
        str(reason)
        for reason in certificate.get("reasons") or []
        if not any(known and known in str(reason) for known in told)
    ]


def level_of(verdict: str) -> str:
    return {DELIVERED: GOOD, NOT_DELIVERED: BAD, "refused": BAD}.get(verdict, UNSURE)


def expectation_level(expectation: dict[str, Any]) -> str:
    return {True: GOOD, False: BAD}.get(expectation.get("met"), UNSURE)


def expectation_value(expectation: dict[str, Any]) -> str:
    """What was observed for an expectation, with its unit."""
    if expectation.get("value") is None and str(expectation.get("metric", "")).endswith(".certified"):
        return NOT_CERTIFIABLE
    unit = expectation.get("unit") or quantity.unit_of(
        str(expectation.get("metric") or _metric_in(expectation))
    )
    return quantity.in_unit(expectation.get("value"), unit)


def _metric_in(expectation: dict[str, Any]) -> str:
    words = str(expectation.get("text", "")).split()
    return words[0] if words else ""


def judge(record: Record) -> Verdict:
    """The verdict over the whole run, from its status, expectations and slices."""
    reason = str((record.stop or {}).get("reason") or "")
    why = [reason.rstrip(".")] if reason else []
    if record.status == "running":
        return Verdict(UNSURE, "Running", ["The run has not ended yet, so it is not a result"])
    if record.status == "unfinished":
        return Verdict(UNSURE, "Unfinished", ["The run was killed before it ended, so it is not a result"])
    if record.status == "interrupted":
        return Verdict(UNSURE, "Interrupted", [*why, "what was recorded until then is not a result"])
    if record.status == "crashed" and (record.stop or {}).get("exit_code") == MachineCannot.exit_code:
        return Verdict(BAD, "Could not run here", why or ["No reason was recorded"])
    if record.status == "crashed":
        return Verdict(BAD, "Crashed", why or ["No reason was recorded"])
    if record.status == "refused":
        return Verdict(BAD, "Refused by admission", _refusals(record) or why)
    sentences, levels = _tally(record)
    failed, doubts = emulation_reasons(record)
    sentences += [*failed, *doubts]
    if BAD in levels or failed or (record.status == "failed" and not doubts):
        return Verdict(BAD, "Failed", sentences or why)
    if doubts:
        return Verdict(UNSURE, "Not certifiable", sentences)
    if UNSURE in levels:
        return Verdict(UNSURE, "Not certifiable", sentences)
    if not levels:
        return Verdict(PLAIN, "Completed", ["The trial states no expectation and no slice"])
    return Verdict(GOOD, "Passed", sentences)


def emulation_reasons(record: Record) -> tuple[list[str], list[str]]:
    """(programs that did not do as expected, why an emulated run is not certifiable), a sentence each."""
    emulation = record.metrics.get("emulation") or {}
    failed = [
        f"{name} on {one.get('node')} {one.get('reason') or one.get('status')}"
        for name, one in (emulation.get("programs") or {}).items()
        if one.get("status") in PROGRAM_FAILED
    ]
    return failed, [str(reason) for reason in emulation.get("reasons") or []]


def _tally(record: Record) -> tuple[list[str], set[str]]:
    expected = [expectation_level(entry) for entry in record.expectations]
    certified = [level_of(slice_verdict(entry)) for entry in record.slices.values()]
    sentences = []
    if expected:
        sentences.append(f"{_of(expected)} expectation{_s(expected)} met")
    if certified:
        sentences.append(f"{_of(certified)} slice{_s(certified)} certified")
    return sentences, set(expected) | set(certified)


def _of(levels: list[str]) -> str:
    return f"{levels.count(GOOD)} of {len(levels)}"


def _s(entries: list[str]) -> str:
    return "" if len(entries) == 1 else "s"


def _refusals(record: Record) -> list[str]:
    return [
        reason.rstrip(".") if name in reason else f"{name}: {reason}".rstrip(".")
        for name, entry in record.slices.items()
        if entry.get("admitted") is False
        for reason in entry.get("reasons") or ["no reason was recorded"]
    ]
