"""Files that are whole or not there: written beside, forced to disk, then renamed into place."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from netarium.errors import RecordError
from netarium.units import format_size

FULL = (errno.ENOSPC, errno.EDQUOT)
RESERVE_BYTES = 16 * 1024 * 1024  # left free beside what a run needs, for everything else on the disk


class DiskFull(RecordError):
    """There is no room to keep the run; `needed_bytes` says how much it takes."""

    def __init__(self, place: Path, needed_bytes: int, free_bytes: int) -> None:
        self.place, self.needed_bytes, self.free_bytes = place, needed_bytes, free_bytes
        super().__init__(
            f"{place}: found {format_size(free_bytes)} free, expected at least {format_size(needed_bytes)} "
            "for the record of this run; free some room, choose another place with --out, or record less "
            "(probes: a longer interval, fewer flows, fewer captured packets)"
        )

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.place, self.needed_bytes, self.free_bytes))


class _Sink(io.RawIOBase):
    """A file descriptor to write to, with every write complete; counts what was written."""

    def __init__(self, path: Path) -> None:
        self.written = 0
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        total = len(view)
        while len(view):
            count = os.write(self._descriptor, view)
            self.written += count
            view = view[count:]
        return total

    def sync(self) -> None:
        os.fsync(self._descriptor)

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()


def write_atomically(path: Path, fill: Callable[[Any], None], expected_bytes: int = 0) -> None:
    """Create or replace `path` with what `fill(file)` writes; at every instant it is the old, the new, or
    absent.

    expected_bytes: the size if known, for the message when the disk is full. Raises DiskFull, RecordError.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        sink = _Sink(beside)
        try:
            fill(sink)
            sink.sync()
        finally:
            sink.close()
        os.replace(beside, path)
        sync_folder(path.parent)
    except OSError as error:
        written = beside.stat().st_size if beside.exists() else 0
        beside.unlink(missing_ok=True)
        if error.errno in FULL:
            needed = max(expected_bytes, 2 * written, RESERVE_BYTES)
            raise DiskFull(path.parent, needed, free_bytes(path.parent)) from error
        raise RecordError(f"{path}: cannot be written ({error.strerror or error})") from error
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Force the entries of a folder to disk: a rename is durable only after it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Write text as UTF-8, atomically."""
    content = text.encode("utf-8")
    write_atomically(path, lambda file: file.write(content), len(content))


def write_json(path: Path, document: Any) -> None:
    """Write a JSON document, atomically: two spaces of indent, NumPy numbers as numbers, no NaN."""
    write_text(
        path, json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False, default=_plain) + "\n"
    )


def _plain(value: Any) -> Any:
    """What json does not know: NumPy scalars and arrays, paths, tuples in sets."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no place in a record")


def digest_of(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def free_bytes(place: Path) -> int:
    """Free bytes where `place` is, or will be made."""
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free


def require_room(place: Path, needed_bytes: int) -> None:
    """Raises DiskFull when `needed_bytes` and a reserve do not fit where `place` is."""
    free = free_bytes(place)
    if free < needed_bytes + RESERVE_BYTES:
        raise DiskFull(place, needed_bytes + RESERVE_BYTES, free)
