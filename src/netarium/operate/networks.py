"""Networks that are up: finding one by name, keeping one up, entering a node, taking one down."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from netarium.compile.hosts import Emulation
from netarium.errors import MachineCannot, did_you_mean, one_of
from netarium.operate import control
from netarium.operate.control import Control
from netarium.run.emulate import netns, ownership
from netarium.run.emulate.facility import Facility
from netarium.run.emulate.hosts import OpenTap
from netarium.run.emulate.ownership import Ownership
from netarium.run.emulate.processes import STOP_GRACE_PS
from netarium.run.emulate.sandbox import let_everybody_ping
from netarium.units import SECOND_PS

Drive = Callable[[int, Callable[[], bool]], None]
"""(CLOCK_MONOTONIC in ns of virtual time 0, whether to stop): drives the network, and returns when it has stopped."""
LoadEngine = Callable[[Mapping[tuple[str, str], int]], AbstractContextManager[Drive]]
"""(descriptor of every (node, interface name)) -> an engine that is ready to drive them, within a block."""

LEAD_NS = 50_000_000
"""How long after everything is up virtual time 0 is."""
DOWN_LIMIT_S = 60.0
CLONE_NEWUSER = 0x10000000  # linux/sched.h
SHELLS = ("bash", "sh")


def keep_up(
    name: str,
    emulation: Emulation,
    open_tap: OpenTap,
    load_engine: LoadEngine,
    *,
    stop: Callable[[], bool],
    announce: Callable[[Facility], None] = lambda _: None,
    **more: Any,
) -> list[str]:
    """Keep a network of real hosts up until `stop()` or someone takes it down; what its programs failed at.

    announce: called once it is up. more: as a Facility takes it. Raises MachineCannot.
    """
    wanted_down: list[bool] = []
    with (
        Facility(name, emulation, open_tap, alone=True, **more) as facility,
        load_engine(facility.hosts.by_interface) as drive,
    ):
        start_ns = time.monotonic_ns() + LEAD_NS
        with (
            Control(facility, lambda: wanted_down.append(True)),
            facility.programs(lambda: (time.monotonic_ns() - start_ns) * 1000),
        ):
            announce(facility)
            drive(start_ns, lambda: bool(wanted_down) or stop())
        return facility.supervisor.failures


def alive() -> list[Ownership]:
    """Every run of real hosts on this machine, of this user, that is not dead."""
    return [run for run in ownership.runs() if run.owner.alive()]


def kept_up() -> list[Ownership]:
    """Those of `netarium up`, and not those of trials that are being run and measured."""
    return [run for run in alive() if run.facts.get("command") != "run"]


def find(name: str | None, *, among_runs: bool = True) -> Ownership:
    """The network of a name; without a name, the only one there is. Raises MachineCannot.

    among_runs: whether a trial that is being run can be meant without its name.
    """
    runs = alive()
    names = [str(run.facts.get("network", run.token)) for run in runs]
    if name is None:
        return _only(runs if among_runs else kept_up(), runs)
    for run, known in zip(runs, names, strict=True):
        if name in (known, run.token):
            return run
    if not runs:
        raise MachineCannot(f"found network {name!r}, but no network is up; netarium up TRIAL")
    hint = did_you_mean(name, names)
    raise MachineCannot(f"found network {name!r}, expected {one_of(names)}{'; ' + hint if hint else ''}")


def _only(meant: list[Ownership], runs: list[Ownership]) -> Ownership:
    if len(meant) == 1:
        return meant[0]
    if meant:
        names = ", ".join(str(run.facts.get("network", run.token)) for run in meant)
        raise MachineCannot(f"{len(meant)} networks are up: {names}; name one")
    if runs:
        names = ", ".join(str(run.facts.get("network", run.token)) for run in runs)
        one = len(runs) == 1
        raise MachineCannot(
            f"no network is up but {'that' if one else 'those'} of {'a trial that is' if one else 'trials that are'} "
            f"being run, {names}; name {'it' if one else 'one'} to end the run"
        )
    raise MachineCannot("no network is up; start one with: netarium up TRIAL")


def split_words(words: Sequence[str]) -> tuple[str | None, str, list[str]]:
    """[NETWORK] NODE [--] [argv…] as typed -> network or None, node, argv. Raises MachineCannot without a node."""
    names = [str(run.facts.get("network")) for run in alive()]
    before, argv = list(words), []
    if "--" in words:
        at = list(words).index("--")
        before, argv = list(words[:at]), list(words[at + 1 :])
    network = before.pop(0) if len(before) > 1 and (before[0] in names or "--" in words) else None
    if not before:
        raise MachineCannot("found no node; netarium exec [NETWORK] NODE [-- PROGRAM ARGUMENTS…]")
    return network, before[0], [*before[1:], *argv]


def enter(run: Ownership, node: str, argv: Sequence[str]) -> int:
    """Run a program, or a shell, on a node, at this terminal; its exit code. It ends when the network goes down.

    Raises MachineCannot when there is no such node or program.
    """
    more: dict[str, str] = {}
    words = list(argv)
    if not words:
        words, more = _shell(node)
    with control.connect(run) as connection:
        control.send_request(connection, verb="enter", node=node, argv=words, pid=os.getpid())
        answer = control.answer_of(connection)
        _, fds, _, _ = socket.recv_fds(connection, 1, 2)
        netns_fd, user_fd = fds
        environment = answer["environment"] | more
        if shutil.which(words[0], path=environment["PATH"]) is None:
            raise MachineCannot(f"this machine has no program {words[0]!r}; install it, or write its path")
        _join_user_namespace(user_fd)
        netns.enter(netns_fd)
        let_everybody_ping()
        for fd in fds:
            os.close(fd)
        process = subprocess.Popen(answer["argv"], env=environment)
        return _wait(process, connection)


def take_down(run: Ownership) -> None:
    """Take a network down, and wait until nothing is left of it: asked, then told, then made to."""
    name = run.facts.get("network", run.token)
    with contextlib.suppress(MachineCannot):
        control.ask(run, verb="down")
        if ownership.wait_gone(run.owner.pid, run.owner.start_ticks, DOWN_LIMIT_S):
            ownership.reap()
            return
    for number in (signal.SIGTERM, signal.SIGKILL):
        if run.owner.alive():
            os.kill(run.owner.pid, number)
        if ownership.wait_gone(run.owner.pid, run.owner.start_ticks, STOP_GRACE_PS / SECOND_PS + 5):
            ownership.reap()
            return
    raise MachineCannot(f"{name}: process {run.owner.pid} does not end")


def _shell(node: str) -> tuple[list[str], dict[str, str]]:
    """A shell with the node in its prompt, and the variables for that."""
    shell = next((name for name in SHELLS if shutil.which(name)), SHELLS[-1])
    words = [shell, "--norc", "-i"] if shell == "bash" else [shell, "-i"]
    return words, {"PS1": f"{node}:\\w\\$ " if shell == "bash" else f"{node}$ ", "HISTFILE": ""}


def _join_user_namespace(fd: int) -> None:
    """Join the user namespace of a network that runs without root; nothing where it is ours already."""
    if os.fstat(fd).st_ino == os.stat("/proc/self/ns/user").st_ino:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(fd, CLONE_NEWUSER) != 0:
        reason = os.strerror(ctypes.get_errno())
        raise MachineCannot(f"the network is of another user ({reason}); run this as that user")


def _wait(process: subprocess.Popen[bytes], connection: socket.socket) -> int:
    """Until the program ends, or the network: then the program ends with it."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program
    pidfd = os.pidfd_open(process.pid)
    try:
        ready, _, _ = select.select([pidfd, connection], [], [])
        if pidfd not in ready:
            process.kill()
        return process.wait()
    finally:
        os.close(pidfd)
        signal.signal(signal.SIGINT, before)
