"""Networks of data centres: leaf-spine and fat tree."""

from __future__ import annotations

from netarium.describe.topology.draft import Draft
from netarium.describe.topology.spec import FatTree, LeafSpine


def leaf_spine(spec: LeafSpine) -> Draft:
    """leaf1 …, spine1 …, hosts h<leaf>_<i>; each rack is the group rack<leaf>."""
    draft = Draft()
    spines = [draft.node(f"spine{i}", "switch", "switches", "spine") for i in range(1, spec.spines + 1)]
    for i in range(1, spec.leaves + 1):
        leaf = draft.node(f"leaf{i}", "switch", "switches", "leaf")
        for spine in spines:
            draft.link(leaf, spine, spec.uplink_rate, spec.delay, queue=spec.queue)
        for j in range(1, spec.hosts_per_leaf + 1):
            host = draft.node(f"h{i}_{j}", "host", "hosts", f"rack{i}")
            draft.link(host, leaf, spec.rate, spec.delay, queue=spec.queue)
    return draft


def fat_tree(spec: FatTree) -> Draft:
    """k pods of k/2 edge and k/2 aggregation switches, (k/2)**2 core switches, k/2 hosts per edge switch.

    Numbers start at 0, as the addresses of Al-Fares et al. (SIGCOMM 2008, section 3.1): core<a>_<c> is joined
    to the a-th aggregation switch of every pod, agg<pod>_<a>; host h<pod>_<edge>_<i> is below
    edge<pod>_<edge>.
    """
    draft = Draft()
    half = spec.k // 2
    cores = [
        [draft.node(f"core{a}_{c}", "switch", "switches", "core") for c in range(half)] for a in range(half)
    ]
    for pod in range(spec.k):
        group = f"pod{pod}"
        above = [draft.node(f"agg{pod}_{a}", "switch", "switches", "aggregation", group) for a in range(half)]
        for a, aggregation in enumerate(above):
            for core in cores[a]:
                draft.link(aggregation, core, spec.rate, spec.delay, queue=spec.queue)
        for e in range(half):
            edge = draft.node(f"edge{pod}_{e}", "switch", "switches", "edge", group)
            for aggregation in above:
                draft.link(edge, aggregation, spec.rate, spec.delay, queue=spec.queue)
            for i in range(half):
                host = draft.node(f"h{pod}_{e}_{i}", "host", "hosts", group)
                draft.link(host, edge, spec.rate, spec.delay, queue=spec.queue)
    return draft
