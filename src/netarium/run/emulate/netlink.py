"""Many changes of a namespace's addresses, routes and links in one message to the kernel: rtnetlink(7), written out.

A thousand hosts with addresses, neighbours and routes are tens of thousands of changes. One process per host (`ip -batch`)
takes about 2 ms of start-up each, pyroute2 about 0.2 ms per change in Python; a packed buffer per host takes 0.1 ms in all
(docs/decisions/hosts-by-netlink.md).
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from ipaddress import ip_address, ip_interface, ip_network

# linux/netlink.h, linux/rtnetlink.h
NLM_F_REQUEST, NLM_F_ACK, NLM_F_EXCL, NLM_F_CREATE, NLM_F_REPLACE = 0x1, 0x4, 0x200, 0x400, 0x100
NLMSG_ERROR = 2
RTM_NEWLINK, RTM_DELLINK, RTM_NEWADDR, RTM_NEWROUTE, RTM_NEWNEIGH = 16, 17, 20, 24, 28
IFF_UP = 0x1
LOOPBACK_INDEX = 1

IFLA_ADDRESS, IFLA_IFNAME, IFLA_MTU, IFLA_TXQLEN, IFLA_LINKINFO, IFLA_NET_NS_FD = 1, 3, 4, 13, 18, 28
IFLA_INFO_KIND, IFLA_INFO_DATA = 1, 2
IFLA_AF_SPEC, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE = 26, 8, 1
NLA_F_NESTED = 0x8000

IFA_ADDRESS, IFA_LOCAL, IFA_BROADCAST, IFA_FLAGS = 1, 2, 4, 8
IFA_F_NODAD, IFA_F_PERMANENT = 0x02, 0x80
NDA_DST, NDA_LLADDR = 1, 2
NUD_PERMANENT = 0x80
RTA_DST, RTA_OIF, RTA_GATEWAY = 1, 4, 5
RT_TABLE_MAIN, RTPROT_STATIC, RTN_UNICAST = 254, 4, 1
RT_SCOPE_UNIVERSE, RT_SCOPE_LINK = 0, 253
RTNH_F_ONLINK = 4

_PIECE_BYTES = 32768  # of one datagram; the kernel's own dumps use the same
_HEADER = struct.Struct("IHHII")


class Batch:
    """Changes collected in order, then made by `apply` in the namespace that its socket was opened in."""

    def __init__(self) -> None:
        self._messages: list[bytes] = []
        self._meanings: list[str] = []

    def __len__(self) -> int:
        return len(self._messages)

    def up(self, index: int, name: str) -> None:
        """Set an interface up."""
        self._add(RTM_NEWLINK, 0, struct.pack("BxHiII", 0, 0, index, IFF_UP, IFF_UP), f"set {name} up")

    def no_link_local(self, index: int, name: str) -> None:
        """Before an interface is up: it makes no IPv6 address of its own, and so asks no router (RFC 4862, RFC 4861)."""
        mode = _attribute(IFLA_INET6_ADDR_GEN_MODE, bytes([IN6_ADDR_GEN_MODE_NONE]))
        family = _attribute(socket.AF_INET6 | NLA_F_NESTED, mode)
        self.change(
            index,
            _attribute(IFLA_AF_SPEC | NLA_F_NESTED, family),
            f"keep {name} without a link-local address",
        )

    def link(
        self, kind: str, name: str, data: bytes = b"", *, attributes: bytes = b"", netns_fd: int | None = None
    ) -> None:
        """Make an interface of a kind (veth, vxlan, macvlan, bridge), in another namespace if netns_fd is given."""
        info = _attribute(IFLA_INFO_KIND, kind.encode() + b"\0")
        if data:
            info += _attribute(IFLA_INFO_DATA | NLA_F_NESTED, data)
        body = struct.pack("BxHiII", 0, 0, 0, 0, 0) + _attribute(IFLA_IFNAME, name.encode() + b"\0")
        body += attributes + _attribute(IFLA_LINKINFO | NLA_F_NESTED, info)
        if netns_fd is not None:
            body += _attribute(IFLA_NET_NS_FD, struct.pack("i", netns_fd))
        self._add(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, body, f"make the {kind} interface {name}")

    def delete_link(self, index: int, name: str) -> None:
        """Delete an interface."""
        self._add(RTM_DELLINK, 0, struct.pack("BxHiII", 0, 0, index, 0, 0), f"delete {name}")

    def change(self, index: int, attributes: bytes, meaning: str) -> None:
        """Change attributes of an interface: its name, its namespace."""
        self._add(RTM_NEWLINK, 0, struct.pack("BxHiII", 0, 0, index, 0, 0) + attributes, meaning)

    def address(self, index: int, address: str, name: str) -> None:
        """Add an address with its prefix length; IPv6 without duplicate address detection (RFC 4862, 5.4)."""
        interface = ip_interface(address)
        packed = interface.ip.packed
        attributes = _attribute(IFA_LOCAL, packed) + _attribute(IFA_ADDRESS, packed)
        if interface.version == 4:
            family, flags = socket.AF_INET, IFA_F_PERMANENT
            if interface.network.prefixlen < 31:
                attributes += _attribute(IFA_BROADCAST, interface.network.broadcast_address.packed)
        else:
            family, flags = socket.AF_INET6, IFA_F_PERMANENT | IFA_F_NODAD
        attributes += _attribute(IFA_FLAGS, struct.pack("I", flags))
        body = struct.pack("BBBBi", family, interface.network.prefixlen, flags & 0xFF, 0, index) + attributes
        self._add(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, body, f"give {name} the address {address}")

    def neighbour(self, index: int, address: str, mac: str, name: str) -> None:
        """Add a permanent neighbour: nobody has to ask for its link-layer address."""
        ip = ip_address(address)
        family = socket.AF_INET if ip.version == 4 else socket.AF_INET6
        body = struct.pack("BxHiHBB", family, 0, index, NUD_PERMANENT, 0, 0)
        body += _attribute(NDA_DST, ip.packed) + _attribute(NDA_LLADDR, mac_bytes(mac))
        self._add(
            RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, body, f"make {address} ({mac}) a neighbour on {name}"
        )

    def route(self, prefix: str, via: str, index: int, name: str, *, version: int = 4) -> None:
        """Add a route; prefix "default": of the IP version of `via`, or of `version` where there is no via."""
        attributes = b""
        length = 0
        if prefix != "default":
            network = ip_network(prefix)
            version, length = network.version, network.prefixlen
            if length:
                attributes += _attribute(RTA_DST, network.network_address.packed)
        elif via:
            version = ip_address(via).version
        flags, scope = 0, RT_SCOPE_LINK
        if via:
            attributes += _attribute(RTA_GATEWAY, ip_address(via).packed)
            flags, scope = RTNH_F_ONLINK, RT_SCOPE_UNIVERSE
        attributes += _attribute(RTA_OIF, struct.pack("i", index))
        family = socket.AF_INET if version == 4 else socket.AF_INET6
        scope = scope if version == 4 else RT_SCOPE_UNIVERSE
        body = struct.pack(
            "BBBBBBBBI", family, length, 0, 0, RT_TABLE_MAIN, RTPROT_STATIC, scope, RTN_UNICAST, flags
        )
        meaning = f"route {prefix}{' via ' + via if via else ''} through {name}"
        self._add(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, body + attributes, meaning)

    def apply(self, sock: socket.socket) -> None:
        """Make all changes, and forget them. Raises OSError with what could not be done; changes before it stay made."""
        first, size = 0, 0
        for at, message in enumerate(self._messages):
            if size and size + len(message) > _PIECE_BYTES:
                self._send(sock, first, at)
                first, size = at, 0
            size += len(message)
        if size:
            self._send(sock, first, len(self._messages))
        self._messages.clear()
        self._meanings.clear()

    def _add(self, kind: int, flags: int, body: bytes, meaning: str) -> None:
        sequence = len(self._messages)
        header = _HEADER.pack(_HEADER.size + len(body), kind, NLM_F_REQUEST | flags, sequence, 0)
        self._messages.append(header + body + bytes(-len(body) % 4))
        self._meanings.append(meaning)

    def _send(self, sock: socket.socket, first: int, end: int) -> None:
        """One datagram; only its last message is acknowledged, and errors of the others come before that."""
        messages = self._messages[first:end]
        length, kind, flags, sequence, port = _HEADER.unpack_from(messages[-1])
        last = _HEADER.pack(length, kind, flags | NLM_F_ACK, sequence, port) + messages[-1][_HEADER.size :]
        sock.send(b"".join(messages[:-1]) + last)
        while True:
            answer = sock.recv(65536)
            at = 0
            while at + _HEADER.size <= len(answer):
                length, kind, _, sequence, _ = _HEADER.unpack_from(answer, at)
                if kind == NLMSG_ERROR:
                    (number,) = struct.unpack_from("i", answer, at + _HEADER.size)
                    if number:
                        raise OSError(-number, f"cannot {self._meanings[sequence]}: {_reason(-number)}")
                    return
                at += (length + 3) & ~3


def connect() -> socket.socket:
    """A netlink socket of the calling thread's namespace."""
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
    sock.bind((0, 0))
    return sock


def mac_bytes(mac: str) -> bytes:
    """The six bytes of a MAC address "02:00:00:00:00:01"."""
    return bytes.fromhex(mac.replace(":", ""))


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute, padded to four bytes (netlink(7), struct nlattr)."""
    return _attribute(kind, value)


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def _reason(number: int) -> str:
    return "needs CAP_NET_ADMIN" if number == errno.EPERM else os.strerror(number)
