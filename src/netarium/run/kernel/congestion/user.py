"""A congestion control from the user's own file: the verbs of the built-in ones, compiled the same way.

    on_ack(conn, ack, now_ps)         required; sets conn.cwnd_bytes
    init, on_recovered                optional; without them nothing happens
    on_loss, on_rto, on_ecn           optional; without them Reno's (RFC 5681)

conn and ack are records (CONN and ACK_SAMPLE of kernel/records.py). conn.i[1..23] and conn.f[0..7] are the
control's own, zero at first; conn.i[0] is too, unless Reno's verbs stand in for some of its own. A line
`OWNS_RECOVERY = True` means that the control sets cwnd in fast recovery and after a timeout as well; else the
core does (RFC 6937, RFC 5681).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..records import ACK_SAMPLE, CONN
from .codes import ON_ACK, VERBS
from .userfile import UserFile

REQUIRED = (VERBS[ON_ACK],)
OPTIONAL = tuple(verb for verb in VERBS if verb not in REQUIRED)


def read(
    path: str | Path,
    name: str,
    parameters: Mapping[str, float] | None = None,
    where: str = "",
    source: str | None = None,
) -> UserFile:
    """Read and check a file without compiling it. Raises TrialInvalid with every mistake found.

    name: the trial's `name`, for messages. where: its place in the trial, for messages. source: the file's
    text, if it is at hand.
    """
    return UserFile(
        path, REQUIRED, OPTIONAL, (CONN, ACK_SAMPLE), parameters or {}, where or f"congestion {name}", source
    )


def owns_recovery(file: UserFile) -> bool:
    """Whether the control sets cwnd in recovery itself."""
    return file.constant("OWNS_RECOVERY", False) is True


def load(
    path: str | Path,
    name: str,
    parameters: Mapping[str, float] | None = None,
    where: str = "",
    source: str | None = None,
) -> list[int]:
    """Compile a file: addresses of its verbs in the order of codes.VERBS, 0 for those it does not have.

    Raises TrialInvalid for mistakes in the file.
    """
    file = read(path, name, parameters, where, source)
    found = dict(zip(file.names, file.addresses(), strict=True))
    return [found[verb] for verb in VERBS]
