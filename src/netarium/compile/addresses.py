"""Addresses of the links that touch real hosts: those a user states, the others given out in order. MACs too."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from netarium.describe.emulate import LINK_BITS
from netarium.errors import Problem, TrialInvalid

IPV6_MTU_MIN = 1280  # RFC 8200 section 5
ULA_BITS = 48  # RFC 4193 section 3.1: fd, then a global ID of 40 bits


@dataclass(frozen=True)
class LinkEnd:
    """One end of a link: addresses with prefix length ("10.0.0.1/30"), IPv4 first, and its MAC."""

    addresses: tuple[str, ...]
    mac: str

    def bare(self) -> tuple[str, ...]:
        """The addresses without prefix length."""
        return tuple(text.split("/")[0] for text in self.addresses)


def link_ends(trial: Any, real: Mapping[str, str]) -> dict[int, tuple[LinkEnd, LinkEnd]]:
    """Link index -> its two ends, of every link with a real host at an end.

    Deterministic: addresses depend on the trial's name and the order of these links. Raises TrialInvalid when a
    prefix has no room.
    """
    network = trial.network.expand()
    stated = [
        ipaddress.ip_interface(text).network
        for link in network.links
        for texts in link.addresses.values()
        for text in texts
    ]
    pools = {
        4: _subnets(trial.emulate.ipv4, stated, "ipv4"),
        6: _subnets(trial.emulate.ipv6 or unique_local_prefix(trial.trial), stated, "ipv6"),
    }
    found = {}
    for index, link in enumerate(network.links):
        if link.endpoints[0] not in real and link.endpoints[1] not in real:
            continue
        both: tuple[list[str], list[str]] = ([], [])
        for version, pool in pools.items():
            if version == 6 and link.mtu < IPV6_MTU_MIN:
                continue
            for end, text in enumerate(_pair(link, version, pool, index)):
                both[end].append(text)
        found[index] = (LinkEnd(tuple(both[0]), mac(index, 0)), LinkEnd(tuple(both[1]), mac(index, 1)))
    return found


def unique_local_prefix(name: str) -> str:
    """The IPv6 prefix of a trial: unique local (RFC 4193), its global ID from a hash of the name."""
    identifier = hashlib.sha256(f"netarium/{name}".encode()).digest()[:5]
    packed = bytes([0xFD]) + identifier + bytes(10)
    return f"{ipaddress.IPv6Address(packed)}/{ULA_BITS}"


def mac(link: int, end: int) -> str:
    """A locally administered unicast address (IEEE 802, U/L bit) of one end of a link."""
    packed = bytes([0x02, 0x4E, *(link % 2**24).to_bytes(3, "big"), end + 1])
    return packed.hex(":")


def _subnets(pool: str, stated: list[Any], key: str) -> Iterator[Any]:
    """Prefixes of one link each, in order, without those that overlap stated ones."""
    whole = ipaddress.ip_network(pool)
    taken = [network for network in stated if network.version == whole.version and network.overlaps(whole)]
    size = 1 << (whole.max_prefixlen - LINK_BITS[whole.version])
    first = int(whole.network_address)
    for number in range(whole.num_addresses // size):
        subnet = type(whole)((first + number * size, LINK_BITS[whole.version]))
        if not any(subnet.overlaps(other) for other in taken):
            yield subnet
    expected = "room for every link that touches a real host"
    raise TrialInvalid([Problem(f"emulate.{key}", f"{pool}, which is used up", expected, "a shorter prefix")])


def _pair(link: Any, version: int, pool: Iterator[Any], index: int) -> tuple[str, str]:
    """The addresses of both ends in one family: stated, completed from the stated prefix, or the pool's next."""
    given: list[Any] = [None, None]
    for end, node in enumerate(link.endpoints):
        of_version = [ipaddress.ip_interface(text) for text in link.addresses.get(node, ())]
        given[end] = next((one for one in of_version if one.version == version), None)
    known = given[0] or given[1]
    prefix = known.network if known is not None else next(pool)
    free = (address for address in _hosts(prefix) if known is None or address != known.ip)
    texts = []
    for one in given:
        address = one.ip if one is not None else next(free, None)
        if address is None:
            where = f"network.links[{index}].addresses"
            raise TrialInvalid([Problem(where, f"{prefix}, one address", "room for two", "a shorter prefix")])
        texts.append(f"{address}/{prefix.prefixlen}")
    return texts[0], texts[1]


def _hosts(prefix: Any) -> Iterator[Any]:
    """Addresses of hosts, lowest first: without the first, and in IPv4 the last, where there are more than two."""
    count = prefix.num_addresses
    first, last = (0, count) if count <= 2 else (1, count - (prefix.version == 4))
    base = int(prefix.network_address)
    kind = type(prefix.network_address)
    return (kind(base + offset) for offset in range(first, last))
