"""What this machine can do for real hosts: privileges, namespaces, devices, limits, programs; changes nothing."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from pathlib import Path

from netarium.operate.doctor import REAL_HOSTS, Finding
from netarium.run.emulate import needs

WANTED_CONGESTION = ("reno", "cubic", "bbr", "dctcp")
WANTED_FDS = 10_000
"""Open files for some 4,000 hosts with an interface each."""
FRR_FOLDERS = ("/usr/lib/frr", "/usr/libexec/frr", "/usr/local/sbin")
INDISPENSABLE = ("privileges", "namespaces", "TAP", "isolation")
TRY_LIMIT_S = 10


def privileges() -> Finding:
    missing = needs.missing_capabilities()
    if not missing:
        return Finding(REAL_HOSTS, "privileges", True, f"user id {os.geteuid()}, may administer networks")
    from netarium.operate.privilege import rootless_lacks

    lacks = rootless_lacks()
    if not lacks:
        found = f"user id {os.geteuid()}, root of a user namespace of its own (no ways out)"
        return Finding(REAL_HOSTS, "privileges", True, found)
    found = f"user id {os.geteuid()}, without {' and '.join(missing)}"
    return Finding(
        REAL_HOSTS, "privileges", False, found, f"run with sudo; or, without root: {'; '.join(lacks)}"
    )


def namespaces() -> Finding:
    unshare = shutil.which("unshare")
    if unshare is None:
        return Finding(
            REAL_HOSTS,
            "namespaces",
            False,
            "no unshare command",
            "only to work without root: apt install util-linux",
            optional=True,
        )
    own_user = ["--user", "--map-root-user"] if needs.missing_capabilities() else []
    attempt = subprocess.run(
        [unshare, *own_user, "--net", "true"], capture_output=True, text=True, timeout=TRY_LIMIT_S
    )
    if attempt.returncode == 0:
        return Finding(REAL_HOSTS, "namespaces", True, "network namespaces can be made")
    advice = "in a container: start it privileged; else run as root"
    return Finding(REAL_HOSTS, "namespaces", False, attempt.stderr.strip() or "refused", advice)


def user_namespaces() -> Finding:
    """Only to have real hosts without root."""
    unshare = shutil.which("unshare") or "unshare"
    try:
        attempt = subprocess.run(
            [unshare, "--user", "--map-root-user", "true"],
            capture_output=True,
            text=True,
            timeout=TRY_LIMIT_S,
        )
    except FileNotFoundError:
        return Finding(REAL_HOSTS, "user namespaces", False, "no unshare command", "apt install util-linux")
    if attempt.returncode == 0:
        return Finding(REAL_HOSTS, "user namespaces", True, "can be made: real hosts need no root")
    from netarium.operate.privilege import how_to_allow

    found = attempt.stderr.strip().removeprefix("unshare: ") or "refused"
    return Finding(
        REAL_HOSTS,
        "user namespaces",
        False,
        found,
        f"only to work without root: {how_to_allow()}",
        optional=True,
    )


def tap() -> Finding:
    if not needs.TUN.exists():
        advice = f"modprobe tun; in a container: --device {needs.TUN}"
        return Finding(REAL_HOSTS, "TAP", False, f"no {needs.TUN}", advice)
    try:
        os.close(os.open(needs.TUN, os.O_RDWR))
    except OSError as error:
        advice = f"run with sudo, or sudo chmod 0666 {needs.TUN}"
        return Finding(REAL_HOSTS, "TAP", False, f"{needs.TUN}: {error.strerror}", advice)
    return Finding(REAL_HOSTS, "TAP", True, f"{needs.TUN} opens")


def isolation() -> Finding:
    path = shutil.which(needs.BUBBLEWRAP)
    if path is None:
        return Finding(REAL_HOSTS, "isolation", False, f"no {needs.BUBBLEWRAP}", "apt install bubblewrap")
    return Finding(REAL_HOSTS, "isolation", True, path)


def open_files() -> Finding:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard == resource.RLIM_INFINITY:
        return Finding(REAL_HOSTS, "open files", True, "no limit")
    hosts = max(0, (hard - needs.SPARE_FDS) // 2)
    found = f"at most {hard}: some {hosts} hosts with one interface each"
    advice = f"for more hosts: ulimit -Hn {WANTED_FDS}, or LimitNOFILE={WANTED_FDS} in a systemd unit"
    return Finding(REAL_HOSTS, "open files", hard >= WANTED_FDS, found, advice, optional=True)


def network_namespaces_limit() -> Finding:
    path = Path("/proc/sys/user/max_net_namespaces")
    allowed = int(path.read_text()) if path.exists() else 0
    return Finding(
        REAL_HOSTS,
        "host limit",
        allowed >= 1,
        f"at most {allowed} network namespaces",
        "sysctl user.max_net_namespaces=10000",
    )


def congestion_controls() -> Finding:
    path = Path("/proc/sys/net/ipv4/tcp_available_congestion_control")
    available = path.read_text().split() if path.exists() else []
    missing = [name for name in WANTED_CONGESTION if name not in available]
    found = ("only " if missing else "") + ", ".join(available) if available else "none can be listed"
    advice = "only for transport.congestion of that name: modprobe " + " ".join(
        f"tcp_{name}" for name in missing
    )
    return Finding(REAL_HOSTS, "kernel congestion", not missing, found, advice, optional=True)


def ip_command() -> Finding:
    return _program("ip", "iproute2", "to let an existing interface into a trial")


def nft() -> Finding:
    return _program("nft", "nftables", "for ways out: NAT and tunnels")


def iperf3() -> Finding:
    return _program("iperf3", "iperf3", "to play bulk and stream services with real programs")


def frr() -> Finding:
    """Its daemons lie beside the path of programs."""
    folder = next((folder for folder in FRR_FOLDERS if os.access(f"{folder}/zebra", os.X_OK)), None)
    return Finding(
        REAL_HOSTS,
        "FRR",
        folder is not None,
        folder or "not there",
        "only for real routers: apt install frr",
        optional=True,
    )


def _program(name: str, package: str, purpose: str) -> Finding:
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    return Finding(
        REAL_HOSTS,
        name,
        path is not None,
        path or "not there",
        f"only {purpose}: apt install {package}",
        optional=True,
    )


ALL = (
    privileges, namespaces, user_namespaces, tap, isolation, open_files, network_namespaces_limit,
    congestion_controls, ip_command, nft, iperf3, frr,
)  # fmt: skip
