"""Whether tests can have real hosts on this machine; in CI they must."""

from __future__ import annotations

import os

import pytest

from netarium.errors import MachineCannot
from netarium.run.emulate import needs


def lacking() -> str:
    """What this machine lacks for real hosts; empty if nothing."""
    try:
        needs.privileged()
        needs.tun_opens()
        needs.bubblewrap()
    except MachineCannot as error:
        return str(error)
    return ""


_LACKING = lacking()
only_with_real_hosts = pytest.mark.skipif(
    bool(_LACKING) and not os.environ.get("CI"), reason=_LACKING or "there are"
)
