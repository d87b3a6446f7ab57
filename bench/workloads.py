"""The workloads that are measured, as trials: what docs/performance.md promises, one entry a row."""

from __future__ import annotations

from dataclasses import dataclass

PATH = """
trial: data-path
duration: 1 s
network:
  defaults: {mtu: 9000 B, rate: 100 Gbit/s}
  nodes:
    telescope: {kind: host}
    guiyang: {}
    wuhan: {}
    campus: {kind: host}
  links:
    - {endpoints: [telescope, guiyang], length: 160 km}
    - {endpoints: [guiyang, wuhan], length: 1150 km}
    - {endpoints: [wuhan, campus], delay: 50 us}
services:
  transfer: {kind: bulk, from: telescope, to: campus, size: 72 TB, transport: {kind: tcp, congestion: cubic}}
"""

FAT_TREE = """
trial: fat-tree
duration: 1 s
network:
  defaults: {mtu: 1500 B, overhead: 0 B, queue: {kind: pfifo, limit: 100}}
  topology: {kind: fat_tree, k: 16, rate: 10 Gbit/s, delay: 1 us}
services:
  permutation: {kind: bulk, from: hosts, to: hosts, pairs: permutation, transport: {kind: tcp, congestion: cubic}}
"""

TINY = """
trial: tiny
duration: 10 ms
network:
  topology: {kind: dumbbell, left: 1, rate: 100 Mbit/s, delay: 1 ms}
services:
  transfer: {kind: bulk, from: s1, to: r1}
"""


@dataclass(frozen=True)
class Workload:
    """One row: a trial (a bundled one by name, or text), what is changed in it, the virtual time, what is to be reached."""

    name: str
    title: str
    trial: str
    changes: tuple[str, ...] = ()
    warm_s: float = 0.0
    """Virtual time before the clock starts; a row that is about full pipes does not measure how they fill."""
    virtual_s: float = 1.0
    target_hops_per_s: float | None = None
    peer_flows: int | None = None
    """Flows of the same dumbbell given to the peers."""


def _dumbbell(flows: int) -> tuple[str, ...]:
    return (f"network.topology.left={flows}",)


WORKLOADS = (
    Workload(
        "dumbbell-10", "dumbbell, 10 CUBIC flows, 1 Gbit/s", "dumbbell",
        _dumbbell(10), virtual_s=10.0, target_hops_per_s=25e6, peer_flows=10,
    ),
    Workload(
        "dumbbell-100", "dumbbell, 100 CUBIC flows, 1 Gbit/s", "dumbbell",
        _dumbbell(100), virtual_s=10.0, target_hops_per_s=25e6, peer_flows=100,
    ),
    Workload(
        "dumbbell-4096", "4,096 flows, 8,192 access links, 40 Gbit/s", "dumbbell",
        (*_dumbbell(4096), "network.topology.rate=40 Gbit/s", "network.topology.queue.limit=66667"),
        virtual_s=1.0, target_hops_per_s=12e6,
    ),
    Workload(
        "fat-tree", "1,024-host fat tree, permutation at 10 Gbit/s, ECMP", FAT_TREE,
        virtual_s=0.003, target_hops_per_s=8e6,
    ),
    Workload(
        "data-path", "72 TB at 100 Gbit/s in 9,000-byte packets", PATH,
        warm_s=0.5, virtual_s=2.0,
    ),
)  # fmt: skip

BY_NAME = {workload.name: workload for workload in WORKLOADS}
