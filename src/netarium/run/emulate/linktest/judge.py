"""What the probes say: delay, rate and loss of each pair against the description, with what chance allows."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from netarium.run.emulate.linktest.described import Described
from netarium.run.emulate.linktest.schedule import HEADERS_BYTES, RATE_BPS_MAX, Schedule, Stream

RATE_TOLERANCE = 0.05
CHANCE = 0.001
"""Two-sided probability with which the described loss would give a count outside of what passes."""


@dataclass(frozen=True)
class Finding:
    """One comparison, in SI units. passed None: it could not be made; `note` says why."""

    phase: str
    src: str
    dst: str
    what: str
    described: float | None
    measured: float | None
    passed: bool | None
    note: str = ""

    def sentence(self) -> str:
        """The finding in words, for reasons."""
        pair = f"linktest {self.phase} the trial, {self.src} to {self.dst}"
        return f"{pair}: {self.what} {_number(self.measured)} where {_number(self.described)} is described"


def _number(value: float | None) -> str:
    return "nothing" if value is None else f"{value:.6g}"


def judge(schedule: Schedule, outcomes: Iterable[Mapping[str, Any]], tolerance_s: float) -> list[Finding]:
    """Compare what all probers of a phase printed with the description."""
    sent: dict[int, list[int | None]] = {}
    arrived: dict[int, dict[int, int]] = {}
    for outcome in outcomes:
        sent |= {int(number): times for number, times in outcome["sent"].items()}
        for number, rows in outcome["received"].items():
            arrived.setdefault(int(number), {}).update({int(seq): ns for seq, ns in rows})
    findings = []
    for stream in schedule.streams:
        if stream.kind == "small":
            times, found = sent.get(stream.number, []), arrived.get(stream.number, {})
            findings += _small(schedule.phase, stream, times, found, tolerance_s)
    return findings + _rates(schedule, arrived)


def _small(
    phase: str, stream: Stream, sent: list[int | None], arrived: Mapping[int, int], tolerance_s: float
) -> list[Finding]:
    pair = stream.pair
    delays = [(arrived[seq] - ns) / 1e9 for seq, ns in enumerate(sent) if ns is not None and seq in arrived]
    count = sum(ns is not None for ns in sent)
    low, high = pair.one_way_s(stream.payload_bytes + HEADERS_BYTES)
    if not count:
        return [Finding(phase, pair.src, pair.dst, "delay_s", low, None, None, "no probe was sent")]
    lost = count - len(delays)
    loss = Finding(
        phase, pair.src, pair.dst, "loss", pair.loss, lost / count, _loss_fits(pair, lost, count, phase)
    )
    if not delays:
        return [Finding(phase, pair.src, pair.dst, "delay_s", low, None, False, "no probe arrived"), loss]
    if phase == "before":
        measured = statistics.median(delays)
        jitter = 0.0 if pair.jitter_s is None else pair.jitter_s
        fits = low - tolerance_s - jitter <= measured <= high + tolerance_s + jitter
        passed, note = (None, "jitter without a bound") if pair.jitter_s is None else (fits, "median")
        return [Finding(phase, pair.src, pair.dst, "delay_s", low, measured, passed, note), loss]
    return [_least_delay(phase, pair, min(delays), low, high, tolerance_s), loss]


def _least_delay(
    phase: str, pair: Described, measured: float, low: float, high: float, tolerance_s: float
) -> Finding:
    """While the trial runs: never faster than described; slower may be its own queues."""
    if pair.changes or pair.jitter_s is None or pair.jitter_s > 0:
        note = "events or impairments change it"
        return Finding(phase, pair.src, pair.dst, "delay_s", low, measured, None, note)
    if measured > high + tolerance_s:
        return Finding(
            phase, pair.src, pair.dst, "delay_s", low, measured, None, "never seen without a queue"
        )
    return Finding(
        phase, pair.src, pair.dst, "delay_s", low, measured, measured >= low - tolerance_s, "least"
    )


def _loss_fits(pair: Described, lost: int, count: int, phase: str) -> bool | None:
    """Whether the described loss explains what was lost; while the trial runs, queues lose too."""
    from scipy.stats import binom

    if phase == "during":
        return None
    if pair.loss <= 0.0:
        return lost == 0
    low, high = binom.ppf((CHANCE / 2, 1 - CHANCE / 2), count, pair.loss)
    return bool(low <= lost <= high)


def _rates(schedule: Schedule, arrived: Mapping[int, Mapping[int, int]]) -> list[Finding]:
    """Of each pair the median over its trains of bits over the time from the first to the last packet."""
    if schedule.phase != "before":
        return []
    pairs = dict.fromkeys(stream.pair for stream in schedule.streams)
    findings = []
    for pair in pairs:
        trains = [one for one in schedule.streams if one.pair == pair and one.kind == "train"]
        if not trains:
            fast = pair.rate_bps is not None and pair.rate_bps > RATE_BPS_MAX
            note = "faster than a prober can send" if fast else "not measured"
            findings.append(
                Finding("before", pair.src, pair.dst, "rate_bps", pair.rate_bps, None, None, note)
            )
            continue
        rates = [rate for one in trains if (rate := _rate(one, arrived.get(one.number, {}))) is not None]
        measured = statistics.median(rates) if rates else None
        assert pair.rate_bps is not None
        fits = measured is not None and abs(measured / pair.rate_bps - 1) <= RATE_TOLERANCE
        note = f"median of {len(rates)} trains"
        findings.append(
            Finding("before", pair.src, pair.dst, "rate_bps", pair.rate_bps, measured, fits, note)
        )
    return findings


def _rate(train: Stream, arrived: Mapping[int, int]) -> float | None:
    """Bits on the wire per second between the first packet's end and the last one's."""
    times = sorted(arrived.values())
    if len(times) < 2 or times[-1] <= times[0]:
        return None
    wire_bytes = train.payload_bytes + HEADERS_BYTES + train.pair.overhead_bytes
    return (len(times) - 1) * wire_bytes * 8.0 * 1e9 / (times[-1] - times[0])


def document(findings: Iterable[Finding], left: Iterable[str]) -> dict[str, Any]:
    """Findings for the record."""
    rows = [asdict(one) for one in findings]
    judged = [row["passed"] for row in rows if row["passed"] is not None]
    return {"passed": all(judged) if judged else None, "findings": rows, "left_out": list(left)}
