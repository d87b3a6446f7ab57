"""What real hosts need of a machine, checked before anything is made; each lack is said with what to do about it."""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Iterable
from pathlib import Path

from netarium.compile.hosts import Emulation
from netarium.errors import MachineCannot

CAP_NET_ADMIN, CAP_SYS_ADMIN = 12, 21  # linux/capability.h
TUN = Path("/dev/net/tun")
BUBBLEWRAP = "bwrap"
PRLIMIT = "prlimit"
SPARE_FDS = 128
"""Descriptors for everything that is not a host or a program: libraries, files of the record, the terminal."""
FDS_PER_PROGRAM = 5
"""Its standard output and standard error, its process, and one while it is started."""


def fds_needed(emulation: Emulation) -> int:
    """Open files that a run of these hosts and programs takes at most."""
    interfaces = sum(len(host.interfaces) for host in emulation.hosts)
    programs = FDS_PER_PROGRAM * len(emulation.programs)
    return len(emulation.hosts) + interfaces + programs + SPARE_FDS


def room_for(emulation: Emulation) -> None:
    """Raise the limit of open files as far as needed and allowed. Raises MachineCannot when something is not enough."""
    privileged()
    tun_opens()
    raise_fd_limit(fds_needed(emulation), f"{len(emulation.hosts)} real hosts")
    _namespaces_allowed(len(emulation.hosts))


def raise_fd_limit(needed: int, what: str) -> None:
    """Raise the soft limit of open files to what is needed. Raises MachineCannot beyond the hard limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and needed > hard:
        raise MachineCannot(
            f"{what} need {needed} open files, and this machine allows {hard}; raise the hard limit (ulimit -Hn {needed}, "
            "LimitNOFILE= of a systemd unit, nofile in /etc/security/limits.conf), or make fewer nodes real"
        )
    if soft != resource.RLIM_INFINITY and needed > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def privileged() -> None:
    """Raise MachineCannot unless this process may administer networks, in its own user namespace at least."""
    missing = missing_capabilities()
    if missing:
        raise MachineCannot(
            f"real hosts need {' and '.join(missing)}, and user id {os.geteuid()} has not; run with sudo"
        )


def missing_capabilities() -> list[str]:
    """Those of the two capabilities that real hosts need which this process has not."""
    held = capabilities()
    both = (("CAP_NET_ADMIN", CAP_NET_ADMIN), ("CAP_SYS_ADMIN", CAP_SYS_ADMIN))
    return [name for name, bit in both if not held >> bit & 1]


def capabilities() -> int:
    """The effective capabilities of this process as a bit set; 0 where the kernel does not tell."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1], 16) for line in lines if line.startswith("CapEff:")), 0)


def in_machines_user_namespace() -> bool:
    """Whether this process has not been put into a user namespace of its own: root there is root nowhere else."""
    try:
        return Path("/proc/self/uid_map").read_text().split() == ["0", "0", "4294967295"]
    except OSError:
        return True


def tun_opens() -> None:
    """Raise MachineCannot unless TAP devices can be made."""
    if not TUN.exists():
        raise MachineCannot(
            f"no {TUN}, which real hosts' interfaces are made with; modprobe tun; in a container: --device {TUN}"
        )
    try:
        os.close(os.open(TUN, os.O_RDWR | os.O_CLOEXEC))
    except OSError as error:
        raise MachineCannot(
            f"{TUN}: {error.strerror}; run with sudo, or let everybody open it (chmod 0666 {TUN})"
        ) from None


def bubblewrap() -> str:
    """The path of the program that isolates programs. Raises MachineCannot."""
    path = shutil.which(BUBBLEWRAP)
    if path is None:
        raise MachineCannot(f"no {BUBBLEWRAP}, which isolates programs on real hosts; apt install bubblewrap")
    return path


def packages(wanted: Iterable[tuple[str, str]]) -> None:
    """Raise MachineCannot, naming every (program, Debian package) that is not installed."""
    missing = [(program, package) for program, package in wanted if shutil.which(program) is None]
    if missing:
        programs = ", ".join(program for program, _ in missing)
        install = " ".join(dict.fromkeys(package for _, package in missing))
        raise MachineCannot(f"not installed: {programs}; apt install {install}")


def _namespaces_allowed(count: int) -> None:
    path = Path("/proc/sys/user/max_net_namespaces")
    allowed = int(path.read_text()) if path.exists() else count
    if count > allowed:
        raise MachineCannot(
            f"{count} real hosts need as many network namespaces, and this machine allows {allowed}; "
            f"sysctl user.max_net_namespaces={count + 100}"
        )
