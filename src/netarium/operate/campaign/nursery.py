"""The nursery: a process with the engine loaded, from which workers are forked, each ready in milliseconds.

    python -m netarium.operate.campaign.nursery DESCRIPTOR

It is started by `pool.py` with one end of a socket. A byte "f" that comes with a descriptor forks a worker that
talks over that descriptor; what goes back are records (kind, pid, status): "f" a worker was forked, "x" one has
ended. When the other end is gone, so is the nursery, and with it every worker, whatever it is doing: a campaign
that is killed leaves nothing behind. It has one thread and imports nothing that starts others, so forking is safe.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import select
import signal
import socket
import struct
import sys

REPORT = struct.Struct("<cxxxii")
FORK, FORKED, ENDED, READY, COMPILING = b"f", b"f", b"x", b"r", b"c"
PR_SET_PDEATHSIG = 1  # prctl(2)
LOADED = (
    "netarium.compile.compile", "netarium.run.simulate", "netarium.measure.document", "netarium.measure.kept",
    "netarium.describe.design", "netarium.operate.campaign.workshop", "netarium.operate.evidence",
    "netarium.operate.runner", "scipy.special",
)  # fmt: skip
"""What trials need and the smallest one may not: else each worker would load it for itself."""


def main(descriptor: int) -> None:
    """Serve until the other end of the socket is closed; it may be so before all is loaded, with nothing to run."""
    with contextlib.suppress(ConnectionError):
        serve(socket.socket(fileno=descriptor))


def serve(control: socket.socket) -> None:
    """Load everything, then fork a worker at each request."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the campaign, which ends its workers itself
    waker, wakened = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakened, warn_on_full_buffer=False)
    warm(control)
    gc.collect()
    gc.freeze()  # what is loaded stays in memory that all workers share
    control.sendall(REPORT.pack(READY, os.getpid(), 0))
    children: set[int] = set()
    while True:
        ready, _, _ = select.select([control, waker], [], [])
        if waker in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(waker, 4096)
            ended = _ended()
            children -= {pid for pid, _ in ended}
            with contextlib.suppress(
                OSError
            ):  # nobody listens any more: the next look at `control` finds that
                for pid, status in ended:
                    control.sendall(REPORT.pack(ENDED, pid, status))
        if control in ready:
            message, descriptors = _heard(control)
            if not message:
                break
            children.add(_fork(control, descriptors[0]))
    for pid in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for pid in children:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)


def warm(control: socket.socket) -> None:
    """Load everything that a trial needs, the compiled engine included; compile it if nobody has.

    No worker exists while the engine is compiled, so none can be killed while it does.
    """
    from importlib import import_module

    from netarium.operate import enginecache

    compiled = enginecache.compiled()
    if not compiled:
        control.sendall(REPORT.pack(COMPILING, os.getpid(), 0))

    for name in LOADED:
        import_module(name)
    from netarium.operate.campaign.warmup import warm_up

    warm_up()
    if not compiled:
        enginecache.remember()


def _fork(control: socket.socket, descriptor: int) -> int:
    """Fork a worker; its process number. In the worker itself this never returns."""
    parent = os.getpid()
    pid = os.fork()
    if pid:
        os.close(descriptor)
        control.sendall(REPORT.pack(FORKED, pid, 0))
        return pid
    status = 70
    try:
        control.close()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == parent:
            from netarium.operate.campaign import worker

            worker.serve(descriptor)
            status = 0
    finally:
        os._exit(status)


def _heard(control: socket.socket) -> tuple[bytes, list[int]]:
    """(a message, the descriptors that came with it); an empty message when the other end is gone."""
    try:
        message, descriptors, _, _ = socket.recv_fds(control, 1, 1)
    except ConnectionError:
        return b"", []
    return message, descriptors


def _ended() -> list[tuple[int, int]]:
    """(process number, exit code or minus the signal) of every worker that has ended since the last look."""
    ended = []
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended.append((pid, os.waitstatus_to_exitcode(status)))


if __name__ == "__main__":
    main(int(sys.argv[1]))
