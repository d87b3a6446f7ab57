"""Emulated trials of a campaign at once: a batch in one process, each trial with a result whatever happens to the batch."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_campaigns import run, written

from netarium.operate import privilege
from netarium.operate.campaign import campaignfile, together
from netarium.operate.campaign.nurse import Nurse
from netarium.operate.campaign.task import Result, Task
from netarium.run.emulate import needs
from netarium.run.emulate.ownership import runs
from netarium.run.kernel.digest import kernel_digest
from netarium.store.campaigns import read_campaign

pytestmark = [
    pytest.mark.emulate,
    pytest.mark.slow,
    pytest.mark.skipif(
        os.geteuid() != 0 or bool(needs.missing_capabilities()) or not os.path.exists("/dev/net/tun"),
        reason="real hosts need root and /dev/net/tun",
    ),
]

REAL = """\
campaign: small
base:
  trial: real
  duration: 3 s
  mode: emulate
  emulate: {linktest: none, tolerance: 50 ms}
  network:
    nodes: {client: {kind: host}, r: {kind: router}, server: {kind: host}}
    links:
      - {endpoints: [client, r], rate: 100 Mbit/s, delay: 1 us}
      - {endpoints: [r, server], rate: 10 Mbit/s, delay: 10 ms}
  services:
    transfer: {kind: stream, from: client, to: server, rate: 500 kbit/s, stop: 2 s}
sweeps:
  - parameters: {"network.links[1].delay": [10 ms, 40 ms]}
seeds: 5
modes: [emulate]
metrics: [transfer.latency.p50, transfer.goodput]
"""


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A runtime folder of the test's own."""
    folder = tmp_path / "runtime"
    monkeypatch.setenv("NETARIUM_RUNTIME", str(folder))
    return folder


def test_trials_at_once_are_each_their_own(tmp_path: Path, runtime: Path) -> None:
    """Ten at once, of two kinds: each measures its own network, and nothing is left of any."""
    outcome = run(written(tmp_path, REAL), emulated=10)
    rows = outcome.record.table.to_pylist()
    assert len(rows) == 10 and {row["mode"] for row in rows} == {"emulate"}
    for row in rows:
        # "failed" would be a machine too busy to be on time
        assert row["status"] in ("succeeded", "failed"), row["cause"]
        delay_s = row["param.network.links[1].delay"]
        assert delay_s <= row["metric.transfer.latency.p50"] <= delay_s + 0.02
    assert not runs(runtime)


def test_a_killed_nursery_is_started_again_and_its_batch_tried_once_more(
    tmp_path: Path, runtime: Path
) -> None:
    campaign = campaignfile.load(str(written(tmp_path, REAL)))
    task = Task(
        campaign.bases, campaign.variants, campaign.campaign.metrics, str(tmp_path), "none", kernel_digest()
    )
    jobs = [job for job in campaign.jobs() if job.mode == "emulate"][:4]
    nurse = Nurse()
    killed, results, until = 0, [], time.monotonic() + 120
    try:
        with together.Batches(task, size=2, deadline_s=60.0, memory_bytes=4 * 10**9, nurse=nurse) as batches:
            batches.submit(jobs)
            while batches.backlog and time.monotonic() < until:
                results += batches.pump(0.2)
                if not killed and runs(runtime):
                    os.kill(nurse.pid, signal.SIGKILL)
                    killed = nurse.pid
        assert nurse.pid != killed != 0
    finally:
        nurse.close()
    assert sorted(result.id for result in results) == sorted(job.id for job in jobs)
    assert {result.status for result in results} <= {"succeeded", "failed"}, (
        "failed: too late, on a busy machine"
    )


def test_a_campaign_outlives_its_nursery_and_records_each_emulated_trial_once(
    tmp_path: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[int] = []

    class Killed(together.Batches):
        """Whose nursery is killed once, in the midst of its first batch."""

        def pump(self, timeout_s: float) -> list[Result]:
            found = super().pump(timeout_s)
            if not killed and runs(runtime):
                killed.append(self._nurse.pid)
                os.kill(self._nurse.pid, signal.SIGKILL)
            return found

    monkeypatch.setattr(together, "Batches", Killed)
    outcome = run(written(tmp_path, REAL), emulated=4)
    rows = outcome.record.table.to_pylist()
    assert killed and outcome.record.complete
    assert len(rows) == 10 == len({row["id"] for row in rows})
    assert {row["status"] for row in rows} <= {"succeeded", "failed"}, "failed: too late, on a busy machine"
    assert not runs(runtime)


def test_trials_of_a_batch_whose_process_is_killed_are_tried_once_more(tmp_path: Path, runtime: Path) -> None:
    campaign = campaignfile.load(str(written(tmp_path, REAL)))
    task = Task(
        campaign.bases, campaign.variants, campaign.campaign.metrics, str(tmp_path), "none", kernel_digest()
    )
    jobs = [job for job in campaign.jobs() if job.mode == "emulate"][:3]
    with together.Batches(task, size=3, deadline_s=60.0, memory_bytes=4 * 10**9) as batches:
        batches.submit(jobs)
        killed = 0
        results = []
        until = time.monotonic() + 120
        while batches.backlog and time.monotonic() < until:
            results += batches.pump(0.2)
            if batches.pid is not None and killed < 2 and runs(runtime):
                os.kill(batches.pid, signal.SIGKILL)
                killed += 1
                time.sleep(0.5)
    assert killed == 2
    assert {result.id for result in results} == {job.id for job in jobs}
    assert {result.status for result in results} == {"crashed"}
    assert all("the process of its batch" in result.cause for result in results)


@pytest.mark.parametrize("emulated", [1, 4])
@pytest.mark.parametrize("allowed", [True, False])
def test_without_root_real_hosts_are_run_or_refused_with_the_reason(
    tmp_path: Path, runtime: Path, allowed: bool, emulated: int
) -> None:
    """All capabilities are given up but the one to be root in a user namespace; without `unshare` there can be none."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("no setpriv")
    if allowed and any("tun" not in lack for lack in privilege.rootless_lacks()):
        pytest.skip(f"no user namespaces on this machine: {privilege.rootless_lacks()}")
    text = REAL.replace("seeds: 5", "seeds: 1").replace("modes: [emulate]", "modes: [simulate, emulate]")
    code = "from netarium.operate.cli import main; main()"
    process = subprocess.run(
        [setpriv, "--bounding-set=-all,+setfcap", "--inh-caps=-all", sys.executable, "-c", code, "campaign",
         str(written(tmp_path, text)), "--out", str(tmp_path / "runs"), "--emulated", str(emulated), "-q"],
        env=os.environ | ({} if allowed else {"PATH": str(tmp_path)}),
        capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert process.stderr == ""
    rows = read_campaign(tmp_path / "runs/small").table.to_pylist()
    ended = {mode: {row["status"] for row in rows if row["mode"] == mode} for mode in ("simulate", "emulate")}
    assert len(rows) == 4 and ended["simulate"] == {"succeeded"}
    if allowed:
        assert ended["emulate"] <= {"succeeded", "failed"}, "failed: too late, on a busy machine"
    else:
        assert ended["emulate"] == {"refused"} and process.returncode == 1
        causes = {row["cause"] for row in rows if row["mode"] == "emulate"}
        assert causes == {
            "real hosts need root (run with sudo), or without it: no unshare command (apt install util-linux)"
        }
    assert not runs(runtime)
