"""The nursery by itself: it ends in silence when the campaign had nothing to run."""

from __future__ import annotations

import socket
import subprocess
import sys


def test_a_campaign_that_ends_before_it_is_loaded_leaves_no_traceback() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "netarium.operate.campaign.nursery", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stderr=subprocess.PIPE,
        )
    ours.close()
    _, said = process.communicate(timeout=120)
    assert (process.returncode, said) == (0, b"")
