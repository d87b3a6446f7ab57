"""Records: reading run folders back, whole, unfinished or damaged; the series only when asked for."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netarium.errors import RecordError, did_you_mean
from netarium.store.files import digest_of

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = 1
ENVIRONMENT = "NETARIUM_RUNS"
START, METRICS, STOP, TOPOLOGY = "start.json", "metrics.json", "stop.json", "topology.json"
RESULTS = ("succeeded", "failed")  # the statuses with which a run counts as a result


def runs_root(out: str | Path | None = None) -> Path:
    """The folder that run folders are in: `out`, else the variable NETARIUM_RUNS, else ./runs."""
    return Path(out or os.environ.get(ENVIRONMENT) or "runs")


@dataclass
class Record:
    """One run folder. `start` is always there; `stop` is None when the run has not ended or was killed.

    `problems` lists what is missing or damaged, as far as the documents and the sizes of the files tell;
    `verify` also compares every file with its SHA-256.
    """

    path: Path
    start: dict[str, Any]
    stop: dict[str, Any] | None
    problems: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def trial(self) -> str:
        return str(self.start.get("trial", ""))

    @property
    def status(self) -> str:
        """succeeded, failed, refused, interrupted or crashed; without stop.json running or unfinished."""
        if self.stop is not None:
            return str(self.stop.get("status", "crashed"))
        from netarium.store.machine import is_alive

        return "running" if is_alive(self.start.get("process") or {}) else "unfinished"

    @property
    def is_result(self) -> bool:
        """Whether this may be counted as the result of a trial: ended by itself, and nothing is damaged."""
        return self.status in RESULTS and not self.problems

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """The metrics document; empty when the run did not get that far."""
        return read_document(self.path / METRICS) or {}

    @cached_property
    def topology(self) -> dict[str, Any]:
        return read_document(self.path / TOPOLOGY) or {}

    def table(self, name: str, columns: list[str] | None = None) -> pa.Table:
        """One of the Parquet tables, such as "series_ports"; raises RecordError if it cannot be read."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self.path / f"{name}.parquet"
        if not path.is_file():
            raise RecordError(f"{path}: not there; the run is {self.status}")
        try:
            return pq.read_table(path, columns=columns)
        except (pa.ArrowException, OSError) as error:
            raise RecordError(f"{path}: cannot be read ({str(error).splitlines()[0]})") from error

    def verify(self) -> list[str]:
        """All that is wrong with the files: missing, of another size or SHA-256 than stop.json says."""
        problems = list(self.problems)
        for entry in (self.stop or {}).get("files", []):
            path = self.path / entry["path"]
            if (
                path.is_file()
                and path.stat().st_size == entry["bytes"]
                and digest_of(path) != entry["sha256"]
            ):
                problems.append(f"{entry['path']} is not what the run wrote (its SHA-256 differs)")
        return problems


def load(name_or_path: str | Path, root: str | Path | None = None) -> Record:
    """The record of a run, by name (looked up in `runs_root(root)`) or by the path of its folder.

    Reads only start.json and stop.json. Raises RecordError when there is no such run, its start.json cannot
    be read, or a newer version of netarium wrote it.
    """
    path = _find(name_or_path, runs_root(root))
    try:
        start = read_document(path / START)
    except RecordError as error:
        raise RecordError(f"{error}; without it the folder says nothing") from error
    if start is None:
        raise RecordError(f"{path}: found no {START}, expected a run folder; the run ended before it began")
    _check_format(path, start)
    problems: list[str] = []
    try:
        stop = read_document(path / STOP)
    except RecordError as error:
        stop, problems = None, [str(error)]
    if stop is not None:
        problems += _size_problems(path, stop)
    return Record(path, start, stop, problems)


def ls(root: str | Path | None = None) -> list[Record]:
    """The records in `runs_root(root)`, oldest first; one that cannot be read says why in `problems`."""
    folder = runs_root(root)
    if not folder.is_dir():
        return []
    records = list(_records(folder))
    return sorted(records, key=lambda record: (str(record.start.get("started", "")), record.name))


def _records(folder: Path) -> Iterator[Record]:
    for path in folder.iterdir():
        if path.name.startswith(".") or not (path / START).is_file():
            continue
        try:
            yield load(path)
        except RecordError as error:
            yield Record(path, {"run": path.name}, None, [str(error)])


def _find(name_or_path: str | Path, root: Path) -> Path:
    given = Path(name_or_path)
    for path in (given, root / given):
        if path.is_dir() and (path / START).is_file():
            return path
    for path in (given, root / given):
        if path.is_dir() and str(given) not in (".", ""):
            return path
    if given.is_file():
        raise RecordError(f"{given}: found a file, expected the name or the folder of a run")
    names = [record.name for record in ls(root)]
    hint = did_you_mean(str(given), names) or "'netarium ls' lists the runs there are"
    raise RecordError(f"run {str(given)!r}: not found in {root}; {hint}")


def read_document(path: Path) -> dict[str, Any] | None:
    """The document, None when the file is absent; raises RecordError when it cannot be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise RecordError(f"{path}: cannot be read ({error})") from error
    if not isinstance(content, dict):
        raise RecordError(f"{path}: found {type(content).__name__}, expected a JSON object")
    return content


def _check_format(path: Path, start: dict[str, Any]) -> None:
    found = start.get("format")
    if isinstance(found, int) and 1 <= found <= FORMAT:
        return
    if isinstance(found, int) and found > FORMAT:
        version = (start.get("versions") or {}).get("netarium", "a newer version")
        raise RecordError(
            f"{path}: found run folder format {found}, expected {FORMAT} or older; "
            f"netarium {version} wrote it: upgrade netarium to read it"
        )
    raise RecordError(f"{path}: found run folder format {found!r}, expected {FORMAT}; it is not a run folder")


def _size_problems(path: Path, stop: dict[str, Any]) -> list[str]:
    problems = []
    for entry in stop.get("files", []):
        file = path / entry["path"]
        if not file.is_file():
            problems.append(f"{entry['path']} is missing")
        elif file.stat().st_size != entry["bytes"]:
            problems.append(
                f"{entry['path']} has {file.stat().st_size} bytes, the run wrote {entry['bytes']}"
            )
    return problems
