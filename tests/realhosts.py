"""Whether tests can have real hosts on this machine."""

from __future__ import annotations

import os
import shutil

import pytest

from netarium.errors import MachineCannot
from netarium.run.emulate import needs


def lacking() -> str:
    """What this machine lacks for real hosts, and in CI that cannot be installed there; empty if nothing."""
    try:
        needs.privileged()
        needs.tun_opens()
        if not os.environ.get("CI"):
            needs.bubblewrap()
    except MachineCannot as error:
        return str(error)
    return ""


_LACKING = lacking()
only_with_real_hosts = pytest.mark.skipif(bool(_LACKING), reason=_LACKING or "nothing is lacking")


def only_with_program(name: str) -> pytest.MarkDecorator:
    """Skips a test where a program is not installed; in CI it must be."""
    missing = shutil.which(name) is None and not os.environ.get("CI")
    return pytest.mark.skipif(missing, reason=f"no {name} on this machine")
