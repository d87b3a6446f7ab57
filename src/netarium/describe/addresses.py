"""Addresses that a user gives to the ends of a link, for emulated trials."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from netarium.describe.part import NodeName
from netarium.errors import Mistake, did_you_mean

IpInterface = ipaddress.IPv4Interface | ipaddress.IPv6Interface


def _interfaces(value: Any) -> tuple[str, ...]:
    """One address with its prefix length, or a list; in their usual spelling."""
    listed = value if isinstance(value, (list, tuple)) else [value]
    if not listed:
        raise Mistake("an empty list", "an address such as 192.0.2.1/30")
    found = []
    for index, text in enumerate(listed):
        at = (index,) if isinstance(value, (list, tuple)) else ()
        if not isinstance(text, str) or "/" not in text:
            raise Mistake(repr(text), "an address with its prefix length, such as 192.0.2.1/30", at=at)
        try:
            interface = ipaddress.ip_interface(text)
        except ValueError:
            raise Mistake(
                repr(text), "an address with its prefix length, such as 192.0.2.1/30", at=at
            ) from None
        if not usable(interface):
            raise Mistake(repr(text), f"an address of a host in {interface.network}", at=at)
        if any(ipaddress.ip_interface(other).version == interface.version for other in found):
            raise Mistake(repr(text), f"one IPv{interface.version} address at each end", at=at)
        found.append(str(interface))
    return tuple(found)


def usable(interface: IpInterface) -> bool:
    """Whether a host can have this address: not the network's own, nor its broadcast."""
    network = interface.network
    if network.prefixlen >= network.max_prefixlen - 1:
        return True  # RFC 3021, RFC 6164: both addresses of such a link are hosts'
    if network.version == 4 and interface.ip == network.broadcast_address:
        return False
    return interface.ip != network.network_address


_TEXT = {"type": "string"}
Interfaces = Annotated[
    tuple[str, ...],
    BeforeValidator(_interfaces),
    PlainSerializer(lambda value: value[0] if len(value) == 1 else list(value)),
    WithJsonSchema({"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]}),
]
LinkAddresses = dict[NodeName, Interfaces]


def check_ends(addresses: dict[str, tuple[str, ...]], endpoints: tuple[str, str]) -> None:
    """Addresses are of the link's ends, and those of one family in one prefix. Raises Mistake."""
    for node in addresses:
        if node not in endpoints:
            expected = f"an end of the link: {endpoints[0]!r} or {endpoints[1]!r}"
            raise Mistake(repr(node), expected, did_you_mean(node, endpoints), at=("addresses", node))
    prefixes: dict[int, tuple[str, Any]] = {}
    for node, texts in addresses.items():
        for text in texts:
            interface = ipaddress.ip_interface(text)
            other, network = prefixes.setdefault(interface.version, (node, interface.network))
            if network != interface.network:
                found = f"{text}, where {other!r} is in {network}"
                raise Mistake(found, f"an address in {network}", at=("addresses", node))
