"""The run folder: written, read back, killed half-way, damaged, full, and asked for twice at once."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from made_samples import Made, interference_trial, make

from netarium.describe.loader import load as load_trial
from netarium.errors import RecordError
from netarium.measure.document import metrics_document
from netarium.store import files
from netarium.store.files import DiskFull
from netarium.store.room import room_of
from netarium.store.store import RunFolder, create, load, ls, runs_root
from netarium.store.topology import topology_document

TRIAL = interference_trial()
MADE = make(TRIAL, {"guaranteed": Made(48.3e9), "best_effort": Made(30e9, lost=1)}, instants=20)
TABLES = {"series_services", "series_flows", "series_ports", "flows", "latency"}


def written(root: Path, **given) -> RunFolder:
    folder = create(root, TRIAL, **given)
    document = metrics_document(MADE, TRIAL, run=folder.name)
    folder.write_results(
        MADE, document, topology_document(TRIAL.network, {"express": ["telescope", "campus"]})
    )
    return folder


@pytest.fixture()
def finished(tmp_path: Path) -> RunFolder:
    folder = written(tmp_path, argv=["netarium", "run", "x"], assumptions=["said"], digests={"plan": "p"})
    folder.finish("succeeded", 0)
    return folder


def test_a_finished_run_reads_back(finished: RunFolder, tmp_path: Path) -> None:
    record = load(finished.name, tmp_path)
    assert (record.status, record.is_result, record.problems) == ("succeeded", True, [])
    assert record.verify() == []
    assert (record.trial, record.name) == ("interference", finished.name)
    assert record.metrics["services"]["guaranteed"]["goodput_bps"] > 48e9
    assert record.topology["slices"] == [{"name": "express", "path": ["telescope", "campus"]}]
    assert record.table("flows").num_rows == 3
    assert record.stop["exit_code"] == 0
    assert load(finished.path).path == finished.path
    names = {path.name for path in finished.path.iterdir()}
    documents = {"start.json", "trial.yml", "metrics.json", "stop.json", "topology.json"}
    assert names == {f"{name}.parquet" for name in TABLES} | documents


def test_start_says_all_that_is_known_before(finished: RunFolder) -> None:
    start = json.loads((finished.path / "start.json").read_text())
    assert {
        "format",
        "run",
        "trial",
        "mode",
        "seed",
        "started",
        "argv",
        "typed",
        "expanded",
        "inputs",
    } <= set(start)
    assert {"digests", "assumptions", "estimate", "versions", "machine", "process"} <= set(start)
    assert start["versions"]["numpy"]
    assert start["machine"]["cores"] >= 1
    assert start["expanded"]["slices"]["express"]["bandwidth"] == "50 Gbit/s"
    assert start["started"].endswith("Z")


def test_the_trial_can_be_run_again_from_the_folder(tmp_path: Path) -> None:
    (tmp_path / "demands.csv").write_text("from,to,rate\na,b,1 Gbit/s\n")
    text = """\
trial: files
duration: 1 s
network:
  nodes: {a: {kind: host}, b: {kind: host}}
  links: [{endpoints: [a, b], rate: 10 Gbit/s, delay: 1 ms}]
services:
  matrix: {kind: demands, matrix: {file: demands.csv}}
"""
    (tmp_path / "files.trial.yml").write_text(text)
    trial = load_trial(tmp_path / "files.trial.yml", overrides=["seed=7"])
    folder = create(tmp_path / "runs", trial)
    again = load_trial(folder.path / "trial.yml")
    assert again == trial
    assert again.seed == 7
    assert (folder.path / "demands.csv").read_bytes() == (tmp_path / "demands.csv").read_bytes()
    start = load(folder.path).start
    assert start["typed"]["text"] == text
    assert start["typed"]["overrides"] == ["seed=7"]
    assert start["inputs"][0]["written"] == "demands.csv"
    assert start["inputs"][0]["sha256"] == files.digest_of(tmp_path / "demands.csv")


def test_inputs_never_leave_the_folder(tmp_path: Path) -> None:
    (tmp_path / "evil.csv").write_text("x")
    folder = create(tmp_path / "runs", TRIAL, inputs={"../../evil.csv": tmp_path / "evil.csv"})
    assert (folder.path / "inputs" / "evil.csv").read_text() == "x"


def test_a_run_that_goes_on_is_running_then_unfinished(tmp_path: Path) -> None:
    folder = written(tmp_path)
    assert load(folder.path).status == "running"
    start = json.loads((folder.path / "start.json").read_text())
    start["process"]["started_ticks"] -= 1
    files.write_json(folder.path / "start.json", start)
    record = load(folder.path)
    assert (record.status, record.is_result) == ("unfinished", False)


@pytest.mark.parametrize("status", ["interrupted", "crashed", "refused"])
def test_a_run_that_did_not_end_by_itself_is_no_result(tmp_path: Path, status: str) -> None:
    folder = create(tmp_path, TRIAL)
    folder.finish(status, 5, "stopped by the user")
    record = load(folder.path)
    assert (record.status, record.is_result, record.metrics) == (status, False, {})
    assert record.stop["reason"] == "stopped by the user"
    with pytest.raises(RecordError, match=f"series_ports.parquet: not there; the run is {status}"):
        record.table("series_ports")


def test_an_ended_record_is_never_written_again(finished: RunFolder) -> None:
    for again in (lambda: finished.finish("failed", 1), lambda: finished.write_results(MADE, {})):
        with pytest.raises(RecordError, match="never written again"):
            again()


def test_a_status_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="found status 'done', expected one of succeeded"):
        create(tmp_path, TRIAL).finish("done", 0)


def test_a_name_is_never_used_twice(finished: RunFolder, tmp_path: Path) -> None:
    before = (finished.path / "start.json").read_bytes()
    with pytest.raises(RecordError, match="there is a run of that name"):
        create(tmp_path, TRIAL, name=finished.name)
    assert (finished.path / "start.json").read_bytes() == before


RACE = """
import sys, time
from pathlib import Path
sys.path[:0] = {paths!r}
from made_samples import interference_trial
from netarium.errors import RecordError
from netarium.store.store import create
trial = interference_trial()
go = Path({root!r}) / "go"
print("ready", flush=True)
while not go.exists():
    pass
try:
    print("made", create(Path({root!r}) / "runs", trial, name="same-name").name)
except RecordError as error:
    print("refused", error)
"""


def script(tmp_path: Path, source: str) -> list[str]:
    paths = [str(Path(__file__).parents[1] / "measure")]
    return [sys.executable, "-c", source.format(root=str(tmp_path), paths=paths)]


def test_two_processes_that_want_one_name(tmp_path: Path) -> None:
    racers = [subprocess.Popen(script(tmp_path, RACE), stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for racer in racers:
        assert racer.stdout.readline() == "ready\n"
    (tmp_path / "go").touch()
    said = sorted(racer.communicate(timeout=30)[0].split()[0] for racer in racers)
    assert said == ["made", "refused"]
    assert load("same-name", tmp_path / "runs").start["run"] == "same-name"


KILLED = """
import os, sys
from pathlib import Path
sys.path[:0] = {paths!r}
import test_store_folder as tests
from netarium.store import files
write = os.write
state = {{"count": 0}}
def slow(descriptor, data):
    count = write(descriptor, bytes(data)[:4096])
    state["count"] += count
    if state["count"] > 30_000:
        print("in the middle", flush=True)
        import time
        time.sleep(60)
    return count
folder = tests.create(Path({root!r}), tests.TRIAL, name="killed")
os.write = slow
tests.written(Path({root!r}), name="other")
"""


def test_kill_in_the_middle_of_writing_leaves_a_readable_unfinished_run(tmp_path: Path) -> None:
    source = KILLED.replace(
        "sys.path[:0] = {paths!r}", f"sys.path[:0] = {{paths!r}} + [{str(Path(__file__).parent)!r}]"
    )
    process = subprocess.Popen(script(tmp_path, source), stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "in the middle\n"
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=10)
    process.stdout.close()
    record = load("other", tmp_path)
    assert (record.status, record.is_result) == ("unfinished", False)
    assert record.trial == "interference"
    assert any(name.endswith(".tmp") for name in os.listdir(record.path))  # it was in the middle of a file
    for path in record.path.glob("*.parquet"):
        assert pq.read_table(path).num_rows > 0  # what is there is whole
    assert {entry.name: entry.status for entry in ls(tmp_path)} == {
        "killed": "unfinished",
        "other": "unfinished",
    }


def test_a_truncated_file_is_noticed(finished: RunFolder) -> None:
    path = finished.path / "series_ports.parquet"
    size = path.stat().st_size
    os.truncate(path, size // 2)
    record = load(finished.path)
    assert not record.is_result
    assert record.problems == [f"series_ports.parquet has {size // 2} bytes, the run wrote {size}"]
    with pytest.raises(RecordError, match="series_ports.parquet: cannot be read"):
        record.table("series_ports")


def test_a_changed_byte_is_noticed_by_verify(finished: RunFolder) -> None:
    path = finished.path / "series_ports.parquet"
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    record = load(finished.path)
    assert record.problems == []
    assert record.verify() == ["series_ports.parquet is not what the run wrote (its SHA-256 differs)"]


def test_a_missing_file_is_noticed(finished: RunFolder) -> None:
    (finished.path / "flows.parquet").unlink()
    assert load(finished.path).problems == ["flows.parquet is missing"]


def test_figures_and_report_can_be_drawn_again(finished: RunFolder) -> None:
    (finished.path / "figures").mkdir()
    (finished.path / "figures" / "a.png").write_bytes(b"1")
    (finished.path / "report.html").write_text("new")
    assert load(finished.path).verify() == []


def test_a_half_written_stop_is_not_an_end(finished: RunFolder) -> None:
    content = (finished.path / "stop.json").read_bytes()
    (finished.path / "stop.json").write_bytes(content[:50])
    record = load(finished.path)
    assert not record.is_result
    assert "stop.json: cannot be read" in record.problems[0]


def test_a_newer_format_is_refused_in_words(finished: RunFolder, tmp_path: Path) -> None:
    start = json.loads((finished.path / "start.json").read_text())
    files.write_json(finished.path / "start.json", {**start, "format": 2, "versions": {"netarium": "9.1"}})
    with pytest.raises(
        RecordError, match=r"found run folder format 2, expected 1 or older; netarium 9\.1 wrote it"
    ):
        load(finished.path)
    (entry,) = ls(tmp_path)
    assert "format 2" in entry.problems[0]
    assert not entry.is_result


@pytest.mark.parametrize("content", ["", "[1]", '{"format": "one"}', "{"])
def test_a_damaged_start_is_an_error_in_words(tmp_path: Path, content: str) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "start.json").write_text(content)
    with pytest.raises(RecordError, match="broken"):
        load("broken", tmp_path)
    assert [entry.is_result for entry in ls(tmp_path)] == [False]


def test_an_unknown_name_is_answered_with_the_nearest(tmp_path: Path) -> None:
    create(tmp_path, TRIAL, name="quick-otter")
    with pytest.raises(RecordError, match="run 'quick-oter': not found in .*; did you mean 'quick-otter'?"):
        load("quick-oter", tmp_path)
    with pytest.raises(RecordError, match="'netarium ls' lists the runs there are"):
        load("zzz", tmp_path)


def test_ls_is_in_order_of_time_and_skips_what_is_no_run(tmp_path: Path) -> None:
    names = []
    for name in ("zebra", "apple"):
        names.append(create(tmp_path, TRIAL, name=name).name)
        time.sleep(0.005)
    (tmp_path / "notes").mkdir()
    (tmp_path / "file.txt").write_text("x")
    assert [entry.name for entry in ls(tmp_path)] == names
    assert ls(tmp_path / "nowhere") == []


def test_where_runs_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NETARIUM_RUNS", raising=False)
    assert runs_root() == Path("runs")
    monkeypatch.setenv("NETARIUM_RUNS", str(tmp_path))
    assert runs_root() == tmp_path
    assert runs_root(tmp_path / "out") == tmp_path / "out"


def test_no_room_is_said_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(DiskFull, match="for the record of this run"):
        create(tmp_path / "runs", TRIAL, needed_bytes=10**18)
    assert not (tmp_path / "runs").exists()


def test_a_disk_that_fills_up_during_the_results_is_no_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = create(tmp_path, TRIAL)
    document = metrics_document(MADE, TRIAL, run=folder.name)
    plain = os.write
    room = [3000]

    def write(descriptor: int, data: bytes) -> int:
        if room[0] <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        room[0] -= len(data)
        return plain(descriptor, data)

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(DiskFull, match="free some room"):
        folder.write_results(MADE, document)
    monkeypatch.undo()
    assert not any(path.name.endswith(".tmp") for path in folder.path.iterdir())
    assert not (folder.path / "metrics.json").exists()
    folder.finish("crashed", 2, "the disk is full")
    record = load(folder.path)
    assert (record.status, record.is_result, record.problems) == ("crashed", False, [])


def test_the_estimate_is_not_below_what_is_written(finished: RunFolder) -> None:
    taken = sum(path.stat().st_size for path in finished.path.iterdir())
    assert taken <= room_of(TRIAL)


def test_the_estimate_counts_instants_flows_and_captures() -> None:
    base = room_of(interference_trial())
    often = room_of(interference_trial("probes: {interval: 1 ms}\n"))
    assert often - base == pytest.approx(8 * 19_800 * (11 * 3 + 8 * 4 + 11 * 3))
    captured = room_of(
        interference_trial("probes: {capture: [{port: guiyang->campus, packets: 1000, snap: 100 B}]}\n")
    )
    assert captured - base == 1000 * 164
    many = room_of(interference_trial(**{"rate: 50 Gbit/s": "count: 5000, rate: 1 Mbit/s"}))
    assert many - base == 8 * (4999 * 15 + 200 * 11 * 253)


def test_a_trial_whose_record_cannot_fit_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(DiskFull, match="for the record of this run"):
        create(tmp_path / "runs", interference_trial("probes: {interval: 1 ps}\n"))
    assert not (tmp_path / "runs").exists()
