"""Lets every test folder import what stands beside this file, `running` and `naive`; a place of its own for real hosts."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="session")
def runtime_of_this_process() -> Iterator[None]:
    """A runtime folder of this process's own (ownership.py), also for the commands it starts: tests in other processes neither
    reap its runs nor meet networks of the same name. Short, because sockets are made below it."""
    before = os.environ.get("NETARIUM_RUNTIME")
    folder = os.environ["NETARIUM_RUNTIME"] = tempfile.mkdtemp(prefix="netarium-")
    yield
    if before is None:
        del os.environ["NETARIUM_RUNTIME"]
    else:
        os.environ["NETARIUM_RUNTIME"] = before
    shutil.rmtree(folder, ignore_errors=True)
