"""The guardian by itself: whatever its run leaves unread, it closes what it holds and ends in silence."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
from pathlib import Path

from netarium.run.emulate import guardian


def test_a_run_that_ends_without_reading_the_answer_leaves_no_traceback() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    reading, writing = os.pipe()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(guardian.__file__)), str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stderr=subprocess.PIPE,
        )
    socket.send_fds(ours, [guardian.CLOSE], [writing])
    os.close(writing)
    assert select.select([ours], [], [], 60)[0], "the answer has come"
    assert os.read(reading, 1) == b"", "what it held is closed"
    ours.close()  # with the answer in it, so that the other end is told of a reset
    _, said = process.communicate(timeout=60)
    os.close(reading)
    assert (process.returncode, said) == (0, b"")
