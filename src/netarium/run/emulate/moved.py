"""An interface of this machine that a trial takes for a while: it moves into a node with its addresses and routes, and back.

A virtual interface is removed with the namespace it is in, so the namespace it visits is kept by a mount (ip-netns(8) does the
same) until the interface is back, also when the run is killed: then the next command brings it back (ownership.py).
"""

from __future__ import annotations

import ctypes
import json
import os
import struct
import subprocess
from pathlib import Path
from typing import Any

from netarium.errors import MachineCannot
from netarium.run.emulate import netns
from netarium.run.emulate.netlink import IFLA_IFNAME, IFLA_NET_NS_FD, Batch, attribute, connect
from netarium.run.emulate.ownership import UNDO, Ownership

OUT = "out"
MS_BIND, MNT_DETACH = 0x1000, 2  # linux/mount.h
LEFT_OUT = ("linkdown", "dead", "pervasive", "offload")
"""Words of a route that `ip` shows and does not take: states."""
_libc = ctypes.CDLL(None, use_errno=True)


def move_in(name: str, netns_fd: int, own: Ownership, number: int) -> None:
    """Move an interface from the calling thread's namespace into another, where it is called `out`.

    Raises MachineCannot when there is none, or when this machine would be cut off without it.
    """
    state = _state(name)
    keeper = own.folder / f"netns-{number}"
    own.owns("interface", keeper=str(keeper), **state)
    keeper.touch()
    with netns.entered(netns_fd):
        _mount("/proc/thread-self/ns/net", keeper)
    with connect() as sock:
        _move(sock, state["index"], netns_fd, OUT)
    with netns.entered(netns_fd):
        _restore(OUT, state)


def _state(name: str) -> dict[str, Any]:
    """Everything that an interface loses when it moves."""
    try:
        (link,) = _ip("addr", "show", "dev", name)
    except MachineCannot:
        raise MachineCannot(f"this machine has no interface {name!r}; see: ip link") from None
    routes = [
        [family, *(word for word in line.split() if word not in LEFT_OUT)]
        for family in ("-4", "-6")
        for line in _ip_text(family, "route", "show", "dev", name).splitlines()
        if "proto kernel" not in line and "proto ra" not in line
    ]
    if any(route[1] == "default" for route in routes):
        raise MachineCannot(f"{name} has this machine's default route: without it the machine is cut off")
    addresses = [
        f"{one['local']}/{one['prefixlen']}" for one in link["addr_info"] if one["scope"] == "global"
    ]
    return {
        "name": name,
        "index": link["ifindex"],
        "mac": link.get("address", ""),
        "up": "UP" in link["flags"],
        "addresses": addresses,
        "routes": routes,
    }


def _move(sock: Any, index: int, netns_fd: int, name: str) -> None:
    batch = Batch()
    batch.change(
        index,
        attribute(IFLA_NET_NS_FD, struct.pack("i", netns_fd)) + attribute(IFLA_IFNAME, name.encode() + b"\0"),
        f"move the interface as {name}",
    )
    batch.apply(sock)


def _restore(name: str, state: dict[str, Any]) -> None:
    """Give an interface that moved its addresses and routes again, in the calling thread's namespace."""
    with connect() as sock:
        index = netns.interface_index(sock, name)
        batch = Batch()
        for address in state["addresses"]:
            batch.address(index, address, name)
        if state["up"] or name == OUT:
            batch.up(index, name)
        batch.apply(sock)
    for family, *words in state["routes"] if state["up"] or name == OUT else []:
        _ip_text(family, "route", "add", *words, "dev", name)


def _undo_interface(thing: dict[str, Any]) -> None:
    """Bring an interface back, if it is where the run took it, and let go of the namespace it was in."""
    keeper = Path(thing["keeper"])
    if not keeper.exists():
        return
    here = netns.current()
    there = os.open(keeper, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if os.fstat(there).st_dev == os.fstat(here).st_dev:  # nsfs: the mount was made
            with netns.entered(there):
                found = [link for link in _ip("link", "show") if link.get("address") == thing["mac"]]
                index = next((link["ifindex"] for link in found if link["ifname"] in (OUT, thing["name"])), 0)
                if index:
                    with connect() as sock:
                        _move(sock, index, here, thing["name"])
            if index:
                _restore(thing["name"], thing)
            _libc.umount2(os.fsencode(keeper), MNT_DETACH)
    finally:
        os.close(there)
        os.close(here)
    keeper.unlink(missing_ok=True)


def _mount(source: str, target: Path) -> None:
    if _libc.mount(source.encode(), os.fsencode(target), None, MS_BIND, None) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(target))


def _ip(*words: str) -> list[dict[str, Any]]:
    """What `ip -json` says in the calling thread's namespace. Raises MachineCannot."""
    return [entry for entry in json.loads(_ip_text("-json", *words) or "[]") if entry]


def _ip_text(*words: str) -> str:
    """What `ip` says in the calling thread's namespace. Raises MachineCannot."""
    try:
        ran = subprocess.run(["ip", *words], capture_output=True, text=True)
    except FileNotFoundError:
        raise MachineCannot("it needs the command ip; apt install iproute2") from None
    if ran.returncode:
        raise MachineCannot(ran.stderr.strip() or "ip refused")
    return ran.stdout


UNDO["interface"] = _undo_interface
