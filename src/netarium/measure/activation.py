"""Service activation before a slice is used, in the manner of ITU-T Y.1564 (service configuration and performance tests).

Configuration test (Y.1564 section 8.2): every slice alone, at 25, 50, 75 and 100 % of its committed information
rate (CIR), one step after another. Performance test (section 8.3): all slices at once, at their CIR. In each,
information rate, frame transfer delay, its variation and frame loss ratio are measured from the test's packets at
the two hosts, and compared with what the slice promises.

A test is a trial of its own with the same network and slices, whose services are streams of test packets; this file
makes its schedule and judges its samples, and knows neither admission nor the engine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from netarium.units import SECOND_PS, format_rate, format_time

if TYPE_CHECKING:
    from netarium.run.samples import Samples

STEPS = (25, 50, 75, 100)
"""Per cent of the CIR in the configuration test (Y.1564 section 8.2.1)."""
PACKETS = 400
"""Test packets of a step at the CIR; the step is as long as they take."""
STEP_LEAST_PS, STEP_MOST_PS = SECOND_PS // 1000, SECOND_PS // 10
PERFORMANCE_STEPS = 5
"""The performance test lasts as long as so many of the longest step."""
RATE_TOLERANCE = 0.01
"""Of the rate sent, what may be missing from the rate received."""
PREFIX = "activation"


@dataclass(frozen=True)
class Step:
    """One stream of test packets: which slice, what share of its CIR in per cent, when; `alone` in the configuration
    test."""

    slice_name: str
    share: int
    alone: bool
    start_ps: int
    stop_ps: int
    rate_bps: int

    @property
    def service(self) -> str:
        """Name of the stream in the trial of the test."""
        return f"{PREFIX}-{'configuration' if self.alone else 'performance'}-{self.slice_name}-{self.share}"


def schedule(bandwidths: Mapping[str, int], packet_bytes: Mapping[str, int], longest_ps: int) -> list[Step]:
    """The steps of all slices (bit/s and bytes by name). longest_ps: the longest latency of any of them, which lies between
    two steps, so that no step sees packets of the one before.
    """
    lengths = {name: _length_ps(rate, packet_bytes[name]) for name, rate in bandwidths.items()}
    steps, now_ps = [], 0
    for name, rate in bandwidths.items():
        for share in STEPS:
            stop_ps = now_ps + lengths[name]
            steps.append(Step(name, share, True, now_ps, stop_ps, max(1, rate * share // 100)))
            now_ps = stop_ps
        now_ps += longest_ps
    stop_ps = now_ps + PERFORMANCE_STEPS * max(lengths.values(), default=0)
    steps += [Step(name, 100, False, now_ps, stop_ps, rate) for name, rate in bandwidths.items()]
    return steps


def _length_ps(rate_bps: int, packet_bytes: int) -> int:
    return min(max(8 * packet_bytes * PACKETS * SECOND_PS // rate_bps, STEP_LEAST_PS), STEP_MOST_PS)


def judge(samples: Samples, steps: list[Step], promises: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """By slice: passed, steps (list of dict: test, share, the four figures in SI units, passed, reasons)."""
    found: dict[str, dict[str, Any]] = {}
    for step in steps:
        row = _row(samples, step, promises[step.slice_name])
        entry = found.setdefault(step.slice_name, {"passed": True, "steps": []})
        entry["steps"].append(row)
        entry["passed"] = entry["passed"] and row["passed"]
    return found


def _row(samples: Samples, step: Step, promised: Any) -> dict[str, Any]:
    index = samples.services.index(step.service)
    last = samples.service_series[-1, index]
    sent = int(last["sent_packets"]) - int(last["in_flight_packets"])
    received = int(last["received_packets"])
    seconds = (step.stop_ps - step.start_ps) / SECOND_PS
    header = int(samples.service_header_bytes[index])
    got_bps = (int(last["delivered_bytes"]) + received * header) * 8 / seconds
    sent_bps = (int(last["sent_bytes"]) + int(last["sent_packets"]) * header) * 8 / seconds
    seen = received > 0
    figures = {
        "information_rate_bps": got_bps,
        "sent_rate_bps": sent_bps,
        "frame_transfer_delay_s_max": int(samples.latency_max_ps[index]) / SECOND_PS if seen else None,
        "frame_delay_variation_s": int(samples.delay_variation_max_ps[index]) / SECOND_PS if seen else None,
        "frame_loss_ratio": (sent - received) / sent if sent else None,
        "packets": sent,
    }
    reasons = list(_reasons(figures, promised))
    test = "configuration" if step.alone else "performance"
    return {"test": test, "share": step.share, **figures, "passed": not reasons, "reasons": reasons}


def _reasons(figures: Mapping[str, Any], promised: Any) -> Iterator[str]:
    """What is not as promised; a slice that promises no latency, variation or loss is held to its rate alone."""
    if not figures["packets"]:
        yield "no test packet had time to arrive"
        return
    got, sent = figures["information_rate_bps"], figures["sent_rate_bps"]
    if got < sent * (1 - RATE_TOLERANCE):
        yield f"of {format_rate(sent)} sent {format_rate(got)} arrived"
    for figure, limit, word in (
        ("frame_transfer_delay_s_max", promised.latency, "a packet took"),
        ("frame_delay_variation_s", promised.delay_variation, "latency varied by"),
    ):
        value = figures[figure]
        if limit is not None and (value is None or value * SECOND_PS > limit + 0.5):
            text = "no packet arrived" if value is None else f"{word} {format_time(value * SECOND_PS)}"
            yield f"{text}, promised is {format_time(limit)}"
    if promised.loss is not None and figures["frame_loss_ratio"] > promised.loss:
        yield f"{figures['frame_loss_ratio']:.3g} of the packets were lost, promised is {promised.loss:.3g}"
