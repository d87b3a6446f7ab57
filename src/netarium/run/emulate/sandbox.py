"""What a program on a real host sees of the machine: bubblewrap's arguments, and the files that are the host's own.

Every program gets process, mount, host name and IPC namespaces of its own beside its host's network. The machine's files are
there and cannot be changed, nor its kernel's settings but those of the host's network; /tmp and /run are the host's, shared by
its programs; /etc/hosts knows every node. When the program
ends, the kernel ends everything it started, because its process namespace ends with it (pid_namespaces(7)). This guards against
accidents, not against a program that means harm: docs/real-hosts.md.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from netarium.compile.hosts import Emulation, Program, RealHost
from netarium.describe.real import hostname_of
from netarium.run.emulate import needs, netns
from netarium.run.emulate.ownership import MARK

READ_ONLY, NO_ISOLATION = "read_only", "none"
HOSTNAME_BYTES_MAX = 64  # HOST_NAME_MAX of Linux
PRIVATE = ("/tmp", "/run")
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
DROPPED = (
    "SYS_MODULE", "SYS_RAWIO", "SYS_BOOT", "SYS_TIME", "SYSLOG", "MKNOD", "LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE",
    "AUDIT_CONTROL", "AUDIT_READ", "WAKE_ALARM", "BLOCK_SUSPEND", "PERFMON", "BPF",
)  # fmt: skip
"""Capabilities of no use in a network that reach beyond a host (capabilities(7)). CAP_SYS_ADMIN stays: FRR asks for it."""


@dataclass(frozen=True)
class Sandbox:
    """Sandboxes of one run. scratch: a folder of the run for the hosts' own files, gone after it."""

    scratch: Path
    emulation: Emulation
    resolver: str = ""
    """Text of /etc/resolv.conf; empty: no name server, names come from /etc/hosts."""
    mark: str = ""
    """What tells the run's programs from all others (ownership.py)."""
    shown: tuple[str, ...] = ()
    """Folders that programs shall see wherever they are: the trial's, and that of the run."""

    def prepare(self) -> None:
        """Write the files that all hosts share. Raises OSError."""
        self.scratch.mkdir(mode=0o755, parents=True, exist_ok=True)
        self._hosts_file.write_text(
            hosts_file({hostname_of(node): found for node, found in self.emulation.names.items()}),
            encoding="utf-8",
        )
        self._resolver_file.write_text(
            self.resolver or "# No name server is reachable: names are in /etc/hosts.\n"
        )

    def argv(
        self, host: RealHost, program: Iterable[str], cwd: str = "/tmp", *, writable: Iterable[str] = ()
    ) -> list[str]:
        """bubblewrap's command line for a program on a host. It has to be started in the host's network namespace."""
        name = (host.hostname or host.node)[:HOSTNAME_BYTES_MAX]
        words = [
            needs.bubblewrap(),
            *("--die-with-parent", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--hostname", name),
        ]
        if self.emulation.isolation == NO_ISOLATION:
            words += ["--bind", "/", "/", "--dev-bind", "/dev", "/dev", "--proc", "/proc"]
        else:
            words += ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
            words += ["--ro-bind", "/proc/sys", "/proc/sys", "--bind", "/proc/sys/net", "/proc/sys/net"]
            words += ["--ro-bind-try", "/proc/sysrq-trigger", "/proc/sysrq-trigger"]
            for place in PRIVATE:
                words += ["--bind", str(self._own(host, place)), place]
            visible = _visible(self.shown)
            words += [word for path in _above(visible) for word in ("--perms", "0755", "--dir", path)]
            words += [word for path in visible for word in ("--ro-bind", path, path)]
            words += [word for path in writable for word in ("--bind", path, path)]
        for file, place in ((self._hosts_file, "/etc/hosts"), (self._resolver_file, "/etc/resolv.conf")):
            if os.path.exists(place):
                words += ["--ro-bind", str(file), os.path.realpath(place)]
        for capability in DROPPED:
            words += ["--cap-drop", f"CAP_{capability}"]
        return [*words, "--chdir", cwd, "--", *program]

    def environment(
        self, host: RealHost, more: Mapping[str, str] | Iterable[tuple[str, str]] = ()
    ) -> dict[str, str]:
        """Variables of a program: few, the same on every machine, and those the trial states."""
        return {
            "PATH": os.pathsep.join(filter(None, (os.environ.get("PATH"), SYSTEM_PATH))),
            "HOME": "/tmp",
            "LANG": "C.UTF-8",
            "TERM": os.environ.get("TERM", "dumb"),
            "NETARIUM_NODE": host.node,
            MARK: self.mark,
            **dict(more),
        }

    def _own(self, host: RealHost, place: str) -> Path:
        """The folder that is /tmp or /run of one host, made when it is first asked for."""
        folder = self.scratch / "hosts" / str(host.node_index) / place.strip("/")
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o1777 if place == "/tmp" else 0o755)
        return folder

    @property
    def _hosts_file(self) -> Path:
        return self.scratch / "etc-hosts"

    @property
    def _resolver_file(self) -> Path:
        return self.scratch / "etc-resolv.conf"


def hosts_file(names: Mapping[str, tuple[str, ...]]) -> str:
    """Text of /etc/hosts: the loopback, then every address of every node (hosts(5))."""
    lines = ["127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost ip6-loopback"]
    lines += [f"{address}\t{name}" for name, addresses in names.items() for address in addresses]
    return "\n".join(lines) + "\n"


def let_everybody_ping() -> None:
    """In a host's namespace, before a program starts there: ping needs no rights (icmp(7)), as far as there are users."""
    everybody = needs.in_machines_user_namespace()
    netns.write_settings({"ipv4/ping_group_range": "0 2147483647" if everybody else "0 0"})


def spoken(program: Program, start_ns: int = 0) -> tuple[str, ...]:
    """The arguments of a program, with its placeholders filled in. start_ns: CLOCK_MONOTONIC at the start of the trial."""
    places = {
        "{python}": sys.executable,
        "{programs}": str(programs_folder()),
        "{start}": str(start_ns / 1e9),
    }
    words = []
    for word in program.argv:
        for place, text in places.items():
            word = word.replace(place, text) if program.role != "command" else word
        words.append(word)
    return tuple(words)


def may_be_held(program: Program) -> bool:
    """Whether a shell can stand in its place before the trial: its arguments do not say when that starts, and a shell hands
    on all its variables (those whose names it takes)."""
    told = program.role != "command" and any("{start}" in word for word in program.argv)
    return not told and all(name.isascii() and name.isidentifier() for name, _ in program.env)


def limited(program: Program, start_ns: int = 0) -> tuple[str, ...]:
    """Its arguments behind a prlimit(1) that bounds its writable memory (RLIMIT_DATA of setrlimit(2)), where the trial says so.

    Not RLIMIT_AS: address space that is only reserved, as by threads of the C library and by run-times, costs nothing.
    """
    if program.memory_bytes is None:
        return spoken(program, start_ns)
    return needs.PRLIMIT, f"--data={program.memory_bytes}", "--", *spoken(program, start_ns)


def programs_folder() -> Path:
    """Where netarium's own programs for hosts are."""
    return Path(__file__).parent / "services"


def _visible(shown: Iterable[str]) -> list[str]:
    """Folders of the interpreter, of netarium and `shown` that a private /tmp or /run would hide."""
    wanted = {
        *shown,
        os.path.realpath(sys.prefix),
        os.path.realpath(sys.base_prefix),
        str(Path(__file__).parents[2].resolve()),
    }
    hidden = tuple(place + "/" for place in PRIVATE)
    return sorted(path for path in wanted if path.startswith(hidden))


def _above(paths: Iterable[str]) -> list[str]:
    """The folders between a private place and what is shown below it, uppermost first. Made by bubblewrap itself they would
    be closed to programs that give up being root."""
    above = {str(parent) for path in paths for parent in Path(path).parents if len(parent.parts) > 2}
    return sorted(above, key=len)
