"""Atomic files: whole or not there, whatever happens in between; a full disk is said in words."""

from __future__ import annotations

import errno
import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from netarium.errors import RecordError
from netarium.store import files
from netarium.store.files import DiskFull


class Disk:
    """Stands in for os.write: takes `room` bytes, 7 at most at once, then fails like a full disk."""

    def __init__(self, room: int, error: int = errno.ENOSPC) -> None:
        self.room, self.error, self._write = room, error, os.write

    def __call__(self, descriptor: int, data: bytes) -> int:
        if self.room <= 0:
            raise OSError(self.error, os.strerror(self.error))
        count = self._write(descriptor, bytes(data)[: min(7, self.room)])
        self.room -= count
        return count


def test_short_writes_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "write", Disk(10**6))
    files.write_text(tmp_path / "a.txt", "twenty-six letters, or so")
    assert (tmp_path / "a.txt").read_text() == "twenty-six letters, or so"


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    path = tmp_path / "metrics.json"
    files.write_json(path, {"old": True})
    monkeypatch.setattr(os, "write", Disk(20, error))
    with pytest.raises(DiskFull) as raised:
        files.write_json(path, {"new": "x" * 100})
    assert json.loads(path.read_text()) == {"old": True}
    assert os.listdir(tmp_path) == ["metrics.json"]
    said = str(raised.value)
    assert "free, expected at least 16.78 MB for the record of this run" in said
    assert "--out" in said
    assert raised.value.exit_code == 2


def test_another_error_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "write", Disk(0, errno.EIO))
    with pytest.raises(RecordError, match=r"a\.txt: cannot be written \(Input/output error\)"):
        files.write_text(tmp_path / "a.txt", "text")
    assert os.listdir(tmp_path) == []


def test_a_mistake_while_filling_leaves_nothing(tmp_path: Path) -> None:
    def fill(file) -> None:
        file.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        files.write_atomically(tmp_path / "a.bin", fill)
    assert os.listdir(tmp_path) == []


def test_the_file_and_then_its_name_are_forced_to_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = []
    sync, replace = os.fsync, os.replace

    def note_sync(descriptor: int) -> None:
        order.append("folder" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "file")
        sync(descriptor)

    def note_replace(source: Path, target: Path) -> None:
        order.append("rename")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(os, "replace", note_replace)
    files.write_text(tmp_path / "a.txt", "text")
    assert order == ["file", "rename", "folder"]


def test_json_takes_numpy_numbers_and_refuses_nan(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    files.write_json(
        path, {"i": np.int64(3), "f": np.float64(0.5), "a": np.arange(2), "p": Path("x"), "s": {2, 1}}
    )
    assert json.loads(path.read_text()) == {"i": 3, "f": 0.5, "a": [0, 1], "p": "x", "s": [1, 2]}
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(path, {"x": float("nan")})
    with pytest.raises(TypeError, match="has no place in a record"):
        files.write_json(path, {"x": object()})


def test_room_is_asked_for_where_the_folder_will_be(tmp_path: Path) -> None:
    place = tmp_path / "not" / "yet"
    files.require_room(place, 1000)
    with pytest.raises(DiskFull) as raised:
        files.require_room(place, 10**18)
    assert raised.value.needed_bytes == 10**18 + files.RESERVE_BYTES
    assert not place.exists()


def test_disk_full_survives_pickling() -> None:
    error = DiskFull(Path("/x"), 10, 5)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
