"""From a plan's real hosts to the arrays of real time: interfaces, addresses, rules, room for frames."""

from __future__ import annotations

import fcntl
import ipaddress
import mmap
import struct
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from netarium.compile.hosts import Emulation, Interface, RealHost
from netarium.run.emulate.tap import IFF_VNET_HDR, TUNGETIFF, VNET_HEADER_BYTES
from netarium.run.fill import Run
from netarium.run.kernel import records as r
from netarium.run.kernel.events import NEVER
from netarium.run.kernel.memory import FIELDS, aligned
from netarium.run.kernel.observe import BIN_COUNT
from netarium.run.kernel.real import records as rr
from netarium.run.kernel.real.arena import HEADER_ROOM, LARGE_BYTES, VNET_ROOM
from netarium.run.kernel.rng import plain_advance, plain_mix64
from netarium.run.samples import PORT_SERIES

FRAMES_AT_FIRST = 16_384
"""Packets of the pool to begin with."""
SMALL_SLOTS, LARGE_SLOTS = 1 << 17, 1 << 13
"""Frames and trains that may be on their way at once. Room is reserved, and used only as far as it is needed."""
SMALL_MTU_MAX = 9216
"""Longer packets take a slot for trains."""
WAYS, WAY_PORTS = 1 << 16, 1 << 21
GROWN_CONNS = 64
"""How many times more modelled connections than at first have routes without the ways of frames being copied."""
MET = 1 << 13
SHOT_BYTES, SHOTS_MAX, SHOTS_MIN = 8 << 20, 128, 4
"""Memory for samples that wait to be fetched."""
CAPTURED_BYTES = 1 << 30
"""Most bytes of captured frames."""
IOVECS = 128
GATEWAY_MAC = 0x02FE_0000_0000


def interfaces_of(emulation: Emulation) -> Iterator[tuple[RealHost, Interface]]:
    """All interfaces in the order in which the engine numbers them."""
    for host in emulation.hosts:
        for interface in host.interfaces:
            yield host, interface


def wire(run: Run, plan: Any, fds: Mapping[tuple[str, str], int]) -> None:
    """Put a plan's real hosts into a run's memory.

    fds: (node, interface name) -> file descriptor that gives and takes its frames. Raises MachineCannot.
    """
    memory, emulation = run.memory, plan.emulation
    real = aligned(1, rr.REAL)
    memory.put("real", real)
    for name in ("dirty", "answers", "small_free", "large_free"):
        real[name] = r.NONE
    _interfaces(memory, plan, emulation, fds)
    _owners(memory, plan, emulation)
    _rules(memory, plan, emulation)
    _room(memory, plan)
    _samples(memory, plan)


def _interfaces(memory: Any, plan: Any, emulation: Emulation, fds: Mapping[tuple[str, str], int]) -> None:
    """INTERFACE[n + 1]: all interfaces, and the desk at which the models' own answers enter."""
    wanted = list(interfaces_of(emulation))
    rows = aligned(len(wanted) + 1, rr.INTERFACE)
    for name in ("in_head", "out_head", "ahead", "fd"):
        rows[name] = r.NONE
    ports = plan.graph.port_count
    arrives_at = np.full(max(1, ports), r.NONE, np.int32)
    for index, (host, interface) in enumerate(wanted):
        row = rows[index]
        row.port, row.port_in, row.node = interface.port, interface.port_in, host.node_index
        row.fd = _descriptor(fds, host.node, interface.name)
        row.vnet_bytes = VNET_HEADER_BYTES if _has_vnet_header(int(row.fd)) else 0
        row.mac = _mac(interface.mac)
        near = [_mac(n.mac) for n in host.neighbours if n.interface == interface.name]
        row.gateway_mac = near[0] if near else GATEWAY_MAC + interface.port
        arrives_at[interface.port_in] = index
    for row in rows[: len(wanted)]:
        row.ahead = arrives_at[row.port]
    memory.put("interfaces", rows)
    memory.put("interface_at", arrives_at)
    memory.put("port_mtu", plan.graph.mtu_bytes.astype(np.int32))
    nodes = plan.trial.network.expand().nodes
    routes = [nodes[name].kind != "switch" for name in plan.graph.node_names]
    memory.put("routes_at", np.array(routes, np.int32))
    memory.real["interfaces"] = len(wanted)


def _descriptor(fds: Mapping[tuple[str, str], int], node: str, name: str) -> int:
    if (node, name) not in fds:
        raise KeyError(f"no file descriptor is given for interface {name} of {node}")
    return fds[node, name]


def _has_vnet_header(fd: int) -> bool:
    """Whether frames come with a virtio-net header; what is no TAP device has none."""
    try:
        answer = fcntl.ioctl(fd, TUNGETIFF, bytes(40))
    except OSError:
        return False
    return bool(struct.unpack_from("H", answer, 16)[0] & IFF_VNET_HDR)


def _mac(text: str) -> int:
    return int(text.replace(":", ""), 16)


def _halves(text: str) -> tuple[int, int, int]:
    """(version, upper half, lower half) of an address; a half of IPv6 as a signed number."""
    address = ipaddress.ip_address(text)
    if address.version == 4:
        return 4, 0, int(address)
    high, low = int(address) >> 64, int(address) & (2**64 - 1)
    return 6, *(half - 2**64 if half >= 2**63 else half for half in (high, low))


def _owners(memory: Any, plan: Any, emulation: Emulation) -> None:
    """A hash table of addresses, and behind it the prefixes that lead to an interface, longest first."""
    found: dict[str, tuple[int, int]] = {}
    prefixes: list[tuple[Any, int, int]] = []
    for index, (host, interface) in enumerate(interfaces_of(emulation)):
        for address in interface.addresses:
            found[str(ipaddress.ip_interface(address).ip)] = (index, host.node_index)
        for prefix in getattr(interface, "prefixes", ()):
            prefixes.append((ipaddress.ip_network(prefix), index, host.node_index))
    for node, addresses in emulation.names.items():
        for address in addresses:
            text = str(ipaddress.ip_interface(address).ip)
            found.setdefault(text, (r.NONE, plan.graph.node_index[node]))
    size = 1 << max(4, int(np.ceil(np.log2(2 * len(found) + 1))))
    owners = aligned(size + len(prefixes), rr.OWNER)
    memory.put("owners", owners)
    memory.real["owner_mask"], memory.real["prefixes"] = size - 1, len(prefixes)
    for text, (interface, node) in found.items():
        version, high, low = _halves(text)
        place = plain_mix64(plain_advance(high, low)) & (size - 1)
        while owners[place].used:
            place = (place + 1) & (size - 1)
        row = owners[place]
        row.used, row.interface, row.node = 1, interface, node
        row.high, row.low, row.version = high, low, version
    prefixes.sort(key=lambda entry: -entry[0].prefixlen)
    for row, (network, interface, node) in zip(owners[size:], prefixes, strict=True):
        row.version, row.high, row.low = _halves(str(network.network_address))
        row.interface, row.node, row.bits = interface, node, network.prefixlen


def _rules(memory: Any, plan: Any, emulation: Emulation) -> None:
    """RULE[2 n], there and back, and a flow for each rule."""
    rows = aligned(max(1, 2 * len(emulation.rules)), rr.RULE)
    count = len(emulation.rules)
    if count > len(memory.flows):
        memory.grow("flows", count + len(memory.flows))
    number: dict[int, int] = {}
    for index, rule in enumerate(emulation.rules):
        for back in (0, 1):
            row = rows[2 * index + back]
            row.src, row.dst = (rule.dst, rule.src) if back else (rule.src, rule.dst)
            row.service, row.protocol, row.port = rule.service, rule.protocol, rule.port
            is_data = bool(back) == rule.answers  # the way of the service's data, which its slice is for
            row.band = rule.band if is_data else 0
            row.counts = 1 if is_data or not rule.band else 0
            way = plan.arrays["pairs"][rule.pair] if rule.pair != r.NONE else None
            row.path = r.NONE if way is None else way["path" if is_data else "path_back"]
            row.latency_min_ps, row.latency_max_ps = NEVER, r.NONE
        flow = memory.flows[index]
        flow.service, flow.src, flow.dst = rule.service, rule.src, rule.dst
        flow.number = number.get(rule.service, 0)
        number[rule.service] = flow.number + 1
        flow.end_ps, flow.size_bytes, flow.conn = r.NONE, r.NONE, r.NONE
    memory.put("rules", rows)
    memory.real["rules"] = memory.counters[0].flows = count


def _room(memory: Any, plan: Any) -> None:
    """Slots for frames, ways, what is known of connections, captures. Zeroed memory costs nothing until it is used."""
    real = memory.real[0]
    mtu = min(SMALL_MTU_MAX, int(plan.graph.mtu_bytes.max(initial=1500)))
    real.small_bytes = -(-(mtu + 18 + VNET_ROOM) // 64) * 64
    real.small_count = SMALL_SLOTS
    slots = small_pages(SMALL_SLOTS + LARGE_SLOTS, rr.SLOT)
    memory.put("slots", slots)
    room_bytes = HEADER_ROOM + SMALL_SLOTS * int(real.small_bytes) + LARGE_SLOTS * LARGE_BYTES
    memory.put("arena", small_pages(room_bytes, rr.U1))
    real.reading, real.large_fresh = SMALL_SLOTS, SMALL_SLOTS + 1
    slots[SMALL_SLOTS].frame = HEADER_ROOM + SMALL_SLOTS * int(real.small_bytes) + VNET_ROOM
    memory.put("ways", small_pages(WAYS, rr.WAY))
    memory.put("way_table", small_pages(2 * WAYS, rr.I4))
    memory.put("met", small_pages(MET, rr.MET))
    own = int(memory.counters[0].conn_route)
    routes = small_pages(own + WAY_PORTS + GROWN_CONNS * (len(memory.routes) - own), rr.I8)
    routes[:own] = memory.routes[:own]
    memory.put("routes", routes)
    real.route_next, real.routes_end = own, own + WAY_PORTS
    memory.counters[0].conn_route = own + WAY_PORTS
    for name, count in (("scratch", 16), ("iovec", 2 * IOVECS)):
        memory.put(name, aligned(count, rr.I8))
    memory.put("late", np.zeros((3, BIN_COUNT), np.int64))
    wanted = sum(capture.packets * min(capture.snap_bytes, LARGE_BYTES) for capture in plan.captures)
    memory.put("captured_bytes", aligned(max(1, min(wanted, CAPTURED_BYTES)), rr.U1))


def small_pages(count: int, dtype: np.dtype) -> np.ndarray:
    """Zeros that take memory page by page. A huge page is cleared when it is first touched, which takes a millisecond at times:
    too long in real time, and with hundreds of runs too much memory."""
    mapped = mmap.mmap(-1, max(1, count) * dtype.itemsize, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    mapped.madvise(mmap.MADV_NOHUGEPAGE)
    return np.frombuffer(mapped, dtype, count)


def _samples(memory: Any, plan: Any) -> None:
    """The sample instants, and room for samples that wait."""
    times, services, ports = plan.sample_times_ps, len(memory.services), len(memory.port_row)
    each = services * FIELDS["services"][0].itemsize + ports * 8 * len(PORT_SERIES.names) + 8 * BIN_COUNT
    shots = max(SHOTS_MIN, min(SHOTS_MAX, SHOT_BYTES // each))
    memory.put("sample_at", np.array([*times.tolist(), NEVER], np.int64))
    memory.real["samples"], memory.real["shots"] = len(times), shots
    memory.put("shot_services", aligned(shots * services, r.SERVICE))
    memory.put("shot_ports", np.zeros((shots * ports, len(PORT_SERIES.names)), np.int64))
    memory.put("shot_late", np.zeros((shots, BIN_COUNT), np.int64))
