"""Real hosts without root: start again as root of a user namespace of one's own, where the machine allows it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from netarium.errors import MachineCannot
from netarium.run.emulate import needs, ownership

INSIDE = "NETARIUM_USER_NAMESPACE"
"""Set in the environment of a netarium that was started again, so that it does not happen twice."""
MAIN = "from netarium.operate.cli import main; main()"


def ensure() -> None:
    """Return when this process may have real hosts; else become one that may, or raise MachineCannot with what is missing.

    A network namespace belongs to the user namespace it was made in, whose root may do everything in it (user_namespaces(7)).
    """
    if not needs.missing_capabilities():
        return
    lacks = rootless_lacks()
    if lacks or INSIDE in os.environ:
        reasons = "; ".join(lacks) or "the user namespace gave no rights"
        raise MachineCannot(f"real hosts need root (run with sudo), or without it: {reasons}")
    environment = os.environ | {INSIDE: "1", "NETARIUM_RUNTIME": str(ownership.runtime_folder())}
    unshare = shutil.which("unshare")
    assert unshare is not None
    sys.stdout.flush()
    os.execve(unshare, [unshare, *USER, "--", sys.executable, "-c", MAIN, *sys.argv[1:]], environment)


USER = ("--user", "--map-root-user", "--net")
"""With a network namespace too: from a host no thread could go back into one that is not this user's (setns(2))."""


def rootless_lacks() -> list[str]:
    """What stands in the way of real hosts without root, each with what to do about it."""
    lacks = []
    unshare = shutil.which("unshare")
    if unshare is None:
        lacks.append("no unshare command (apt install util-linux)")
    else:
        tried = subprocess.run([unshare, *USER, "true"], capture_output=True, text=True)
        if tried.returncode:
            lacks.append(
                f"no user namespaces ({tried.stderr.strip().removeprefix('unshare: ')}; {how_to_allow()})"
            )
    if not os.access(needs.TUN, os.R_OK | os.W_OK):
        what = "is closed to this user" if needs.TUN.exists() else "is not there"
        lacks.append(f"{needs.TUN} {what} (sudo modprobe tun; sudo chmod 0666 {needs.TUN})")
    return lacks


def how_to_allow() -> str:
    """The setting that keeps users from making user namespaces, as far as it can be told."""
    for path, wanted in (
        ("kernel/apparmor_restrict_unprivileged_userns", "0"),
        ("kernel/unprivileged_userns_clone", "1"),
        ("user/max_user_namespaces", "10000"),
    ):
        file = Path("/proc/sys") / path
        if file.exists():
            value = file.read_text().strip()
            if value != wanted and (path != "user/max_user_namespaces" or value == "0"):
                return f"sudo sysctl {path.replace('/', '.')}={wanted}"
    return "in a container: start it with more rights"
