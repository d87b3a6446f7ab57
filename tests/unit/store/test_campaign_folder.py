"""A campaign's folder: rows kept exactly, parts joined, read once, unfinished, older formats; questions in SQL."""

from __future__ import annotations

import json
import math
from array import array
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from netarium.errors import RecordError
from netarium.store.campaignfolder import CampaignFolder, Described, Row, open_folder
from netarium.store.campaigns import COLUMNS, load_campaign, parts, read_campaign, summaries
from netarium.store.query import query

NAMES = ("load.goodput", "load.rtt.p99")
DESCRIBED = Described(
    {"param.delay": ("float64", "s", "delay"), "param.delay.text": ("string", "", "as written")},
    lambda name: "bit/s" if name.endswith("goodput") else "s",
    lambda name: f"what {name} is",
)


def opened(root: Path, name: str = "made", digest: str = "1") -> CampaignFolder:
    document = {"format": 1, "trials": 6, "seeds": [1, 2], "variants": 3, "digests": {"campaign": digest}}
    folder, _ = open_folder(
        root, name, digest, DESCRIBED, lambda found: {**document, "name": found}, "campaign: made\n", {}
    )
    return folder


def row(number: int, status: str = "succeeded", names: tuple[str, ...] = NAMES) -> Row:
    values = array("d", [number + 1 / 3, math.nan][: len(names)])
    fixed = dict.fromkeys(COLUMNS)
    fixed |= {"id": f"id{number}", "variant": f"delay={number} s", "seed": number, "mode": "simulate"}
    fixed |= {"status": status, "cause": "", "wall_s": 0.5, "order": number, "run": "", "source": ""}
    return Row(
        fixed, {"param.delay": float(number), "param.delay.text": f"{number} s"}, names, values.tobytes()
    )


def complete(root: Path, name: str = "made", digest: str = "1", count: int = 6) -> Path:
    folder = opened(root, name, digest)
    for number in range(count):
        folder.add([row(number, "failed" if number == 5 else "succeeded")])
        if number % 2:
            folder.flush()
    folder.finish({"status": "failed", "trials": count})
    folder.close()
    return folder.path


def test_rows_are_kept_exactly_and_parts_joined(tmp_path: Path) -> None:
    path = complete(tmp_path)
    assert len(parts(path)) == 1
    table = read_campaign(path).table
    assert table["id"].to_pylist() == [f"id{number}" for number in range(6)]
    assert table["metric.load.goodput"].to_pylist() == [number + 1 / 3 for number in range(6)]
    assert table["metric.load.rtt.p99"].null_count == 6
    assert table["param.delay.text"].to_pylist()[2] == "2 s"
    record = read_campaign(path)
    assert (record.unit("metric.load.goodput"), record.unit("param.delay"), record.unit("wall_s")) == (
        "bit/s",
        "s",
        "s",
    )
    assert record.metric_names == list(NAMES)


def test_the_journal_keeps_rows_that_no_part_has(tmp_path: Path) -> None:
    """Rows with different metrics too; numbers come back bit for bit."""
    folder = opened(tmp_path)
    folder.add([row(0), row(1, names=("load.goodput",)), row(2, "crashed", ())])
    del folder  # as a killed process: nothing is closed
    again = opened_after_kill(tmp_path)
    assert again.done == {"id0", "id1", "id2"}
    assert again.statuses == {"succeeded": 2, "crashed": 1}
    table = read_campaign(again.path).table
    assert table["metric.load.goodput"].to_pylist() == [1 / 3, 4 / 3, None]
    again.close()


def opened_after_kill(root: Path) -> CampaignFolder:
    """The lock of the process that is gone is gone too; here it is this one's, so it is taken away."""
    (root / "made/.lock").unlink()
    return opened(root)


def test_a_trial_in_two_parts_is_read_once(tmp_path: Path) -> None:
    """As when joining was interrupted after the joined part was written."""
    path = complete(tmp_path)
    (first,) = parts(path)
    (path / "results/part-000099.parquet").write_bytes(first.read_bytes())
    assert len(read_campaign(path).table) == 6
    assert query("SELECT count(*) AS n FROM trials", tmp_path)["n"].to_pylist() == [6]


def test_a_damaged_part_is_told(tmp_path: Path) -> None:
    path = complete(tmp_path)
    (path / "results/part-000099.parquet").write_bytes(b"PAR1 and no more")
    record = read_campaign(path)
    assert len(record.table) == 6
    assert "part-000099.parquet cannot be read" in record.problems[0]


def test_an_older_format_is_read(tmp_path: Path) -> None:
    """Written before `source` and the verdicts were columns, and without units: what is missing is null."""
    place = tmp_path / "older/results"
    place.mkdir(parents=True)
    (tmp_path / "older/campaign.json").write_text(json.dumps({"format": 1, "trials": 2}))
    old = pa.table(
        {"id": ["a", "b"], "status": ["succeeded"] * 2, "order": [1, 0], "metric.x.goodput": [1.0, 2.0]}
    )
    pq.write_table(old, place / "part-000001.parquet")
    record = read_campaign(tmp_path / "older")
    assert record.table["id"].to_pylist() == ["b", "a"]
    assert record.table["source"].null_count == 2
    assert not record.complete
    asked = query('SELECT id, "metric.x.goodput" FROM trials ORDER BY id', tmp_path)
    assert asked["metric.x.goodput"].to_pylist() == [1.0, 2.0]


def test_what_is_no_campaign_says_so(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="expected the folder of a campaign"):
        read_campaign(tmp_path)
    complete(tmp_path, "shootout")
    with pytest.raises(RecordError, match="did you mean 'shootout'"):
        load_campaign("shotout", tmp_path)


def test_another_campaign_of_the_same_name_gets_another_folder(tmp_path: Path) -> None:
    complete(tmp_path)
    assert complete(tmp_path, digest="2").name == "made-2"
    folder = opened(tmp_path)
    assert (folder.name, len(folder.done), folder.complete) == ("made", 6, True)
    folder.close()


def test_one_process_at_a_time(tmp_path: Path) -> None:
    folder = opened(tmp_path)
    with pytest.raises(RecordError, match="another process is running this campaign"):
        opened(tmp_path)
    assert summaries(tmp_path)[0]["status"] == "running"
    folder.close()
    assert summaries(tmp_path)[0]["status"] == "unfinished"


def test_trials_are_forgotten_to_be_run_again(tmp_path: Path) -> None:
    complete(tmp_path)
    folder = opened(tmp_path)
    assert folder.reopen(("failed",)) == 1
    assert folder.done == {f"id{number}" for number in range(5)}
    assert not folder.complete
    folder.close()


def test_questions_over_several_campaigns(tmp_path: Path) -> None:
    complete(tmp_path, "one", "1")
    complete(tmp_path, "two", "2", count=3)
    found = query("SELECT campaign, count(*) AS n FROM trials GROUP BY campaign ORDER BY campaign", tmp_path)
    assert found.to_pylist() == [{"campaign": "one", "n": 6}, {"campaign": "two", "n": 3}]
    assert query("SELECT count(*) AS n FROM trials", tmp_path, ["two"])["n"].to_pylist() == [3]
    about = query("SELECT campaign, status, recorded FROM campaigns ORDER BY campaign", tmp_path).to_pylist()
    assert about[1] == {"campaign": "two", "status": "failed", "recorded": 3}
    with pytest.raises(RecordError, match="query: .*nothing"):
        query("SELECT nothing FROM trials", tmp_path)
    with pytest.raises(RecordError, match="not found"):
        query("SELECT 1", tmp_path, ["three"])


def test_an_empty_store_answers(tmp_path: Path) -> None:
    found: list[dict[str, Any]] = query(
        "SELECT count(*) AS n, max(seed) AS m FROM trials", tmp_path
    ).to_pylist()
    assert found == [{"n": 0, "m": None}]
