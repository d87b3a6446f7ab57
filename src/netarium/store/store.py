"""Store: writes the folder of one run (docs/run-folder.md), start.json first and stop.json last.

    folder = create(root, trial, trial_text=..., ...)      start.json and trial.yml: all that is known before
    folder.write_results(samples, document, topology)      metrics, series, topology
    folder.finish("succeeded", 0)                          stop.json: how it ended, and a digest of every file

A folder without stop.json is of a run that goes on or was killed. Every file is written beside, forced to
disk and renamed, so that none is ever half there. A folder that exists is never written into by another run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netarium.describe.dump import dump, full
from netarium.describe.files import named_files
from netarium.errors import RecordError
from netarium.store import files, machine, names
from netarium.store.record import FORMAT, METRICS, START, STOP, TOPOLOGY, Record, load, ls, runs_root
from netarium.store.room import room_of

if TYPE_CHECKING:
    from netarium.describe.trial import Trial
    from netarium.run.samples import Samples

__all__ = ["Record", "RunFolder", "create", "load", "ls", "runs_root"]

STATUSES = ("succeeded", "failed", "refused", "interrupted", "crashed")
TRIAL = "trial.yml"
MADE_LATER = ("figures", "report.html")  # drawn from the record, can be drawn again: no part of its digests


@dataclass
class RunFolder:
    """A run folder being written."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def captures_path(self) -> Path:
        """Where packet captures go; made when first asked for."""
        folder = self.path / "captures"
        folder.mkdir(exist_ok=True)
        return folder

    def write_results(
        self, samples: Samples | None, document: Mapping[str, Any], topology: Mapping[str, Any] | None = None
    ) -> None:
        """Series, flows and histograms as Parquet, topology.json, and metrics.json as the last of them.

        samples may be None (an admission that refused has only a document). Raises DiskFull.
        """
        self._must_be_open()
        if samples is not None:
            self._write_tables(samples)
            self._write_captures(samples, str(document.get("trial", "")))
        if topology is not None:
            files.write_json(self.path / TOPOLOGY, topology)
        files.write_json(self.path / METRICS, document)

    def _write_tables(self, samples: Samples) -> None:
        import pyarrow.parquet as pq

        from netarium.store.tables import TABLES

        for name, build in TABLES.items():
            content = build(samples)
            files.write_atomically(
                self.path / f"{name}.parquet",
                lambda file, content=content: pq.write_table(content, file, compression="zstd"),
                content.nbytes,
            )

    def _write_captures(self, samples: Samples, trial: str) -> None:
        """One pcapng file for each captured port."""
        if not samples.captures:
            return
        from netarium.store import pcapng

        application = f"netarium {machine.versions()['netarium']}"
        comment = f"trial {trial}, run {self.name}; {pcapng.SYNTHESISED}"
        file_names = names.file_names([table.port for table in samples.captures])
        for table, file_name in zip(samples.captures, file_names, strict=True):
            files.write_atomically(
                self.captures_path / f"{file_name}.pcapng",
                lambda file, table=table: pcapng.write(file, table, comment, application),
                len(table.packets) * (table.snap_bytes + pcapng.PACKET_OVERHEAD),
            )

    def finish(self, status: str, exit_code: int, reason: str = "") -> None:
        """Write stop.json, which makes the folder final. Raises RecordError if it already is, DiskFull."""
        self._must_be_open()
        if status not in STATUSES:
            raise ValueError(f"found status {status!r}, expected one of {', '.join(STATUSES)}")
        stop = {
            "format": FORMAT,
            "status": status,
            "exit_code": exit_code,
            "reason": reason,
            "ended": _now(),
            "files": self._files(),
        }
        files.write_json(self.path / STOP, stop)

    def _files(self) -> list[dict[str, Any]]:
        """Path, size and SHA-256 of every file of the record, by path."""
        entries = []
        for path in sorted(self.path.rglob("*")):
            relative = path.relative_to(self.path)
            if not path.is_file() or relative.parts[0] in MADE_LATER or path.name.startswith("."):
                continue
            digest = files.digest_of(path)
            entries.append({"path": str(relative), "bytes": path.stat().st_size, "sha256": digest})
        return entries

    def _must_be_open(self) -> None:
        if (self.path / STOP).exists():
            raise RecordError(f"{self.path}: the run has ended, its record is never written again")


def create(
    root: str | Path | None,
    trial: Trial,
    *,
    name: str | None = None,
    inputs: Mapping[str, Path] | None = None,
    argv: Sequence[str] = (),
    digests: Mapping[str, str] | None = None,
    assumptions: Sequence[str] = (),
    estimate: Mapping[str, Any] | None = None,
    needed_bytes: int | None = None,
) -> RunFolder:
    """Make the folder of a run and write all that is known before it: start.json, trial.yml, inputs.

    root: as for `runs_root`. trial: the one that runs, overrides applied; where it was loaded from is in its
    `source`. inputs: the user's own files, from the path written in the trial to where they are; found from
    the trial when not given. needed_bytes: the room to ask for before anything is written; by default that of
    `room_of`.
    Raises RecordError when `name` exists, DiskFull when the record would not fit.
    """
    place = runs_root(root)
    files.require_room(place, room_of(trial) if needed_bytes is None else needed_bytes)
    folder = RunFolder(_claim(place, name))
    start = {
        "format": FORMAT,
        "run": folder.name,
        "trial": trial.trial,
        "mode": str(trial.mode),
        "seed": int(trial.seed),
        "started": _now(),
        "argv": list(argv),
        "typed": _typed(trial),
        "expanded": full(trial),
        "inputs": _keep_inputs(folder.path, _files_named(trial) if inputs is None else inputs),
        "digests": dict(digests or {}),
        "assumptions": list(assumptions),
        "estimate": dict(estimate or {}),
        "versions": machine.versions(),
        "machine": machine.machine(),
        "process": machine.process(),
    }
    files.write_json(folder.path / START, start)
    files.write_text(folder.path / TRIAL, dump(trial))
    return folder


def _claim(place: Path, name: str | None) -> Path:
    """A new, empty folder; making it is what settles which of two runs gets a name."""
    place.mkdir(parents=True, exist_ok=True)
    while True:
        wanted = (
            names.check(name) if name else names.memorable(lambda candidate: (place / candidate).exists())
        )
        try:
            (place / wanted).mkdir()
        except FileExistsError as error:
            if name:
                hint = "choose another name; a record is never written over"
                raise RecordError(f"{place / wanted}: there is a run of that name; {hint}") from error
            continue
        except OSError as error:
            raise RecordError(f"{place}: cannot be written ({error.strerror or error})") from error
        files.sync_folder(place)
        return place / wanted


def _keep_inputs(folder: Path, inputs: Mapping[str, Path]) -> list[dict[str, Any]]:
    """Copy the user's files to the same relative path, so that trial.yml finds them; one entry for each.

    A path that leads out of the folder (absolute, or with "..") is kept under inputs/ by its name.
    """
    entries = []
    for written, source in inputs.items():
        relative = Path(written)
        inside = not relative.is_absolute() and ".." not in relative.parts
        target = folder / relative if inside else folder / "inputs" / relative.name
        target.parent.mkdir(parents=True, exist_ok=True)
        content = Path(source).read_bytes()
        files.write_atomically(target, lambda file, content=content: file.write(content), len(content))
        entries.append(
            {"written": written, "kept": str(target.relative_to(folder)), "sha256": files.digest_of(target)}
        )
    return entries


def _typed(trial: Trial) -> dict[str, Any]:
    """What the user typed: the file's text and name, and the overrides; empty for a trial built in Python."""
    source = trial.source
    if source is None:
        return {"file": "", "text": "", "overrides": []}
    return {"file": source.file, "text": source.text, "overrides": list(source.overrides)}


def _files_named(trial: Trial) -> dict[str, Path]:
    """The files that a trial names, by the path as written."""
    every = {written: trial.locate(written) for _, _, written in named_files(trial)}
    return {written: path for written, path in every.items() if path.is_file()}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
