"""Campaigns on Ray: the same results as here, also from a cluster of several nodes one of which is killed half-way."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from small_campaigns import FAULTY, FAULTY_WORKLOAD, SMALL, results, run, written

from netarium.errors import MachineCannot
from netarium.operate.campaign import campaignfile, cluster
from netarium.operate.campaign.progress import CampaignWatcher
from netarium.operate.campaign.runner import Options, run_campaign

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
pytestmark = pytest.mark.slow


@pytest.fixture
def nodes():
    """A cluster of three nodes of one processor each on this machine."""
    pytest.importorskip("ray", reason="Ray is an extra: pip install 'netarium[ray]'")
    import ray
    from ray.cluster_utils import Cluster

    source = str(Path(__file__).parents[4] / "src")
    os.environ["PYTHONPATH"] = os.pathsep.join([source, os.environ.get("PYTHONPATH", "")])
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": 80 * 2**20})
    made.nodes = [made.add_node(num_cpus=1, object_store_memory=80 * 2**20) for _ in range(2)]
    yield made
    ray.shutdown()
    made.shutdown()


class Killer(CampaignWatcher):
    """Kills a node once some trials are done."""

    def __init__(self, cluster: Any) -> None:
        self.cluster, self.said = cluster, []

    def say(self, text: str) -> None:
        self.said.append(text)

    def update(self) -> None:
        if self.cluster.nodes and self.tally.done > 40:
            self.cluster.remove_node(self.cluster.nodes.pop(), allow_graceful=False)
            self.cluster.nodes.clear()


def test_a_node_killed_half_way_loses_nothing(nodes: Any, tmp_path: Path) -> None:
    text = SMALL.replace("duration: 60 ms", "duration: 1 s").replace("seeds: 5", "seeds: 200")
    path = written(tmp_path, text)
    killer = Killer(nodes)
    outcome = run_campaign(
        campaignfile.load(str(path)), Options(tmp_path / "ray", ray=nodes.address, keep="none"), killer
    )
    assert outcome.statuses == {"succeeded": 800}
    assert any("is lost" in text for text in killer.said)
    assert len(set(outcome.record.table["id"].to_pylist())) == 800
    assert results(outcome) == results(run(path))


def test_limits_hold_on_a_cluster_too(tmp_path: Path) -> None:
    """And a cluster of its own on this machine gives what the pool gives."""
    pytest.importorskip("ray", reason="Ray is an extra: pip install 'netarium[ray]'")
    import ray

    (tmp_path / "faulty.py").write_text(FAULTY_WORKLOAD)
    path = written(tmp_path, FAULTY.replace("seeds: 2", "seeds: 1"))
    outcome = run(path, ray="local", workers=2)
    ray.shutdown()
    assert outcome.statuses == {"succeeded": 1, "crashed": 1, "timeout": 1, "out_of_memory": 1}


def test_no_cluster_is_said(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is an extra: pip install 'netarium[ray]'")
    with pytest.raises(MachineCannot, match="how to start one"):
        run(written(tmp_path), ray="127.0.0.1:1")


def test_without_ray_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(MachineCannot, match=r"netarium\[ray\]"):
        cluster._ray()
