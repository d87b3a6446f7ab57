"""Small campaigns for tests: a path of two links, and trials that go wrong on purpose."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from netarium.operate.campaign import campaignfile
from netarium.operate.campaign.runner import CampaignOutcome, Options, run_campaign

SMALL = """\
campaign: small
base:
  trial: small
  duration: 60 ms
  network: {topology: {kind: dumbbell, left: 1, rate: 20 Mbit/s, delay: 1 ms, queue: {kind: pfifo, limit: 20}}}
  services:
    load: {kind: bulk, from: s1, to: r1}
    noise: {kind: stream, from: s1, to: r1, rate: 5 Mbit/s, packet_size: 500 B, pattern: poisson}
  probes: {interval: 20 ms}
sweeps:
  - parameters:
      transport.congestion: [reno, cubic]
      network.topology.queue.limit: [5, 50]
seeds: 5
metrics: ["load.*", links.left->right.utilisation, {metric: load.goodput, from: 20 ms, name: steady}]
"""
FAULTY_WORKLOAD = '''"""A workload that misbehaves as its parameter says."""

MODE = 0


def next_arrival(source, stream, now_ps):
    source.i[0] = 3000
    if MODE == 1:
        source.i[10_000_000_000_000] = 1
    if MODE == 2:
        while source.i[0] > 0:
            source.i[0] = 3000
    if MODE == 3:
        source.i[1] += 1
        return 1
    return 10_000_000_000
'''
FAULTY = """\
campaign: faulty
base:
  trial: faulty
  duration: 100 ms
  network: {topology: {kind: dumbbell, left: 1, rate: 10 Mbit/s, delay: 1 ms}}
  services:
    load: {kind: user, from: senders, to: receivers, pairs: each, file: faulty.py, name: next_arrival}
sweeps:
  - parameters: {services.load.parameters.MODE: [0, 1, 2, 3]}
seeds: 2
limits: {deadline: 5 s, memory: 200 MB}
"""


def written(folder: Path, text: str = SMALL, name: str = "small") -> Path:
    """A campaign's file in a folder."""
    path = folder / f"{name}.campaign.yml"
    path.write_text(textwrap.dedent(text))
    return path


def run(path: Path, **options: Any) -> CampaignOutcome:
    """Run the campaign of a file; its runs go beside it."""
    options.setdefault("runs", path.parent / "runs")
    options.setdefault("workers", 2)
    options.setdefault("keep", "none")
    return run_campaign(campaignfile.load(str(path)), Options(**options))


def start(path: Path, *more: str) -> subprocess.Popen[str]:
    """The same as a process of its own, through the command line."""
    code = "from netarium.operate.cli import main; main()"
    arguments = ["campaign", str(path), "--out", str(path.parent / "runs"), "--json", "-q", *more]
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def results(outcome: CampaignOutcome) -> dict[str, dict[str, Any]]:
    """What must be the same however a campaign is executed: id -> parameters, metrics and verdicts."""
    table = outcome.record.table
    kept = [name for name in table.column_names if name not in ("order", "wall_s", "run", "source")]
    return {row["id"]: row for row in table.select(kept).to_pylist()}
