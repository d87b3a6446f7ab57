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
    if reason := refusal():
        raise MachineCannot(reason)
    command, more = _within([sys.executable, "-c", MAIN, *sys.argv[1:]])
    sys.stdout.flush()
    os.execve(command[0], command, os.environ | more)


def refusal() -> str:
    """Why neither this process nor one that it starts may have real hosts; empty when one may."""
    if not needs.missing_capabilities():
        return ""
    lacks = rootless_lacks()
    if not lacks and INSIDE not in os.environ:
        return ""
    reasons = "; ".join(lacks) or "the user namespace gave no rights"
    return f"real hosts need root (run with sudo), or without it: {reasons}"


def as_root(command: list[str]) -> tuple[list[str], dict[str, str]]:
    """(a command, what to add to its environment) that does the same and may have real hosts, if this process may not.

    As it was, where that is not needed, or the machine does not allow it.
    """
    if not needs.missing_capabilities() or refusal():
        return command, {}
    return _within(command)


def _within(command: list[str]) -> tuple[list[str], dict[str, str]]:
    unshare = shutil.which("unshare")
    assert unshare is not None  # `refusal` has looked
    return [unshare, *USER, "--", *command], {
        INSIDE: "1",
        "NETARIUM_RUNTIME": str(ownership.runtime_folder()),
    }


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
