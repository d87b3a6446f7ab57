"""Faults: trials that crash, hang and fill memory, killed processes, a full disk, two campaigns at once."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from small_campaigns import FAULTY, FAULTY_WORKLOAD, SMALL, results, run, start, written

from netarium.errors import RecordError
from netarium.operate.campaign import campaignfile
from netarium.operate.campaign.nurse import Nurse, NurseryGone
from netarium.operate.campaign.pool import Pool
from netarium.operate.campaign.runner import RETRIED
from netarium.operate.campaign.task import Task
from netarium.run.kernel.digest import kernel_digest
from netarium.store.campaigns import parts, read_campaign
from netarium.store.files import DiskFull

LONG = SMALL.replace("duration: 60 ms", "duration: 500 ms").replace("seeds: 5", "seeds: 40")
"""160 trials of some milliseconds: there is time to interfere."""


def until(happened: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait for something to happen."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def recorded(folder: Path) -> int:
    """Results recorded so far in a campaign that is going on: lines of the journal (less the names), rows of parts."""
    path = folder / "results/journal.jsonl"
    lines = max(0, path.read_text().count("\n") - 1) if path.exists() else 0
    return lines + sum(pq.read_metadata(part).num_rows for part in parts(folder))


@pytest.mark.slow
def test_a_trial_that_crashes_hangs_or_fills_memory_costs_that_trial(tmp_path: Path) -> None:
    (tmp_path / "faulty.py").write_text(FAULTY_WORKLOAD)
    outcome = run(written(tmp_path, FAULTY))
    rows = outcome.record.table.to_pylist()
    found = {(row["param.services.load.parameters.MODE"], row["status"]) for row in rows}
    assert found == {(0, "succeeded"), (1, "crashed"), (2, "timeout"), (3, "out_of_memory")}
    causes = {row["status"]: row["cause"] for row in rows}
    assert "segmentation fault" in causes["crashed"]
    assert "deadline of 5 s" in causes["timeout"]
    assert "memory" in causes["out_of_memory"] or "200 MB" in causes["out_of_memory"]
    assert outcome.exit_code == 1
    again = run(tmp_path / "small.campaign.yml")
    assert (again.ran, again.resumed) == (0, 8)


@pytest.mark.slow
def test_retry_runs_again_what_another_attempt_could_change(tmp_path: Path) -> None:
    workload = tmp_path / "faulty.py"
    workload.write_text(FAULTY_WORKLOAD)
    path = written(tmp_path, FAULTY.replace("[0, 1, 2, 3]", "[0, 1]"))
    assert run(path).statuses == {"succeeded": 2, "crashed": 2}
    again = run(path, retry=True)
    assert (again.ran, again.resumed) == (2, 2)
    assert again.statuses == {"succeeded": 2, "crashed": 2}
    assert len(again.record.table) == 4
    assert "crashed" in RETRIED


@pytest.mark.slow
def test_a_killed_campaign_is_carried_on(tmp_path: Path) -> None:
    """SIGKILL in the middle: nothing of it stays, what was finished is not run again, the result is as if unharmed."""
    path = written(tmp_path, LONG)
    folder = tmp_path / "runs/small"
    process = start(path)
    until(lambda: recorded(folder) > 10)
    workers = _descendants(process.pid)
    process.kill()
    process.wait()
    until(lambda: not any(map(_runs, workers)))
    before = recorded(folder)
    assert not (folder / "stop.json").exists()
    outcome = run(path)
    assert outcome.resumed == before > 0
    assert outcome.ran == 160 - outcome.resumed
    assert len(set(outcome.record.table["id"].to_pylist())) == 160
    (tmp_path / "other").mkdir()
    assert results(outcome) == results(run(written(tmp_path / "other", LONG)))


def test_ctrl_c_ends_it_and_says_how_to_go_on(tmp_path: Path) -> None:
    process = start(written(tmp_path, LONG))
    until(lambda: recorded(tmp_path / "runs/small") > 5)
    workers = _descendants(process.pid)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=30)
    assert process.returncode == 5
    assert "The same command carries on" in errors
    assert json.loads(output)["status"] == "interrupted"
    assert not any(map(_runs, workers))


@pytest.mark.slow
def test_a_line_cut_short_is_not_counted(tmp_path: Path) -> None:
    """As a power cut would leave it."""
    path = written(tmp_path, LONG)
    folder = tmp_path / "runs/small"
    process = start(path)
    until(lambda: recorded(folder) > 5)
    process.kill()
    process.wait()
    journal = folder / "results/journal.jsonl"
    before = recorded(folder)
    content = journal.read_text().rstrip("\n")
    journal.write_text(content[:-100])
    outcome = run(path)
    assert outcome.resumed == before - 1
    assert len(outcome.record.table) == 160


def test_a_killed_worker_costs_nothing(tmp_path: Path) -> None:
    """Its trial is tried once more; one whose worker is killed again and again is given up."""
    design = campaignfile.load(str(written(tmp_path, LONG)))
    jobs = list(design.jobs())[:60]
    task = Task(
        design.bases, design.variants, design.campaign.metrics, str(tmp_path), "none", kernel_digest()
    )
    found: dict[str, str] = {}
    with Pool(task, workers=2, deadline_s=60, memory_bytes=10**9) as pool:
        pool.submit(jobs)
        killed, then = 0, 0
        while pool.backlog:
            for result in pool.pump(0.05):
                assert result.id not in found
                found[result.id] = result.status
            victim = next(
                (w for w in pool._workers if not pool._killed.keys() & {job.id for job in w.waiting}), None
            )
            if (
                killed < 3 and victim and len(found) >= then + 10
            ):  # no trial is hit twice, which would count as its fault
                os.kill(victim.pid, signal.SIGKILL)
                killed, then = killed + 1, len(found)
    assert killed == 3
    assert found == {job.id: "succeeded" for job in jobs}


@pytest.mark.slow
def test_a_killed_nursery_is_started_again(tmp_path: Path) -> None:
    """Its workers go with it; what they had not done is done by those of the next one."""
    design = campaignfile.load(str(written(tmp_path, LONG)))
    jobs = list(design.jobs())
    task = Task(
        design.bases, design.variants, design.campaign.metrics, str(tmp_path), "none", kernel_digest()
    )
    nurse = Nurse()
    nurseries: list[int] = []
    found: dict[str, str] = {}
    hit: set[str] = set()
    try:
        with Pool(task, workers=2, deadline_s=60, memory_bytes=10**9, nurse=nurse) as pool:
            pool.submit(jobs)
            while pool.backlog:
                for result in pool.pump(0.05):
                    assert result.id not in found
                    found[result.id] = result.status
                at_work = {job.id for worker in pool._workers for job in worker.waiting}
                if len(nurseries) < 2 and len(found) >= 20 * (1 + len(nurseries)) and not at_work & hit:
                    hit = at_work  # no trial is hit twice, which would count as its fault
                    nurseries.append(nurse.pid)
                    os.kill(nurse.pid, signal.SIGKILL)
        assert len({*nurseries, nurse.pid}) == 3
    finally:
        nurse.close()
    assert found == {job.id: "succeeded" for job in jobs}


class KilledNurse(Nurse):
    """One whose nursery is killed as soon as it has forked its first worker."""

    has_killed = False

    def fork(self) -> tuple[int, Connection]:
        pid, pipe = super().fork()
        if not self.has_killed:
            self.has_killed = True
            os.kill(self.pid, signal.SIGKILL)
            select.select([pipe], [], [], 10.0)  # until the worker has gone too
        return pid, pipe


def test_a_worker_that_goes_with_its_nursery_before_it_was_told_anything_is_replaced(tmp_path: Path) -> None:
    design = campaignfile.load(str(written(tmp_path)))
    jobs = list(design.jobs())
    task = Task(
        design.bases, design.variants, design.campaign.metrics, str(tmp_path), "none", kernel_digest()
    )
    nurse = KilledNurse()
    ids: list[str] = []
    try:
        with Pool(task, workers=2, deadline_s=60, memory_bytes=10**9, nurse=nurse) as pool:
            pool.submit(jobs)
            while pool.backlog:
                ids += [result.id for result in pool.pump(0.05)]
    finally:
        nurse.close()
    assert nurse.has_killed and sorted(ids) == sorted(job.id for job in jobs)


def test_a_nursery_that_always_ends_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    design = campaignfile.load(str(written(tmp_path, LONG)))
    task = Task(
        design.bases, design.variants, design.campaign.metrics, str(tmp_path), "none", kernel_digest()
    )
    monkeypatch.setattr("netarium.operate.campaign.nurse.sys.executable", "/bin/false")
    pool = Pool(task, workers=2, deadline_s=60, memory_bytes=10**9)
    with pytest.raises(NurseryGone, match=r"has ended \(exit code 1\)"), pool:
        pytest.fail("it cannot have workers")


@pytest.mark.slow
def test_only_one_process_runs_a_campaign(tmp_path: Path) -> None:
    """Two campaigns in one store do not touch each other; the same one twice is refused."""
    path = written(tmp_path, LONG)
    process = start(path)
    until(lambda: recorded(tmp_path / "runs/small") > 2)
    with pytest.raises(RecordError, match="another process is running this campaign"):
        run(path)
    other = run(written(tmp_path, SMALL, "other"))
    assert other.record.name == "small-2"
    assert other.statuses == {"succeeded": 20}
    output, _ = process.communicate(timeout=120)
    assert json.loads(output)["statuses"] == {"succeeded": 160}


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 48 MB, where this process may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(place)]
    if os.geteuid() or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("mounting a tmpfs takes root")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.slow
def test_a_full_disk_stops_it_and_the_same_command_carries_on(tmp_path: Path, tiny_disk: Path) -> None:
    path = written(tmp_path, LONG)
    filler = tiny_disk / "filler"
    process = start(path, "--out", str(tiny_disk))
    until(lambda: recorded(tiny_disk / "small") > 5)
    with filler.open("wb") as file, pytest.raises(OSError, match="No space"):
        while True:
            os.write(file.fileno(), b"\0" * 65536)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 4
    assert "free" in errors
    with pytest.raises(DiskFull):
        run(path, runs=tiny_disk)
    filler.unlink()
    outcome = run(path, runs=tiny_disk)
    assert outcome.resumed > 0
    assert outcome.statuses == {"succeeded": 160}, set(outcome.record.table["cause"].to_pylist())


def test_a_store_written_by_another_format(tmp_path: Path) -> None:
    path = written(tmp_path)
    folder = run(path).record.path
    document = json.loads((folder / "campaign.json").read_text())
    (folder / "campaign.json").write_text(json.dumps({**document, "format": 99}))
    with pytest.raises(RecordError, match="upgrade netarium"):
        read_campaign(folder)
    with pytest.raises(RecordError, match="upgrade netarium"):
        run(path)


def _descendants(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (status := _status(int(entry.name))) and status[1] == pid:
            found += [int(entry.name), *_descendants(int(entry.name))]
    return found


def _status(pid: int) -> tuple[str, int] | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return fields[0], int(fields[1])


def _runs(pid: int) -> bool:
    status = _status(pid)
    return status is not None and status[0] != "Z"
