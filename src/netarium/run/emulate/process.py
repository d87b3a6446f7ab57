"""One program: bubblewrap, the program inside it, its two streams of output.

A program can be made ready long before it is due: to make its sandbox takes some 20 ms of a core, to let it go 1 ms. Until
then a shell stands in its place, with a socket as its standard input; it says there that it is ready, and waits for a line.

bubblewrap is three processes: ours outside, number 1 inside (which collects orphans), and the program. Signals go to the
program; killing number 1 makes the kernel kill everything inside, and only then is it gone for its parent.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from netarium.run.emulate import netns
from netarium.run.emulate.output import Output
from netarium.run.emulate.readiness import children
from netarium.run.emulate.sandbox import let_everybody_ping

HELD = ("/bin/sh", "-c", 'echo >&0; read -r go; exec "$@" </dev/null', "sh")
"""What stands before the arguments of a program that is held."""
SIGNALLED = (
    128  # a shell's, and bubblewrap's, exit code of a program that a signal ended is this plus the signal
)


class Process:
    """Started when made, or when `go` is called if it is held. Raises OSError when bubblewrap cannot be started.

    The kernel kills it when the *thread* that made it ends (PR_SET_PDEATHSIG of prctl(2)), so that has to live as long.
    """

    def __init__(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        netns_fd: int,
        folder: Path,
        wanted: str = "",
        *,
        held: bool = False,
    ) -> None:
        """argv: of bubblewrap; behind HELD where the program is held."""
        folder.mkdir(parents=True, exist_ok=True)
        self.gate, theirs = socket.socketpair() if held else (None, None)
        """Can be read once it is prepared: nothing is left to be done before it is let go."""
        self.is_prepared = not held
        self.stdout = Output(folder / "stdout", wanted=wanted)
        try:
            self.stderr = Output(folder / "stderr", wanted=wanted)
        except BaseException:
            self.stdout.close()
            self._close_gate()
            raise
        try:
            with netns.entered(netns_fd):
                let_everybody_ping()
                self._outer = subprocess.Popen(
                    argv,
                    env=dict(environment),
                    stdin=subprocess.DEVNULL if theirs is None else theirs,
                    stdout=self.stdout.write_fd,
                    stderr=self.stderr.write_fd,
                    close_fds=False,  # everything here is close-on-exec (PEP 446), and there may be thousands
                    start_new_session=True,
                )
            self.pidfd = os.pidfd_open(self._outer.pid)
        except BaseException:
            self.close_output()
            self._close_gate()
            raise
        finally:
            if theirs is not None:
                theirs.close()
        self.stdout.started()
        self.stderr.started()

    @property
    def pid(self) -> int:
        """bubblewrap outside; it is in the host's network namespace."""
        return self._outer.pid

    @property
    def init(self) -> int | None:
        """Number 1 inside, by its number outside; None before it is there."""
        return next(iter(children(self.pid)), None)

    @property
    def program(self) -> int | None:
        """The program itself, by its number outside; None before it is there and after it has ended."""
        init = self.init
        return next(iter(children(init)), None) if init is not None else None

    def go(self) -> None:
        """Let the program start, if it is held."""
        if self.gate is not None:
            with contextlib.suppress(BrokenPipeError):  # it has ended already, which `ended` tells
                self.gate.send(b"\n", socket.MSG_NOSIGNAL)
            self._close_gate()

    def _close_gate(self) -> None:
        if self.gate is not None:
            self.gate.close()
            self.gate = None

    def signal(self, number: int) -> bool:
        """Send the program a signal; whether there was a program."""
        program = self.program
        if program is None:
            return False
        try:
            os.kill(program, number)
        except ProcessLookupError:
            return False
        return True

    def kill(self) -> None:
        """End the program and everything it started."""
        init = self.init
        if init is not None:
            try:
                os.kill(init, signal.SIGKILL)
                return
            except ProcessLookupError:
                pass
        self._outer.kill()

    def ended(self) -> int | None:
        """The exit code once it has ended, 128 + signal for a signal; None before."""
        code = self._outer.poll()
        if code is None:
            return None
        return SIGNALLED - code if code < 0 else code

    def close_output(self) -> None:
        """Take the last of the output, then close its files."""
        for stream in (self.stdout, self.stderr):
            if stream.open and stream.write_fd < 0:
                stream.pump()
            stream.close()

    def close(self) -> None:
        """After it has ended: let go of its descriptors."""
        self.close_output()
        self._close_gate()
        os.close(self.pidfd)

    @property
    def wrote_wanted(self) -> bool:
        """Whether the line that means ready has appeared."""
        return self.stdout.seen or self.stderr.seen

    @property
    def cut_bytes(self) -> int:
        return self.stdout.cut_bytes + self.stderr.cut_bytes

    @property
    def last_words(self) -> str:
        """The last line it wrote to standard error, or else to standard output."""
        return self.stderr.last_line or self.stdout.last_line
