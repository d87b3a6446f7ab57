"""Ways out: how an external node, which is a router of the trial, reaches a network that exists.

The node's own side is like any host's. On its other side it gets one more interface, `out`:

nat        one end of a veth pair; trial addresses become the pair's there, and the machine's own on the machine (RFC 3022)
vxlan      a tunnel to another facility (RFC 7348), made straight in the node's namespace, its underlay in the machine's
interface  an interface of this machine, which moves in with its addresses and routes, and moves back

`out`, the veth pair and the tunnel end with the node's namespace. What would stay (a firewall table, forwarding switched on, an
interface that moved) is written down first (ownership.py). "The machine" is the network namespace netarium was started in.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import struct
import subprocess
from ipaddress import IPv4Address, IPv4Network, ip_address
from pathlib import Path
from typing import Any

from netarium.compile.hosts import Emulation, RealHost, WayOut
from netarium.errors import MachineCannot
from netarium.run.emulate import moved, needs, netns
from netarium.run.emulate.netlink import (
    IFLA_ADDRESS,
    IFLA_IFNAME,
    IFLA_MTU,
    IFLA_NET_NS_FD,
    Batch,
    attribute,
    connect,
    mac_bytes,
)
from netarium.run.emulate.ownership import UNDO, Ownership, runs

OUT = "out"
TRANSFER = IPv4Network("198.18.0.0/15")
"""Where the two addresses of a NAT's veth pair come from: set aside for tests between networks (RFC 2544, RFC 6890)."""
VETH_INFO_PEER = 1  # linux/veth.h
# linux/if_link.h
IFLA_VXLAN_ID, IFLA_VXLAN_GROUP, IFLA_VXLAN_LINK, IFLA_VXLAN_LOCAL, IFLA_VXLAN_LEARNING = 1, 2, 3, 4, 7
IFLA_VXLAN_PORT, IFLA_VXLAN_GROUP6, IFLA_VXLAN_LOCAL6 = 15, 16, 17
TUNNEL_ENDS = {4: ("169.254.88.1", "169.254.88.2"), 6: ("fe80::8:1", "fe80::8:2")}
"""Link-local addresses of the tunnel's ends (RFC 3927, RFC 4291); the end with the lower address outside has the first."""
FORWARD = "net/ipv4/ip_forward"


def has_nat(emulation: Emulation) -> bool:
    """Whether some node leads to the machine's own network, and so to its name servers."""
    return any(host.way_out is not None and host.way_out.kind == "nat" for host in emulation.hosts)


def resolver_text() -> str:
    """The machine's /etc/resolv.conf; behind systemd-resolved, which listens on the machine alone, its upstream's."""
    upstream, own = Path("/run/systemd/resolve/resolv.conf"), Path("/etc/resolv.conf")
    return next((path.read_text() for path in (upstream, own) if path.exists()), "")


def open_way(host: RealHost, netns_fd: int, own: Ownership) -> None:
    """Connect an external node that is up to the network it leads to. Raises MachineCannot, naming its place in the trial."""
    way = host.way_out
    assert way is not None
    try:
        if not needs.in_machines_user_namespace():
            raise MachineCannot("a way out changes the machine's network, which needs root; run with sudo")
        if way.kind == "interface":
            moved.move_in(way.interface, netns_fd, own, host.node_index)
        elif way.kind == "vxlan":
            _vxlan(host, way, netns_fd)
        else:
            _nat(host, netns_fd, own)
    except (OSError, MachineCannot) as error:
        text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise MachineCannot(f"network.nodes.{host.node}.attach.{way.kind}: {text}") from error


# -- nat


def _nat(host: RealHost, netns_fd: int, own: Ownership) -> None:
    number = host.node_index
    name = f"nt{own.token}{number}"[:15]
    machine, inside = transfer_addresses(own.token, number)
    table = f"netarium_{own.token}_{number}"
    own.owns("link", name=name)
    peer = struct.pack("BxHiII", 0, 0, 0, 0, 0) + attribute(IFLA_IFNAME, OUT.encode() + b"\0")
    peer += attribute(IFLA_NET_NS_FD, struct.pack("i", netns_fd))
    with connect() as sock:
        batch = Batch()
        batch.link("veth", name, attribute(VETH_INFO_PEER, peer))
        batch.apply(sock)
        index = netns.interface_index(sock, name)
        batch.address(index, f"{machine}/30", name)
        batch.up(index, name)
        batch.apply(sock)
    with netns.entered(netns_fd):
        _out_up(f"{inside}/30", str(machine))
        nft(nat_rules("netarium", f'oifname "{OUT}"'))
    own.owns("nft_table", family="ip", name=table)
    nft(nat_rules(table, f'ip saddr {inside} oifname != "{name}"'))
    _forward_on_machine(own)


def transfer_addresses(token: str, number: int) -> tuple[IPv4Address, IPv4Address]:
    """The machine's and the node's address of a NAT's veth pair: a /30 that nothing on this machine has yet."""
    import psutil

    taken = {one.address for each in psutil.net_if_addrs().values() for one in each}
    count = TRANSFER.num_addresses // 4
    first = int.from_bytes(hashlib.sha256(f"{token}/{number}".encode()).digest()[:4], "big") % count
    for attempt in range(count):
        base = int(TRANSFER.network_address) + 4 * ((first + attempt) % count)
        pair = IPv4Address(base + 1), IPv4Address(base + 2)
        if not taken & {str(one) for one in pair}:
            return pair
    raise MachineCannot(f"no addresses are free in {TRANSFER}")


def nat_rules(table: str, leaving: str) -> str:
    """nft's text of a table that gives packets which match `leaving` the address of the interface they leave by."""
    return (
        f"table ip {table} {{\n"
        "  chain postrouting {\n"
        "    type nat hook postrouting priority srcnat; policy accept;\n"
        f"    {leaving} masquerade\n"
        "  }\n"
        "}\n"
    )


def nft(rules: str) -> None:
    """Give nft rules, in the calling thread's namespace. Raises MachineCannot."""
    path = shutil.which("nft", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if path is None:
        raise MachineCannot("it needs nft, which is not installed; apt install nftables")
    ran = subprocess.run([path, "-f", "-"], input=rules, capture_output=True, text=True)
    if ran.returncode:
        raise MachineCannot(f"nft: {ran.stderr.strip().splitlines()[0] if ran.stderr else 'refused'}")


def _out_up(address: str, via: str) -> None:
    """Configure `out` in the calling thread's namespace: its address, and the default route."""
    with connect() as sock:
        index = netns.interface_index(sock, OUT)
        batch = Batch()
        batch.address(index, address, OUT)
        batch.up(index, OUT)
        batch.route("default", via, index, OUT)
        batch.apply(sock)


def _forward_on_machine(own: Ownership) -> None:
    """Switch IPv4 forwarding on. Another run that did so already knows what it was before; the last one puts it back."""
    path = Path("/proc/sys") / FORWARD
    before = path.read_text().strip()
    for run in runs(own.folder.parent):
        for thing in run.things() if run.token != own.token else []:
            if thing["kind"] == "setting" and thing["key"] == FORWARD:
                before = thing["before"]
    own.owns("setting", key=FORWARD, before=before, token=own.token, runtime=str(own.folder.parent))
    path.write_text("1")


# -- vxlan


def _vxlan(host: RealHost, way: WayOut, netns_fd: int) -> None:
    remote = ip_address(way.remote)
    local = ip_address(way.local or source_towards(way.remote, way.port))
    if local.version != remote.version:
        raise MachineCannot(f"local {local} and remote {remote} are of different IP versions")
    mtu = min(one.mtu_bytes for one in host.interfaces)
    four = remote.version == 4
    data = attribute(IFLA_VXLAN_ID, struct.pack("I", way.vni))
    data += attribute(IFLA_VXLAN_GROUP if four else IFLA_VXLAN_GROUP6, remote.packed)
    data += attribute(IFLA_VXLAN_LOCAL if four else IFLA_VXLAN_LOCAL6, local.packed)
    data += attribute(IFLA_VXLAN_PORT, struct.pack("!H", way.port))
    data += attribute(IFLA_VXLAN_LEARNING, b"\0")
    with connect() as sock:
        if way.interface:
            try:
                data += attribute(
                    IFLA_VXLAN_LINK, struct.pack("I", netns.interface_index(sock, way.interface))
                )
            except OSError:
                raise MachineCannot(
                    f"this machine has no interface {way.interface!r}; see: ip link"
                ) from None
        attributes = attribute(IFLA_ADDRESS, mac_bytes(tunnel_mac(way.vni, str(local))))
        attributes += attribute(IFLA_MTU, struct.pack("I", mtu))
        batch = Batch()
        batch.link("vxlan", OUT, data, attributes=attributes, netns_fd=netns_fd)
        try:
            batch.apply(sock)
        except FileExistsError:
            raise MachineCannot(
                f"this machine has a tunnel with vni {way.vni} on port {way.port} already"
            ) from None
    far_mac = tunnel_mac(way.vni, str(remote))
    with netns.entered(netns_fd):
        with connect() as sock:
            _tunnel_up(int(local) < int(remote), far_mac, host).apply(sock)
        nft(no_return_rules())


def _tunnel_up(first: bool, far_mac: str, host: RealHost) -> Batch:
    """Addresses of this end, and the other end as the next hop of everything that is nobody's here."""
    versions = {ip_address(text.split("/")[0]).version for one in host.interfaces for text in one.addresses}
    with connect() as sock:
        index = netns.interface_index(sock, OUT)
    batch = Batch()
    batch.up(index, OUT)
    for version in sorted(versions):
        ends = TUNNEL_ENDS[version]
        near, far = ends if first else ends[::-1]
        batch.address(index, f"{near}/{30 if version == 4 else 64}", OUT)
        batch.neighbour(index, far, far_mac, OUT)
        batch.route("default", far, index, OUT)
    return batch


def source_towards(remote: str, port: int) -> str:
    """The address this machine sends from towards another. Raises OSError when there is no route."""
    family = socket.AF_INET if ip_address(remote).version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.connect((remote, port))
        return str(sock.getsockname()[0])


def tunnel_mac(vni: int, address: str) -> str:
    """The MAC address of a tunnel's end, which both ends work out: locally administered, from a hash."""
    digest = hashlib.sha256(f"{vni}/{ip_address(address)}".encode()).digest()
    return (b"\x02" + digest[:5]).hex(":")


def no_return_rules() -> str:
    """What came out of the tunnel and is nobody's here does not go back in: two facilities would pass it to and fro."""
    return (
        "table inet netarium {\n"
        "  chain forward {\n"
        "    type filter hook forward priority filter; policy accept;\n"
        f'    iifname "{OUT}" oifname "{OUT}" drop\n'
        "  }\n"
        "}\n"
    )


# -- taking back


def _undo_link(thing: dict[str, Any]) -> None:
    """A veth pair; most often the kernel has already removed it with the node's namespace."""
    with connect() as sock:
        try:
            batch = Batch()
            batch.delete_link(netns.interface_index(sock, thing["name"]), thing["name"])
            batch.apply(sock)
        except OSError:
            return


def _undo_table(thing: dict[str, Any]) -> None:
    """A firewall table; `add` before `delete` makes deleting one that is not there no error (nft(8))."""
    table = f"{thing['family']} {thing['name']}"
    try:
        nft(f"add table {table}\ndelete table {table}\n")
    except MachineCannot:
        return


def _undo_setting(thing: dict[str, Any]) -> None:
    """A kernel setting, unless another run still needs it."""
    for run in runs(Path(thing["runtime"])):
        others = run.things() if run.token != thing["token"] and run.owner.alive() else []
        if any(other["kind"] == "setting" and other["key"] == thing["key"] for other in others):
            return
    (Path("/proc/sys") / thing["key"]).write_text(thing["before"])


UNDO |= {"link": _undo_link, "nft_table": _undo_table, "setting": _undo_setting}
