"""What this machine can do, one finding per row, and what to do about the rest; changes nothing."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version as installed
from pathlib import Path

SIMULATE = "simulate"
REAL_HOSTS = "real hosts"
OLDEST_PYTHON = (3, 11)
NEEDED_MEMORY_BYTES = 2 * 10**9
NEEDED_DISK_BYTES = 10**9
CAP_NET_ADMIN = 12  # linux/capability.h
CAP_SYS_ADMIN = 21
WANTED_CONGESTION = ("reno", "cubic", "bbr", "dctcp")


@dataclass(frozen=True)
class Finding:
    """One row: what was looked at, whether it is there, what was found, and what to do when it is not."""

    needed_for: str
    what: str
    ok: bool
    found: str
    advice: str = ""


def examine(runs: Path) -> list[Finding]:
    """All findings, in the order of the table; runs: the folder that records go to."""
    simulate: list[Callable[[], Finding]] = [
        python,
        numba,
        engine,
        cores,
        memory,
        lambda: disk(runs),
        tshark,
        netem,
    ]
    real_hosts = [privileges, namespaces, tap, ip_command, congestion_controls]
    return [check() for check in (*simulate, *real_hosts)]


def python() -> Finding:
    version = platform.python_version()
    wanted = ".".join(map(str, OLDEST_PYTHON))
    return Finding(
        SIMULATE, "Python", sys.version_info >= OLDEST_PYTHON, version, f"install Python {wanted} or later"
    )


def numba() -> Finding:
    try:
        from netarium.run.kernel.jit import INTERPRETED
    except Exception as error:  # a broken installation raises anything, and this is the place to say so
        return Finding(
            SIMULATE, "Numba", False, f"{type(error).__name__}: {error}", "pip install --upgrade numba"
        )
    if INTERPRETED or os.environ.get("NUMBA_DISABLE_JIT", "0") != "0":
        advice = "unset NETARIUM_JIT and NUMBA_DISABLE_JIT"
        return Finding(SIMULATE, "Numba", False, "switched off: runs are very slow", advice)
    return Finding(SIMULATE, "Numba", True, installed("numba"))


def engine() -> Finding:
    """Compiled kernels are kept in the user's cache; without a place for them every run compiles again."""
    from netarium.operate.enginecache import compiled, folder

    place = folder()
    existing = _existing(place)
    if not os.access(existing, os.W_OK):
        return Finding(
            SIMULATE, "engine", False, f"{existing} is read-only", "set NETARIUM_CACHE to a folder of yours"
        )
    return Finding(
        SIMULATE, "engine", True, f"{'compiled' if compiled() else 'compiles at the first run'}, in {place}"
    )


def cores() -> Finding:
    usable = len(os.sched_getaffinity(0))
    return Finding(SIMULATE, "cores", True, f"{usable}: one run uses one")


def memory() -> Finding:
    import psutil

    free = psutil.virtual_memory().available
    advice = "close other programs; simulate fewer flows and ports"
    return Finding(SIMULATE, "memory", free >= NEEDED_MEMORY_BYTES, f"{free / 1e9:.1f} GB free", advice)


def disk(runs: Path) -> Finding:
    existing = _existing(runs)
    free = shutil.disk_usage(existing).free
    writable = os.access(existing, os.W_OK)
    found = f"{free / 1e9:.1f} GB free in {existing}" if writable else f"{existing} is read-only"
    advice = "set NETARIUM_RUNS to a folder with more room, or use --out"
    return Finding(SIMULATE, "disk", writable and free >= NEEDED_DISK_BYTES, found, advice)


def tshark() -> Finding:
    path = shutil.which("tshark") or shutil.which("wireshark")
    return Finding(
        SIMULATE,
        "tshark",
        path is not None,
        path or "not there",
        "only to look into captures: apt install tshark",
    )


def netem() -> Finding:
    return Finding(SIMULATE, "netem", True, "no netem: not needed, impairments are the engine's own")


def privileges() -> Finding:
    held = _capabilities()
    missing = [
        name
        for name, bit in (("CAP_NET_ADMIN", CAP_NET_ADMIN), ("CAP_SYS_ADMIN", CAP_SYS_ADMIN))
        if not held >> bit & 1
    ]
    found = f"user id {os.geteuid()}, " + (
        f"without {' and '.join(missing)}" if missing else "may administer networks"
    )
    return Finding(REAL_HOSTS, "privileges", not missing, found, "run as root, or with sudo")


def namespaces() -> Finding:
    unshare = shutil.which("unshare")
    if unshare is None:
        return Finding(REAL_HOSTS, "namespaces", False, "no unshare command", "apt install util-linux")
    own_user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    attempt = subprocess.run(
        [unshare, *own_user, "--net", "true"], capture_output=True, text=True, timeout=10
    )
    if attempt.returncode == 0:
        return Finding(REAL_HOSTS, "namespaces", True, "network namespaces can be made")
    advice = "in a container: start it privileged; else run as root"
    return Finding(REAL_HOSTS, "namespaces", False, attempt.stderr.strip() or "refused", advice)


def tap() -> Finding:
    device = Path("/dev/net/tun")
    if not device.exists():
        return Finding(
            REAL_HOSTS, "TAP", False, f"no {device}", "modprobe tun; in a container: --device /dev/net/tun"
        )
    try:
        os.close(os.open(device, os.O_RDWR))
    except OSError as error:
        return Finding(REAL_HOSTS, "TAP", False, f"{device}: {error.strerror}", "run as root, or with sudo")
    return Finding(REAL_HOSTS, "TAP", True, f"{device} opens")


def ip_command() -> Finding:
    path = shutil.which("ip")
    return Finding(REAL_HOSTS, "ip", path is not None, path or "not there", "apt install iproute2")


def congestion_controls() -> Finding:
    path = Path("/proc/sys/net/ipv4/tcp_available_congestion_control")
    available = path.read_text().split() if path.exists() else []
    missing = [name for name in WANTED_CONGESTION if name not in available]
    found = ", ".join(available) or "none can be listed"
    advice = "modprobe " + " ".join(f"tcp_{name}" for name in missing)
    return Finding(REAL_HOSTS, "kernel congestion", not missing, found, advice)


def _capabilities() -> int:
    """The effective capabilities of this process as a bit set; 0 where the kernel does not tell."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1], 16) for line in lines if line.startswith("CapEff:")), 0)


def _existing(path: Path) -> Path:
    """The path, or the nearest folder above it that exists."""
    return next(place for place in (path.absolute(), *path.absolute().parents) if place.exists())
