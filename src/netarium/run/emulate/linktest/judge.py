"""What the probes say: delay, rate and loss of each pair against the description, with what chance allows."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from netarium.run.emulate.linktest.described import Described
from netarium.run.emulate.linktest.schedule import HEADERS_BYTES, RATE_BPS_MAX, Schedule, Stream
from netarium.units import SECOND_PS, format_rate, format_time

RATE_TOLERANCE = 0.05
WORDS = {"delay_s": "delay", "rate_bps": "rate", "loss": "loss"}
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
        if self.what == "report":
            return f"linktest {self.phase} the trial, {self.src}: {self.note}"
        pair = f"linktest {self.phase} the trial, {self.src} to {self.dst}"
        if self.measured is None:
            return f"{pair}: no {WORDS[self.what]} ({self.note})"
        measured, described = self._in_words(self.measured), self._in_words(self.described or 0.0)
        return f"{pair}: {WORDS[self.what]} {measured} where {described} is described"

    def _in_words(self, value: float) -> str:
        if self.what == "rate_bps":
            return format_rate(value)
        return format_time(round(value * SECOND_PS)) if self.what == "delay_s" else f"{100 * value:.3g} %"


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
    return findings + _rates(schedule, sent, arrived, tolerance_s)


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


def _rates(
    schedule: Schedule,
    sent: Mapping[int, list[int | None]],
    arrived: Mapping[int, Mapping[int, int]],
    tolerance_s: float,
) -> list[Finding]:
    """Of each pair the median over its trains of bits over the time from the first to the last packet."""
    if schedule.phase != "before":
        return []
    return [
        _rate_of(pair, [one for one in of_pair if one.kind == "train"], sent, arrived, tolerance_s)
        for pair in dict.fromkeys(stream.pair for stream in schedule.streams)
        for of_pair in ([one for one in schedule.streams if one.pair == pair],)
    ]


def _rate_of(
    pair: Described,
    trains: list[Stream],
    sent: Mapping[int, list[int | None]],
    arrived: Mapping[int, Mapping[int, int]],
    tolerance_s: float,
) -> Finding:
    """A train's ends may each be late, so its rate is only as sure as the tolerance is small beside its length.

    A packet that is lost has taken its time at the bottleneck if it is lost behind it, and none if before: the rate lies
    between that of the packets that arrived and that of all from the first to the last of them.
    """

    def finding(measured: float | None, passed: bool | None, note: str) -> Finding:
        return Finding("before", pair.src, pair.dst, "rate_bps", pair.rate_bps, measured, passed, note)

    if not trains or pair.rate_bps is None:
        fast = pair.rate_bps is not None and pair.rate_bps > RATE_BPS_MAX
        return finding(None, None, "faster than a prober can send" if fast else "not measured")
    rates = []
    for one in trains:
        left = {seq: ns for seq, ns in enumerate(sent.get(one.number, [])) if ns is not None}
        offered, found = _rate(one, left), _rate(one, arrived.get(one.number, {}))
        if found is not None and offered is not None and offered[0] >= (1 + RATE_TOLERANCE) * pair.rate_bps:
            rates.append(found)
    if not rates:
        arrived_at_all = any(arrived.get(one.number) for one in trains)
        return finding(None, None if arrived_at_all else False, "the prober could not send fast enough")
    if pair.jitter_s is None:
        return finding(None, None, "jitter without a bound")
    least, most = (statistics.median(ends) for ends in zip(*rates, strict=True))
    measured = min(max(pair.rate_bps, least), most)
    wire_bits = 8.0 * (trains[0].payload_bytes + HEADERS_BYTES + pair.overhead_bytes)
    span_s = (trains[0].count - 1) * wire_bits / pair.rate_bps
    fits = abs(measured / pair.rate_bps - 1) <= RATE_TOLERANCE + (tolerance_s + pair.jitter_s) / span_s
    return finding(measured, fits, f"median of {len(rates)} trains")


def _rate(train: Stream, stamps: Mapping[int, int]) -> tuple[float, float] | None:
    """(without, with) the packets that are missing: bits on the wire per second from the first time stamp (ns) to the last.

    None for fewer than two.
    """
    if len(stamps) < 2 or (took_ns := max(stamps.values()) - min(stamps.values())) <= 0:
        return None
    wire_bytes = train.payload_bytes + HEADERS_BYTES + train.pair.overhead_bytes
    per_packet = wire_bytes * 8.0 * 1e9 / took_ns
    return (len(stamps) - 1) * per_packet, (max(stamps) - min(stamps)) * per_packet
