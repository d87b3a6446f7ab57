"""What a program writes: kept in a file up to a limit, counted beyond it, and searched for the line that means ready."""

from __future__ import annotations

import os
from pathlib import Path

LIMIT_BYTES = 16 * 2**20
"""Most of each stream that is kept."""
CHUNK_BYTES = 65536
CHUNKS_PER_TURN = 8
TAIL_BYTES = 4096


class Output:
    """One stream of one program, standard output or standard error: the read end of a pipe, and a file."""

    def __init__(self, path: Path, limit_bytes: int = LIMIT_BYTES, wanted: str = "") -> None:
        """wanted: text of the line to look for."""
        self.path = path
        self.read_fd, self.write_fd = os.pipe()
        os.set_blocking(self.read_fd, False)
        self._file = open(path, "wb", buffering=0)  # noqa: SIM115 - it stays open until the program has ended
        self._limit_bytes, self._wanted = limit_bytes, wanted.encode()
        self.kept_bytes, self.cut_bytes = 0, 0
        self.seen, self.open = False, True
        self._tail = b""

    def pump(self) -> None:
        """Take what is there, without waiting."""
        for _ in range(CHUNKS_PER_TURN):
            try:
                chunk = os.read(self.read_fd, CHUNK_BYTES)
            except BlockingIOError:
                return
            if not chunk:
                self.close()
                return
            self._take(chunk)

    def started(self) -> None:
        """The program has its end of the pipe; ours is not needed."""
        os.close(self.write_fd)
        self.write_fd = -1

    def close(self) -> None:
        """Nothing more comes. What was cut is said at the end of the file."""
        if not self.open:
            return
        self.open = False
        if self.cut_bytes:
            self._file.write(f"\n[netarium: cut here; {self.cut_bytes} more bytes were not kept]\n".encode())
        self._file.close()
        os.close(self.read_fd)
        if self.write_fd >= 0:
            self.started()

    @property
    def last_line(self) -> str:
        """The last line with something in it, for messages."""
        lines = [line.strip() for line in self._tail.decode(errors="replace").splitlines()]
        return next((line for line in reversed(lines) if line), "")

    def _take(self, chunk: bytes) -> None:
        kept = chunk[: max(0, self._limit_bytes - self.kept_bytes)]
        if kept:
            self._file.write(kept)
        self.kept_bytes += len(kept)
        self.cut_bytes += len(chunk) - len(kept)
        joined = self._tail + chunk
        if self._wanted and not self.seen:
            self.seen = self._wanted in joined
        self._tail = joined[-max(TAIL_BYTES, len(self._wanted)) :]
