"""Questions over all campaigns of a store, in SQL: DuckDB reads the Parquet parts where they are.

Views: `trials` has a row per trial of every campaign, with the columns of results/ and `campaign`; `campaigns` has
a row per campaign. Names with points are quoted: "metric.flows.goodput".
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from netarium.errors import RecordError
from netarium.store.campaigns import COLUMNS, campaign_folders, parts, summaries
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
    connection.register("campaigns_table", _campaigns(place, folders))
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


def _campaigns(place: Path, folders: list[Path]) -> pa.Table:
    """One row per campaign: name, title, status, trials, when it began and ended, its seeds and variants."""
    import pyarrow as pa

    chosen = {str(path) for path in folders}
    rows = [row for row in summaries(place) if row["folder"] in chosen]
    return pa.Table.from_pylist(
        rows, schema=pa.schema([(name, getattr(pa, kind)()) for name, kind in SUMMARY])
    )


SUMMARY = (
    *((name, "string") for name in ("campaign", "title", "status")),
    *((name, "int64") for name in ("trials", "recorded", "variants", "seeds")),
    *((name, "string") for name in ("started", "ended")),
    ("wall_s", "float64"),
    *((name, "string") for name in ("kernel_digest", "netarium", "folder")),
)
