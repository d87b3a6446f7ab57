"""What a run of real hosts owns on this machine beyond its own life, and how that is taken back when the run is dead.

Hosts, interfaces, processes and tunnels end with their run (hosts.py). What can outlive it is written down *before* it is made,
one line each, in a folder of the run below the runtime folder: a firewall table, a kernel setting, an interface that moved, a
folder. Every command starts with `reap`, which undoes the lines of runs whose owner is dead, in reverse order. Nothing is ever
found by a pattern of its name. A run's guardian shares its lock, so that `reap` sees when it has ended; its programs carry a
random mark in their environment, so that one which was started in the very moment of the kill is found.

    <runtime folder>/<token>/owner.json   who: process id, its start time, network, trial, since
                             owned.jsonl  what, in the order of making
                             lock         held by the run and its guardian
                             control      socket of a network that is up (operate/control.py)
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netarium.errors import MachineCannot

Undo = Callable[[dict[str, Any]], None]
UNDO: dict[str, Undo] = {}
"""Kind of thing -> what takes it back; each module that makes such things adds its own."""

MARK = "NETARIUM_RUN"
"""The environment variable of a run's programs that holds its mark."""
DYING_LIMIT_S = 30.0
POLL_S = 0.005
PF_EXITING = 0x4  # linux/sched.h: the process is past the point of no return
_FLAGS, _START = 6, 19  # of /proc/PID/stat, counted behind the name (proc(5): fields 9 and 22)


@dataclass(frozen=True)
class Owner:
    """The process a run belongs to; its start time tells it from a later one with the same number."""

    pid: int
    start_ticks: int
    boot: str

    def alive(self) -> bool:
        """Whether that very process still runs, and is not about to end."""
        return self.boot == boot_id() and _state(self.pid, self.start_ticks) == "runs"


@dataclass
class Ownership:
    """One run's folder below the runtime folder. `facts` is what owner.json says beside the owner."""

    folder: Path
    owner: Owner
    facts: dict[str, Any]
    mark: str = ""
    lock_fd: int | None = None
    """The run's lock, in the process that owns it."""

    @property
    def token(self) -> str:
        """Short, random, the name of the folder; names of owned things are made of it."""
        return self.folder.name

    @property
    def control(self) -> Path:
        """Where the control socket is, if there is one."""
        return self.folder / "control"

    def owns(self, kind: str, **thing: Any) -> None:
        """Write down a thing that is about to be made; kind is one of UNDO's."""
        if kind not in UNDO:
            raise KeyError(kind)
        line = json.dumps({"kind": kind, "netns": _netns(), **thing}) + "\n"
        fd = os.open(
            self.folder / "owned.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        try:
            os.write(fd, line.encode())
        finally:
            os.close(fd)

    def things(self) -> list[dict[str, Any]]:
        """Everything written down, in the order of making. A last line that was cut by a kill was not yet made."""
        path = self.folder / "owned.jsonl"
        lines = path.read_text().splitlines(keepends=True) if path.exists() else []
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def within_reach(self) -> bool:
        """Whether everything it owns beside files is of the network namespace that the calling thread is in."""
        return all(thing["kind"] == "folder" or thing.get("netns") == _netns() for thing in self.things())

    def release(self) -> None:
        """Undo everything in reverse order, and remove the folder. May be called again after an error."""
        from netarium.run.emulate import moved, ways_out  # noqa: F401 - they say how to undo theirs

        for thing in reversed(self.things()):
            UNDO[thing["kind"]](thing)
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.lock_fd is not None:
            os.close(self.lock_fd)
            self.lock_fd = None


def runtime_folder() -> Path:
    """Where runs are written down: NETARIUM_RUNTIME, or the machine's or the user's folder for such things."""
    stated = os.environ.get("NETARIUM_RUNTIME")
    if stated:
        return Path(stated)
    if os.geteuid() == 0 and os.access("/run", os.W_OK):
        return Path("/run/netarium")
    own = os.environ.get("XDG_RUNTIME_DIR")
    return Path(own) / "netarium" if own else Path(tempfile.gettempdir()) / f"netarium-{os.getuid()}"


def take(runtime: Path | None = None, *, alone: bool = False, **facts: Any) -> Ownership:
    """A new folder for a run that belongs to this process. alone: only if no other run has the same fact `network`.

    Raises MachineCannot, or OSError when the runtime folder cannot be written.
    """
    root = runtime or runtime_folder()
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    if root.stat().st_uid != os.geteuid():
        raise MachineCannot(f"{root} belongs to somebody else; set NETARIUM_RUNTIME to a folder of your own")
    owner = Owner(os.getpid(), start_ticks(os.getpid()), boot_id())
    with _locked(root):
        name = facts.get("network")
        if alone and any(run.facts.get("network") == name and run.owner.alive() for run in runs(root)):
            raise MachineCannot(
                f"a network {name!r} is up already; netarium down {name}, or give this one a --name"
            )
        folder = root / secrets.token_hex(4)
        folder.mkdir(mode=0o700)
        lock_fd = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock_fd, fcntl.LOCK_EX)
        who = {"pid": owner.pid, "start_ticks": owner.start_ticks, "boot": owner.boot}
        told = who | {"mark": secrets.token_hex(16), "since": time.time()} | facts
        path = folder / "owner.json"
        path.with_suffix(".new").write_text(json.dumps(told))
        path.with_suffix(".new").rename(path)
    return Ownership(folder, owner, {"since": told["since"], **facts}, str(told["mark"]), lock_fd)


def runs(runtime: Path | None = None) -> list[Ownership]:
    """Every run that is written down, dead or alive, oldest first."""
    root = runtime or runtime_folder()
    found = [_read(folder) for folder in root.iterdir() if folder.is_dir()] if root.is_dir() else []
    return sorted((run for run in found if run is not None), key=lambda run: run.facts.get("since", 0.0))


def reap(runtime: Path | None = None) -> list[Ownership]:
    """Take back what dead runs left, and return these runs. Waits for a run that was killed and is still ending.

    What a run left in another network namespace than this one ("the machine" of ways_out.py) waits for a command there.
    """
    root = runtime or runtime_folder()
    if not root.is_dir() or root.stat().st_uid != os.geteuid():
        return []
    with _locked(root):
        dead = [run for run in runs(root) if not run.owner.alive()]
        dead = [run for run in dead if run.owner.boot != boot_id() or run.within_reach()]
        _remove_unfinished(root)
        for run in dead:
            if run.owner.boot == boot_id():
                _wait_dead(run)
                run.release()
            else:  # the machine was started anew, so only files are left
                for thing in reversed(run.things()):
                    if thing["kind"] == "folder":
                        UNDO["folder"](thing)
                shutil.rmtree(run.folder, ignore_errors=True)
    return dead


def _remove_unfinished(root: Path) -> None:
    """Folders without an owner: while we have the lock nobody makes one, so their maker was killed over it."""
    for folder in root.iterdir():
        if folder.is_dir() and not (folder / "owner.json").exists() and not (folder / "owned.jsonl").exists():
            shutil.rmtree(folder, ignore_errors=True)


def _wait_dead(run: Ownership) -> None:
    """Until the owner, its guardian and all its programs have ended; programs that have not are ended."""
    wait_gone(run.owner.pid, run.owner.start_ticks, DYING_LIMIT_S)
    until = time.monotonic() + DYING_LIMIT_S
    with open(run.folder / "lock", "ab") as lock:
        while time.monotonic() < until:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(POLL_S)
    while run.mark and _kill_marked(run.mark) and time.monotonic() < until:
        time.sleep(POLL_S)


def _kill_marked(mark: str) -> bool:
    """Kill every process that carries a mark; whether there was any."""
    found = False
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            pidfd = os.pidfd_open(int(name))
        except OSError:
            continue
        try:
            if _carries(name, mark):  # looked at while the descriptor holds the number
                found = True
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        except ProcessLookupError:
            pass
        finally:
            os.close(pidfd)
    return found


def _carries(pid: str, mark: str) -> bool:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return f"{MARK}={mark}".encode() in file.read().split(b"\0")
    except OSError:
        return False


def _netns() -> int:
    return os.stat("/proc/thread-self/ns/net").st_ino


def boot_id() -> str:
    """Changes whenever the machine is started."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def start_ticks(pid: int) -> int:
    """When a process was started, in clock ticks since the machine was; 0 when there is none."""
    fields = _stat(pid)
    return int(fields[_START]) if fields else 0


def wait_gone(pid: int, ticks: int, limit_s: float) -> bool:
    """Wait until a process that is ending has ended; whether it has."""
    until = time.monotonic() + limit_s
    while _state(pid, ticks) != "gone":
        if time.monotonic() > until:
            return False
        time.sleep(POLL_S)
    return True


def _state(pid: int, ticks: int) -> str:
    """runs, ends (killed, but not all given back) or gone."""
    fields = _stat(pid)
    if not fields or int(fields[_START]) != ticks:
        return "gone"
    if (
        fields[0] in "ZX"
    ):  # a zombie has given everything back, unless other threads of it are not through yet
        return "ends" if _thread_count(pid) > 1 else "gone"
    return "ends" if int(fields[_FLAGS]) & PF_EXITING or _killed(pid) else "runs"


def _killed(pid: int) -> bool:
    """Whether SIGKILL waits for a process, which it cannot escape any more."""
    try:
        with open(f"/proc/{pid}/status") as lines:
            pending = [int(line.split()[1], 16) for line in lines if line.startswith(("SigPnd", "ShdPnd"))]
    except OSError:
        return False
    return any(mask >> 8 & 1 for mask in pending)


def _thread_count(pid: int) -> int:
    try:
        return len(os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return 0


def _stat(pid: int) -> list[str]:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return []


def _read(folder: Path) -> Ownership | None:
    """A run's folder; None for one that is only being made, or is of something else."""
    try:
        facts = json.loads((folder / "owner.json").read_text())
        owner = Owner(facts.pop("pid"), facts.pop("start_ticks"), facts.pop("boot"))
        mark = facts.pop("mark")
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Ownership(folder, owner, facts, mark)


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    """One process at a time makes or reaps folders; the kernel lets go of the lock of one that dies."""
    fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _undo_folder(thing: dict[str, Any]) -> None:
    """A folder that was made for the run; its name holds the run's token."""
    path = Path(thing["path"])
    if path.is_symlink() or not path.is_dir():
        return
    shutil.rmtree(path, ignore_errors=True)


UNDO["folder"] = _undo_folder
