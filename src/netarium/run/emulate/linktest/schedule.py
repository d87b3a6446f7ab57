"""Which probes each real host sends when, before a trial and during it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from netarium.compile.hosts import Program
from netarium.run.emulate.linktest.described import Described

PORT = 8621
SMALL_BYTES = 64
"""Payload of a probe of delay and loss."""
HEADERS_BYTES = 28
"""IPv4 and UDP."""
SMALL_COUNT, SMALL_GAP_S = 100, 0.01
TRAINS = 5
TRAIN_S = 0.05
"""About how long a train lasts at the bottleneck."""
TRAIN_PACKETS_MIN, TRAIN_PACKETS_MAX = 8, 400
RATE_BPS_MAX = 500_000_000
"""A faster bottleneck is not measured: the sender itself could be what is slow."""
RATES_MAX = 8
"""Pairs whose rate is measured; each has the network for itself meanwhile."""
DURING_GAP_S = 0.1
SETTLE_S = 0.2


@dataclass(frozen=True)
class Stream:
    """Probes with one number: of delay (kind "small"), or a train, from a pair's first host to its second."""

    number: int
    pair: Described
    kind: str
    at_s: float
    count: int
    gap_s: float
    payload_bytes: int


@dataclass(frozen=True)
class Schedule:
    """All streams of one phase, and how long it takes."""

    phase: str
    streams: tuple[Stream, ...]
    seconds: float


def before(pairs: list[Described]) -> Schedule:
    """Delay and loss of all pairs at once, then rates of one pair after the other."""
    streams = [
        Stream(number, pair, "small", SMALL_GAP_S * number / max(1, len(pairs)), SMALL_COUNT, SMALL_GAP_S, SMALL_BYTES)
        for number, pair in enumerate(pairs)
    ]  # fmt: skip
    longest = max((pair.one_way_s(SMALL_BYTES)[1] + (pair.jitter_s or 0.0) for pair in pairs), default=0.0)
    at = SMALL_COUNT * SMALL_GAP_S + longest + SETTLE_S
    for pair in [pair for pair in pairs if pair.rate_bps and pair.rate_bps <= RATE_BPS_MAX][:RATES_MAX]:
        wire_bits = 8.0 * (pair.mtu_bytes + pair.overhead_bytes)
        wanted = int(TRAIN_S * pair.rate_bps / wire_bits)
        most = min(TRAIN_PACKETS_MAX, max(2, pair.queue_packets // 2))
        count = min(max(wanted, TRAIN_PACKETS_MIN), most)
        for _ in range(TRAINS):
            payload = pair.mtu_bytes - HEADERS_BYTES
            streams.append(Stream(len(streams), pair, "train", at, count, 0.0, payload))
            at += count * wire_bits / pair.rate_bps + pair.one_way_s(pair.mtu_bytes)[1] + SETTLE_S / 4
    return Schedule("before", tuple(streams), at + SETTLE_S)


def during(pairs: list[Described], seconds: float) -> Schedule:
    """A small probe every tenth of a second each way, for the whole trial."""
    count = max(1, int((seconds - SETTLE_S) / DURING_GAP_S))
    streams = [
        Stream(number, pair, "small", DURING_GAP_S * number / max(1, len(pairs)), count, DURING_GAP_S, SMALL_BYTES)
        for number, pair in enumerate(pairs)
    ]  # fmt: skip
    return Schedule("during", tuple(streams), seconds)


def programs(schedule: Schedule, emulation: Any, begin_s: float) -> list[Program]:
    """A prober on every host that takes part. begin_s: when the schedule begins, from the start of the trial."""
    addresses = {host.node: _ipv4(host) for host in emulation.hosts}
    sends: Mapping[str, list[Any]] = defaultdict(list)
    nodes: dict[str, None] = {}
    for stream in schedule.streams:
        pair = stream.pair
        nodes |= {pair.src: None, pair.dst: None}
        sends[pair.src].append(
            [
                addresses[pair.dst],
                stream.number,
                stream.at_s,
                stream.count,
                stream.gap_s,
                stream.payload_bytes,
            ]
        )
    return [
        Program(
            name=f"linktest.{schedule.phase}.{node}",
            service=-1,
            node=node,
            argv=("{python}", "-I", "-S", "{programs}/../linktest/prober.py", json.dumps(
                {"port": PORT, "begin_s": begin_s, "until_s": schedule.seconds, "sends": sends.get(node, [])}
            ), "{start}"),
            role="linktest",
            stop_signal="INT",
        )
        for node in nodes
    ]  # fmt: skip


def _ipv4(host: Any) -> str:
    every = [text.split("/")[0] for one in host.interfaces for text in one.addresses]
    return next(text for text in every if ":" not in text)
