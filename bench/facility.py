"""Writes examples/facility-4096.trial.yml: 4,096 services of five kinds over 128 slices of the reference backbone.

    python -m bench.facility > examples/facility-4096.trial.yml

Every pair of cities has a slice each way, so that acknowledgements have a slice too. Deterministic: cities are paired
by a fixed stride over their names.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from netarium.describe.topology.backbone import CITIES

PAIRS = 64
PER_SLICE = 32

HEAD = """\
# 4,096 services of five kinds over 128 guaranteed slices of the reference backbone, best effort beside them, and a fibre cut.
# Written by: python -m bench.facility
trial: facility-4096
title: 4,096 heterogeneous services over 128 slices, and a fibre cut
description: >
  64 pairs of cities have a slice each way: transfers, video, web, control loops with deadlines, telemetry. 40 best-effort
  transfers cross the country beside them. In the middle of the run the fibre between two cities is cut. Every slice is
  admitted with a bound, and certified; with --interfere also while every link of every slice is full of best effort.
duration: 1 s
network:
  topology: {kind: reference_backbone, rate: 40 Gbit/s, access_rate: 40 Gbit/s}
  defaults: {mtu: 9000 B}
  routing: {reconvergence: 50 ms}
probes: {interval: 20 ms}
"""


@dataclass(frozen=True)
class Flavour:
    """What one slice of a pair is, and the services in it: name, YAML of its parameters, instances."""

    name: str
    asks: str
    services: tuple[tuple[str, str, int], ...]


TRANSFER = Flavour(
    "transfer", "bandwidth: 2 Gbit/s, latency: 60 ms, delay_variation: 2 ms, loss: 0",
    (("transfer", "kind: bulk", PER_SLICE),),
)  # fmt: skip
VIDEO = Flavour(
    "video", "bandwidth: 720 Mbit/s, packet_size: 1500 B, latency: 60 ms, loss: 0, protection: true",
    (
        ("camera", "kind: stream, rate: 25 Mbit/s, packet_size: 1500 B, pattern: poisson", 16),
        ("screen", "kind: stream, rate: 12 Mbit/s, packet_size: 1500 B", 16),
    ),
)  # fmt: skip
WEB = Flavour(
    "web", "bandwidth: 1 Gbit/s, packet_size: 500 B, latency: 60 ms, delay_variation: 2 ms, loss: 0",
    (
        ("pages", "kind: request_response, sizes: {fixed: 40 kB}, arrivals: 60 /s", 24),
        ("queries", "kind: request_response, sizes: {fixed: 2 kB}, arrivals: 400 /s", 8),
    ),
)  # fmt: skip
CONTROL = Flavour(
    "control", "bandwidth: 60 Mbit/s, packet_size: 60 B, burst: 20 kB, latency: 60 ms, loss: 0, protection: true",
    (
        ("grid", "kind: control_loop, period: 10 ms, deadline: 60 ms, size: 200 B", 16),
        ("drive", "kind: control_loop, period: 4 ms, deadline: 60 ms, size: 64 B, stagger: true", 16),
    ),
)  # fmt: skip
TELEMETRY = Flavour(
    "telemetry", "bandwidth: 200 Mbit/s, packet_size: 70 B, burst: 30 kB, latency: 60 ms, delay_variation: 2 ms, loss: 0",
    (
        ("sensor", "kind: stream, rate: 200 kbit/s, packet_size: 200 B, pattern: poisson", 24),
        ("meter", "kind: stream, rate: 1 Mbit/s, packet_size: 500 B", 8),
    ),
)  # fmt: skip
WAYS = ((TRANSFER, TELEMETRY), (VIDEO, CONTROL), (WEB, TELEMETRY), (CONTROL, VIDEO))


def ends() -> list[tuple[str, str]]:
    """PAIRS pairs of different cities, every city in several, near ones and far ones."""
    names = sorted(CITIES)
    found = []
    for stride in (7, 13):
        for i, city in enumerate(names):
            found.append((city, names[(i + stride) % len(names)]))
    return found[:PAIRS]


def lines() -> list[str]:
    """The trial, line by line."""
    slices, services = [], []
    for number, (a, b) in enumerate(ends()):
        there, back = (
            f"{flavour.name}-{number}{side}" for flavour, side in zip(WAYS[number % 4], "ab", strict=True)
        )
        for name, other, flavour, source, target in (
            (there, back, WAYS[number % 4][0], a, b), (back, there, WAYS[number % 4][1], b, a),
        ):  # fmt: skip
            hosts = f"from: host-{source}, to: host-{target}"
            returning = f", return: {other}" if flavour in (TRANSFER, WEB) else ""
            slices.append(f"  {name}: {{{hosts}, {flavour.asks}{returning}}}")
            for word, parameters, count in flavour.services:
                services.append(f"  {name}-{word}: {{{parameters}, {hosts}, count: {count}, slice: {name}}}")
    text = [*HEAD.splitlines(), "slices:", *slices, "services:", *services]
    text.append('  best-effort: {kind: bulk, from: "host-*", to: "host-*", pairs: permutation}')
    text.append("events:")
    text.append("  - {kind: link_down, at: 500 ms, link: jinan-qingdao}")
    text.append("expect:")
    text += [f"  - {{slice: {line.split(':')[0].strip()}, certified: true}}" for line in slices]
    return text


def main() -> None:
    """Write the trial to standard output, or say what this is."""
    formatter = argparse.RawDescriptionHelpFormatter
    argparse.ArgumentParser(
        "python -m bench.facility", description=__doc__, formatter_class=formatter
    ).parse_args()
    print("\n".join(lines()))


if __name__ == "__main__":
    main()
