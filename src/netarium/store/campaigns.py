"""Campaigns: reading a campaign's folder back as one Arrow table, whole, unfinished or of an older format.

    runs/shootout/campaign.yml      as typed
                  campaign.json     the campaign expanded: parameters, seeds, modes, metrics, digests, machine
                  results/part-000001.parquet …   one row per trial that was decided
                  runs/             the run folders that were kept
                  stop.json         how it ended; without it the campaign goes on or was stopped

A trial may stand in several parts (parts are joined when a campaign ends, and the joined one is written before
the others are removed); it is read once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netarium.errors import RecordError, did_you_mean
from netarium.store.record import read_document, runs_root

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = 1
CAMPAIGN, TYPED, STOP, RESULTS, RUNS = "campaign.json", "campaign.yml", "stop.json", "results", "runs"
LOCK = ".lock"
PARTS = "part-*.parquet"
STATUSES = ("succeeded", "failed", "refused", "crashed", "timeout", "out_of_memory", "interrupted")
MEASURED = ("succeeded", "failed")
"""The statuses of trials that ran to their end, so that their metrics count."""

# name -> (Arrow type, unit, meaning); the rest of the columns are param.*, metric.* and verdict.*
COLUMNS: dict[str, tuple[str, str, str]] = {
    "id": ("string", "", "stable name of the trial: digest of parameters, seed and mode"),
    "variant": ("string", "", "the parameters in short, without the seed"),
    "seed": ("int64", "", "seed of all random draws"),
    "mode": ("string", "", "simulate or emulate"),
    "status": ("string", "", f"one of {', '.join(STATUSES)}"),
    "cause": ("string", "", "why the trial did not succeed; empty when it did"),
    "wall_s": ("float64", "s", "time that the trial took in its worker"),
    "order": ("int64", "", "position in the order of execution"),
    "run": ("string", "", "folder of the run, relative to the campaign's; empty when none was kept"),
    "trial_digest": ("string", "", "SHA-256 of the expanded trial"),
    "plan_digest": ("string", "", "SHA-256 of the compiled trial; empty when it was not compiled"),
    "kernel_digest": ("string", "", "digest of the engine's sources"),
    "source": ("string", "", "campaign that this result was taken from; empty when it was run here"),
    "verdict.expect": ("bool", "", "every expectation was met; null when there is none"),
    "verdict.certified": ("bool", "", "every slice was certified; null when there is none"),
}


@dataclass
class CampaignRecord:
    """One campaign's folder. `document` is campaign.json; `stop` is None while the campaign is not complete.

    `problems` lists parts that cannot be read; their trials are not in the table.
    """

    path: Path
    document: dict[str, Any]
    stop: dict[str, Any] | None
    problems: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def complete(self) -> bool:
        """Whether every trial was decided."""
        return self.stop is not None

    @property
    def parameters(self) -> list[dict[str, Any]]:
        """The swept parameters: {name, path, values}."""
        return list(self.document.get("parameters", []))

    @cached_property
    def table(self) -> pa.Table:
        """One row per trial, in the order of execution. Fields carry `unit` and `meaning` as metadata."""
        return _joined(self)

    @property
    def metric_names(self) -> list[str]:
        """Names of the metrics in the table, without `metric.`: such as `flows.goodput`."""
        return [
            name.removeprefix("metric.") for name in self.table.column_names if name.startswith("metric.")
        ]

    def unit(self, column: str) -> str:
        """Unit of a column (SI), empty for a bare number. Raises KeyError for a column that is not there."""
        metadata = self.table.schema.field(column).metadata or {}
        return metadata.get(b"unit", b"").decode()

    def folder_of(self, run: str) -> Path | None:
        """The run folder that a row's `run` names, None when none was kept."""
        return self.path / run if run else None


def read_campaign(folder: str | Path) -> CampaignRecord:
    """The record of a campaign, complete or not. Raises RecordError: no campaign, damaged, or too new."""
    path = Path(folder)
    document = read_document(path / CAMPAIGN)
    if document is None:
        raise RecordError(f"{path}: found no {CAMPAIGN}, expected the folder of a campaign")
    _check_format(path, document)
    return CampaignRecord(path, document, read_document(path / STOP))


def load_campaign(name_or_path: str | Path, root: str | Path | None = None) -> CampaignRecord:
    """The record of a campaign by name, looked up in `runs_root(root)`, or by the path of its folder."""
    place = runs_root(root)
    for path in (Path(name_or_path), place / Path(name_or_path)):
        if (path / CAMPAIGN).is_file():
            return read_campaign(path)
    names = [path.name for path in campaign_folders(place)]
    hint = did_you_mean(str(name_or_path), names) or "'netarium ls' lists the campaigns there are"
    raise RecordError(f"campaign {str(name_or_path)!r}: not found in {place}; {hint}")


def campaign_folders(root: str | Path | None = None) -> list[Path]:
    """The folders in `runs_root(root)` that hold a campaign, by name."""
    place = runs_root(root)
    return sorted(path.parent for path in place.glob(f"*/{CAMPAIGN}")) if place.is_dir() else []


def summaries(root: str | Path | None = None) -> list[dict[str, Any]]:
    """One dictionary per campaign, oldest first: what `netarium ls` and the view `campaigns` show."""
    found = [_summary(folder) for folder in campaign_folders(root)]
    return sorted(found, key=lambda each: (str(each["started"]), each["campaign"]))


def _summary(folder: Path) -> dict[str, Any]:
    about: dict[str, Any] = {}
    stop: dict[str, Any] = {}
    try:
        record = read_campaign(folder)
        about, stop, status = record.document, record.stop or {}, _status(record)
    except RecordError as error:
        status = f"cannot be read: {error}"
    return {
        "campaign": folder.name,
        "title": about.get("title", ""),
        "status": status,
        "trials": about.get("trials"),
        "recorded": stop["trials"] if "trials" in stop else _row_count(folder),
        "variants": about.get("variants"),
        "seeds": len(about.get("seeds", [])),
        "started": about.get("started"),
        "ended": stop.get("ended"),
        "wall_s": stop.get("wall_s"),
        "kernel_digest": (about.get("digests") or {}).get("kernel"),
        "netarium": (about.get("versions") or {}).get("netarium"),
        "folder": str(folder),
    }


def _status(record: CampaignRecord) -> str:
    """succeeded or failed; without stop.json running or unfinished, by who holds the lock."""
    if record.stop is not None:
        return str(record.stop.get("status", "failed"))
    import fcntl

    try:
        with (record.path / LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return "running"
    except OSError:
        return "unfinished"
    return "unfinished"


def _row_count(folder: Path) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    count = 0
    for path in parts(folder):
        try:
            count += pq.read_metadata(path).num_rows
        except (pa.ArrowException, OSError):
            continue
    return count


def parts(folder: Path) -> list[Path]:
    """The Parquet parts of a campaign, oldest first; hidden files are parts that were never finished."""
    return sorted(folder.glob(f"{RESULTS}/{PARTS}"))


def field_of(name: str, type_: pa.DataType, unit: str = "", meaning: str = "") -> pa.Field:
    """An Arrow field with its unit and meaning."""
    import pyarrow as pa

    return pa.field(name, type_, metadata={"unit": unit, "meaning": meaning})


def fixed_fields() -> list[pa.Field]:
    """The columns that every campaign has."""
    import pyarrow as pa

    return [
        field_of(name, getattr(pa, "bool_" if kind == "bool" else kind)(), unit, meaning)
        for name, (kind, unit, meaning) in COLUMNS.items()
    ]


def _joined(record: CampaignRecord) -> pa.Table:
    """All readable parts under each other, each trial once, what older formats lack as null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    tables = list(_tables(record))
    empty = pa.schema(fixed_fields()).empty_table()
    table = pa.concat_tables([empty, *tables], promote_options="permissive")
    table = _first_of_each(table)
    table = table.select([*COLUMNS, *(name for name in table.column_names if name not in COLUMNS)])
    return table.take(pc.sort_indices(table, [("order", "ascending")])) if len(table) else table


def _tables(record: CampaignRecord) -> Iterator[pa.Table]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    record.problems.clear()
    for path in parts(record.path):
        try:
            yield pq.read_table(path, partitioning=None)
        except FileNotFoundError:
            continue  # joined with others since it was listed
        except (pa.ArrowException, OSError) as error:
            record.problems.append(f"{path.name} cannot be read ({str(error).splitlines()[0]})")


def _first_of_each(table: pa.Table) -> pa.Table:
    """The first row of every id."""
    import numpy as np

    ids = np.asarray(table["id"].to_pylist(), dtype=object)
    _, first = np.unique(ids.astype(str), return_index=True) if len(ids) else (None, np.zeros(0, np.int64))
    return table if len(first) == len(ids) else table.take(np.sort(first))


def _check_format(path: Path, document: dict[str, Any]) -> None:
    found = document.get("format")
    if isinstance(found, int) and 1 <= found <= FORMAT:
        return
    if isinstance(found, int) and found > FORMAT:
        version = (document.get("versions") or {}).get("netarium", "a newer version")
        raise RecordError(
            f"{path}: found campaign format {found}, expected {FORMAT} or older; netarium {version} wrote it: "
            "upgrade netarium to read it"
        )
    raise RecordError(
        f"{path}: found campaign format {found!r}, expected {FORMAT}; it is no campaign's folder"
    )
