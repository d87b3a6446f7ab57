"""A host's interface: a TAP device in its network namespace, whose other side the engine reads and writes.

The device lives as long as its file descriptor: it is never made persistent, so nothing is left when netarium is killed.
With `offload` every frame carries a virtio-net header (Linux: Documentation/networking/tuntap.rst; virtio 1.2 section
5.1.6), and the host may leave segmentation (TSO) and transport checksums to the engine: a train of segments crosses the
kernel's border at once.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import socket
import struct
import threading
from collections.abc import Callable
from typing import Any

from netarium.errors import MachineCannot
from netarium.run.emulate.netlink import IFLA_TXQLEN, Batch, attribute, connect
from netarium.run.emulate.netns import interface_index

DEVICE = "/dev/net/tun"
NAME_BYTES_MAX = 15
"""IFNAMSIZ - 1."""
# linux/if_tun.h
TUNSETIFF, TUNSETOFFLOAD, TUNSETVNETHDRSZ, TUNSETVNETLE = 0x400454CA, 0x400454D0, 0x400454D8, 0x400454DC
TUNGETIFF, TUNGETDEVNETNS = 0x800454D2, 0x54E3
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR, IFF_TUN_EXCL = 0x0002, 0x1000, 0x4000, 0x8000
TUN_F_CSUM, TUN_F_TSO4, TUN_F_TSO6, TUN_F_TSO_ECN = 1, 2, 4, 8
VNET_HEADER_BYTES = 10
# linux/sockios.h
SIOCSIFMTU, SIOCSIFHWADDR = 0x8922, 0x8924
ARPHRD_ETHER = 1
CLONE_NEWNET = 0x40000000
WAITING_FRAMES = 4096
"""Frames that may wait in the device for the engine to read them; more are dropped by the host's kernel (its tx_dropped)."""

_libc = ctypes.CDLL(None, use_errno=True)


def open_tap(netns_fd: int | None, name: str, mac: str, mtu: int, offload: bool) -> int:
    """Create a TAP device and return the engine's side of it, a non-blocking file descriptor.

    netns_fd: an open network namespace (/proc/PID/ns/net or /run/netns/NAME), None for the caller's own.
    mac: "02:00:00:00:00:01". mtu: of IP packets, bytes. The interface is down and has no
    address. Raises MachineCannot, which names what is missing.
    """
    return inside(netns_fd, lambda: _create(name, mac, mtu, offload))


def inside(netns_fd: int | None, act: Callable[[], Any]) -> Any:
    """What `act()` returns when called in a network namespace: in a thread that enters it and ends there."""
    if netns_fd is None:
        return act()
    outcome: list[Any] = []

    def enter() -> None:
        try:
            if _libc.setns(netns_fd, CLONE_NEWNET):
                number = ctypes.get_errno()
                raise MachineCannot(f"cannot enter a host's network namespace: {os.strerror(number)}")
            outcome.extend((act(), None))
        except BaseException as error:  # noqa: BLE001 - handed to the caller's thread
            outcome[:] = (None, error)

    worker = threading.Thread(target=enter, name="netns")
    worker.start()
    worker.join()
    value, error = outcome
    if error is not None:
        raise error
    return value


def _create(name: str, mac: str, mtu: int, offload: bool) -> int:
    if not 0 < len(name.encode()) <= NAME_BYTES_MAX:
        raise MachineCannot(f"interface name {name!r}: the kernel takes 1 to {NAME_BYTES_MAX} bytes")
    fd = _open_device()
    try:
        flags = IFF_TAP | IFF_NO_PI | IFF_TUN_EXCL | (IFF_VNET_HDR if offload else 0)
        _ask(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), flags), name, "be created")
        if offload:
            fcntl.ioctl(fd, TUNSETVNETHDRSZ, struct.pack("i", VNET_HEADER_BYTES))
            fcntl.ioctl(fd, TUNSETVNETLE, struct.pack("i", 1))
            _ask(
                fd,
                TUNSETOFFLOAD,
                TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN,
                name,
                "offload segmentation",
            )
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            address = struct.pack(
                "16sH6s16x", name.encode(), ARPHRD_ETHER, bytes.fromhex(mac.replace(":", ""))
            )
            _ask(control.fileno(), SIOCSIFHWADDR, address, name, f"take the address {mac}")
            _ask(
                control.fileno(),
                SIOCSIFMTU,
                struct.pack("16si20x", name.encode(), mtu),
                name,
                f"take the MTU {mtu}",
            )
        _lengthen_queue(name)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _lengthen_queue(name: str) -> None:
    """By netlink, because the ioctl (SIOCSIFTXQLEN) is for the machine's root alone, not for a user namespace's."""
    with connect() as sock:
        batch = Batch()
        length = attribute(IFLA_TXQLEN, struct.pack("I", WAITING_FRAMES))
        batch.change(interface_index(sock, name), length, f"let {name} queue {WAITING_FRAMES} frames")
        try:
            batch.apply(sock)
        except OSError as error:
            raise MachineCannot(f"interface {name}: {error.strerror}") from None


def _open_device() -> int:
    try:
        return os.open(DEVICE, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        hints = {
            errno.ENOENT: "the kernel module tun is not there: modprobe tun, or mknod /dev/net/tun c 10 200",
            errno.ENODEV: "the kernel has no TUN/TAP driver",
            errno.EACCES: "real hosts need root, or a user namespace in which /dev/net/tun may be opened",
            errno.EPERM: "real hosts need root, or a container that is allowed the device /dev/net/tun",
            errno.EMFILE: "too many open files: raise the limit (ulimit -n) to more than one for each interface",
            errno.ENFILE: "the system's table of open files is full: raise fs.file-max",
        }
        raise MachineCannot(
            f"{DEVICE}: {error.strerror}; {hints.get(error.errno, 'real hosts need it')}"
        ) from None


def _ask(fd: int, request: int, argument: Any, name: str, what: str) -> None:
    """An ioctl; a refusal says which interface could not do what."""
    try:
        fcntl.ioctl(fd, request, argument)
    except OSError as error:
        hint = {
            errno.EPERM: "; CAP_NET_ADMIN is missing in this namespace",
            errno.EBUSY: "; an interface of this name exists",
            errno.EEXIST: "; an interface of this name exists",
        }.get(error.errno or 0, "")
        raise MachineCannot(f"interface {name} cannot {what}: {error.strerror}{hint}") from None


def name_of(fd: int) -> str:
    """The interface whose engine's side is `fd`. Raises OSError for what is no TAP device."""
    return fcntl.ioctl(fd, TUNGETIFF, bytes(40))[:16].split(b"\0")[0].decode()


def refused_of(fd: int) -> int:
    """`refused_frames` of the interface whose engine's side is `fd`; 0 for what is no TAP device."""
    try:
        name = name_of(fd)
        netns_fd = fcntl.ioctl(fd, TUNGETDEVNETNS)
    except OSError:
        return 0
    try:
        return refused_frames(netns_fd, name)
    finally:
        os.close(netns_fd)


def refused_frames(netns_fd: int | None, name: str) -> int:
    """Frames that a host's kernel dropped because the engine did not read its interface in time (tx_dropped)."""

    def read() -> int:
        wanted = f"{name}:"
        with open(f"/proc/{os.getpid()}/task/{threading.get_native_id()}/net/dev", encoding="ascii") as lines:
            for line in lines:
                if line.split()[:1] == [wanted]:
                    return int(line.split()[12])
        raise MachineCannot(f"interface {name} is gone")

    return inside(netns_fd, read)
