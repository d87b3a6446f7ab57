"""Sizes that do not go together: queues that cannot hold a packet, packets that no link carries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from netarium.describe.files import parts_of
from netarium.describe.links import Link
from netarium.describe.network import Network
from netarium.describe.paths import Path, format_path
from netarium.describe.services import ControlLoop, Service, Stream
from netarium.describe.transport import Tcp
from netarium.errors import Problem
from netarium.units import SIZE, write

if TYPE_CHECKING:
    from netarium.describe.trial import Trial

MTU_MIN = 68  # RFC 791: every link carries datagrams of 68 bytes
MTU_MAX = 65_535  # RFC 791: total length is 16 bits
TCP_IP_HEADERS = 40
UDP_IP_HEADERS = 28

# Per kind of queue, the fields that must hold one packet.
_HOLDING = {
    "bfifo": ("limit",),
    "tbf": ("limit", "burst"),
    "red": ("limit",),
    "fq_codel": ("memory_limit",),
}


def size_problems(trial: Trial, network: Network) -> list[Problem]:
    """Every size in the trial that the packets of its links rule out."""
    problems = [*_mtu_problems(trial), *_queue_problems(trial.network, network)]
    largest = max((link.mtu for link in network.links if link.mtu is not None), default=MTU_MAX)
    for name, service in trial.services.items():
        problems += _packet_problems(("services", name), service, largest)
    if isinstance(trial.transport, Tcp):
        problems += _mss_problems(("transport",), trial.transport, largest)
    return problems


def _mtu_problems(trial: Trial) -> Iterator[Problem]:
    stated = [(("network", "defaults", "mtu"), trial.network.defaults.mtu)]
    stated += [(("network", "links", i, "mtu"), link.mtu) for i, link in enumerate(trial.network.links)]
    for path, mtu in stated:
        if mtu is not None and not MTU_MIN <= mtu <= MTU_MAX:
            yield Problem(format_path(path), write(mtu, SIZE), f"from {MTU_MIN} B to {MTU_MAX} B (IPv4)")


def _queue_problems(typed: Network, network: Network) -> Iterator[Problem]:
    """Queues as typed, each against the largest packet of the links that have it."""
    packets = [_packet(link) for link in network.links]
    if packets:
        yield from _too_small(("network", "defaults", "queue"), typed.defaults.queue, max(packets))
        topology_queue = getattr(typed.topology, "queue", None)
        yield from _too_small(("network", "topology", "queue"), topology_queue, max(packets))
    for index, link in enumerate(typed.links):
        packet = (link.mtu or typed.defaults.mtu) + _overhead(link, typed)
        path: Path = ("network", "links", index)
        yield from _too_small((*path, "queue"), link.queue, packet)
        for side in ("forward", "backward"):
            direction = getattr(link, side)
            if direction is not None:
                yield from _too_small((*path, side, "queue"), direction.queue, packet)


def _packet(link: Link) -> int:
    return (link.mtu or 0) + (link.overhead or 0)


def _overhead(link: Link, typed: Network) -> int:
    return typed.defaults.overhead if link.overhead is None else link.overhead


def _too_small(path: Path, queue: Any, packet: int) -> Iterator[Problem]:
    for inner, part in parts_of(queue, path):
        for field in _HOLDING.get(getattr(part, "kind", ""), ()):
            size = getattr(part, field)
            if size is not None and size < packet:
                expected = f"at least one packet on the wire, {write(packet, SIZE)}"
                yield Problem(format_path((*inner, field)), write(size, SIZE), expected)


def _packet_problems(path: Path, service: Service, largest: int) -> Iterator[Problem]:
    if isinstance(service, Stream) and service.packet_size is not None and service.packet_size > largest:
        found, expected = write(service.packet_size, SIZE), f"at most the largest MTU, {write(largest, SIZE)}"
        yield Problem(format_path((*path, "packet_size")), found, expected)
    if isinstance(service, ControlLoop) and service.size + UDP_IP_HEADERS > largest:
        expected = f"at most the largest MTU less {UDP_IP_HEADERS} bytes of headers, {write(largest - UDP_IP_HEADERS, SIZE)}"
        yield Problem(format_path((*path, "size")), write(service.size, SIZE), expected)
    if isinstance(service.transport, Tcp):
        yield from _mss_problems((*path, "transport"), service.transport, largest)


def _mss_problems(path: Path, transport: Tcp, largest: int) -> Iterator[Problem]:
    if transport.mss is not None and transport.mss > largest - TCP_IP_HEADERS:
        expected = (
            f"at most {largest - TCP_IP_HEADERS}: the largest MTU less {TCP_IP_HEADERS} bytes of headers"
        )
        yield Problem(format_path((*path, "mss")), str(transport.mss), expected)
