"""Questions over all campaigns of a store, in SQL: DuckDB reads the Parquet parts where they are.

Views: `trials` has a row per trial of every campaign, with the columns of results/ and `campaign`; `campaigns` has
a row per campaign. Names with points are quoted: "metric.flows.goodput".
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netarium.errors import RecordError
from netarium.store.campaigns import COLUMNS, campaign_folders, parts, read_campaign
from netarium.store.record import runs_root

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


def query(sql: str, root: str | Path | None = None, campaigns: Iterable[str] = ()) -> pa.Table:
    """The answer to a question as an Arrow table. campaigns: names of those to look at, all when none is given.

    Raises RecordError with what the database says when it cannot answer.
    """
    import duckdb

    connection = connect(root, campaigns)
    try:
        return connection.sql(sql).to_arrow_table()
    except duckdb.Error as error:
        raise RecordError(f"query: {str(error).strip()}") from None
    finally:
        connection.close()


def connect(root: str | Path | None = None, campaigns: Iterable[str] = ()) -> duckdb.DuckDBPyConnection:
    """A database in memory with the views `trials` and `campaigns`; it reads files and writes none."""
    import duckdb

    place = runs_root(root)
    wanted = set(campaigns)
    folders = [path for path in campaign_folders(place) if not wanted or path.name in wanted]
    missing = wanted - {path.name for path in folders}
    if missing:
        raise RecordError(f"campaign {sorted(missing)[0]!r}: not found in {place}; 'netarium ls' lists them")
    connection = duckdb.connect(":memory:")
    connection.register("campaigns_table", _campaigns(folders))
    connection.execute("CREATE VIEW campaigns AS SELECT * FROM campaigns_table")
    connection.execute(f"CREATE VIEW trials AS {_trials(folders)}")
    return connection


def _trials(folders: list[Path]) -> str:
    """SELECT over the parts of all campaigns, each trial once."""
    files = [str(path) for folder in folders for path in parts(folder)]
    if not files:
        fixed = ", ".join(f'NULL::{_SQL[kind]} AS "{name}"' for name, (kind, _, _) in COLUMNS.items())
        return f"SELECT NULL::VARCHAR AS campaign, {fixed} LIMIT 0"
    listed = ", ".join("'" + name.replace("'", "''") + "'" for name in files)
    several = any(len(parts(folder)) > 1 for folder in folders)
    once = "QUALIFY row_number() OVER (PARTITION BY filename_folder, id) = 1" if several else ""
    return (
        f"SELECT filename_folder AS campaign, * EXCLUDE (filename, filename_folder) FROM (SELECT *, "
        f"string_split(filename, '/')[-3] AS filename_folder FROM read_parquet([{listed}], union_by_name = true, "
        f"filename = true, hive_partitioning = false)) {once}"
    )


_SQL = {"string": "VARCHAR", "int64": "BIGINT", "float64": "DOUBLE", "bool": "BOOLEAN"}


def _campaigns(folders: list[Path]) -> pa.Table:
    """One row per campaign: name, title, trials, done, status, when it began and ended, its seeds and variants."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows: list[dict[str, Any]] = []
    for folder in folders:
        record = read_campaign(folder)
        about, stop = record.document, record.stop or {}
        done = sum(pq.read_metadata(path).num_rows for path in parts(folder))
        rows.append(
            {
                "campaign": folder.name,
                "title": about.get("title", ""),
                "trials": about.get("trials"),
                "recorded": done,
                "status": stop.get("status", "unfinished"),
                "variants": about.get("variants"),
                "seeds": len(about.get("seeds", [])),
                "started": about.get("started"),
                "ended": stop.get("ended"),
                "wall_s": stop.get("wall_s"),
                "kernel_digest": (about.get("digests") or {}).get("kernel"),
                "netarium": (about.get("versions") or {}).get("netarium"),
                "folder": str(folder),
            }
        )
    texts = ("campaign", "title", "status", "started", "ended", "kernel_digest", "netarium", "folder")
    order = (
        "campaign",
        "title",
        "status",
        "trials",
        "recorded",
        "variants",
        "seeds",
        "started",
        "ended",
        "wall_s",
    )
    schema = pa.schema(
        [
            (name, pa.string() if name in texts else pa.float64() if name == "wall_s" else pa.int64())
            for name in (*order, "kernel_digest", "netarium", "folder")
        ]
    )
    return pa.Table.from_pylist(rows, schema=schema)
