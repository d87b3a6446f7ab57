"""All real hosts of a run: made together, held while it lasts, gone with it.

A host is a network namespace without a name (netns.py); its interfaces are TAP devices that are not persistent. Both are held
by file descriptors of this process and of its guardian (guardian.py) alone, so the kernel takes everything back when they end,
however they end. Each thread that makes hosts moves into a new namespace for each, opens the TAP devices there, and hands the
kernel one packed message with all addresses, neighbours and routes (netlink.py).
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_interface
from pathlib import Path

from netarium.compile.hosts import Emulation, Interface, RealHost
from netarium.errors import MachineCannot
from netarium.run.emulate import guardian, needs, netns
from netarium.run.emulate.netlink import LOOPBACK_INDEX, Batch, connect

OpenTap = Callable[[int | None, str, str, int, bool], int]
"""(namespace or None for the caller's own, name, MAC, MTU in bytes, offload) -> the engine's descriptor of a TAP device."""

GUARDED_FROM = 17
"""Interfaces of a run that gets a guardian: fewer are closed soon enough one after another, 20 ms each."""
THREADS = 4  # 1,000 hosts on two cores: 1 thread 0.95 s, 2 0.62 s, 4 0.58 s, 8 0.63 s
CLOSING_LIMIT_S = 120.0

MANY_WAYS = {  # of routers and of hosts with several interfaces: answers may come by another way than questions go
    "ipv4/conf/all/rp_filter": "0",
    "ipv4/conf/default/rp_filter": "0",
}
ROUTER = {
    "ipv4/ip_forward": "1",
    "ipv4/conf/all/send_redirects": "0",  # the trial's routes are meant
    "ipv4/conf/default/send_redirects": "0",
}
ROUTER_IPV6 = {
    "ipv6/conf/default/accept_dad": "0",  # no duplicate address detection: nobody else can have our addresses
    "ipv6/conf/default/accept_ra": "0",  # and no router solicitations: the trial says who routes
    "ipv6/conf/all/forwarding": "1",
}


@dataclass(frozen=True)
class Attached:
    """One interface of a host that is up; fd: the engine's side of it."""

    host: RealHost
    interface: Interface
    fd: int


@dataclass
class Hosts:
    """Real hosts that are up. `attached` is in the order of the hosts and of their interfaces."""

    emulation: Emulation
    netns_fds: dict[str, int] = field(default_factory=dict)
    """Node -> descriptor of its namespace."""
    attached: list[Attached] = field(default_factory=list)
    guardian: Guardian | None = None

    @property
    def fds(self) -> list[int]:
        """The engine's descriptors, one for each interface."""
        return [one.fd for one in self.attached]

    @property
    def by_interface(self) -> dict[tuple[str, str], int]:
        """(node, interface name) -> the engine's descriptor."""
        return {(one.host.node, one.interface.name): one.fd for one in self.attached}

    def down(self) -> None:
        """Remove all hosts. What still runs in one keeps it; end programs first. Calling it again does nothing."""
        for one in self.attached:
            os.close(one.fd)
        for fd in self.netns_fds.values():
            os.close(fd)
        self.attached.clear()
        self.netns_fds.clear()
        if self.guardian is not None:
            self.guardian.end()
            self.guardian = None

    def __enter__(self) -> Hosts:
        return self

    def __exit__(self, *_: object) -> None:
        self.down()


class Guardian:
    """The process of guardian.py, seen from the run; `hold` may be called from several threads."""

    def __init__(self, lock_fd: int | None = None) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(Path(guardian.__file__)), str(theirs.fileno())],
                pass_fds=[theirs.fileno(), *([] if lock_fd is None else [lock_fd])],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._channel = ours
        ours.settimeout(CLOSING_LIMIT_S)

    @property
    def pid(self) -> int:
        return self._process.pid

    def hold(self, fds: list[int]) -> None:
        """Give the guardian copies of descriptors."""
        for first in range(0, len(fds), guardian.BATCH):
            socket.send_fds(self._channel, [b"hold"], fds[first : first + guardian.BATCH])

    def end(self) -> None:
        """Close all copies, which removes the devices, and wait until that is done."""
        try:
            self._channel.send(guardian.CLOSE)
            self._channel.recv(64)
        except OSError:  # it was killed; then the kernel closed its copies
            pass
        self._channel.close()
        self._process.wait()


def raise_hosts(
    emulation: Emulation,
    open_tap: OpenTap,
    lock_fd: int | None = None,
    *,
    threads: int = THREADS,
    guardian: Guardian | None = None,
) -> Hosts:
    """Make every real host of a plan. Raises MachineCannot, with nothing left behind.

    lock_fd: a lock that the hosts' guardian shares, so that others see when it has ended too. guardian: one of several runs;
    the hosts are then gone when it ends.
    """
    hosts = Hosts(emulation)
    try:
        needs.room_for(emulation)
        if guardian is not None:
            guardian.hold([] if lock_fd is None else [lock_fd])
        elif sum(len(host.interfaces) for host in emulation.hosts) >= GUARDED_FROM:
            hosts.guardian = guardian = Guardian(lock_fd)
        _raise(hosts, open_tap, threads, guardian)
    except BaseException:
        hosts.down()
        raise
    return hosts


def _raise(hosts: Hosts, open_tap: OpenTap, threads: int, guardian: Guardian | None) -> None:
    wanted = hosts.emulation.hosts
    made = [_Maker(hosts.emulation, guardian, open_tap) for _ in range(min(threads, len(wanted)))]
    with ThreadPoolExecutor(max_workers=max(1, len(made)), thread_name_prefix="hosts") as pool:
        work = [pool.submit(maker.make_all, wanted[first :: len(made)]) for first, maker in enumerate(made)]
    for maker in made:
        hosts.netns_fds |= maker.netns_fds
    fds = {key: fd for maker in made for key, fd in maker.tap_fds.items()}
    for host in wanted:
        for interface in host.interfaces:
            fd = fds.get((host.node, interface.name))
            if fd is not None:
                hosts.attached.append(Attached(host, interface, fd))
    for done in work:
        done.result()


class _Maker:
    """Makes some of the hosts, in a thread of its own. What it has made is in its dictionaries, also after an error."""

    def __init__(self, emulation: Emulation, guarding: Guardian | None, open_tap: OpenTap) -> None:
        self.netns_fds: dict[str, int] = {}
        self.tap_fds: dict[tuple[str, str], int] = {}
        self._offload = emulation.offload
        self._guardian = guarding
        self._open_tap = open_tap
        self._ipv6 = netns.has_ipv6()
        self._link_local = emulation.link_local

    def make_all(self, hosts: tuple[RealHost, ...]) -> None:
        before = netns.current()
        try:
            for host in hosts:
                self._make(host)
        finally:
            netns.enter(before)
            os.close(before)

    def _make(self, host: RealHost) -> None:
        try:
            self.netns_fds[host.node] = netns.create()
            netns.write_settings(self._settings(host))
            for interface in host.interfaces:
                fd = self._open_tap(None, interface.name, interface.mac, interface.mtu_bytes, self._offload)
                self.tap_fds[host.node, interface.name] = fd
                if self._guardian is not None:
                    self._guardian.hold([fd])
            with connect() as sock:
                indices = {one.name: netns.interface_index(sock, one.name) for one in host.interfaces}
                configuration(host, indices, self._ipv6, self._link_local).apply(sock)
        except OSError as error:
            raise MachineCannot(f"network.nodes.{host.node}: {_told(error)}") from error
        except MachineCannot as error:
            raise MachineCannot(f"network.nodes.{host.node}: {error}") from error

    def _settings(self, host: RealHost) -> dict[str, str]:
        """Settings below /proc/sys of a host, as few as can be: most hosts get none.

        The kernel keeps all namespaces' entries of one name in one chain, which it walks at every look: with 2,500 hosts one
        setting takes 2 ms, more than all else of a host. What netlink can say is said there.
        """
        settings = MANY_WAYS if host.forwards or len(host.interfaces) > 1 else {}
        if host.forwards:
            settings = settings | ROUTER | (ROUTER_IPV6 if self._ipv6 else {})
        return settings


def link_local(mac: str) -> str:
    """The IPv6 link-local address that goes with a MAC address (RFC 4291 appendix A), with its prefix length."""
    octets = bytearray.fromhex(mac.replace(":", ""))
    octets[0] ^= 2
    words = bytes([*octets[:3], 0xFF, 0xFE, *octets[3:]]).hex(":", 2)
    return f"fe80::{words}/64"


def configuration(
    host: RealHost, indices: dict[str, int], ipv6: bool = True, with_link_local: bool = False
) -> Batch:
    """Everything the kernel has to be told about a host. indices: number of each interface, by name.

    The kernel makes routers' link-local addresses itself; hosts get theirs, if at all, with the others and without waiting.

    Raises MachineCannot when the host has IPv6 addresses and the kernel no IPv6.
    """
    batch = Batch()
    batch.up(LOOPBACK_INDEX, "lo")
    versions = {one.name: {ip_interface(text).version for text in one.addresses} for one in host.interfaces}
    if not ipv6 and any(6 in found for found in versions.values()):
        raise MachineCannot("it has IPv6 addresses, and this kernel has no IPv6; boot without ipv6.disable=1")
    for one in host.interfaces:
        index = indices[one.name]
        if ipv6 and not host.forwards:
            batch.no_link_local(index, one.name)
        batch.up(index, one.name)
        for text in (
            *one.addresses,
            *([link_local(one.mac)] if with_link_local and not host.forwards else []),
        ):
            batch.address(index, text, one.name)
    for neighbour in host.neighbours:
        batch.neighbour(indices[neighbour.interface], neighbour.address, neighbour.mac, neighbour.interface)
    for route in host.routes:
        for version in _versions(route.prefix, route.via, versions[route.interface]):
            batch.route(route.prefix, route.via, indices[route.interface], route.interface, version=version)
    return batch


def _versions(prefix: str, via: str, of_interface: set[int]) -> list[int]:
    """The IP versions a route is for: that of what it names; a bare default is for all that the interface has."""
    if via:
        return [ip_address(via).version]
    if prefix != "default":
        return [ip_interface(prefix).version]
    return sorted(of_interface)


def _told(error: OSError) -> str:
    place = f"{error.filename}: " if error.filename else ""
    return f"{place}{error.strerror or error}"
