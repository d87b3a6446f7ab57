"""The campaign's side of the nursery: starts it, asks it for workers, learns how they ended."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from netarium.errors import MachineCannot
from netarium.operate.campaign.nursery import COMPILING, ENDED, FORK, FORKED, READY, REPORT

START_S = 300.0
"""The longest that loading the engine may take; it is compiled already, so seconds are usual."""
STATUS_S = 10.0
UNKNOWN = -9


class NurseryGone(MachineCannot):
    """The nursery has ended, and with it every worker: killed from outside, or there was no memory for it."""


class Nurse:
    """A running nursery, which loads the engine meanwhile. `control` becomes readable when it has something to tell.

    compiling: called when the engine has to be compiled first. real_hosts: workers are to have them, so without root they
    are root of a user namespace, where the machine allows it.
    """

    def __init__(self, compiling: Callable[[], None] = lambda: None, real_hosts: bool = False) -> None:
        self._compiling, self._real_hosts = compiling, real_hosts
        self._begin()

    def _begin(self) -> None:
        self.control, theirs = socket.socketpair()
        command = [sys.executable, "-m", "netarium.operate.campaign.nursery", str(theirs.fileno())]
        env = surroundings()
        if self._real_hosts:
            from netarium.operate import privilege

            command, more = privilege.as_root(command)
            env |= more
        self._process = subprocess.Popen(
            command,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=env,
            start_new_session=True,
        )
        theirs.close()
        self._ended: dict[int, int] = {}
        self._pids: list[int] = []
        self._own: set[int] = set()
        self._buffer = b""
        self._ready = False

    @property
    def pid(self) -> int:
        return self._process.pid

    def fork(self) -> tuple[int, Connection]:
        """(process number of a new worker, the pipe to it); waits until the engine is loaded. Raises NurseryGone."""
        self._until(lambda: self._ready, START_S, "loading the engine")
        ours, theirs = socket.socketpair()
        self._tell([theirs.fileno()])
        theirs.close()
        self._until(lambda: bool(self._pids), STATUS_S, "starting a worker")
        pid = self._pids.pop(0)
        self._own.add(pid)
        return pid, Connection(ours.detach())

    def status_of(self, pid: int) -> int:
        """How a worker ended that is known to have: exit code, or minus the number of the signal.

        One that was killed with its nursery was killed from outside.
        """
        if pid not in self._own:
            return UNKNOWN
        self._own.remove(pid)
        try:
            self._until(lambda: pid in self._ended, STATUS_S, "waiting for the end of a worker")
        except MachineCannot:
            return UNKNOWN
        return self._ended.pop(pid)

    def restart(self) -> None:
        """Start another nursery in place of one that has ended; its workers have ended with it."""
        self.close()
        self._begin()

    def close(self) -> None:
        """End the nursery and every worker with it."""
        self.control.close()
        try:
            self._process.wait(2.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _tell(self, descriptors: list[int]) -> None:
        try:
            socket.send_fds(self.control, [FORK], descriptors)
        except OSError:
            raise self._gone() from None

    def _until(self, happened: object, timeout_s: float, what: str) -> None:
        until = time.monotonic() + timeout_s
        while not happened():  # type: ignore[operator]
            left = until - time.monotonic()
            if left <= 0:
                raise MachineCannot(f"{what} took more than {timeout_s:g} s; is the machine overloaded?")
            if select.select([self.control], [], [], left)[0]:
                self.listen()

    def listen(self) -> None:
        """Take in what the nursery has to tell. Raises NurseryGone when it has ended."""
        try:
            content = self.control.recv(4096)
        except ConnectionError:
            content = b""
        if not content:
            raise self._gone()
        self._buffer += content
        while len(self._buffer) >= REPORT.size:
            kind, pid, status = REPORT.unpack(self._buffer[: REPORT.size])
            self._buffer = self._buffer[REPORT.size :]
            if kind == FORKED:
                self._pids.append(pid)
            elif kind == ENDED:
                self._ended[pid] = status
            elif kind == READY:
                self._ready = True
            elif kind == COMPILING:
                self._compiling()

    def _gone(self) -> NurseryGone:
        code = self._process.wait()
        return NurseryGone(f"the process that workers are started from has ended (exit code {code})")


def surroundings() -> dict[str, str]:
    """The nursery's environment: this one, the package where it is now, and no threads in libraries.

    Threads before a fork are not safe, and of no use to workers of one trial each.
    """
    source = str(Path(__file__).resolve().parents[3])
    path = os.pathsep.join([source, *filter(None, [os.environ.get("PYTHONPATH")])])
    single = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
    return {**os.environ, **single, "PYTHONPATH": path}
