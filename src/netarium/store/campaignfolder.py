"""Writes a campaign's folder: campaign.json first, results as they come, stop.json last.

A result is first a line of results/journal.jsonl, written as soon as it is there, then with others a row of a
Parquet part, written whole or not at all; the journal is emptied after that. So a campaign that is killed has lost
nothing that was finished, and a line cut short by a power cut is not counted. One process writes at a time: it
holds a lock on the folder, which is gone when the process is.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netarium.errors import RecordError
from netarium.store import files
from netarium.store.campaigns import (
    CAMPAIGN,
    LOCK,
    RESULTS,
    STOP,
    TYPED,
    CampaignRecord,
    field_of,
    fixed_fields,
    parts,
    read_campaign,
)
from netarium.store.record import runs_root

if TYPE_CHECKING:
    import pyarrow as pa

JOURNAL, INPUTS = "journal.jsonl", "inputs"
ROWS_A_PART = 5000
METRIC, PARAM = "metric.", "param."
_ENCODER = json.JSONEncoder(ensure_ascii=False)


@dataclass(frozen=True)
class Row:
    """One trial's line: the fixed columns by name, its parameters by column, and the metrics (names, float64 bytes)."""

    fixed: Mapping[str, Any]
    parameters: Mapping[str, Any]
    names: tuple[str, ...] = ()
    values: bytes = b""

    def line(self, number: int) -> str:
        """The row as one line of JSON: the number of its metrics' names, their values as hexadecimal bytes, exact."""
        return _ENCODER.encode([self.fixed, self.parameters, number, self.values.hex()])


@dataclass(frozen=True)
class Described:
    """How metrics and parameters stand in the table: column -> (Arrow type, unit, meaning)."""

    parameters: Mapping[str, tuple[str, str, str]]
    metric_unit: Callable[[str], str]
    metric_meaning: Callable[[str], str]


@dataclass
class CampaignFolder:
    """A campaign's folder being written. `done` are the ids of the trials that it has results for."""

    path: Path
    described: Described
    lock: int
    done: set[str] = field(default_factory=set)
    statuses: dict[str, int] = field(default_factory=dict)
    _rows: list[Row] = field(default_factory=list)
    _journal: int = -1
    _dirty: bool = False
    _numbers: dict[tuple[str, ...], int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def complete(self) -> bool:
        """Whether stop.json is there."""
        return (self.path / STOP).exists()

    def add(self, rows: Iterable[Row]) -> None:
        """Add results; they survive the end of this process from here on. Raises DiskFull, RecordError."""
        new = list(rows)
        if not new:
            return
        self._append(self._text(new))
        for row in new:
            self._rows.append(row)
            self._count(row.fixed)
        if len(self._rows) >= ROWS_A_PART:
            self.flush()

    def sync(self) -> None:
        """Force what was added to the disk, so that it survives a power cut."""
        if self._dirty:
            os.fdatasync(self._journal)
            self._dirty = False

    def flush(self) -> None:
        """Write what was added since the last part as a part of its own. Raises DiskFull, RecordError."""
        if self._rows:
            self._write_part(self._table(self._rows))
            self._rows.clear()
        if self._journal >= 0:
            os.ftruncate(self._journal, 0)
        self._numbers.clear()

    def finish(self, document: Mapping[str, Any]) -> None:
        """Join all parts into one and write stop.json: the campaign is complete. Raises DiskFull, RecordError."""
        self.flush()
        every = parts(self.path)
        if len(every) > 1:
            table = read_campaign(self.path).table
            self._write_part(table.replace_schema_metadata(_SCHEMA))
            for path in every:
                path.unlink(missing_ok=True)
            files.sync_folder(self.path / RESULTS)
        files.write_json(self.path / STOP, {"format": 1, **document})
        if self._journal >= 0:
            os.close(self._journal)
            self._journal = -1
        (self.path / RESULTS / JOURNAL).unlink(missing_ok=True)

    def reopen(self, statuses: Sequence[str]) -> int:
        """Forget the trials that ended with one of `statuses`, so that they are run again; how many there were."""
        import pyarrow as pa
        import pyarrow.compute as pc

        record = read_campaign(self.path)
        if not len(record.table):
            return 0
        again = pc.is_in(record.table["status"], pa.array(list(statuses)))
        rest = record.table.filter(pc.invert(again))
        forgotten = len(record.table) - len(rest)
        if forgotten:
            (self.path / STOP).unlink(missing_ok=True)
            every = parts(self.path)
            if len(rest):
                self._write_part(rest.replace_schema_metadata(_SCHEMA))
            for path in every:
                path.unlink(missing_ok=True)
            self._load(read_campaign(self.path))
        return forgotten

    def close(self) -> None:
        """Write what is not written yet, if it can be, and let others write."""
        with contextlib.suppress(RecordError, OSError):
            self.flush()
        if self._journal >= 0:
            os.close(self._journal)
            self._journal = -1
        os.close(self.lock)

    # -- inside

    def begin(self, document: Mapping[str, Any], typed: str, inputs: Mapping[str, Path]) -> None:
        """Write all that is known before the first trial."""
        for name, source in inputs.items():
            target = self.path / INPUTS / name
            target.parent.mkdir(parents=True, exist_ok=True)
            content = source.read_bytes()
            files.write_atomically(target, lambda file, content=content: file.write(content), len(content))
        files.write_text(self.path / TYPED, typed)
        files.write_json(self.path / CAMPAIGN, document)

    def resume(self) -> None:
        """Take up what is there: parts, and lines of the journal that no part has."""
        place = self.path / RESULTS
        place.mkdir(exist_ok=True)
        for left in place.glob(".part-*.tmp"):
            left.unlink()
        self._load(read_campaign(self.path))
        if self.complete:
            return
        for row in _lines(place / JOURNAL):
            if row.fixed["id"] not in self.done:
                self._rows.append(row)
                self._count(row.fixed)
        self.flush()
        (place / JOURNAL).unlink(missing_ok=True)

    def _load(self, record: CampaignRecord) -> None:
        if not parts(record.path):
            return
        table = record.table.select(["id", "status"])
        if record.problems:
            raise RecordError(f"{record.path}: {record.problems[0]}; remove or repair it, then start again")
        self.done = set(table["id"].to_pylist())
        self.statuses.clear()
        for status in table["status"].to_pylist():
            self.statuses[status] = self.statuses.get(status, 0) + 1

    def _count(self, fixed: Mapping[str, Any]) -> None:
        self.done.add(fixed["id"])
        self.statuses[fixed["status"]] = self.statuses.get(fixed["status"], 0) + 1

    def _text(self, rows: Sequence[Row]) -> bytes:
        """The journal's lines of rows, and before them the names of metrics that it does not have yet."""
        lines = []
        for row in rows:
            if row.names not in self._numbers:
                self._numbers[row.names] = len(self._numbers)
                lines.append(json.dumps(row.names))
            lines.append(row.line(self._numbers[row.names]))
        return "".join(f"{line}\n" for line in lines).encode("utf-8")

    def _append(self, text: bytes) -> None:
        if self._journal < 0:
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            self._journal = os.open(self.path / RESULTS / JOURNAL, flags, 0o644)
        before = os.lseek(self._journal, 0, os.SEEK_END)
        try:
            view = memoryview(text)
            while len(view):
                view = view[os.write(self._journal, view) :]
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._journal, before)
            if error.errno in files.FULL:
                raise files.DiskFull(self.path, 4 * len(text), files.free_bytes(self.path)) from error
            raise RecordError(f"{self.path}: cannot be written ({error.strerror or error})") from error
        self._dirty = True

    def _write_part(self, table: pa.Table) -> None:
        import pyarrow.parquet as pq

        place = self.path / RESULTS
        numbers = [int(found[1]) for path in parts(self.path) if (found := re.search(r"(\d+)$", path.stem))]
        path = place / f"part-{max(numbers, default=0) + 1:06}.parquet"
        files.write_atomically(
            path, lambda file: pq.write_table(table, file, compression="zstd"), table.nbytes
        )

    def _table(self, rows: Sequence[Row]) -> pa.Table:
        """The rows as an Arrow table: fixed columns, parameters, metrics."""
        import numpy as np
        import pyarrow as pa

        fields = fixed_fields()
        arrays = [pa.array([row.fixed.get(each.name) for row in rows], each.type) for each in fields]
        for column, (kind, unit, meaning) in self.described.parameters.items():
            fields.append(field_of(column, getattr(pa, kind)(), unit, meaning))
            arrays.append(pa.array([row.parameters.get(column) for row in rows], fields[-1].type))
        names = list(
            dict.fromkeys(name for row in {row.names: row for row in rows}.values() for name in row.names)
        )
        place = {name: index for index, name in enumerate(names)}
        grid = np.full((len(names), len(rows)), np.nan)
        columns_of = {row.names: [place[name] for name in row.names] for row in rows}
        for index, row in enumerate(rows):
            if row.names:
                grid[columns_of[row.names], index] = array("d", row.values)
        for name, numbers in zip(names, grid, strict=True):
            unit, meaning = self.described.metric_unit(name), self.described.metric_meaning(name)
            fields.append(field_of(METRIC + name, pa.float64(), unit, meaning))
            arrays.append(pa.array(numbers, from_pandas=True))
        return pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=_SCHEMA))


_SCHEMA = {"netarium.format": "1", "netarium.description": "one row per trial of a campaign"}


def _lines(path: Path) -> Iterator[Row]:
    """The rows of a journal; a line that was cut short by a power cut ends it."""
    if not path.exists():
        return
    names: list[tuple[str, ...]] = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            found = json.loads(line)
            if not found or isinstance(found[0], str):
                names.append(tuple(found))
                continue
            fixed, parameters, number, values = found
            yield Row(fixed, parameters, names[number], bytes.fromhex(values))
        except (ValueError, TypeError, IndexError):
            return


def open_folder(
    root: str | Path | None, name: str, digest: str, described: Described, document: Callable[[str], Mapping[str, Any]],
    typed: str, inputs: Mapping[str, Path],
) -> tuple[CampaignFolder, bool]:  # fmt: skip
    """(the folder of a campaign, whether it was there already): `name`, or `name-2` … when another campaign has it.

    digest: of the campaign and of what computes it; document: the folder's name -> campaign.json. Raises
    RecordError when the same campaign is being run by another process, DiskFull.
    """
    place = runs_root(root)
    files.require_room(place, files.RESERVE_BYTES)
    number = 1
    while True:
        path = place / (name if number == 1 else f"{name}-{number}")
        number += 1
        lock = _locked(path)
        found = _digest_in(path)
        if found not in ("", digest) or (path / "start.json").exists():
            if lock is not None:
                os.close(lock)
            continue
        if lock is None:
            if found == digest:
                raise RecordError(
                    f"{path}: another process is running this campaign; wait for it, or stop it"
                )
            continue
        folder = CampaignFolder(path, described, lock)
        try:
            if not found:
                folder.begin(document(path.name), typed, inputs)
            folder.resume()
        except BaseException:
            folder.close()
            raise
        return folder, bool(found)


def _locked(path: Path) -> int | None:
    """A lock on a campaign's folder, which is made if need be; None when another process has it."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise RecordError(f"{path}: cannot be written ({error.strerror or error})") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _digest_in(path: Path) -> str:
    """The digest of the campaign in a folder; empty when there is none yet."""
    try:
        record = read_campaign(path)
    except RecordError:
        if (path / CAMPAIGN).exists():
            raise
        return ""
    return str((record.document.get("digests") or {}).get("campaign", "unknown"))
